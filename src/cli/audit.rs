//! `bonafide audit`: what happened, newest first.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{Failure, output};
use crate::app::App;
use crate::audit::{self, Filter, Recorded};
use crate::identity::IdentityError;
use crate::platform::settings::Millis;

#[derive(Subcommand)]
pub(super) enum Audit {
    /// Events, newest first
    #[command(after_help = "Examples:
  bonafide audit list --user ada@example.com --since 24h
  bonafide audit list --kind sign_in_refused --address 192.0.2.7 --json
  bonafide audit list --request e12h3v268tsv        what the reference number of an error page stands for")]
    List(List),
}

#[derive(Args)]
pub(super) struct List {
    /// Only events of this name, like `signed_in`; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only about this person: id, e-mail address or username
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// Only what this person did: id, e-mail address or username
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only about this application
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only from this address
    #[arg(long)]
    address: Option<String>,
    /// Only of the request with this id
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Not before this instant (RFC 3339), or so long ago (24h)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Before this instant, or longer ago than this
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let Self::List(list) = self;
        list.on(app).await
    }
}

impl List {
    async fn on(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        let filter = Filter {
            user_id: match &self.user {
                None => None,
                Some(who) => Some(person(app, who).await?),
            },
            actor_id: match &self.actor {
                None => None,
                Some(who) => Some(person(app, who).await?),
            },
            kinds: self.kinds,
            client_id: self.client,
            address: self.address,
            request_id: self.request,
            since: self.since.as_deref().map(|text| instant("--since", text, now)).transpose()?,
            until: self.until.as_deref().map(|text| instant("--until", text, now)).transpose()?,
            limit: self.limit,
        };
        let events = audit::list(&app.database, &filter).await?;
        if self.json {
            return output::json(&events);
        }
        let rows: Vec<[String; 5]> = events.into_iter().map(row).collect();
        output::table(["at", "event", "about", "from", "detail"], &rows)
    }
}

/// A person who is gone is still in the record, by their id.
async fn person(app: &App, who: &str) -> Result<Uuid, Failure> {
    match (app.accounts.find(who).await, Uuid::parse_str(who)) {
        (Ok(person), _) => Ok(person.id),
        (Err(IdentityError::Unknown(_)), Ok(id)) => Ok(id),
        (Err(error), _) => Err(error.into()),
    }
}

fn instant(flag: &str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Failure> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let ago =
        Millis::parse(text).ok().and_then(|ago| now.checked_sub_signed(chrono::Duration::milliseconds(ago.get())));
    ago.ok_or_else(|| {
        Failure::Usage(format!("{flag} {text}: write an instant like 2026-11-21T16:00:00Z, or a time like 24h"))
    })
}

fn row(event: Recorded) -> [String; 5] {
    let about = [event.user_id.map(|id| id.to_string()), event.client_id];
    [
        event.at.to_rfc3339(),
        event.kind,
        about.into_iter().flatten().collect::<Vec<_>>().join(" "),
        event.address.unwrap_or_default(),
        event.detail.to_string(),
    ]
}
