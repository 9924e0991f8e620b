//! Rows of answers, as the AWS CLI prints them: one function a kind of thing, no decisions.

pub(super) mod balancer;
pub(super) mod filter;
pub(super) mod gateway;
pub(super) mod interface;
pub(super) mod network;
pub(super) mod transit;

use serde_json::{Value, json};

/// Tags, in this order.
pub(super) fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
