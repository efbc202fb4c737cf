//! `/account/data`: what is kept of somebody, to take away; and the end of the account.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::{Here, confirm};
use crate::exports::{Asked, Asker, Export, State};
use crate::http::answer::{self, Forms};
use crate::http::exports::download;
use crate::http::views::account::{DataPage, ExportLine, day};
use crate::http::views::{Fault, Frame, NoticePage};
use crate::identity::{IdentityError, Leaving};

const PURPOSE: &str = "account-data";
const SECTION: &str = "data";

pub(in crate::http) async fn get(here: Here) -> Response {
    match here.is_fresh().await {
        Ok(true) => render(&here, StatusCode::OK, Vec::new()).await,
        Ok(false) => confirm::first(SECTION),
        Err(response) => response,
    }
}

/// The document itself.
pub(in crate::http) async fn export(here: Here, Path(id): Path<String>) -> Response {
    match here.is_fresh().await {
        Ok(true) => {}
        Ok(false) => return confirm::first(SECTION),
        Err(response) => return response,
    }
    let Ok(id) = Uuid::parse_str(&id) else { return missing(&here).await };
    match here.web.app.exports.fetch(here.user(), id, &here.caller.source()).await {
        Ok(Some(document)) => download(&here.web, document),
        Ok(None) => missing(&here).await,
        Err(error) => here.fault(&error),
    }
}

async fn missing(here: &Here) -> Response {
    render(here, StatusCode::NOT_FOUND, vec![Fault::new("", "account-gone")]).await
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    match here.is_fresh().await {
        Ok(true) => {}
        Ok(false) => return confirm::ask(&here, StatusCode::FORBIDDEN, SECTION, Vec::new()).await,
        Err(response) => return response,
    }
    if form.get("delete").is_none() {
        return ask(&here).await;
    }
    if form.get("sure").is_none() {
        let label = Some(here.frame().words.say("leave-ask"));
        let fault = Fault { label, ..Fault::new("sure", "leave-unsure") };
        return render(&here, StatusCode::UNPROCESSABLE_ENTITY, vec![fault]).await;
    }
    match here.web.app.accounts.leave(here.user(), Leaving::Guarded, &here.caller.source()).await {
        Ok(_) => {
            let at_once = here.web.app.settings.accounts.deletion_grace.get() == 0;
            let message = if at_once { "leave-gone" } else { "leave-asked" };
            let title = if at_once { "leave-gone-title" } else { "leave-asked-title" };
            let view = NoticePage { frame: here.frame(), title, message, sign_in_href: None };
            answer::page(&here.web, StatusCode::OK, Forms::None, &view)
        }
        Err(IdentityError::LastAdministrator) => {
            render(&here, StatusCode::CONFLICT, vec![Fault::new("", "api-last-administrator")]).await
        }
        // Somebody else was quicker: they are signed out by now.
        Err(IdentityError::Leaving | IdentityError::Unknown(_)) => answer::see_other("/sign-in?then=account"),
        Err(error) => here.fault(&error),
    }
}

async fn ask(here: &Here) -> Response {
    match here.web.app.exports.ask(here.user(), Asker::Themselves, &here.caller.source()).await {
        Ok(Asked::Taken(export)) => match export.state(here.web.app.clock.now()) {
            State::Ready => here.done(SECTION, "export-ready"),
            _ => here.done(SECTION, "export-waits"),
        },
        Ok(Asked::Running) => render(here, StatusCode::CONFLICT, vec![Fault::new("", "export-running")]).await,
        Ok(Asked::Enough { retry_after }) => {
            let hours = (retry_after.num_minutes() + 59) / 60;
            let fault = Fault::new("", "export-enough").with("hours", hours.max(1).to_string());
            let page = render(here, StatusCode::TOO_MANY_REQUESTS, vec![fault]).await;
            answer::retry_after(page, retry_after.num_seconds())
        }
        Err(error) => here.fault(&error),
    }
}

async fn render(here: &Here, status: StatusCode, faults: Vec<Fault>) -> Response {
    let exports = match here.web.app.exports.of(here.user()).await {
        Ok(exports) => exports,
        Err(error) => return here.fault(&error),
    };
    let frame = here.frame();
    let days = here.web.app.settings.accounts.deletion_grace.seconds().div_euclid(86_400);
    let view = DataPage {
        shell: here.shell(SECTION, PURPOSE),
        lines: exports.iter().map(|export| line(here, &frame, export)).collect(),
        grace: usize::try_from(days).unwrap_or_default(),
        at_once: here.web.app.settings.accounts.deletion_grace.get() == 0,
        mail: here.web.app.accounts.has_mail(),
        faults,
        frame,
    };
    here.page(status, &view)
}

fn line(here: &Here, frame: &Frame, export: &Export) -> ExportLine {
    let words = &frame.words;
    let state = export.state(here.web.app.clock.now());
    let says = match (state, export.expires_at) {
        (State::Ready, Some(end)) => {
            let size = (export.bytes + 1023) / 1024;
            words.say_with("export-state-ready", &[("size", &size.to_string()), ("day", &day(words, end))])
        }
        (State::Waiting, _) => words.say("export-state-waiting"),
        (State::Failed, _) => words.say("export-state-failed"),
        _ => words.say("export-state-over"),
    };
    ExportLine {
        href: (state == State::Ready).then(|| format!("/account/export/{}", export.id)),
        asked: words.say_with("export-asked", &[("day", &day(words, export.asked_at))]),
        says,
    }
}
