//! `/account/activity`: what happened to somebody's account, in plain words.

use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::Here;
use crate::audit::{self, Activity};
use crate::http::views::Frame;
use crate::http::views::account::{ActivityLine, ActivityPage, ago};
use crate::platform::database::DatabaseError;

const SECTION: &str = "activity";

/// What people call what happened.
const SENTENCES: [(&str, &str); 29] = [
    ("signed_up", "account-did-signed-up"),
    ("signed_in", "account-did-signed-in"),
    ("sign_in_refused", "account-did-sign-in-refused"),
    ("signed_out", "account-did-signed-out"),
    ("signed_out_everywhere", "account-did-signed-out-everywhere"),
    ("session_ended", "account-did-session-ended"),
    ("other_sessions_ended", "account-did-other-sessions-ended"),
    ("password_reset_asked", "account-did-password-reset-asked"),
    ("password_reset", "account-did-password-reset"),
    ("password_changed", "account-did-password-changed"),
    ("email_verified", "account-did-email-verified"),
    ("email_change_asked", "account-did-email-change-asked"),
    ("email_changed", "account-did-email-changed"),
    ("user_created", "account-did-user-created"),
    ("user_changed", "account-did-user-changed"),
    ("role_granted", "account-did-role-granted"),
    ("role_revoked", "account-did-role-revoked"),
    ("account_linked", "account-did-account-linked"),
    ("account_unlinked", "account-did-account-unlinked"),
    ("consent_given", "account-did-consent-given"),
    ("consent_denied", "account-did-consent-denied"),
    ("app_withdrawn", "account-did-app-withdrawn"),
    ("api_key_created", "account-did-api-key-created"),
    ("api_key_revoked", "account-did-api-key-revoked"),
    ("export_asked", "account-did-export-asked"),
    ("export_ready", "account-did-export-ready"),
    ("export_fetched", "account-did-export-fetched"),
    ("deletion_asked", "account-did-deletion-asked"),
    ("deletion_taken_back", "account-did-deletion-taken-back"),
];

/// What a page shows.
const LINES: usize = 20;

pub(in crate::http) async fn get(here: Here) -> Response {
    let after = here.query.get("after").and_then(|id| Uuid::parse_str(id).ok());
    let (mut found, later) = match found(&here, after).await {
        Ok(found) => found,
        Err(error) => return here.fault(&error),
    };
    let is_more = found.len() > LINES;
    found.truncate(LINES);
    let frame = here.frame();
    let view = ActivityPage {
        shell: here.shell(SECTION, ""),
        older: found.last().filter(|_| is_more).map(|last| last.id.simple().to_string()),
        lines: found.into_iter().map(|activity| line(&here, &frame, activity)).collect(),
        later,
        frame,
    };
    here.page_without_forms(StatusCode::OK, &view)
}

/// One more than a page shows; and whether they are behind others. Behind what is not there nothing can be, so the newest are shown.
async fn found(here: &Here, after: Option<Uuid>) -> Result<(Vec<Activity>, bool), DatabaseError> {
    let database = &here.web.app.database;
    let place = match after {
        Some(id) => audit::place(database, id).await?,
        None => None,
    };
    let most = u64::try_from(LINES).unwrap_or_default() + 1;
    Ok((audit::activity(database, here.user(), place, most).await?, place.is_some()))
}

fn line(here: &Here, frame: &Frame, activity: Activity) -> ActivityLine {
    let (words, app) = (&frame.words, &here.web.app);
    let client =
        activity.client_id.map(|id| app.clients.registry().client(&id).map_or(id, |client| client.name.clone()));
    let provider = activity.provider.map(|name| match app.federation.providers.get(&name) {
        Some(provider) => provider.label.clone(),
        None => name,
    });
    let sentence = SENTENCES.iter().find(|(kind, _)| *kind == activity.kind);
    let key = sentence.map_or("account-did-user-changed", |(_, key)| key);
    let members = [
        ("app", client.unwrap_or_default()),
        // The word that the sentence looks at where it can be said without a provider too.
        ("by", if provider.is_some() { "provider" } else { "password" }.to_owned()),
        ("provider", provider.unwrap_or_default()),
        ("role", activity.role.unwrap_or_default()),
        ("what", activity.what.unwrap_or_default()),
    ];
    let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
    let facts = [
        Some(ago(words, activity.at.timestamp_millis(), app.clock.now())),
        activity.address,
        activity.by_administrator.then(|| words.say("account-activity-administrator")),
    ];
    ActivityLine {
        what: words.say_with(key, &members),
        says: facts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        alarming: activity.kind == "sign_in_refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_shown_has_a_sentence() {
        assert_eq!(SENTENCES.map(|(kind, _)| kind), audit::SHOWN);
    }
}
