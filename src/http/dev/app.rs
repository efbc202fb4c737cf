//! The demo application's pages.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::relying_party::{self, Shown};
use crate::http::answer::{self, Forms, not_found};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::views::{DecodedToken, DevAppPage, DevTokensPage};

pub(in crate::http) async fn app(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    show(&web, &caller, None)
}

fn show(web: &Web, caller: &Caller, error: Option<String>) -> Response {
    let status = if error.is_some() { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    let view = DevAppPage { frame: caller.frame(web, None), sign_in_href: "/dev/app/start".to_owned(), error };
    answer::page(web, status, Forms::None, &view)
}

pub(in crate::http) async fn start(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    let Some(demo) = &web.demo else { return not_found(State(web), caller).await };
    match relying_party::begin(demo, web.issuer(), web.app.random.as_ref()).await {
        Ok(url) => answer::see_other(url.as_str()),
        Err(error) => show(&web, &caller, Some(error)),
    }
}

pub(in crate::http) async fn callback(State(web): State<Arc<Web>>, caller: Caller, uri: Uri) -> Response {
    let Some(demo) = &web.demo else { return not_found(State(web), caller).await };
    let query: HashMap<String, String> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let outcome = relying_party::finish(demo, web.issuer(), &query).await;
    answer_with(&web, &caller, outcome)
}

pub(in crate::http) async fn refresh(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    let Some(demo) = &web.demo else { return not_found(State(web), caller).await };
    match relying_party::renew(demo, web.issuer()).await {
        Some(outcome) => answer_with(&web, &caller, outcome),
        None => answer::see_other("/dev/app"),
    }
}

fn answer_with(web: &Web, caller: &Caller, outcome: Result<Shown, String>) -> Response {
    let shown = match outcome {
        Ok(shown) => shown,
        Err(error) => return show(web, caller, Some(error)),
    };
    let back = form_urlencoded::Serializer::new(String::new())
        .append_pair("id_token_hint", &shown.id_token)
        .append_pair("post_logout_redirect_uri", &format!("{}/dev/app", web.issuer()))
        .finish();
    let view = DevTokensPage {
        frame: caller.frame(web, None),
        checks: shown.checks,
        id_token: decode(shown.id_token),
        access_token: decode(shown.access_token),
        userinfo: shown.userinfo,
        refresh_token: shown.refresh_token,
        refresh_href: "/dev/app/refresh".to_owned(),
        sign_out_href: format!("/logout?{back}"),
    };
    answer::page(web, StatusCode::OK, Forms::None, &view)
}

/// A JWT as it reads; what does not read stays empty.
fn decode(raw: String) -> DecodedToken {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut parts = raw.split('.').map(|part| {
        let decoded = URL_SAFE_NO_PAD.decode(part).ok()?;
        let value: serde_json::Value = serde_json::from_slice(&decoded).ok()?;
        serde_json::to_string_pretty(&value).ok()
    });
    let (header, claims) = (parts.next().flatten().unwrap_or_default(), parts.next().flatten().unwrap_or_default());
    drop(parts);
    DecodedToken { raw, header, claims }
}
