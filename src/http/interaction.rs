//! An application's request on its way to a code: what it needs next, which waiting one a browser goes on with, and how it is
//! refused.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use tower_sessions::Session;

use super::answer::{self, Trouble};
use super::caller::Caller;
use super::form::FormFault;
use super::state::Web;
use super::{reasons, reply};
use crate::grants::Interaction;
use crate::oauth::ErrorCode;
use crate::oauth::authorization::{self, AuthorizationRequest, PageFault, Refusal};
use crate::oauth::parameters::Parameters;
use crate::oauth::why;
use crate::platform::clock::from_millis;
use crate::sessions::Live;
use crate::trace::{self, Rule};

/// What a request needs next.
pub(super) enum Next {
    Code(Box<Live>),
    Page(Page, Option<Box<Live>>),
    Refuse(ErrorCode, &'static str),
}

/// A page that stands between a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    SignIn,
    SignUp,
    Account,
    Consent,
}

impl Page {
    pub(super) fn href(self, interaction: &str) -> String {
        let path = match self {
            Self::SignIn => "/sign-in",
            Self::SignUp => "/sign-up",
            Self::Account => "/authorize/account",
            Self::Consent => "/authorize/consent",
        };
        format!("{path}?interaction={interaction}")
    }
}

/// The waiting request of that name, checked anew: its client may have changed meanwhile. Else the page that says what is wrong.
pub(super) async fn waiting(
    web: &Web,
    caller: &Caller,
    headers: &HeaderMap,
    name: &str,
) -> Result<(Interaction, AuthorizationRequest), Response> {
    let foreign = || Trouble::new(StatusCode::BAD_REQUEST, "flow-foreign-title", "flow-foreign").page(web, caller);
    let Some(browser) = web.cookies.browser_secret(headers) else { return Err(foreign()) };
    let found = web.app.grants.waiting(name, browser).await.map_err(|error| answer::fault_page(web, caller, &error))?;
    let interaction = found.ok_or_else(foreign)?;
    if interaction.is_expired(web.app.clock.now()) {
        let mut trouble = Trouble::new(StatusCode::BAD_REQUEST, "flow-expired-title", "flow-expired");
        trouble.restart_href = Some(format!("/authorize?{}", interaction.parameters));
        return Err(trouble.page(web, caller));
    }
    let parameters = Parameters::parse(interaction.parameters.as_bytes()).unwrap_or_default();
    let request = check(web, &parameters).await.map_err(|refusal| {
        trace::asked(parameters.pairs());
        refuse(web, caller, refusal)
    })?;
    Ok((interaction, request))
}

/// What stands between the request and its code. For a request that has waited, a sign-in since it was made is a fresh one.
pub(super) async fn decide(
    web: &Web,
    session: &Session,
    request: &AuthorizationRequest,
    waited: Option<&Interaction>,
) -> Result<Next, crate::platform::database::DatabaseError> {
    let prompt = request.prompt;
    let live = web.app.sessions.find(session, &request.client.id).await?;
    let signed_in_for_this =
        |live: &Live| waited.is_some_and(|waited| from_millis(live.signed_in_at) >= waited.created_at());
    let sign_in = if prompt.create && web.app.settings.accounts.sign_up { Page::SignUp } else { Page::SignIn };
    let must_sign_in = || {
        if prompt.none {
            Next::Refuse(ErrorCode::LoginRequired, "the person has to sign in")
        } else {
            trace::forget();
            Next::Page(sign_in, None)
        }
    };
    let Some(live) = live.map(Box::new) else {
        trace::fail(Rule::SessionAlive, why::no_session);
        return Ok(must_sign_in());
    };
    trace::pass(Rule::SessionAlive);
    let for_this = signed_in_for_this(&live);
    if request.subject.as_ref().is_some_and(|subject| *subject != live.user_id.to_string()) {
        // Whoever signs in for this request and is still not the one it is about will not become them.
        trace::fail(Rule::SubjectSignedIn, || why::other_subject(&live.user_id.to_string()));
        return Ok(if for_this {
            Next::Refuse(ErrorCode::LoginRequired, "another person has signed in than the one asked for")
        } else {
            must_sign_in()
        });
    }
    let fresh = is_fresh_enough(request, live.auth_time, waited.map(Interaction::created_at), web.app.clock.now());
    if !fresh || (!for_this && sign_in == Page::SignUp) {
        let now = web.app.clock.now();
        trace::fail(Rule::SessionFresh, || why::stale_session(request, live.auth_time, now));
        return Ok(must_sign_in());
    }
    trace::pass(Rule::SessionFresh);
    if let Some(wanted) = &request.essential_acr
        && !wanted.contains(&live.acr)
    {
        trace::fail(Rule::AcrMet, || why::other_acr(&live.acr, wanted));
        // Another provider may be able to.
        if !for_this && !prompt.none && web.app.federation.providers.can_give(wanted) {
            return Ok(must_sign_in());
        }
        return Ok(Next::Refuse(
            ErrorCode::UnmetAuthenticationRequirements,
            "no way of signing in here has one of the essential acr values",
        ));
    }
    let chosen = waited.is_some_and(|waited| waited.chosen_session == Some(live.id));
    if prompt.select_account && !for_this && !chosen {
        return Ok(Next::Page(Page::Account, Some(live)));
    }
    if !needs_consent(request, &live) {
        return Ok(Next::Code(live));
    }
    Ok(if prompt.none {
        trace::fail(Rule::ConsentGiven, || why::no_consent(request, |scope| live.has_consented(scope)));
        Next::Refuse(ErrorCode::ConsentRequired, "the person has to consent")
    } else {
        Next::Page(Page::Consent, Some(live))
    })
}

