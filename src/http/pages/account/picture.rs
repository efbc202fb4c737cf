//! `/account/picture`: a picture of oneself, sent by a form that works without scripts.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use multer::{Constraints, Multipart, SizeLimit};

use super::{Here, picture_of};
use crate::http::answer;
use crate::http::api::picture::{AROUND, FILE, HEARD};
use crate::http::views::Fault;
use crate::http::views::account::PicturePage;
use crate::identity::{PictureError, PictureFault};

const PURPOSE: &str = "account-picture";
const SECTION: &str = "picture";

/// What the form sends. The file comes last, so that it is read only for a form of ours.
enum Sent {
    File(Bytes),
    Nothing,
    Removal,
}

/// Why a body is not read to its end.
enum Refused {
    Foreign,
    Heavy,
    Malformed,
}

pub(in crate::http) async fn get(here: Here) -> Response {
    render(&here, StatusCode::OK, Vec::new())
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let mut body = body.into_data_stream();
    let again = |status, message| {
        let label = Some(here.frame().words.say("account-picture-file"));
        render(&here, status, vec![Fault { label, ..Fault::new("image", message) }])
    };
    let accounts = &here.web.app.accounts;
    let Some(turn) = accounts.picture_turn() else {
        heard(&mut body).await;
        return busy(&here);
    };
    let sent = match read(&here, &headers, &mut body).await {
        Ok(sent) => sent,
        Err(why) => {
            heard(&mut body).await;
            return match why {
                Refused::Foreign => here.foreign(),
                Refused::Heavy => again(StatusCode::UNPROCESSABLE_ENTITY, "picture-heavy"),
                Refused::Malformed => again(StatusCode::UNPROCESSABLE_ENTITY, "picture-damaged"),
            };
        }
    };
    let source = here.caller.source();
    let (changed, note) = match sent {
        Sent::Nothing => return again(StatusCode::UNPROCESSABLE_ENTITY, "account-picture-missing"),
        Sent::Removal => (accounts.remove_picture(here.user(), &source).await, "account-picture-removed"),
        Sent::File(file) => {
            let kept = accounts.set_picture(turn, here.user(), file, &source).await;
            (kept.map(|_| ()), "account-picture-done")
        }
    };
    match changed {
        Ok(()) => here.done(SECTION, note),
        Err(PictureError::Refused(fault)) => again(StatusCode::UNPROCESSABLE_ENTITY, sentence(fault)),
        Err(PictureError::Storage(error)) => {
            tracing::error!(request_id = here.caller.request_id.as_str(), %error, "a picture could not be kept");
            busy(&here)
        }
        Err(error) => here.fault(&error),
    }
}

fn busy(here: &Here) -> Response {
    answer::retry_after(render(here, StatusCode::SERVICE_UNAVAILABLE, vec![Fault::new("", "unavailable")]), 2)
}

fn sentence(fault: PictureFault) -> &'static str {
    match fault {
        PictureFault::Foreign => "picture-foreign",
        PictureFault::Large => "picture-large",
        PictureFault::Damaged => "picture-damaged",
    }
}

async fn read(here: &Here, headers: &HeaderMap, body: &mut BodyDataStream) -> Result<Sent, Refused> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = kind.and_then(|kind| multer::parse_boundary(kind).ok()).ok_or(Refused::Foreign)?;
    let sizes = SizeLimit::new().whole_stream(FILE + AROUND).per_field(FILE).for_field("csrf", 1024);
    let constraints = Constraints::new().allowed_fields(vec!["csrf", "image", "remove"]).size_limit(sizes);
    let mut form = Multipart::with_constraints(body, boundary, constraints);
    let mut ours = false;
    while let Some(part) = form.next_field().await.map_err(|error| refused(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        if name != "csrf" && !ours {
            return Err(Refused::Foreign);
        }
        let content = part.bytes().await.map_err(|error| refused(&error))?;
        match name.as_str() {
            "csrf" => ours = here.is_ours(headers, PURPOSE, std::str::from_utf8(&content).ok()),
            "remove" => return Ok(Sent::Removal),
            _ if content.is_empty() => return Ok(Sent::Nothing),
            _ => return Ok(Sent::File(content)),
        }
    }
    if ours { Ok(Sent::Nothing) } else { Err(Refused::Foreign) }
}

fn refused(error: &multer::Error) -> Refused {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => Refused::Heavy,
        _ => Refused::Malformed,
    }
}

/// Who sends too much is heard to the end, within reason: a connection that is closed on somebody who still writes takes the
/// answer with it.
async fn heard(body: &mut BodyDataStream) {
    let mut left = HEARD;
    while let Some(Ok(piece)) = body.next().await {
        let Some(rest) = left.checked_sub(piece.len() as u64) else { break };
        left = rest;
    }
}

fn render(here: &Here, status: StatusCode, faults: Vec<Fault>) -> Response {
    let (picture, elsewhere) = picture_of(&here.web, here.live.picture());
    let view = PicturePage {
        frame: here.frame(),
        shell: here.shell(SECTION, PURPOSE),
        person: here.live.person().to_owned(),
        picture,
        elsewhere,
        faults,
    };
    here.page(status, &view)
}
