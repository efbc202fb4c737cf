//! Password hashes that other programs have made: bcrypt and PBKDF2. They are good for one sign-in, which replaces them by ours.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use subtle::ConstantTimeEq as _;

/// bcrypt reads so many bytes.
const BCRYPT_READS: usize = 72;
/// Powers of two; more is seconds of work for everybody who types a password.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
const PBKDF2_ITERATIONS: std::ops::RangeInclusive<u32> = 1_000..=2_000_000;
const PBKDF2_HASH_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
const LONGEST_SALT: usize = 128;

/// The salt's last character has bits to spare, which programs fill as they like.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha512,
}

/// How a hash was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Bcrypt { cost: u32, salt: [u8; 16] },
    Pbkdf2 { digest: Digest, iterations: u32, salt: Vec<u8>, bytes: usize },
}

/// A hash that somebody else has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Imported {
    pub(super) method: Method,
    expected: Vec<u8>,
}

impl Imported {
    /// Reads `$2a$`, `$2b$` and `$2y$` (bcrypt), `$pbkdf2-sha256$` and `$pbkdf2-sha512$` (PHC, or as passlib writes it) and
    /// `pbkdf2_sha256$` (Django). `None`: it is none of these. Errors: it is, but does not do.
    pub(super) fn read(text: &str) -> Option<Result<Self, &'static str>> {
        let parts: Vec<&str> = text.split('$').collect();
        match *parts.as_slice() {
            ["", "2a" | "2b" | "2y", cost, rest] => Some(bcrypt(cost, rest)),
            ["", "pbkdf2-sha256", cost, salt, hash] => Some(phc(Digest::Sha256, cost, salt, hash)),
            ["", "pbkdf2-sha512", cost, salt, hash] => Some(phc(Digest::Sha512, cost, salt, hash)),
            ["pbkdf2_sha256", iterations, salt, hash] => {
                // Django's salt is text, and its hash has padding.
                let hash = decode(hash.trim_end_matches('='));
                Some(pbkdf2(Digest::Sha256, iterations, Some(salt.as_bytes().to_vec()), hash))
            }
            _ => None,
        }
    }

    /// Whether this is the password. Only the exact one is: what bcrypt does not read cannot be right, nor can a NUL, where one
    /// stops reading and the other pads with it.
    pub(super) fn is(&self, password: &str) -> bool {
        let is_read = match self.method {
            Method::Bcrypt { .. } => password.len() <= BCRYPT_READS,
            Method::Pbkdf2 { .. } => true,
        };
        let whole = is_read && !password.contains('\0');
        let found = self.method.derive(password);
        whole && found.is_some_and(|found| bool::from(found.ct_eq(&self.expected)))
    }
}

impl Method {
    /// Roughly how long it takes, to compare methods by.
    pub(super) fn work(&self) -> u64 {
        match self {
            Self::Bcrypt { cost, .. } => 64_u64 << *cost,
            Self::Pbkdf2 { iterations, .. } => u64::from(*iterations),
        }
    }

    /// `None`: the library failed.
    pub(super) fn derive(&self, password: &str) -> Option<Vec<u8>> {
        match self {
            Self::Bcrypt { cost, salt } => {
                let mut key = zeroize::Zeroizing::new(password.as_bytes().to_vec());
                key.push(0);
                key.truncate(BCRYPT_READS);
                // The last of 24 bytes is not part of a hash.
                bcrypt::bcrypt(*cost, *salt, &key).get(..23).map(<[u8]>::to_vec)
            }
            Self::Pbkdf2 { digest, iterations, salt, bytes } => {
                let digest = match digest {
                    Digest::Sha256 => MessageDigest::sha256(),
                    Digest::Sha512 => MessageDigest::sha512(),
                };
                let mut hash = vec![0; *bytes];
                let iterations = usize::try_from(*iterations).ok()?;
                pbkdf2_hmac(password.as_bytes(), salt, iterations, digest, &mut hash).ok()?;
                Some(hash)
            }
        }
    }
}

fn bcrypt(cost: &str, rest: &str) -> Result<Imported, &'static str> {
    const MALFORMED: &str = "a bcrypt hash is like $2b$12$ and 53 characters more";
    let is_two_digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    let cost: u32 = cost.parse().ok().filter(|_| is_two_digits).ok_or(MALFORMED)?;
    if !BCRYPT_COSTS.contains(&cost) {
        return Err("a bcrypt hash has a cost of 4 to 14");
    }
    let (salt, hash) = rest.split_at_checked(22).filter(|(_, hash)| hash.len() == 31).ok_or(MALFORMED)?;
    let salt = BCRYPT_BASE64.decode(salt).ok().and_then(|salt| salt.try_into().ok()).ok_or(MALFORMED)?;
    let expected = BCRYPT_BASE64.decode(hash).map_err(|_| MALFORMED)?;
    Ok(Imported { method: Method::Bcrypt { cost, salt }, expected })
}

