//! `GET, POST /logout` (OpenID Connect RP-Initiated Logout 1.0): signs the browser out, at once where an application proves by
//! our own ID token that it means this very session, after asking otherwise.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use tower_sessions::Session;

use crate::clients::Client;
use crate::federation::Provider;
use crate::http::answer::{self, Forms, Trouble};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::views::{SignOutCall, SignOutPage, SignedOutPage};
use crate::http::{csrf, form, interaction};
use crate::oauth::hint::{self, Hint};
use crate::oauth::parameters::Parameters;
use crate::platform::database::DatabaseError;
use crate::sessions::{Live, SignedOut, Upstream};

const PURPOSE: &str = "sign-out";

/// What an application may say, and what we carry along while we ask.
const CARRIED: [&str; 5] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// A request whose parameters have been looked at.
struct Request {
    hint: Option<Hint>,
    /// It came with a hint that is none of ours.
    unread_hint: bool,
    client: Option<Arc<Client>>,
    /// Registered for the client, and the client is who it says (by the hint) or is only asked about.
    target: Option<String>,
    state: Option<String>,
    ui_locales: Option<String>,
}

pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Some(parameters) = Parameters::parse(uri.query().unwrap_or_default().as_bytes()) else {
        return malformed(&web, &caller, "query");
    };
    let request = match check(&web, &parameters) {
        Ok(request) => request,
        Err(trouble) => return trouble.page(&web, &caller),
    };
    let live = match web.app.sessions.find(&session, "").await {
        Ok(live) => live,
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    let Some(live) = live else {
        // Nobody to sign out. Without a hint a redirect would send people anywhere on anybody's word.
        let trusted = request.hint.is_some();
        let request = if trusted { request } else { Request { client: None, target: None, ..request } };
        return leave(&web, &caller, &request, None);
    };
    // One person a browser: `logout_hint` has nothing to choose from, so the hint decides alone.
    let this_session = request.hint.as_ref().is_some_and(|hint| hint.sid.as_deref() == Some(live.sid.as_str()));
    if this_session {
        return end(&web, &caller, &session, &headers, &request, false).await;
    }
    let upstream = match upstream(&web, &session).await {
        Ok(upstream) => upstream,
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    let there = upstream.map(|(_, provider)| provider.identity.clone());
    ask(&web, &caller, &session, &live, &request, &parameters, there.as_deref())
}

/// Our own form, or an application that posts: that comes from another site, so on by a GET, which brings the cookie.
pub(in crate::http) async fn post(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let parameters = match form::read(&headers, body, web.app.settings.http.max_body).await {
        Ok(parameters) => parameters,
        Err(fault) => return interaction::form_fault(&web, &caller, fault),
    };
    let Some(decision) = parameters.get("decision") else {
        return answer::see_other(&format!("/logout?{}", parameters.encode()));
    };
    if csrf::is_foreign(&headers, web.issuer())
        || !csrf::holds(&web.app.master, &csrf::bound_to(&session), PURPOSE, "", parameters.get("csrf"))
    {
        return Trouble::new(StatusCode::FORBIDDEN, "form-refused-title", "form-refused").page(&web, &caller);
    }
    let everywhere = decision == "everywhere";
    if decision != "sign-out" && !everywhere {
        return answer::see_other("/");
    }
    match check(&web, &parameters) {
        Ok(request) => end(&web, &caller, &session, &headers, &request, everywhere).await,
        Err(trouble) => trouble.page(&web, &caller),
    }
}

fn check(web: &Web, parameters: &Parameters) -> Result<Request, Trouble> {
    let bad = |parameter: &str| {
        Trouble::new(StatusCode::BAD_REQUEST, "request-malformed-title", "request-malformed")
            .with("parameter", parameter)
    };
    parameters.require_single().map_err(|_| bad("query"))?;
    // A hint that we did not sign is none: nothing follows from it, nobody is sent anywhere, and the person is asked.
    let hint = parameters.get("id_token_hint").and_then(|token| hint::read(token, &web.app.keys.set(), web.issuer()));
    let unread_hint = parameters.get("id_token_hint").is_some() && hint.is_none();
    let named = parameters.get("client_id");
    if let (Some(hint), Some(named)) = (&hint, named)
        && hint.aud != named
    {
        return Err(bad("client_id"));
    }
    let registry = web.app.clients.registry();
    let client = hint.as_ref().map(|hint| hint.aud.as_str()).or(named).and_then(|id| registry.client(id));
    let target = match parameters.get("post_logout_redirect_uri") {
        None => None,
        Some(_) if unread_hint => None,
        Some(uri) => {
            let registered =
                client.as_ref().is_some_and(|client| client.post_logout_redirect_uris.iter().any(|known| known == uri));
            if !registered && client.is_some() {
                let shown: String = uri.chars().take(512).collect();
                return Err(Trouble::new(StatusCode::BAD_REQUEST, "logout-unregistered-title", "logout-unregistered")
                    .with("uri", shown));
            }
            registered.then(|| uri.to_owned())
        }
    };
    // An application that is not here any more proves nothing: the person is asked.
    let hint = hint.filter(|_| client.is_some());
    let text = |name: &str| parameters.get(name).map(str::to_owned);
    Ok(Request { hint, unread_hint, client, target, state: text("state"), ui_locales: text("ui_locales") })
}

fn ask(
    web: &Web,
    caller: &Caller,
    session: &Session,
    live: &Live,
    request: &Request,
    parameters: &Parameters,
    there: Option<&str>,
) -> Response {
    let hidden =
        CARRIED.into_iter().filter_map(|name| Some((name.to_owned(), parameters.get(name)?.to_owned()))).collect();
    let view = SignOutPage {
        frame: caller.frame_for(web, parameters.get("ui_locales"), Some(live)),
        csrf: csrf::token(&web.app.master, &csrf::bound_to(session), PURPOSE, ""),
        person: live.person().to_owned(),
        app: request.client.as_ref().filter(|_| !request.unread_hint).map(|client| client.name.clone()),
        unread_hint: request.unread_hint,
        hidden,
    };
    let along: Vec<&str> = there.into_iter().chain(request.target.as_deref()).collect();
    answer::page(web, StatusCode::OK, Forms::Along(&along), &view)
}

async fn end(
    web: &Web,
    caller: &Caller,
    session: &Session,
    headers: &HeaderMap,
    request: &Request,
    everywhere: bool,
) -> Response {
    let (sessions, source) = (&web.app.sessions, caller.source());
    let upstream = match upstream(web, session).await {
        Ok(upstream) => upstream,
        Err(error) => return answer::fault_page(web, caller, &error),
    };
    let ended =
        if everywhere { sessions.end_everywhere(session, &source).await } else { sessions.end(session, &source).await };
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => return answer::fault_page(web, caller, &error),
    };
    let Some((upstream, _)) = upstream.filter(|_| ended.is_some()) else { return leave(web, caller, request, ended) };
    // Here they are signed out whatever becomes of it there.
    let (browser, fresh) = interaction::browser_secret(web, headers);
    let onward = onward(request);
    let way = match web.app.federation.sign_out_url(&upstream, &browser, onward.as_deref()).await {
        Ok(url) => url.or(onward),
        Err(error) => {
            tracing::warn!(provider = upstream.provider, %error, "a browser could not be sent on to sign out there too");
            onward
        }
    };
    let cookie = fresh.then(|| web.cookies.set_browser(&browser)).flatten();
    answer::with_header(leave_by(web, caller, request, way, ended), header::SET_COOKIE, cookie)
}

