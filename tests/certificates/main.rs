//! Certificates: every proof of the corpus is emitted and accepted, and nothing that is not one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "helpers of a test"
)]

mod bytes;
mod corpus;
mod limits;
mod mutations;
mod owners;
mod senders;
mod support;
mod supposed;
mod unanswered;
mod waivers;
