//! `/account/apps`: which applications may do something for somebody, and taking that back.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Here, MOST};
use crate::grants::App;
use crate::http::pages::consent;
use crate::http::reasons;
use crate::http::views::account::{AppLine, AppsPage, Part, ago, day};
use crate::http::views::{Fault, Frame};
use crate::oauth::scope::STANDARD;

const PURPOSE: &str = "account-apps";
const SECTION: &str = "apps";

pub(in crate::http) async fn get(here: Here) -> Response {
    render(&here, StatusCode::OK, Vec::new()).await
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let client = form.get("app").unwrap_or_default();
    match here.web.app.grants.withdraw(here.user(), client, &here.caller.source()).await {
        Ok(true) => here.done(SECTION, "account-app-withdrawn"),
        Ok(false) => render(&here, StatusCode::NOT_FOUND, vec![Fault::new("", "account-gone")]).await,
        Err(error) => here.fault(&error),
    }
}

async fn render(here: &Here, status: StatusCode, faults: Vec<Fault>) -> Response {
    reasons::fields(&faults);
    let apps = match here.web.app.grants.apps(here.user(), MOST).await {
        Ok(apps) => apps,
        Err(error) => return here.fault(&error),
    };
    let frame = here.frame();
    let part = Part::of(here.query.get("part"), apps.len());
    let view = AppsPage {
        shell: here.shell(SECTION, PURPOSE),
        lines: part.cut(apps).map(|app| line(here, &frame, app)).collect(),
        part,
        faults,
        frame,
    };
    here.page(status, &view)
}

fn line(here: &Here, frame: &Frame, app: App) -> AppLine {
    let (words, now) = (&frame.words, here.web.app.clock.now());
    let since = words.say_with("account-app-since", &[("day", &day(words, app.since))]);
    let used = app.last_used_at.map(|at| words.say_with("account-app-used", &[("when", &ago(words, at, now))]));
    let mut scopes = app.scopes;
    // As the consent page has them: what everybody asks for first.
    scopes.sort_by_key(|scope| STANDARD.iter().position(|known| known == scope).unwrap_or(STANDARD.len()));
    let lines = scopes.into_iter().flat_map(|scope| consent::lines(&here.web, None, scope));
    AppLine {
        client_id: app.client_id,
        name: app.name,
        says: [Some(since), used].into_iter().flatten().collect::<Vec<_>>().join(" · "),
        may: lines.map(|line| line.sentence(words)).collect(),
    }
}