/// Where a session began, if it is ended there too.
pub(in crate::http) async fn upstream(
    web: &Web,
    session: &Session,
) -> Result<Option<(Upstream, Arc<Provider>)>, DatabaseError> {
    let Some(upstream) = web.app.sessions.upstream(session).await? else { return Ok(None) };
    let provider = web.app.federation.to_sign_out(&upstream);
    Ok(provider.map(|provider| (upstream, provider)))
}

/// Where the application wants the person back, with exactly the `state` that was sent.
fn onward(request: &Request) -> Option<String> {
    request.target.as_ref().map(|target| match &request.state {
        Some(state) => with_query(target, &[("state", state)]),
        None => target.clone(),
    })
}

fn leave(web: &Web, caller: &Caller, request: &Request, ended: Option<SignedOut>) -> Response {
    leave_by(web, caller, request, onward(request), ended)
}

/// Where the person goes after signing out: the way on, or to our own page. By our page in any case where applications have
/// pages of theirs to be opened.
fn leave_by(web: &Web, caller: &Caller, request: &Request, way: Option<String>, ended: Option<SignedOut>) -> Response {
    let calls = ended.map_or_else(Vec::new, |ended| calls(web, ended));
    match way {
        Some(way) if calls.is_empty() => answer::see_other(&way),
        way => signed_out(web, caller, request, way, calls),
    }
}

/// The applications' pages (OpenID Connect Front-Channel Logout 1.0 section 3): as registered, with `iss` and `sid`.
fn calls(web: &Web, ended: SignedOut) -> Vec<SignOutCall> {
    let registry = web.app.clients.registry();
    let call = |page: crate::sessions::LogoutPage| SignOutCall {
        app: registry.client(&page.client_id).map_or(page.client_id, |client| client.name.clone()),
        href: with_query(&page.uri, &[("iss", web.issuer()), ("sid", &ended.sid)]),
    };
    ended.pages.into_iter().map(call).collect()
}

/// The address with these parameters after those that it has.
fn with_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{query}")
}

fn signed_out(
    web: &Web,
    caller: &Caller,
    request: &Request,
    target: Option<String>,
    calls: Vec<SignOutCall>,
) -> Response {
    let returns = target.is_some();
    let client = request.client.as_deref();
    let back = match target {
        Some(uri) => Some((uri, client.map_or(&web.brand.name, |client| &client.name).clone())),
        // Only where the application said where its people belong.
        None => client.and_then(|client| {
            let home = |uri: &&String| uri.starts_with("https://") || uri.starts_with("http://");
            let uri = client.post_logout_redirect_uris.iter().find(home).cloned()?;
            Some((uri, client.name.clone()))
        }),
    };
    let frame = caller.frame(web, request.ui_locales.as_deref());
    let view = SignedOutPage { frame, return_href: back, returns, calls };
    let frames: Vec<&str> = view.calls.iter().map(|call| call.href.as_str()).collect();
    answer::page_with_frames(web, StatusCode::OK, Forms::None, &frames, &view)
}

fn malformed(web: &Web, caller: &Caller, parameter: &str) -> Response {
    Trouble::new(StatusCode::BAD_REQUEST, "request-malformed-title", "request-malformed")
        .with("parameter", parameter)
        .page(web, caller)
}

/// The token of a sign-out form on any page.
pub(in crate::http) fn form_token(web: &Web, session: &Session) -> String {
    csrf::token(&web.app.master, &csrf::bound_to(session), PURPOSE, "")
}
