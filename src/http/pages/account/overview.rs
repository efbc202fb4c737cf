//! `GET /account`: who one is here, and what there is to look after.

use axum::http::StatusCode;
use axum::response::Response;

use super::{Here, MOST, picture_of};
use crate::http::views::Frame;
use crate::http::views::account::{OverviewPage, SectionLine, Shell};
use crate::platform::database::DatabaseError;

pub(in crate::http) async fn get(here: Here) -> Response {
    let counts = counts(&here).await;
    let (sessions, apps) = match counts {
        Ok(counts) => counts,
        Err(error) => return here.fault(&error),
    };
    let (frame, shell) = (here.frame(), here.shell("", ""));
    let lines = lines(&here, &frame, &shell, sessions, apps);
    let view = OverviewPage {
        person: here.live.person().to_owned(),
        login: here.live.login().map(str::to_owned),
        picture: picture_of(&here.web, here.live.picture()).0,
        lines,
        frame,
        shell,
    };
    here.page_without_forms(StatusCode::OK, &view)
}

async fn counts(here: &Here) -> Result<(usize, usize), DatabaseError> {
    let app = &here.web.app;
    Ok((app.sessions.of(here.user(), MOST).await?.len(), app.grants.apps(here.user(), MOST).await?.len()))
}

fn lines(here: &Here, frame: &Frame, shell: &Shell, sessions: usize, apps: usize) -> Vec<SectionLine> {
    let (words, live) = (&frame.words, &here.live);
    let count = |key: &str, count: usize| words.say_with(key, &[("count", &count.to_string())]);
    let says = |name: &str| match name {
        "email" => live.email().map(|email| match live.email_verified_at {
            Some(_) => email.to_owned(),
            None => words.say_with("account-email-open", &[("email", email)]),
        }),
        "password" if !live.has_password => Some(words.say("account-password-missing")),
        "sessions" => Some(count("account-sessions-count", sessions)),
        "apps" => Some(count("account-apps-count", apps)),
        _ => None,
    };
    let others = shell.sections.iter().filter(|section| !section.name.is_empty());
    others.map(|section| SectionLine { section: *section, says: says(section.name) }).collect()
}
