//! The plan RP-Initiated Logout OP (requirements 103 to 108): where the browser ends, and that nobody is signed in any more.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    module::{Done, Module, Request, random},
    robot::{self, Visit},
};
use crate::support::{Answer, unique_parameters};

/// Printable ASCII, as the suite makes it.
fn state() -> String {
    (0..40).map(|_| char::from(rand::random_range(0x20..0x7f_u8))).collect()
}

/// Somebody who has signed in to the plan's client.
pub(super) async fn signed_in(configuration: &str) -> (Module, Done) {
    let mut module = Module::start(configuration).await;
    let request = module.request("openid");
    let done = module.flow(request).await;
    (module, done)
}

/// Goes to the logout endpoint with these parameters.
pub(super) async fn log_out(module: &mut Module, parameters: &[(&str, &str)]) -> Visit {
    let request = parameters.iter().fold(Request(Vec::new()), |request, (name, value)| request.with(name, value));
    let url = format!("{}?{}", module.endpoint("end_session_endpoint"), request.encode());
    module.open(&url).await
}

/// What came back to the post-logout redirect URI, by a redirect or a page's refresh.
pub(super) fn returned(module: &Module, visit: &Visit) -> BTreeMap<String, String> {
    let url = match robot::refresh(&visit.end) {
        Some((seconds, target)) => {
            assert!((1..=3).contains(&seconds), "{seconds}");
            target.parse().expect("a URL")
        }
        None => visit.end.location(),
    };
    assert_eq!(url.as_str().split('?').next(), Some(module.at("post_logout_redirect").as_str()), "{url}");
    assert_eq!(url.fragment(), None, "{url}");
    unique_parameters(&url)
}

/// A page of ours that leads nowhere.
fn expect_stays(module: &Module, answer: &Answer) {
    assert!(!answer.status.is_redirection() && robot::refresh(answer).is_none(), "{answer:#?}");
    assert!(answer.header("content-type").starts_with("text/html"), "{answer:#?}");
    let away = |form: &crate::support::Form| form.action.starts_with(&module.suite.address);
    assert!(!answer.forms().iter().any(away), "{answer:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rp_initiated_logout() {
    let (mut module, done) = signed_in("rp-initiated").await;
    let (state, uri) = (state(), module.at("post_logout_redirect"));
    let parameters = [("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri), ("state", &state)];
    let visit = log_out(&mut module, &parameters).await;
    assert_eq!(returned(&module, &visit), [("state".to_owned(), state)].into());
    module.expect_signed_out().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rp_initiated_logout_no_state() {
    let (mut module, done) = signed_in("rp-initiated").await;
    let uri = module.at("post_logout_redirect");
    let visit = log_out(&mut module, &[("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri)]).await;
    assert_eq!(returned(&module, &visit), BTreeMap::new());
    module.expect_signed_out().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rp_initiated_logout_bad_post_logout_redirect_uri_and_query_added() {
    for wrong in ["post_logout_redirect/other", "post_logout_redirect?foo=bar", "callback", "post_logout_redirect/"] {
        let (mut module, done) = signed_in("rp-initiated").await;
        let uri = module.at(wrong);
        let parameters = [("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri), ("state", "x")];
        let visit = log_out(&mut module, &parameters).await;
        expect_stays(&module, &visit.end);
        visit.end.expect_error_page().element("stopped");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rp_initiated_logout_modified_and_bad_id_token_hint() {
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    for forged in [false, true] {
        let (mut module, done) = signed_in("rp-initiated").await;
        let hint = if forged {
            // Of the client's own making.
            let now = chrono::Utc::now().timestamp();
            let claims = json!({"iss": module.client("client").id, "aud": module.suite.issuer, "sub": done.id_token["sub"],
                "iat": now, "exp": now + 300, "sid": done.id_token["sid"]});
            let key = openssl::rsa::Rsa::generate(2048).expect("a key").private_key_to_der().expect("DER");
            let key = jsonwebtoken::EncodingKey::from_rsa_der(&key);
            jsonwebtoken::encode(&jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256), &claims, &key)
                .expect("a token")
        } else {
            // The right claims without a signature.
            format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&done.id_token))
        };
        let uri = module.at("post_logout_redirect");
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &uri), ("state", "x")];
        let visit = log_out(&mut module, &parameters).await;
        // A question without a way back: who wants to sign out can, and stays here.
        expect_stays(&module, &visit.end);
        assert!(visit.showed("/logout") && visit.end.body.contains("You are signed out"), "{:#?}", visit.end);
    }
    // The control.
    let (mut module, done) = signed_in("rp-initiated").await;
    let uri = module.at("post_logout_redirect");
    let visit = log_out(&mut module, &[("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri)]).await;
    assert_eq!(returned(&module, &visit), BTreeMap::new());
}

/// `no-id-token-hint`, `no-params`, `no-post-logout-redirect-uri`, `only-state`: the person ends on our page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rp_initiated_logout_without_a_way_back() {
    for (names, asked) in [
        (&["post_logout_redirect_uri", "state"][..], true),
        (&[], true),
        (&["id_token_hint"], false),
        (&["state"], true),
    ] {
        let (mut module, done) = signed_in("rp-initiated").await;
        let (state, uri) = (random(20), module.at("post_logout_redirect"));
        let all = [("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri), ("state", &state)];
        let parameters: Vec<_> = all.into_iter().filter(|(name, _)| names.contains(name)).collect();
        let visit = log_out(&mut module, &parameters).await;
        expect_stays(&module, &visit.end);
        assert!(visit.end.status == 200 && visit.end.body.contains("You are signed out"), "{:#?}", visit.end);
        assert!(!asked || visit.showed("/logout"), "{:?}", visit.pages);
        module.expect_signed_out().await;
    }
}
