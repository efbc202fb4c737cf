//! What signs and what verifies, by algorithm. All private-key work is josekit's, on OpenSSL.

use josekit::jwk::Jwk;
use josekit::jws::{ES256, EdDSA, JwsSigner, JwsVerifier, PS256, RS256};
use rsa::pkcs8::SecretDocument;

use super::error::malformed;
use super::{Alg, KeyError};

/// What signs with this private key (PKCS#8 in PEM).
pub(super) fn signer(alg: Alg, pem: &[u8]) -> Result<Box<dyn JwsSigner>, KeyError> {
    Ok(match alg {
        Alg::Rs256 => Box::new(RS256.signer_from_pem(pem).map_err(malformed)?),
        Alg::Es256 => Box::new(ES256.signer_from_pem(pem).map_err(malformed)?),
        Alg::EdDsa => Box::new(EdDSA.signer_from_pem(pem).map_err(malformed)?),
        Alg::Ps256 => {
            // In PEM it takes only keys that name RSASSA-PSS themselves.
            let pem = std::str::from_utf8(pem).map_err(malformed)?;
            let (_, der) = SecretDocument::from_pem(pem).map_err(malformed)?;
            Box::new(PS256.signer_from_der(der.as_bytes()).map_err(malformed)?)
        }
    })
}

/// The public half of a key.
pub struct PublicKey {
    pub kid: String,
    pub alg: Alg,
    verifier: Box<dyn JwsVerifier>,
}

impl PublicKey {
    /// Reads a public JWK.
    pub(super) fn read(alg: Alg, kid: String, jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::from_bytes(jwk.as_bytes()).map_err(malformed)?;
        let verifier: Box<dyn JwsVerifier> = match alg {
            Alg::Rs256 => Box::new(RS256.verifier_from_jwk(&jwk).map_err(malformed)?),
            Alg::Es256 => Box::new(ES256.verifier_from_jwk(&jwk).map_err(malformed)?),
            Alg::Ps256 => Box::new(PS256.verifier_from_jwk(&jwk).map_err(malformed)?),
            Alg::EdDsa => Box::new(EdDSA.verifier_from_jwk(&jwk).map_err(malformed)?),
        };
        Ok(Self { kid, alg, verifier })
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::NewKey;
    use super::*;
    use crate::platform::random::SystemRandom;

    #[test]
    fn every_algorithm_verifies_its_own_signatures_and_no_others() {
        let keys = Alg::ALL.map(|alg| NewKey::make(alg, &SystemRandom).unwrap());
        for key in &keys {
            let public = PublicKey::read(key.alg, key.kid.clone(), &key.public_jwk).unwrap();
            let signed = signer(key.alg, key.private_pem.as_bytes()).unwrap().sign(b"message").unwrap();
            assert!(public.verifies(b"message", &signed), "{}", key.alg);
            assert!(!public.verifies(b"massage", &signed), "{}", key.alg);
            assert!(!public.verifies(b"message", &[]), "{}", key.alg);
            for at in [0, signed.len() / 2, signed.len() - 1] {
                let mut altered = signed.clone();
                altered[at] ^= 1;
                assert!(!public.verifies(b"message", &altered), "{}", key.alg);
            }
            for other in keys.iter().filter(|other| other.alg != key.alg) {
                assert!(PublicKey::read(other.alg, key.kid.clone(), &key.public_jwk).is_err(), "{}", other.alg);
            }
        }
    }

    #[test]
    fn tj_16_signatures_that_no_key_makes_are_refused() {
        let key = NewKey::make(Alg::Es256, &SystemRandom).unwrap();
        let public = PublicKey::read(key.alg, key.kid.clone(), &key.public_jwk).unwrap();
        let signed = signer(key.alg, key.private_pem.as_bytes()).unwrap().sign(b"message").unwrap();
        assert!(public.verifies(b"message", &signed));
        let der = openssl::ecdsa::EcdsaSig::from_private_components(
            openssl::bn::BigNum::from_slice(&signed[..32]).unwrap(),
            openssl::bn::BigNum::from_slice(&signed[32..]).unwrap(),
        )
        .unwrap()
        .to_der()
        .unwrap();
        for refused in
            [&[0; 64][..], &[&[0; 32], &signed[32..]].concat(), &[&signed[..32], &[0; 32]].concat(), &der, &[0xff; 64]]
        {
            assert!(!public.verifies(b"message", refused), "{refused:?}");
        }
        // A public key that is no point of the curve.
        let off = key.public_jwk.replace(r#""x":"#, r#""x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","_":"#);
        assert!(PublicKey::read(Alg::Es256, String::new(), &off).is_err());
    }
}
