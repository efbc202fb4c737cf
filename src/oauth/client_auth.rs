//! Who is the client? Answered before any grant is looked at (RFC 6749 section 2.3, OpenID Connect Core section 9).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::parameters::Parameters;
use super::why;
use crate::clients::{Client, GrantType};
use crate::platform::secrets;
use crate::trace::{self, Rule};

/// What a request says of its client, before anything is believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Claimed {
    pub client_id: String,
    secret: Option<String>,
    method: Method,
}

/// How the secret came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Basic,
    Post,
    None,
}

/// A client that has proven itself. Only this module makes one.
#[derive(Clone)]
pub struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    /// The client of JSON sign-in. Our own code is that client, so nobody has to prove anything; no other will do.
    pub fn of_json_sign_in(client: Arc<Client>) -> Option<Self> {
        (client.first_party && !client.disabled && client.may(GrantType::Credentials)).then_some(Self(client))
    }
}

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    /// Two ways at once, or a repeated parameter: 400.
    #[error("{0}")]
    Malformed(&'static str),
    /// 401, with a challenge where the Authorization header was used.
    #[error("client authentication failed")]
    Failed { basic: bool, method: &'static str },
}

impl Claimed {
    /// Reads credentials from the Authorization header and the form: one way, not two.
    pub fn read(authorization: Option<&[u8]>, form: &Parameters) -> Result<Self, ClientAuthError> {
        let repeated = |_| {
            trace::fail(Rule::ParametersSingle, why::repeated);
            ClientAuthError::Malformed("a parameter is repeated")
        };
        let failed = |rule, basic, method| {
            trace::fail(rule, || why::client_auth(method));
            ClientAuthError::Failed { basic, method }
        };
        let body_id = form.one("client_id").map_err(repeated)?;
        let body_secret = form.one("client_secret").map_err(repeated)?;
        let asserted = form.one("client_assertion").map_err(repeated)?.is_some()
            || form.one("client_assertion_type").map_err(repeated)?.is_some();
        let Some(header) = authorization else {
            if asserted {
                return Err(failed(Rule::ClientAuthOneWay, false, "client_assertion"));
            }
            let Some(id) = body_id else { return Err(failed(Rule::ClientNamed, false, "missing")) };
            trace::pass(Rule::ClientAuthOneWay);
            let method = if body_secret.is_some() { Method::Post } else { Method::None };
            return Ok(Self { client_id: id.to_owned(), secret: body_secret.map(str::to_owned), method });
        };
        if body_secret.is_some() || asserted {
            trace::fail(Rule::ClientAuthOneWay, || why::client_auth("two"));
            return Err(ClientAuthError::Malformed("the client authenticates in two ways at once"));
        }
        let (id, secret) =
            decode_basic(header).ok_or_else(|| failed(Rule::ClientAuthOneWay, true, "client_secret_basic"))?;
        if body_id.is_some_and(|other| other != id) {
            return Err(failed(Rule::ClientAuthOneWay, true, "client_secret_basic"));
        }
        trace::pass(Rule::ClientAuthOneWay);
        // Some libraries send public clients' ids this way, with nothing behind the colon.
        Ok(Self { client_id: id, secret: Some(secret).filter(|secret| !secret.is_empty()), method: Method::Basic })
    }

    /// Checks the credentials against the registered client, if there is one.
    pub fn prove(
        self,
        client: Option<Arc<Client>>,
        now: DateTime<Utc>,
    ) -> Result<AuthenticatedClient, ClientAuthError> {
        let failed = ClientAuthError::Failed { basic: self.method == Method::Basic, method: self.method.name() };
        let presented = self.secret.as_deref().map(secrets::hash);
        match (client, presented) {
            (Some(client), None) if client.is_public() => Ok(AuthenticatedClient(client)),
            (Some(client), Some(presented)) if knows(&client, &presented, now) => {
                trace::pass(Rule::ClientSecretRight);
                Ok(AuthenticatedClient(client))
            }
            (Some(client), presented) => {
                trace::judge(|| why::secret(&client, presented.is_some(), self.method.name()));
                Err(failed)
            }
            (None, _) => Err(failed),
        }
    }
}

/// Who a request says that its client is, whether or not that is so.
pub fn claimed_id(authorization: Option<&[u8]>, form: &Parameters) -> Option<String> {
    let by_header = authorization.and_then(decode_basic).map(|(id, _)| id);
    by_header.or_else(|| form.get("client_id").map(str::to_owned))
}

/// Whether a secret is the client's, or the one before it that its users may still have.
fn knows(client: &Client, presented: &[u8], now: DateTime<Utc>) -> bool {
    let current = client.secret_hash.as_ref().is_some_and(|known| secrets::equal(known, presented));
    let previous = client.previous_secret.as_ref().is_some_and(|previous| previous.is(presented, now));
    current || previous
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// `Basic` credentials: both halves are form-urlencoded before base64 (RFC 6749 section 2.3.1). Libraries that do not
/// encode work as well, since our ids and secrets have no character that encoding would change.
fn decode_basic(header: &[u8]) -> Option<(String, String)> {
    let header = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 4096 {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?))
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(id: &str, secret: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))).into_bytes()
    }

    #[test]
    fn basic_credentials_are_percent_decoded_and_the_scheme_has_any_case() {
        assert_eq!(decode_basic(&header("my%2Dclient", "a%2Bb")), Some(("my-client".to_owned(), "a+b".to_owned())));
        assert!(decode_basic(b"bAsIc YTpi").is_some());
        for bad in [b"Basic".as_slice(), b"Bearer YTpi", b"Basic !!!", b"Basic YWI=", b"Basic \xff", b"Basic Og%"] {
            assert_eq!(decode_basic(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn one_way_to_authenticate() {
        let form = |text: &str| Parameters::parse(text.as_bytes()).unwrap();
        assert!(Claimed::read(Some(&header("c", "s")), &form("client_id=c")).is_ok());
        assert!(matches!(
            Claimed::read(Some(&header("c", "s")), &form("client_id=d")),
            Err(ClientAuthError::Failed { basic: true, .. })
        ));
        assert!(matches!(
            Claimed::read(Some(&header("c", "s")), &form("client_secret=s")),
            Err(ClientAuthError::Malformed(_))
        ));
        assert!(matches!(Claimed::read(None, &form("client_id=c&client_id=c")), Err(ClientAuthError::Malformed(_))));
        assert!(matches!(Claimed::read(None, &form("")), Err(ClientAuthError::Failed { basic: false, .. })));
    }

    proptest! {
        /// f_basic_auth: never panics, and reads back what RFC 6749 encodes.
        #[test]
        fn encoded_credentials_read_back(id in "[ -~]{1,40}", secret in "\\PC{0,40}") {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            prop_assert_eq!(decode_basic(&header(&encode(&id), &encode(&secret))), Some((id, secret)));
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode_basic(&bytes);
        }
    }
}