/// Whether somebody who authenticated then, in milliseconds since 1970, did it recently enough for `prompt=login` and `max_age`:
/// since the request was made at the latest. Where nothing is proven (0), never.
pub(super) fn is_fresh_enough(
    request: &AuthorizationRequest,
    auth_time: i64,
    waits_since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    let at = from_millis(auth_time);
    if auth_time > 0 && waits_since.is_some_and(|since| at >= since) {
        return true;
    }
    let limit = request.max_age.map(|seconds| Duration::seconds(seconds.min(1_000_000_000)));
    !request.prompt.login && limit.is_none_or(|limit| auth_time > 0 && now - at <= limit)
}

/// Whether the person must be asked: for what they have not allowed yet, when the application wants it, and each time where
/// the application cannot prove that it is itself (RFC 8252 section 8.6).
fn needs_consent(request: &AuthorizationRequest, live: &Live) -> bool {
    let client = &request.client;
    if request.prompt.consent {
        return true;
    }
    if client.first_party {
        return false;
    }
    let imitable = client.is_public() && !request.reply.redirect_uri().starts_with("https://");
    imitable || request.consents().iter().any(|scope| !live.has_consented(scope))
}

pub(super) async fn check(web: &Web, parameters: &Parameters) -> Result<AuthorizationRequest, Answerable> {
    let app = &web.app;
    let id = authorization::client_id(parameters).map_err(|fault| Answerable::Refusal(Refusal::Page(fault)))?;
    let client = app.clients.find(id, &app.database, app.clock.as_ref()).await.map_err(Answerable::Fault)?;
    Ok(authorization::validate(parameters, client, &app.clients.registry(), &app.keys.set(), web.issuer())?)
}

/// A refusal, or a fault of ours.
pub(super) enum Answerable {
    Refusal(Refusal),
    Fault(crate::clients::ClientError),
}

impl From<Refusal> for Answerable {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

pub(super) fn refuse(web: &Web, caller: &Caller, refusal: Answerable) -> Response {
    match refusal {
        Answerable::Refusal(Refusal::Client { reply, code, description }) => {
            metrics::counter!("bonafide_authorization_refusals_total", "error" => code.name()).increment(1);
            reply::refuse(web, caller, &reply, code, description)
        }
        Answerable::Refusal(Refusal::Page(fault)) => page_fault(web, caller, fault),
        Answerable::Fault(error) => answer::fault_page(web, caller, &error),
    }
}

pub(super) fn page_fault(web: &Web, caller: &Caller, fault: PageFault) -> Response {
    metrics::counter!("bonafide_authorization_refusals_total", "error" => "page").increment(1);
    let bad = |title, message| Trouble::new(StatusCode::BAD_REQUEST, title, message);
    match fault {
        PageFault::UnknownClient => bad("unknown-client-title", "unknown-client"),
        PageFault::RedirectUriMissing => bad("redirect-missing-title", "redirect-missing"),
        PageFault::RedirectUriUnknown(uri) => {
            bad("redirect-unregistered-title", "redirect-unregistered").with("uri", uri)
        }
        PageFault::Malformed(parameter) => {
            bad("request-malformed-title", "request-malformed").with("parameter", parameter)
        }
        PageFault::Fault => Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "server-fault-title", "server-fault"),
    }
    .page(web, caller)
}

/// The page for a body that is no form.
pub(super) fn form_fault(web: &Web, caller: &Caller, fault: FormFault) -> Response {
    trace::fail(Rule::BodyReadable, || reasons::body(fault));
    let status = match fault {
        FormFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FormFault::Incomplete => StatusCode::REQUEST_TIMEOUT,
        FormFault::Type | FormFault::Malformed => StatusCode::BAD_REQUEST,
    };
    Trouble::new(status, "request-malformed-title", "request-malformed").with("parameter", "body").page(web, caller)
}

/// The browser's secret: the one it has, or a new one that it must be given.
pub(super) fn browser_secret(web: &Web, headers: &HeaderMap) -> (String, bool) {
    match web.cookies.browser_secret(headers) {
        Some(secret) => (secret.to_owned(), false),
        None => (web.app.random.token(""), true),
    }
}
