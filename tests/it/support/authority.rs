//! A certificate authority of the tests' own, and what it issues.

use std::{fs, net::IpAddr, path::Path};

use openssl::{
    asn1::{Asn1Integer, Asn1Time},
    bn::{BigNum, MsbOption},
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    x509::{
        X509, X509Builder, X509NameBuilder,
        extension::{BasicConstraints, SubjectAlternativeName},
    },
};

const DAY: i64 = 86_400;

/// Signs certificates for the names of this machine.
pub(crate) struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

/// A certificate with its private key.
pub(crate) struct Pair {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = p256();
        let mut builder = begin("Test authority", &key, DAY * 365);
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().expect("an extension"))
            .expect("adding");
        builder.set_issuer_name(&name("Test authority")).expect("an issuer");
        builder.sign(&key, MessageDigest::sha256()).expect("signing");
        Self { certificate: builder.build(), key }
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().expect("PEM")
    }

    pub(crate) fn certificate(&self) -> &X509 {
        &self.certificate
    }

    /// For `localhost` and the loopback addresses, good for a year.
    pub(crate) fn issue(&self) -> Pair {
        self.issue_for(&["localhost", "127.0.0.1", "::1"], p256(), DAY * 365)
    }

    /// The same with an RSA key.
    pub(crate) fn issue_rsa(&self) -> Pair {
        let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        self.issue_for(&["localhost", "127.0.0.1", "::1"], key, DAY * 365)
    }

    /// For these names and addresses, until so many seconds from now.
    pub(crate) fn issue_for(&self, names: &[&str], key: PKey<Private>, seconds: i64) -> Pair {
        let mut builder = begin("Bonafide", &key, seconds);
        builder.set_issuer_name(self.certificate.subject_name()).expect("an issuer");
        let mut alternative = SubjectAlternativeName::new();
        for name in names {
            if name.parse::<IpAddr>().is_ok() {
                alternative.ip(name)
            } else {
                alternative.dns(name)
            };
        }
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let extension = alternative.build(&context).expect("an extension");
        builder.append_extension(extension).expect("adding");
        builder.sign(&self.key, MessageDigest::sha256()).expect("signing");
        Pair { certificate: builder.build(), key }
    }
}

impl Pair {
    /// Puts both files into a folder, each whole at once: `tls.pem` and `tls.key`.
    pub(crate) fn write_to(&self, folder: &Path) {
        put(&folder.join("tls.pem"), &self.certificate.to_pem().expect("PEM"));
        put(&folder.join("tls.key"), &self.key.private_key_to_pem_pkcs8().expect("PEM"));
    }

    pub(crate) fn serial(&self) -> String {
        serial(&self.certificate)
    }
}

/// A certificate's serial number, in hexadecimal digits.
pub(crate) fn serial(certificate: &X509) -> String {
    certificate
        .serial_number()
        .to_bn()
        .and_then(|number| number.to_hex_str().map(|text| text.to_string()))
        .expect("text")
}

pub(crate) fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

fn begin(subject: &str, key: &PKey<Private>, seconds: i64) -> X509Builder {
    let mut serial = BigNum::new().expect("a number");
    serial.rand(120, MsbOption::MAYBE_ZERO, false).expect("a number");
    let now = chrono::Utc::now().timestamp();
    let at = |seconds: i64| Asn1Time::from_unix(now + seconds).expect("a time");
    let mut builder = X509Builder::new().expect("a certificate");
    builder.set_version(2).expect("a version");
    builder.set_serial_number(&Asn1Integer::from_bn(&serial).expect("a number")).expect("a number");
    builder.set_subject_name(&name(subject)).expect("a subject");
    builder.set_not_before(&at(seconds.min(0) - DAY)).expect("a time");
    builder.set_not_after(&at(seconds)).expect("a time");
    builder.set_pubkey(key).expect("a key");
    builder
}

fn name(common: &str) -> openssl::x509::X509Name {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, common).expect("a name");
    name.build()
}

fn put(path: &Path, bytes: &[u8]) {
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes).expect("writing");
    fs::rename(&draft, path).expect("renaming");
}
