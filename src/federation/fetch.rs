//! `openidconnect` calls through our guarded client.

use std::pin::Pin;

use hyper::header;
use openidconnect::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::FederationError;
use crate::platform::outgoing::{Outgoing, OutgoingError};

pub(super) struct Fetch<'o>(pub(super) &'o Outgoing);

impl<'c> openidconnect::AsyncHttpClient<'c> for Fetch<'_> {
    type Error = OutgoingError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutgoingError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.0.send(request).await?;
            let mut response = HttpResponse::new(answer.body.to_vec());
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

/// What a provider tells whoever has this access token.
pub(super) async fn json(outgoing: &Outgoing, url: &str, access_token: &str) -> Result<Value, FederationError> {
    let request = hyper::Request::get(url)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {access_token}"))
        .body(Vec::new());
    let request = request.map_err(|_| FederationError::Unbelievable("a token that no header holds".to_owned()))?;
    let answer = outgoing.send(request).await.map_err(|error| FederationError::Unavailable(error.cause()))?;
    if !answer.status.is_success() {
        return Err(FederationError::Unavailable(format!("{} at userinfo", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| FederationError::Unbelievable("userinfo is not JSON".to_owned()))
}
