//! The `reachproof` command: arguments, file reading, rendering and exit codes.
fn main() {}
