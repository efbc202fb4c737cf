//! `GET, POST /authorize` (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2): from an application's request to a code,
//! by way of the pages where something is missing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use tower_sessions::Session;

use crate::grants::Finished;
use crate::http::caller::Caller;
use crate::http::interaction::{self, Next};
use crate::http::state::Web;
use crate::http::{answer, form, reply};
use crate::oauth::authorization::PageFault;
use crate::oauth::parameters::Parameters;

/// A request by query: a new one, or one that goes on after a page (`interaction`).
pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Some(parameters) = Parameters::parse(uri.query().unwrap_or_default().as_bytes()) else {
        return interaction::page_fault(&web, &caller, PageFault::Malformed("query"));
    };
    if let (Some(name), None) = (parameters.get("interaction"), parameters.get("client_id")) {
        return resume(&web, &caller, &session, &headers, name).await;
    }
    let request = match interaction::check(&web, &parameters).await {
        Ok(request) => request,
        Err(refusal) => return interaction::refuse(&web, &caller, refusal),
    };
    let next = match interaction::decide(&web, &session, &request, None).await {
        Ok(next) => next,
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    let page = match next {
        Next::Code(live) => {
            return match web.app.grants.give_code(request.code_request(), &live).await {
                Ok(code) => reply::send(&web, &caller, request.reply.code(&code)),
                Err(error) => answer::fault_page(&web, &caller, &error),
            };
        }
        Next::Refuse(code, description) => {
            return interaction::refuse(&web, &caller, request.refuse(code, description).into());
        }
        Next::Page(page, _) => page,
    };
    let (browser, fresh) = interaction::browser_secret(&web, &headers);
    match web.app.grants.wait(&request.client.id, &parameters.encode(), &browser).await {
        Ok(name) => {
            let response = answer::see_other(&page.href(&name));
            answer::with_header(
                response,
                header::SET_COOKIE,
                fresh.then(|| web.cookies.set_browser(&browser)).flatten(),
            )
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// A request by form comes from another site, without the session's cookie: on by a GET, which brings it.
pub(in crate::http) async fn post(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match form::read(&headers, body, web.app.settings.http.max_body).await {
        Ok(parameters) => answer::see_other(&format!("/authorize?{}", parameters.encode())),
        Err(fault) => interaction::form_fault(&web, &caller, fault),
    }
}

/// Goes on with a request that waited for a person.
async fn resume(web: &Web, caller: &Caller, session: &Session, headers: &HeaderMap, name: &str) -> Response {
    let (interaction, request) = match interaction::waiting(web, caller, headers, name).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match interaction::decide(web, session, &request, Some(&interaction)).await {
        Ok(Next::Code(live)) => {
            let finished = Finished { interaction: name.to_owned(), allowed: Vec::new() };
            match web.app.grants.finish(request.code_request(), &live, finished, &caller.source()).await {
                Ok(code) => reply::send(web, caller, request.reply.code(&code)),
                Err(error) => answer::fault_page(web, caller, &error),
            }
        }
        Ok(Next::Page(page, _)) => answer::see_other(&page.href(name)),
        Ok(Next::Refuse(code, description)) => {
            interaction::refuse(web, caller, request.refuse(code, description).into())
        }
        Err(error) => answer::fault_page(web, caller, &error),
    }
}
