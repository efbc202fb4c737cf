//! `PUT /auth/upload-image/{id}`: a picture of oneself, as `multipart/form-data`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use multer::{Constraints, Multipart, SizeLimit};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answered, Call, Fault, Problem, done, people};
use crate::http::answer;
use crate::http::state::Web;
use crate::identity::{PictureError, PictureFault};

/// Bytes of a file, and of all that may stand around it.
pub(in crate::http) const FILE: u64 = 5 * 1024 * 1024;
pub(in crate::http) const AROUND: u64 = 16 * 1024;
/// Who sends too much is heard to the end, within reason: a connection that is closed on somebody who still writes takes the
/// answer with it.
pub(in crate::http) const HEARD: u64 = 4 * FILE;
/// The name of the one part.
const PART: &str = "image";

/// A call whose body has not been read.
pub(in crate::http) struct Upload {
    call: Call,
    body: Body,
}

impl FromRequest<Arc<Web>> for Upload {
    type Rejection = Infallible;

    async fn from_request(mut request: Request, web: &Arc<Web>) -> Result<Self, Infallible> {
        let body = std::mem::take(request.body_mut());
        Ok(Self { call: Call::from_request(request, web).await?, body })
    }
}

/// A new picture.
#[derive(ToSchema)]
pub(super) struct Picture {
    /// PNG, JPEG, WebP or GIF, 5 MiB at most.
    #[expect(dead_code, reason = "the shape of the form, for the OpenAPI document")]
    #[schema(content_media_type = "application/octet-stream")]
    image: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Uploaded {
    /// Where everybody sees it.
    image_url: String,
}

pub(in crate::http) async fn upload(upload: Upload) -> Response {
    let Upload { call, body } = upload;
    let answered = uploaded(&call, body).await;
    call.answer(answered)
}

pub(in crate::http) async fn remove(call: Call) -> Response {
    let answered = removed(&call).await;
    call.answer(answered)
}

/// A picture that is not there is taken away already.
async fn removed(call: &Call) -> Answered {
    let user = people::find_to_change(call).await?;
    match call.web.app.accounts.remove_picture(user.id, &call.source()).await {
        Ok(()) => Ok(done()),
        Err(PictureError::Unknown) => Err(Problem::not_found().into()),
        Err(error) => Err(Fault::broken(error)),
    }
}

async fn uploaded(call: &Call, body: Body) -> Answered {
    let mut body = body.into_data_stream();
    // Whose it would be is judged before anything is read.
    let user = match people::find_to_change(call).await {
        Ok(user) => user,
        Err(fault) => return Err(heard(&mut body, fault).await),
    };
    let accounts = &call.web.app.accounts;
    let Some(turn) = accounts.picture_turn() else { return Err(heard(&mut body, Fault::Busy).await) };
    let file = match file(call, &mut body).await {
        Ok(file) => file,
        Err(problem) => return Err(heard(&mut body, problem.close().into()).await),
    };
    match accounts.set_picture(turn, user.id, file, &call.caller.source()).await {
        Ok(image_url) => Ok(answer::json(StatusCode::OK, &Uploaded { image_url })),
        Err(PictureError::Refused(fault)) => Err(refused(fault).into()),
        Err(PictureError::Unknown) => Err(Problem::not_found().into()),
        Err(PictureError::Storage(error)) => {
            tracing::error!(request_id = call.caller.request_id.as_str(), %error, "a picture could not be kept");
            Err(Fault::Busy)
        }
        Err(PictureError::Database(error)) => Err(error.into()),
    }
}

/// The file of the one part that there may be.
async fn file(call: &Call, body: &mut BodyDataStream) -> Result<Bytes, Problem> {
    let mut types = call.headers.get_all(header::CONTENT_TYPE).iter();
    let boundary = match (types.next(), types.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|value| multer::parse_boundary(value).ok()),
        _ => None,
    };
    let not_a_form = || Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "api-not-multipart");
    let boundary = boundary.ok_or_else(not_a_form)?;
    let sizes = SizeLimit::new().whole_stream(FILE + AROUND).per_field(FILE);
    let constraints = Constraints::new().allowed_fields(vec![PART]).size_limit(sizes);
    let mut form = Multipart::with_constraints(body, boundary, constraints);
    let mut found = None;
    while let Some(part) = form.next_field().await.map_err(|error| malformed(&error))? {
        if found.is_some() {
            return Err(Problem::bad_request("api-body-malformed").field(PART, "api-field-malformed"));
        }
        found = Some(part.bytes().await.map_err(|error| malformed(&error))?);
    }
    let missing = || Problem::bad_request("api-body-malformed").field(PART, "field-required");
    found.filter(|file| !file.is_empty()).ok_or_else(missing)
}

fn malformed(error: &multer::Error) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "api-picture-heavy").field(PART, "picture-heavy")
        }
        multer::Error::StreamReadFailed(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "api-incomplete"),
        multer::Error::UnknownField { field_name } => {
            let name = field_name.as_deref().filter(|name| name.len() <= 64).unwrap_or_default();
            Problem::bad_request("api-body-malformed").field(name, "api-field-unknown")
        }
        _ => Problem::bad_request("api-body-malformed"),
    }
}

fn refused(fault: PictureFault) -> Problem {
    let sentence = match fault {
        PictureFault::Foreign => "picture-foreign",
        PictureFault::Large => "picture-large",
        PictureFault::Damaged => "picture-damaged",
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "api-fields").field(PART, sentence)
}

async fn heard(body: &mut BodyDataStream, fault: Fault) -> Fault {
    let mut left = HEARD;
    while let Some(Ok(piece)) = body.next().await {
        let Some(rest) = left.checked_sub(piece.len() as u64) else { break };
        left = rest;
    }
    fault
}
