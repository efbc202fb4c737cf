//! `bonafide user delete`, `restore` and `export`: the end of an account, and what is kept of somebody.

use chrono::{DateTime, Utc};

use super::Failure;
use crate::app::App;
use crate::audit::Source;
use crate::identity::{Leaving, User};

/// Answers who it was, and when they go unless they have gone at once.
pub(super) async fn delete(app: &App, who: &str, now: bool) -> Result<(User, Option<DateTime<Utc>>), Failure> {
    let accounts = &app.accounts;
    if now || app.settings.accounts.deletion_grace.get() == 0 {
        return Ok((accounts.delete(who).await?, None));
    }
    let id = accounts.find(who).await?.id;
    accounts.leave(id, Leaving::Operator, &Source::default()).await?;
    let person = accounts.find(&id.to_string()).await?;
    let leaves_at = person.leaves_at;
    Ok((person, leaves_at))
}

/// Straight to stdout: nothing of it is kept.
pub(super) async fn export(app: &App, who: &str) -> Result<(), Failure> {
    let id = app.accounts.find(who).await?.id;
    let written = app.exports.write_to(id, &mut std::io::stdout()).await;
    written.map_err(|error| Failure::Other(error.to_string()))
}
