//! The certificate that we show and its private key: read from PEM files, checked, made into what speaks TLS.

use std::fs;
use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    AlpnError, SslAcceptor, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslVersion, select_next_proto,
};
use openssl::x509::X509;

use super::settings;

/// RFC 9325 section 4.2: forward secrecy and authenticated encryption, nothing else. TLS 1.3 has no others.
const TLS_1_2_CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// What we speak inside, the one that we like better first (RFC 7301 section 3.1).
const PROTOCOLS: &[u8] = b"\x02h2\x08http/1.1";

/// Why a pair does not do: the setting, the file, the reason. One line.
#[derive(Debug, thiserror::Error)]
#[error("setting {setting}: {file}: {reason}")]
pub struct CertificateError {
    setting: &'static str,
    file: String,
    reason: String,
}

/// A certificate with its chain, and its private key.
pub struct Certificate {
    settings: settings::Tls,
    leaf: X509,
    chain: Vec<X509>,
    key: PKey<Private>,
}

impl Certificate {
    /// Reads both files and checks that they belong together.
    pub fn read(settings: &settings::Tls) -> Result<Self, CertificateError> {
        let of_certificate = |reason: &dyn std::fmt::Display| refuse("tls.certificate", &settings.certificate, reason);
        let of_key = |reason: &dyn std::fmt::Display| refuse("tls.key", &settings.key, reason);
        let pem = fs::read(&settings.certificate).map_err(|error| of_certificate(&error))?;
        let mut chain = X509::stack_from_pem(&pem).map_err(|_| of_certificate(&"holds no certificate in PEM"))?;
        if chain.is_empty() {
            return Err(of_certificate(&"holds no certificate in PEM"));
        }
        let leaf = chain.remove(0);
        let pem = zeroize::Zeroizing::new(fs::read(&settings.key).map_err(|error| of_key(&error))?);
        // A passphrase is never asked for: there may be no terminal.
        let key = PKey::private_key_from_pem_callback(&pem, |_| Ok(0))
            .map_err(|_| of_key(&"holds no unencrypted private key in PEM"))?;
        if !leaf.public_key().is_ok_and(|public| public.public_eq(&key)) {
            return Err(of_key(&format!("is not the key of the certificate in {}", settings.certificate)));
        }
        Ok(Self { settings: settings.clone(), leaf, chain, key })
    }

    /// What takes connections by this pair: TLS 1.2 and 1.3, h2 and http/1.1 by ALPN.
    pub fn context(&self) -> Result<SslContext, CertificateError> {
        let build = || {
            let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
            builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
            builder.set_cipher_list(TLS_1_2_CIPHERS)?;
            builder.set_options(SslOptions::NO_RENEGOTIATION);
            // Who comes back brings a ticket: no memory is spent on them.
            builder.set_session_cache_mode(SslSessionCacheMode::OFF);
            // Whoever names only protocols that are not ours meant somebody else (RFC 9325 section 3.8).
            builder.set_alpn_select_callback(|_, theirs| {
                select_next_proto(PROTOCOLS, theirs).ok_or(AlpnError::ALERT_FATAL)
            });
            builder.set_certificate(&self.leaf)?;
            for issuer in &self.chain {
                builder.add_extra_chain_cert(issuer.clone())?;
            }
            builder.set_private_key(&self.key)?;
            builder.check_private_key()?;
            Ok::<_, ErrorStack>(builder.build().into_context())
        };
        build().map_err(|error| refuse("tls.certificate", &self.settings.certificate, &error))
    }

    /// Whether it is good for this host: a DNS name or an address (RFC 9525 section 6).
    pub fn covers(&self, host: &str) -> bool {
        let Some(names) = self.leaf.subject_alt_names() else { return false };
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            let bytes = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            return names.iter().any(|name| name.ipaddress() == Some(bytes.as_slice()));
        }
        let parent = host.split_once('.').map(|(_, parent)| parent);
        names.iter().filter_map(|name| name.dnsname()).any(|name| {
            let wildcard = name.strip_prefix("*.").zip(parent);
            name.eq_ignore_ascii_case(host) || wildcard.is_some_and(|(name, parent)| name.eq_ignore_ascii_case(parent))
        })
    }

    /// Whether its time has come by then.
    pub fn has_begun(&self, at: DateTime<Utc>) -> bool {
        moment(at).is_ok_and(|at| self.leaf.not_before() <= at)
    }

    /// Whether its time is over so long after then.
    pub fn has_ended(&self, at: DateTime<Utc>, later: Duration) -> bool {
        moment(at + later).is_ok_and(|at| self.leaf.not_after() <= at)
    }

    /// When its time ends, for people.
    pub fn end(&self) -> String {
        self.leaf.not_after().to_string()
    }
}

fn moment(at: DateTime<Utc>) -> Result<Asn1Time, ErrorStack> {
    Asn1Time::from_unix(at.timestamp())
}

fn refuse(setting: &'static str, file: &str, reason: &dyn std::fmt::Display) -> CertificateError {
    CertificateError { setting, file: file.to_owned(), reason: reason.to_string() }
}
