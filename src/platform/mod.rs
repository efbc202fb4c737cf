//! What every room stands on: settings, the database, the clock, randomness, secrets, the password hashing pool, the store of files, telemetry.
//! Nothing in here knows what an identity provider is.

pub mod agent;
pub mod certificate;
pub mod clock;
pub mod collector;
pub mod database;
pub mod hashing;
pub mod logs;
mod master;
pub mod measure;
pub mod names;
pub mod outgoing;
pub mod prometheus;
pub mod random;
pub mod secrets;
pub mod settings;
pub mod smtp;
pub mod spans;
pub mod storage;
pub mod words;