/// `i=600000,l=32`, or the bare number that passlib writes.
fn phc(digest: Digest, cost: &str, salt: &str, hash: &str) -> Result<Imported, &'static str> {
    let mut iterations = cost;
    let mut length = None;
    if cost.contains('=') {
        for parameter in cost.split(',') {
            match parameter.split_once('=') {
                Some(("i", value)) => iterations = value,
                Some(("l", value)) => length = Some(value),
                _ => return Err("a PBKDF2 hash has the parameters i and l only"),
            }
        }
    }
    let imported = pbkdf2(digest, iterations, decode(salt), decode(hash))?;
    let fits = length.is_none_or(|length| length.parse() == Ok(imported.expected.len()));
    if fits { Ok(imported) } else { Err("the parameter l of a PBKDF2 hash says another length") }
}

fn pbkdf2(
    digest: Digest,
    iterations: &str,
    salt: Option<Vec<u8>>,
    hash: Option<Vec<u8>>,
) -> Result<Imported, &'static str> {
    let (Some(salt), Some(expected)) = (salt, hash) else {
        return Err("the salt or the hash of a PBKDF2 hash cannot be read");
    };
    let iterations = iterations.parse().ok().filter(|number| PBKDF2_ITERATIONS.contains(number));
    let iterations = iterations.ok_or("a PBKDF2 hash has 1000 to 2000000 iterations")?;
    if salt.is_empty() || salt.len() > LONGEST_SALT {
        return Err("a PBKDF2 hash has a salt of 1 to 128 bytes");
    }
    if !PBKDF2_HASH_BYTES.contains(&expected.len()) {
        return Err("a PBKDF2 hash has 16 to 64 bytes");
    }
    Ok(Imported { method: Method::Pbkdf2 { digest, iterations, salt, bytes: expected.len() }, expected })
}

/// Base64 without padding; passlib writes a dot for the plus.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.replace('.', "+")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "plum violin 42 harbour";
    /// Made by libxcrypt and by Python's hashlib.
    const HASHES: [&str; 6] = [
        "$2b$04$abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y",
        "$2y$04$abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y",
        "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$e4E5XjJyWq4VIvnfCwWtqaMMZBoxWLZyC+HrgVuMSDI",
        "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$e4E5XjJyWq4VIvnfCwWtqaMMZBoxWLZyC.HrgVuMSDI",
        "$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$AQ+pkgZT9PA4aOoRNgW0qmqn6KWmM0b5lckC+wT9UCjcUn7YXbSTdzwbk1JKrNo70WYxD3qtb+qCEKXzrFW89A",
        "pbkdf2_sha256$1000$0123456789abcdef$e4E5XjJyWq4VIvnfCwWtqaMMZBoxWLZyC+HrgVuMSDI=",
    ];

    #[test]
    fn h2_6_hashes_of_other_programs_know_their_password() {
        for text in HASHES {
            let hash = Imported::read(text).unwrap().unwrap();
            assert!(hash.is(PASSWORD), "{text}");
            for wrong in ["plum violin 42 harbou", "Plum violin 42 harbour", "", "plum violin 42 harbour\0"] {
                assert!(!hash.is(wrong), "{text}: {wrong:?}");
            }
        }
    }

    /// LG-16: bcrypt reads 72 bytes and stops at a NUL; whoever knows so much of a password does not know it.
    #[test]
    fn lg_16_only_the_exact_password_is_right() {
        let salt = *b"0123456789abcdef";
        let method = Method::Bcrypt { cost: 4, salt };
        let expected = method.derive(&"x".repeat(72)).unwrap();
        let hash = Imported { method, expected };
        assert!(hash.is(&"x".repeat(72)));
        assert!(!hash.is(&"x".repeat(73)) && !hash.is(&"x".repeat(71)));
    }

    #[test]
    fn what_would_cost_too_much_is_not_taken() {
        let rest = "abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y";
        for (text, why) in [
            (format!("$2b$31${rest}"), "cost"),
            (format!("$2b$15${rest}"), "cost"),
            (format!("$2b$03${rest}"), "cost"),
            (format!("$2b$4${rest}"), "like"),
            (format!("$2b$+4${rest}"), "like"),
            (format!("$2b$12${rest}x"), "like"),
            ("$2b$12$short".to_owned(), "like"),
            ("$pbkdf2-sha256$i=1000000000$MDEy$e4E5XjJyWq4VIvnfCwWtqQ".to_owned(), "iterations"),
            ("$pbkdf2-sha256$i=1$MDEy$e4E5XjJyWq4VIvnfCwWtqQ".to_owned(), "iterations"),
            ("$pbkdf2-sha256$i=1000,x=1$MDEy$e4E5XjJyWq4VIvnfCwWtqQ".to_owned(), "parameters"),
            ("$pbkdf2-sha256$i=1000,l=32$MDEy$e4E5XjJyWq4VIvnfCwWtqQ".to_owned(), "length"),
            ("$pbkdf2-sha256$i=1000$MDEy$e4E5".to_owned(), "16 to 64"),
            ("$pbkdf2-sha256$i=1000$$e4E5XjJyWq4VIvnfCwWtqQ".to_owned(), "salt"),
            ("$pbkdf2-sha256$i=1000$!!!$e4E5XjJyWq4VIvnfCwWtqQ".to_owned(), "read"),
        ] {
            let said = Imported::read(&text).unwrap().unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        for other in ["", "$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA", "$2x$04$x", "$1$x$y", "plain", "md5$x$y"] {
            assert!(Imported::read(other).is_none(), "{other}");
        }
    }
}
