//! Loading, end to end.
