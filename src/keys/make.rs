//! Makes keys. The `rsa` crate makes RSA keys and reads their public parts, OpenSSL those on curves; nothing here signs.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use rsa::{RsaPrivateKey, rand_core};
use zeroize::Zeroizing;

use super::error::malformed;
use super::jwk::{self, PublicJwk};
use super::{Alg, KeyError, signature};
use crate::platform::random::Random;

/// NIST SP 800-57: good until 2030 and beyond; RFC 7518 section 3.3 demands it as the least.
const RSA_BITS: usize = 2048;

/// The bytes of a coordinate on P-256.
const P256_WIDTH: i32 = 32;

/// A key that is not yet stored.
pub struct NewKey {
    /// The thumbprint of RFC 7638.
    pub kid: String,
    pub alg: Alg,
    /// A public JWK with `kid`, `use` and `alg` (RFC 7517).
    pub public_jwk: String,
    /// PKCS#8 in PEM.
    pub private_pem: Zeroizing<String>,
}

impl NewKey {
    /// Makes a key. An RSA one takes a second of CPU: call it where blocking is allowed.
    pub fn make(alg: Alg, random: &dyn Random) -> Result<Self, KeyError> {
        match alg {
            Alg::Rs256 | Alg::Ps256 => {
                let key = RsaPrivateKey::new(&mut Adapter(random), RSA_BITS).map_err(malformed)?;
                Self::of_rsa(alg, &key)
            }
            Alg::Es256 => Self::of_p256(&p256(random).map_err(malformed)?),
            Alg::EdDsa => {
                let seed = Zeroizing::new(random.bytes::<32>());
                Self::of_ed25519(&PKey::private_key_from_raw_bytes(seed.as_ref(), Id::ED25519).map_err(malformed)?)
            }
        }
    }

    pub(super) fn of_rsa(alg: Alg, key: &RsaPrivateKey) -> Result<Self, KeyError> {
        let bits = key.n().bits();
        if bits < RSA_BITS {
            return Err(KeyError::Short(bits));
        }
        let public = jwk::rsa(alg, &key.n().to_bytes_be(), &key.e().to_bytes_be());
        Self::proven(alg, public, key.to_pkcs8_pem(LineEnding::LF).map_err(malformed)?)
    }

    pub(super) fn of_p256(key: &EcKey<Private>) -> Result<Self, KeyError> {
        let parts = || {
            let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
            key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
            let pem = Zeroizing::new(PKey::from_ec_key(key.clone())?.private_key_to_pem_pkcs8()?);
            Ok::<_, ErrorStack>((x.to_vec_padded(P256_WIDTH)?, y.to_vec_padded(P256_WIDTH)?, pem))
        };
        let (x, y, pem) = parts().map_err(malformed)?;
        Self::proven(Alg::Es256, jwk::p256(Alg::Es256, &x, &y), text(&pem)?)
    }

    pub(super) fn of_ed25519(key: &PKey<Private>) -> Result<Self, KeyError> {
        let x = key.raw_public_key().map_err(malformed)?;
        let pem = Zeroizing::new(key.private_key_to_pem_pkcs8().map_err(malformed)?);
        Self::proven(Alg::EdDsa, jwk::ed25519(Alg::EdDsa, &x), text(&pem)?)
    }

    /// No key gets in whose two halves do not go together (FIPS 186-5 section 3.1).
    fn proven(alg: Alg, public: PublicJwk, private_pem: Zeroizing<String>) -> Result<Self, KeyError> {
        const PROBE: &[u8] = b"bonafide";
        let proof = signature::signer(alg, private_pem.as_bytes())?
            .sign(PROBE)
            .map_err(|error| KeyError::Signing(error.to_string()))?;
        if !signature::PublicKey::read(alg, public.kid.clone(), &public.json)?.verifies(PROBE, &proof) {
            return Err(KeyError::Unfit("its public half does not belong to its private half".to_owned()));
        }
        Ok(Self { kid: public.kid, alg, public_jwk: public.json, private_pem })
    }
}

/// A key on P-256. 64 bits more than the order has are drawn, so that the remainder is as good as evenly spread (FIPS 186-5
/// appendix A.2.1).
fn p256(random: &dyn Random) -> Result<EcKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let mut context = BigNumContext::new()?;
    let (mut bound, mut scalar) = (BigNum::new()?, BigNum::new_secure()?);
    group.order(&mut bound, &mut context)?;
    bound.sub_word(1)?;
    let drawn = BigNum::from_slice(Zeroizing::new(random.bytes::<40>()).as_ref())?;
    scalar.nnmod(&drawn, &bound, &mut context)?;
    scalar.add_word(1)?;
    let mut point = EcPoint::new(&group)?;
    point.mul_generator2(&group, &scalar, &mut context)?;
    EcKey::from_private_components(&group, &scalar, &point)
}

fn text(pem: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    std::str::from_utf8(pem).map(|pem| Zeroizing::new(pem.to_owned())).map_err(malformed)
}

/// The `rsa` crate draws from its own kind of generator.
struct Adapter<'a>(&'a dyn Random);

impl rand_core::RngCore for Adapter<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Adapter<'_> {}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::platform::random::SystemRandom;

    #[test]
    fn the_kid_is_the_thumbprint_of_rfc_7638() {
        let key = NewKey::make(Alg::Rs256, &SystemRandom).unwrap();
        let again = NewKey::from_pem(&key.private_pem, None).unwrap();
        assert_eq!(key.kid, again.kid);
        let jwk: serde_json::Value = serde_json::from_str(&key.public_jwk).unwrap();
        let canonical = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]);
        assert_eq!(key.kid, URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)));
        assert!(jwk.get("d").is_none());
    }

    #[test]
    fn keys_on_curves_have_the_width_of_their_curve() {
        // A coordinate in 256 begins with a zero: some of these do.
        for _ in 0..600 {
            let jwk: serde_json::Value =
                serde_json::from_str(&NewKey::make(Alg::Es256, &SystemRandom).unwrap().public_jwk).unwrap();
            for coordinate in ["x", "y"] {
                assert_eq!(URL_SAFE_NO_PAD.decode(jwk[coordinate].as_str().unwrap()).unwrap().len(), 32);
            }
        }
    }

    #[test]
    fn short_keys_are_refused() {
        let key = RsaPrivateKey::new(&mut Adapter(&SystemRandom), 1024).unwrap();
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        assert!(matches!(NewKey::from_pem(&pem, None), Err(KeyError::Short(1024))));
        assert!(matches!(NewKey::from_pem("nonsense", None), Err(KeyError::Malformed(_))));
    }
}
