//! The mailbox that catches what would be sent.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use crate::http::answer::{self, Forms, not_found};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::views::{DevMailPage, DevMessagePage, MailLine};
use crate::mail::{self, Letterhead, Rendered};
use crate::platform::clock::from_millis;
use crate::platform::database::DatabaseError;

pub(in crate::http) async fn mailbox(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    match captured(&web).await {
        Ok(mails) => {
            let messages = mails
                .into_iter()
                .map(|mail| MailLine {
                    href: format!("/dev/mail/{}", mail.id),
                    at: time(mail.at),
                    to: mail.to,
                    subject: mail.read.subject,
                })
                .collect();
            answer::page(&web, StatusCode::OK, Forms::None, &DevMailPage { frame: caller.frame(&web, None), messages })
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

pub(in crate::http) async fn message(State(web): State<Arc<Web>>, caller: Caller, Path(id): Path<String>) -> Response {
    let mails = match captured(&web).await {
        Ok(mails) => mails,
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    let wanted = Uuid::parse_str(&id).ok();
    let Some(mail) = mails.into_iter().find(|mail| Some(mail.id) == wanted) else {
        return not_found(State(web), caller).await;
    };
    let view = DevMessagePage {
        frame: caller.frame(&web, None),
        at: time(mail.at),
        to: mail.to,
        from: mail.from,
        subject: mail.read.subject,
        text: mail.read.text,
    };
    answer::page(&web, StatusCode::OK, Forms::None, &view)
}

/// A mail that was caught, as its reader would see it.
struct Caught {
    id: Uuid,
    at: i64,
    to: String,
    from: String,
    read: Rendered,
}

async fn captured(web: &Web) -> Result<Vec<Caught>, DatabaseError> {
    let Ok(letterhead) = Letterhead::new(web.catalogues.clone(), &web.app.settings) else { return Ok(Vec::new()) };
    let mails = mail::captured(&web.app.database, web.app.master.sealing()).await?.into_iter();
    let caught = mails.filter_map(|mail| {
        let read = letterhead.render(&mail.letter).ok()?;
        Some(Caught { id: mail.id, at: mail.at, to: mail.letter.to, from: letterhead.from(), read })
    });
    Ok(caught.collect())
}

fn time(millis: i64) -> String {
    from_millis(millis).format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
