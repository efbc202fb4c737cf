//! `bonafide user links` and `bonafide user unlink`: people's accounts at other providers.

use serde_json::{Value, json};

use super::{Failure, output};
use crate::app::App;
use crate::identity::{Link, Unlinking};
use crate::platform::clock::from_millis;

pub(super) async fn list(app: &App, who: &str, json: bool) -> Result<(), Failure> {
    let user = app.accounts.find(who).await?;
    let links = app.accounts.links(user.id).await?;
    if json {
        return output::json(&links.iter().map(described).collect::<Vec<_>>());
    }
    let day = |at: i64| from_millis(at).to_rfc3339();
    let rows: Vec<[String; 5]> = links
        .into_iter()
        .map(|link| {
            let last_used = link.last_used_at.map(day).unwrap_or_default();
            [link.provider, link.account_id, link.issuer.unwrap_or_default(), day(link.created_at), last_used]
        })
        .collect();
    output::table(["provider", "subject", "issuer", "linked", "last used"], &rows)
}

pub(super) async fn unlink(
    app: &App,
    who: &str,
    provider: &str,
    subject: Option<&str>,
    json: bool,
) -> Result<(), Failure> {
    let (user, done) = app.accounts.unlink_by(who, provider, subject).await?;
    let unlinked: Vec<&Link> = done
        .iter()
        .filter_map(|outcome| match outcome {
            Unlinking::Unlinked(link) => Some(link),
            Unlinking::Nothing | Unlinking::Last => None,
        })
        .collect();
    if json && !unlinked.is_empty() {
        output::json(&unlinked.iter().map(|link| described(link)).collect::<Vec<_>>())?;
    } else {
        for link in &unlinked {
            output::line(&format!("unlinked {} {} from {who} ({})", link.provider, link.account_id, user.id))?;
        }
    }
    if done.contains(&Unlinking::Last) {
        let way =
            format!("{who} could not sign in any more: `bonafide user set-password {who} --password-stdin` first");
        return Err(Failure::Other(way));
    }
    if unlinked.is_empty() {
        return Err(Failure::Other(format!(
            "{who} has no such account at {provider}: `bonafide user links {who}` shows them"
        )));
    }
    Ok(())
}

fn described(link: &Link) -> Value {
    json!({
        "provider": link.provider,
        "subject": link.account_id,
        "issuer": link.issuer,
        "linked_at": from_millis(link.created_at),
        "last_used_at": link.last_used_at.map(from_millis),
    })
}
