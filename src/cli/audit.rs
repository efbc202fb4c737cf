//! `bonafide audit`: what happened.

use std::pin::pin;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use futures_util::TryStreamExt as _;
use uuid::Uuid;

use super::{Failure, output};
use crate::app::App;
use crate::audit::{self, Filter, Order, Recorded};
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
    /// Events as JSON lines, oldest first, however many they are
    #[command(after_help = "Examples:
  bonafide audit export --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z > november.jsonl
  bonafide audit export --after 019ab2f0-6a3e-7c11-9a55-0d6c2f1e8b7a    what came after the last line of another export")]
    Export(Export),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    wanted: Wanted,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    wanted: Wanted,
    /// Only what comes after the event with this id
    #[arg(long, value_name = "ID")]
    after: Option<Uuid>,
}

/// Which events.
#[derive(Args)]
struct Wanted {
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
}

impl Audit {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.on(app).await,
            Self::Export(export) => export.on(app).await,
        }
    }
}

impl Wanted {
    async fn filter(self, app: &App) -> Result<Filter, Failure> {
        let now = app.clock.now();
        Ok(Filter {
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
            ..Filter::default()
        })
    }
}

impl List {
    async fn on(self, app: &App) -> Result<(), Failure> {
        let filter = Filter { limit: self.limit.into(), ..self.wanted.filter(app).await? };
        let events = audit::list(&app.database, &filter).await?;
        if self.json {
            return output::json(&events);
        }
        let rows: Vec<[String; 5]> = events.into_iter().map(row).collect();
        output::table(["at", "event", "about", "from", "detail"], &rows)
    }
}

impl Export {
    async fn on(self, app: &App) -> Result<(), Failure> {
        let after = match self.after {
            None => None,
            Some(id) => Some(
                audit::place(&app.database, id)
                    .await?
                    .ok_or_else(|| Failure::Usage(format!("--after {id}: there is no event with this id")))?,
            ),
        };
        let filter = Filter { after, order: Order::OldestFirst, ..self.wanted.filter(app).await? };
        let mut lines = pin!(audit::export(app.database.clone(), filter));
        while let Some(lines) = lines.try_next().await? {
            if !output::lines(&lines)? {
                break;
            }
        }
        Ok(())
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
