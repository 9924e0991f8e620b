//! One small network a rule, and its components as text.

mod balancers;
mod guests;
mod ingresses;
mod neighbours;
mod reading;
mod support;
