//! `/auth/{id}/providers`: the accounts at other providers that somebody signs in with, for themselves and for administrators.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::adapter::named;
use super::person::instant;
use super::{Answered, Call, Problem, people};
use crate::federation::Providers;
use crate::http::answer;
use crate::identity::{Link, Unlinking};
use crate::platform::clock::from_millis;

/// An account at another provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkedProvider {
    /// The provider's name here.
    provider: String,
    /// What people know it by.
    label: String,
    /// What the account is called there.
    subject: String,
    /// Null where the session adapter linked it, and nobody has signed in with it here since.
    issuer: Option<String>,
    /// RFC 3339.
    linked_at: String,
    /// RFC 3339.
    last_used_at: Option<String>,
}

impl LinkedProvider {
    fn new(link: Link, providers: &Providers) -> Self {
        let label = providers.get(&link.provider).map(|provider| provider.label.clone());
        Self {
            label: label.unwrap_or_else(|| link.provider.clone()),
            provider: link.provider,
            subject: link.account_id,
            issuer: link.issuer,
            linked_at: instant(from_millis(link.created_at)),
            last_used_at: link.last_used_at.map(from_millis).map(instant),
        }
    }
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let (user, app) = (people::find(call).await?, &call.web.app);
    let links = app.accounts.links(user.id).await?;
    let shown: Vec<_> = links.into_iter().map(|link| LinkedProvider::new(link, &app.federation.providers)).collect();
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(in crate::http) async fn unlink(call: Call) -> Response {
    let answered = unlinked(&call).await;
    call.answer(answered)
}

async fn unlinked(call: &Call) -> Answered {
    let (user, app) = (people::find_to_change(call).await?, &call.web.app);
    if call.signed()?.is(user.id) {
        call.require_fresh().await?;
    }
    let (Some(provider), Some(subject)) = (named(call, "provider"), named(call, "subject")) else {
        return Err(Problem::not_found().into());
    };
    match app.accounts.unlink(user.id, provider, subject, &call.source()).await? {
        Unlinking::Unlinked(link) => {
            Ok(answer::json(StatusCode::OK, &LinkedProvider::new(link, &app.federation.providers)))
        }
        Unlinking::Nothing => Err(Problem::not_found().into()),
        Unlinking::Last => Err(Problem::new(StatusCode::CONFLICT, "api-account-last").into()),
    }
}
