//! `/providers/link`: somebody who came from another provider proves that the account that is here already, or the address, is
//! theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tower_sessions::Session;

use super::providers::Whence;
use super::{DeviceCookie, Waiting, check_form, mail_throttled, providers};
use crate::http::answer::{self, Trouble};
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::http::views::{Code, Fault, LinkAccountPage};
use crate::http::{form, interaction};
use crate::identity::{Coming, Pending, PendingFault, SignInError};
use crate::oauth::parameters::Parameters;

const PURPOSE: &str = "link-account";

/// What somebody is about to prove, and for which request.
struct Case {
    name: String,
    pending: Pending,
    waiting: Waiting,
    from: Whence,
}

pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    match find(&web, &caller, &headers, &parameters).await {
        Ok(case) => render(&web, &caller, &case, StatusCode::OK, Vec::new()),
        Err(response) => response,
    }
}

pub(in crate::http) async fn post(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match form::read(&headers, body, web.app.settings.http.max_body).await {
        Ok(form) => form,
        Err(fault) => return interaction::form_fault(&web, &caller, fault),
    };
    if let Err(response) = check_form(&web, &caller, &headers, PURPOSE, &form) {
        return response;
    }
    let case = match find(&web, &caller, &headers, &form).await {
        Ok(case) => case,
        Err(response) => return response,
    };
    match form.get("by") {
        Some("mail") => send(&web, &caller, &case).await,
        Some("code") => by_code(&web, &caller, &session, &headers, &case, form.get("code")).await,
        _ => by_password(&web, &caller, &session, &headers, &case, form.get("password")).await,
    }
}

async fn find(web: &Web, caller: &Caller, headers: &HeaderMap, sent: &Parameters) -> Result<Case, Response> {
    let gone = || gone(web, caller);
    let (Some(name), Some(browser)) = (sent.get("pending"), web.cookies.browser_secret(headers)) else {
        return Err(gone());
    };
    let pending = match web.app.accounts.pending(name, browser).await {
        Ok(pending) => pending,
        Err(PendingFault::Gone) => return Err(gone()),
        Err(error) => return Err(answer::fault_page(web, caller, &error)),
    };
    let waiting = Waiting::find(web, caller, headers, pending.interaction.as_deref()).await?.towards(sent.get("then"));
    let provider = web.app.federation.providers.usable(&pending.arrival.provider).ok_or_else(gone)?;
    let from = Whence { provider: provider.name.clone(), label: provider.label.clone() };
    Ok(Case { name: name.to_owned(), pending, waiting, from })
}

fn gone(web: &Web, caller: &Caller) -> Response {
    let mut trouble = Trouble::new(StatusCode::BAD_REQUEST, "provider-state-title", "provider-state");
    trouble.restart_href = Some("/sign-in".to_owned());
    trouble.page(web, caller)
}

/// Mails a code.
async fn send(web: &Web, caller: &Caller, case: &Case) -> Response {
    match mail_throttled(web, caller).await {
        Ok(None) => {}
        Ok(Some((fault, wait))) => {
            return answer::retry_after(render(web, caller, case, StatusCode::TOO_MANY_REQUESTS, vec![fault]), wait);
        }
        Err(response) => return response,
    }
    let frame = caller.frame(web, case.waiting.ui_locales());
    let language = Some(frame.words.lang());
    let mailed = web.app.accounts.mail_link_code(&case.name, case.waiting.browser(), language, &caller.source()).await;
    match mailed {
        Ok(()) => answer::see_other(&providers::pending_href(&case.waiting, &case.name)),
        Err(error) => again(web, caller, case, error),
    }
}

