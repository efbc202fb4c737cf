//! Why requests were refused.

use super::operation::{Operation, get};
use super::schemas::of;
use crate::http::api::traces::TraceBody;

pub(super) fn operations() -> Vec<Operation> {
    vec![get("/traces/{reference}", "Tell why a request was refused").gives(of::<TraceBody>).refuses(&[404])]
}
