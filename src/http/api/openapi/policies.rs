//! Policies: what is in force, what was, and what would be.

use serde_json::json;

use super::operation::{Operation, get, post, put};
use super::schemas::{list_of, of};
use crate::http::api::policies::{DryRunReport, Policies, PolicyVersion, PublishedVersion};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/policies", "Show the policies in force").gives(of::<PolicyVersion>),
        put("/policies", "Publish policies")
            .header("If-Match", "The version that this was made of, as the ETag says it.")
            .takes::<Policies>()
            .gives(of::<PublishedVersion>)
            .refuses(&[412]),
        post("/policies/dry-run", "Tell which recent decisions other policies would make otherwise")
            .takes::<Policies>()
            .gives(of::<DryRunReport>),
        get("/policies/versions", "List versions, the newest first")
            .paged(
                "before",
                "The number of the last version of the page before.",
                &json!({"type": "integer", "minimum": 1}),
            )
            .gives(list_of::<PolicyVersion>),
        get("/policies/versions/{version}", "Show a version").gives(of::<PolicyVersion>).refuses(&[404]),
        post("/policies/versions/{version}/publish", "Publish an older version once more")
            .gives(of::<PublishedVersion>)
            .refuses(&[404]),
    ]
}
