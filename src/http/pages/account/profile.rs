//! `/account/profile`: what somebody says about themselves. The form knows which state of the account it is about, so that of two
//! who save at once neither undoes the other's unseen.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Here, fields};
use crate::http::reasons;
use crate::http::views::Fault;
use crate::http::views::account::ProfilePage;
use crate::identity::{IdentityError, User};
use crate::oauth::parameters::Parameters;

const PURPOSE: &str = "account-profile";
const SECTION: &str = "profile";

pub(in crate::http) async fn get(here: Here) -> Response {
    match user(&here).await {
        Ok(user) => render(&here, StatusCode::OK, &user, None, Vec::new()),
        Err(response) => response,
    }
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let user = match user(&here).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let again = |status, user: &User, faults| render(&here, status, user, Some(&form), faults);
    let frame = here.frame();
    let expected = form.get("revision").and_then(|revision| revision.parse().ok());
    if expected != Some(user.revision) {
        return again(StatusCode::CONFLICT, &user, vec![Fault::new("", OVERTAKEN)]);
    }
    let change = match fields::change(&here, &frame, &user, &form) {
        Ok(change) => change,
        Err(faults) => return again(StatusCode::UNPROCESSABLE_ENTITY, &user, faults),
    };
    match here.web.app.accounts.change_own(here.user(), change, expected, &here.caller.source()).await {
        Ok(_) => here.done(SECTION, "account-saved"),
        Err(IdentityError::Changed) => match self::user(&here).await {
            Ok(user) => again(StatusCode::CONFLICT, &user, vec![Fault::new("", OVERTAKEN)]),
            Err(response) => response,
        },
        Err(IdentityError::Profile(_) | IdentityError::Refused(_)) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, &user, vec![Fault::new("", "account-too-much")])
        }
        Err(error) => here.fault(&error),
    }
}

/// What is said to whoever was not quick enough.
const OVERTAKEN: &str = "account-overtaken";

async fn user(here: &Here) -> Result<User, Response> {
    here.web.app.accounts.find(&here.user().to_string()).await.map_err(|error| here.fault(&error))
}

fn render(here: &Here, status: StatusCode, user: &User, form: Option<&Parameters>, faults: Vec<Fault>) -> Response {
    reasons::fields(&faults);
    let frame = here.frame();
    let overtaken = faults.iter().any(|fault| fault.message == OVERTAKEN);
    let view = ProfilePage {
        shell: here.shell(SECTION, PURPOSE),
        revision: user.revision,
        groups: fields::groups(here, &frame, user, form, overtaken),
        faults,
        frame,
    };
    here.page(status, &view)
}
