//! The time that a request's body may take: one deadline for the whole of it. A timeout that begins anew with every piece
//! would let a drop a second hold a connection, and what it waits for, without end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;

#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct TooLate;

/// A body that fails when its time is over. What has arrived already costs no timer.
pub(in crate::http) struct Timed {
    body: Body,
    limit: Duration,
    over: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    pub(in crate::http) fn body(body: Body, limit: Duration) -> Body {
        if body.is_end_stream() { body } else { Body::new(Self { body, limit, over: None }) }
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Some(over) = &mut this.over
            && over.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(axum::Error::new(TooLate))));
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending() && this.over.is_none() {
            let mut over = Box::pin(tokio::time::sleep(this.limit));
            if over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Err(axum::Error::new(TooLate))));
            }
            this.over = Some(over);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
