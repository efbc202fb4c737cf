//! Reads keys that operators bring along: which kind they are, and whether they do (RFC 8725 section 3.4).

use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use zeroize::Zeroizing;

use super::error::malformed;
use super::{Alg, KeyError, NewKey};

/// FIPS 186-5 section A.1.1; whatever is smaller has made padding faults fatal.
const LEAST_EXPONENT: u32 = 65_537;

impl NewKey {
    /// Reads an unencrypted PEM key (PKCS#8, PKCS#1 or SEC 1). `alg` has to be said where the key is good for several and
    /// another than the first is meant: RSA keys are for RS256.
    pub fn from_pem(pem: &str, alg: Option<Alg>) -> Result<Self, KeyError> {
        // A passphrase is never asked for: there may be no terminal.
        let key = PKey::private_key_from_pem_callback(pem.as_bytes(), |_| Ok(0))
            .map_err(|_| KeyError::Malformed("it is no unencrypted private key in PEM".to_owned()))?;
        let (kind, fitting): (&str, &[Alg]) = match key.id() {
            Id::RSA => ("an RSA key", &[Alg::Rs256, Alg::Ps256]),
            Id::RSA_PSS => ("an RSASSA-PSS key", &[Alg::Ps256]),
            Id::EC => ("a key on an elliptic curve", &[Alg::Es256]),
            Id::ED25519 => ("an Ed25519 key", &[Alg::EdDsa]),
            _ => return Err(KeyError::Unfit("it is neither RSA nor on P-256 nor Ed25519".to_owned())),
        };
        let alg = match (alg, fitting.first()) {
            (Some(alg), _) if fitting.contains(&alg) => alg,
            (None, Some(first)) => *first,
            _ => {
                let names: Vec<&str> = fitting.iter().map(|alg| alg.name()).collect();
                return Err(KeyError::Unfit(format!("it is {kind}, which is for {}", names.join(" or "))));
            }
        };
        match alg {
            Alg::Rs256 | Alg::Ps256 => Self::of_rsa(alg, &sound_rsa(&key)?),
            Alg::Es256 => Self::of_p256(&sound_p256(&key)?),
            Alg::EdDsa => Self::of_ed25519(&key),
        }
    }
}

fn sound_rsa(key: &PKey<Private>) -> Result<RsaPrivateKey, KeyError> {
    let key = key.rsa().map_err(malformed)?;
    let least = BigNum::from_u32(LEAST_EXPONENT).map_err(malformed)?;
    if key.e() < &*least || !key.e().is_bit_set(0) {
        return Err(KeyError::Unfit(format!("its public exponent is {}, which has to be 65537", key.e())));
    }
    let der = Zeroizing::new(key.private_key_to_der().map_err(malformed)?);
    let key = RsaPrivateKey::from_pkcs1_der(&der).map_err(malformed)?;
    key.validate().map_err(malformed)?;
    Ok(key)
}

/// The key on the named curve, whatever parameters it brought along.
fn sound_p256(key: &PKey<Private>) -> Result<EcKey<Private>, KeyError> {
    let key = key.ec_key().map_err(malformed)?;
    if key.group().curve_name() != Some(Nid::X9_62_PRIME256V1) {
        return Err(KeyError::Unfit("its curve is not P-256".to_owned()));
    }
    let rebuilt = || {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = EcKey::from_private_components(&group, key.private_key(), key.public_key())?;
        key.check_key()?;
        Ok::<_, ErrorStack>(key)
    };
    rebuilt().map_err(|_| KeyError::Unfit("its public half does not belong to its private half".to_owned()))
}

#[cfg(test)]
mod tests {
    use openssl::ec::EcPoint;
    use openssl::rsa::Rsa;

    use super::*;

    fn pem(key: &PKey<Private>) -> String {
        String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    fn on(curve: Nid) -> EcKey<Private> {
        EcKey::generate(&EcGroup::from_curve_name(curve).unwrap()).unwrap()
    }

    #[test]
    fn the_kind_of_a_key_says_its_algorithm() {
        let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let p256 = PKey::from_ec_key(on(Nid::X9_62_PRIME256V1)).unwrap();
        let ed25519 = PKey::generate_ed25519().unwrap();
        let alg = |key, said| NewKey::from_pem(&pem(key), said).map(|key| key.alg).ok();
        assert_eq!(alg(&rsa, None), Some(Alg::Rs256));
        assert_eq!(alg(&rsa, Some(Alg::Ps256)), Some(Alg::Ps256));
        assert_eq!(alg(&p256, None), Some(Alg::Es256));
        assert_eq!(alg(&ed25519, None), Some(Alg::EdDsa));
        for (key, other) in [(&rsa, Alg::Es256), (&p256, Alg::Rs256), (&ed25519, Alg::Es256)] {
            assert_eq!(alg(key, Some(other)), None, "{other}");
        }
        let sec1 = String::from_utf8(p256.ec_key().unwrap().private_key_to_pem().unwrap()).unwrap();
        assert_eq!(NewKey::from_pem(&sec1, None).unwrap().kid, NewKey::from_pem(&pem(&p256), None).unwrap().kid);
    }

    #[test]
    fn tj_16_unsound_keys_are_refused() {
        let good = on(Nid::X9_62_PRIME256V1);
        assert!(NewKey::from_pem(&pem(&PKey::from_ec_key(good.clone()).unwrap()), None).is_ok());
        // Another curve; somebody else's public half; other kinds; small exponents.
        for curve in [Nid::SECP256K1, Nid::SECP384R1] {
            assert!(NewKey::from_pem(&pem(&PKey::from_ec_key(on(curve)).unwrap()), None).is_err());
        }
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let other = on(Nid::X9_62_PRIME256V1);
        let mut point = EcPoint::new(&group).unwrap();
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        point.mul_generator2(&group, other.private_key(), &mut context).unwrap();
        let mixed = EcKey::from_private_components(&group, good.private_key(), &point).unwrap();
        assert!(NewKey::from_pem(&pem(&PKey::from_ec_key(mixed).unwrap()), None).is_err());
        assert!(NewKey::from_pem(&pem(&PKey::generate_ed448().unwrap()), None).is_err());
        let small = Rsa::generate_with_e(2048, &BigNum::from_u32(3).unwrap()).unwrap();
        assert!(NewKey::from_pem(&pem(&PKey::from_rsa(small).unwrap()), None).is_err());
    }

    #[test]
    fn an_encrypted_key_is_refused_without_asking() {
        let key = PKey::generate_ed25519().unwrap();
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        let pem = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
        assert!(matches!(NewKey::from_pem(std::str::from_utf8(&pem).unwrap(), None), Err(KeyError::Malformed(_))));
    }
}
