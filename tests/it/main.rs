//! Bonafide from outside: one binary, a module a capability, each test on SQLite and on PostgreSQL.
//!
//! `support` is what they stand on; `discovery` is the shortest example. Tests of a known attack begin with its id in
//! the list of threats.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects by stopping when it is not so"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests stand outside: real time, their own HTTP client, their own randomness"
)]

#[macro_use]
mod support;

mod discovery;
