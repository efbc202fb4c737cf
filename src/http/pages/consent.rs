//! `/authorize/consent`: who asks, for what, and the person's word.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tower_sessions::Session;

use crate::audit::About;
use crate::clients::Client;
use crate::grants::Finished;
use crate::http::answer::{self, Forms, Trouble};
use crate::http::caller::Caller;
use crate::http::interaction::{self, Next, Page};
use crate::http::state::Web;
use crate::http::views::{ConsentPage, ScopeLine, host_of};
use crate::http::{csrf, form, reply};
use crate::oauth::ErrorCode;
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::parameters::Parameters;
use crate::oauth::why;
use crate::sessions::Live;
use crate::trace::{self, Rule};

const PURPOSE: &str = "consent";

pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let name = parameters.get("interaction").unwrap_or_default();
    match pending(&web, &caller, &session, &headers, name).await {
        Ok((request, live)) => render(&web, &caller, &session, &request, &live, name),
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
    let name = form.get("interaction").unwrap_or_default();
    if csrf::is_foreign(&headers, web.issuer())
        || !csrf::holds(&web.app.master, &csrf::bound_to(&session), PURPOSE, name, form.get("csrf"))
    {
        return Trouble::new(StatusCode::FORBIDDEN, "form-refused-title", "form-refused").page(&web, &caller);
    }
    let (request, live) = match pending(&web, &caller, &session, &headers, name).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if form.get("decision") != Some("allow") {
        let about = About::both(live.user_id, &request.client.id);
        return match web.app.grants.deny(name, &request.scopes.join(" "), about, &caller.source()).await {
            Ok(()) => {
                trace::asked(form.pairs());
                trace::client(|| Some(request.client.id.as_str().into()));
                trace::fail(Rule::ConsentGiven, why::denied);
                reply::refuse(&web, &caller, &request.reply, ErrorCode::AccessDenied, "the person did not allow it")
            }
            Err(error) => answer::fault_page(&web, &caller, &error),
        };
    }
    let finished = Finished { interaction: name.to_owned(), allowed: request.consents() };
    match web.app.grants.finish(request.code_request(), &live, finished, &caller.source()).await {
        Ok(code) => reply::send(&web, &caller, request.reply.code(&code)),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// The request that waits for a consent, and the person; anything else goes back to where it is decided.
async fn pending(
    web: &Web,
    caller: &Caller,
    session: &Session,
    headers: &HeaderMap,
    name: &str,
) -> Result<(AuthorizationRequest, Live), Response> {
    let (interaction, request) = interaction::waiting(web, caller, headers, name).await?;
    match interaction::decide(web, session, &request, Some(&interaction)).await {
        Ok(Next::Page(Page::Consent, Some(live))) => Ok((request, *live)),
        Ok(_) => Err(answer::see_other(&format!("/authorize?interaction={name}"))),
        Err(error) => Err(answer::fault_page(web, caller, &error)),
    }
}

fn render(
    web: &Web,
    caller: &Caller,
    session: &Session,
    request: &AuthorizationRequest,
    live: &Live,
    name: &str,
) -> Response {
    let client: &Client = &request.client;
    let scopes = request.consents().into_iter().flat_map(|scope| lines(web, request.audience.as_deref(), scope));
    let view = ConsentPage {
        frame: caller.frame_for(web, request.ui_locales.as_deref(), Some(live)),
        app: client.name.clone(),
        app_host: host_of(request.reply.redirect_uri()),
        // A picture from elsewhere would tell its owner who looks at this page.
        logo: None,
        person: live.person().to_owned(),
        scopes: scopes.collect(),
        interaction: name.to_owned(),
        csrf: csrf::token(&web.app.master, &csrf::bound_to(session), PURPOSE, name),
    };
    answer::page(web, StatusCode::OK, Forms::To(request.reply.redirect_uri()), &view)
}

/// What a scope gives: of `OpenID` Connect or of an API, and of the attributes that are declared here.
pub(super) fn lines(web: &Web, audience: Option<&str>, scope: String) -> Vec<ScopeLine> {
    let is_standard = crate::oauth::scope::STANDARD.contains(&scope.as_str());
    let labels = web.app.settings.attributes.labels(&scope);
    let attributes = (!labels.is_empty()).then(|| ScopeLine {
        name: scope.clone(),
        audience: None,
        attributes: Some(labels.join(", ")),
    });
    let own = (is_standard || attributes.is_none()).then(|| ScopeLine {
        audience: audience.filter(|_| !is_standard).map(str::to_owned),
        name: scope,
        attributes: None,
    });
    own.into_iter().chain(attributes).collect()
}