async fn by_code(
    web: &Web,
    caller: &Caller,
    session: &Session,
    headers: &HeaderMap,
    case: &Case,
    code: Option<&str>,
) -> Response {
    let Some(code) = code else {
        return render(web, caller, case, StatusCode::UNPROCESSABLE_ENTITY, vec![Fault::new("code", "field-required")]);
    };
    let (source, frame) = (caller.source(), caller.frame(web, case.waiting.ui_locales()));
    let device = DeviceCookie::of(web, headers);
    let provider = web.app.federation.providers.usable(&case.pending.arrival.provider);
    let may_sign_up = provider.is_some_and(|provider| provider.declared.sign_up);
    let coming = Coming { visit: device.visit(caller, &source, &frame), may_sign_up };
    match web.app.accounts.prove_by_code(&case.name, case.waiting.browser(), code, coming).await {
        Ok(arrived) => providers::admit(web, caller, session, &case.waiting, &device, arrived, &case.from).await,
        Err(error) => again(web, caller, case, error),
    }
}

async fn by_password(
    web: &Web,
    caller: &Caller,
    session: &Session,
    headers: &HeaderMap,
    case: &Case,
    password: Option<&str>,
) -> Response {
    let Some(password) = password else {
        return render(
            web,
            caller,
            case,
            StatusCode::UNPROCESSABLE_ENTITY,
            vec![Fault::new("password", "field-required")],
        );
    };
    let (source, frame) = (caller.source(), caller.frame(web, case.waiting.ui_locales()));
    let device = DeviceCookie::of(web, headers);
    let visit = device.visit(caller, &source, &frame);
    match web.app.accounts.prove_by_password(&case.name, case.waiting.browser(), password, visit).await {
        Ok(proof) => providers::sign_in(web, caller, session, &case.waiting, &device, proof, &case.from).await,
        Err(error) => again(web, caller, case, error),
    }
}

/// The page again, with what was wrong.
fn again(web: &Web, caller: &Caller, case: &Case, error: PendingFault) -> Response {
    let refused = |fault| render(web, caller, case, StatusCode::UNPROCESSABLE_ENTITY, vec![fault]);
    match error {
        PendingFault::Gone => gone(web, caller),
        PendingFault::Wrong => refused(Fault::new("code", "code-wrong")),
        PendingFault::Throttled => {
            let fault = Fault::new("", "mail-throttled").with("minutes", "60");
            answer::retry_after(render(web, caller, case, StatusCode::TOO_MANY_REQUESTS, vec![fault]), 3600)
        }
        PendingFault::SignIn(SignInError::Refused) => refused(Fault::new("password", "password-wrong")),
        PendingFault::SignIn(SignInError::Unverified { .. }) => refused(Fault::new("password", "password-unverified")),
        PendingFault::SignIn(SignInError::Leaving(_)) => refused(Fault::new("password", "leave-link")),
        PendingFault::SignIn(SignInError::Throttled { retry_after }) => {
            let minutes = (retry_after.num_seconds() + 59) / 60;
            let fault = Fault::new("", "sign-in-throttled").with("minutes", minutes.to_string());
            let page = render(web, caller, case, StatusCode::TOO_MANY_REQUESTS, vec![fault]);
            answer::retry_after(page, retry_after.num_seconds())
        }
        PendingFault::SignIn(SignInError::Busy) => {
            let fault = Fault::new("", "sign-in-busy");
            answer::retry_after(render(web, caller, case, StatusCode::SERVICE_UNAVAILABLE, vec![fault]), 2)
        }
        PendingFault::SignIn(error) => answer::fault_page(web, caller, &error),
        PendingFault::Identity(error) => answer::fault_page(web, caller, &error),
    }
}

fn render(web: &Web, caller: &Caller, case: &Case, status: StatusCode, faults: Vec<Fault>) -> Response {
    reasons::fields(&faults);
    let Case { name, pending, waiting, from } = case;
    let view = LinkAccountPage {
        frame: caller.frame(web, waiting.ui_locales()),
        csrf: waiting.token(web, PURPOSE),
        pending: name.clone(),
        interaction: waiting.name.clone(),
        then: waiting.then(),
        provider: from.label.clone(),
        address: pending.address.clone(),
        proven: pending.arrival.email_proven,
        by_password: pending.by_password,
        by_mail: match (pending.by_mail, pending.mailed) {
            (_, true) => Code::Mailed,
            (true, false) => Code::Offered,
            (false, false) => Code::Never,
        },
        faults,
    };
    waiting.finish(web, answer::page(web, status, waiting.forms(), &view))
}
