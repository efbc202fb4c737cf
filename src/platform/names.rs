//! Names that are given to things and stand in tokens, addresses and files.

/// Whether this is a name of 1 to 64 small letters, digits and these other characters, a letter first.
pub fn is_name(text: &str, others: &[u8]) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte))
}
