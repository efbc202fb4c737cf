//! What a client proves itself by.

use crate::platform::random::Random;

/// Tells people and secret scanners what the string is.
const PREFIX: &str = "bfs_";

/// A client secret of 256 random bits. Only its hash is stored.
pub fn new_secret(random: &dyn Random) -> String {
    random.token(PREFIX)
}
