//! What is in a document, in the order that it is in: one member a table, its rows read and written a page at a time.

mod rows;
mod store;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use self::rows::{
    AccessToken, Account, Action, AdapterSession, AdapterWord, ApiKey, Code, Consent, Decision, Device, Document,
    Event, Grant, LinkedAccount, Mail, MailedLink, Picture, Role, Session, UpstreamRequest, VerificationToken,
};
use self::store::Row;
use super::ExportError;
use crate::identity::{Accounts, IdentityError};
use crate::mail;
use crate::platform::database::Database;
use crate::platform::secrets::SealingKey;

pub(super) use store::is_small;

/// What the member `format` says: another number, another shape.
const FORMAT: &str = "bonafide-personal-data-1";

/// The members that hold rows, in their order.
pub const SECTIONS: [&str; 20] = [
    Role::NAME,
    LinkedAccount::NAME,
    Session::NAME,
    Device::NAME,
    Consent::NAME,
    Grant::NAME,
    AccessToken::NAME,
    Code::NAME,
    ApiKey::NAME,
    Picture::NAME,
    MailedLink::NAME,
    Mail::NAME,
    AdapterSession::NAME,
    AdapterWord::NAME,
    VerificationToken::NAME,
    UpstreamRequest::NAME,
    Decision::NAME,
    Event::NAME,
    Action::NAME,
    Document::NAME,
];

/// Where a document goes, a piece of text at a time.
#[async_trait]
pub(super) trait Sink: Send {
    async fn put(&mut self, text: &str) -> Result<(), ExportError>;
}

/// Whom it is about, and where what is kept of them is.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) user: Uuid,
    pub(super) database: &'a Database,
    pub(super) accounts: &'a Accounts,
    /// Seals mails that wait.
    pub(super) sealing: &'a SealingKey,
    pub(super) issuer: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// Writes the whole document. What changes meanwhile is in it as it was before or as it is after, and never twice.
pub(super) async fn write(of: Subject<'_>, sink: &mut impl Sink) -> Result<(), ExportError> {
    let account: Option<Account> = store::account(of.database, of.user).await?;
    let account = account.ok_or_else(|| IdentityError::Unknown(of.user.to_string()))?;
    let head = json!({
        "format": FORMAT,
        "issuer": of.issuer,
        "madeAt": of.now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "account": account,
    });
    // Its last brace is written at the end.
    let head = head.to_string();
    sink.put(head.strip_suffix('}').unwrap_or(&head)).await?;
    section::<Role, _>(of, sink).await?;
    section::<LinkedAccount, _>(of, sink).await?;
    section::<Session, _>(of, sink).await?;
    section::<Device, _>(of, sink).await?;
    section::<Consent, _>(of, sink).await?;
    section::<Grant, _>(of, sink).await?;
    section::<AccessToken, _>(of, sink).await?;
    section::<Code, _>(of, sink).await?;
    section::<ApiKey, _>(of, sink).await?;
    pictures(of, sink).await?;
    section::<MailedLink, _>(of, sink).await?;
    section_with::<Mail, _>(of, sink, |mail| json!({"about": mail::topic_of(&mail.payload, of.sealing)})).await?;
    section::<AdapterSession, _>(of, sink).await?;
    section::<AdapterWord, _>(of, sink).await?;
    section::<VerificationToken, _>(of, sink).await?;
    section::<UpstreamRequest, _>(of, sink).await?;
    section::<Decision, _>(of, sink).await?;
    section::<Event, _>(of, sink).await?;
    section::<Action, _>(of, sink).await?;
    section::<Document, _>(of, sink).await?;
    sink.put("\n}\n").await
}

async fn section<R: Row, S: Sink>(of: Subject<'_>, sink: &mut S) -> Result<(), ExportError> {
    section_with::<R, S>(of, sink, |_| Json::Null).await
}

/// A member with its rows, each on a line of its own and with what `more` adds to it.
async fn section_with<R: Row, S: Sink>(
    of: Subject<'_>,
    sink: &mut S,
    more: impl Fn(&R) -> Json + Send,
) -> Result<(), ExportError> {
    let mut list = List::open::<R, S>(sink).await?;
    let mut after = R::start();
    loop {
        let rows: Vec<R> = store::page(of.database, of.user, &after).await?;
        let Some(end) = rows.last() else { break };
        after = end.key();
        for row in &rows {
            list.put(sink, row, more(row)).await?;
        }
        if rows.len() < store::PAGE {
            break;
        }
    }
    sink.put("]").await
}

/// Pictures with their files, one in memory at a time.
async fn pictures<S: Sink>(of: Subject<'_>, sink: &mut S) -> Result<(), ExportError> {
    let mut list = List::open::<Picture, S>(sink).await?;
    for picture in store::page::<Picture>(of.database, of.user, &Picture::start()).await? {
        let file = of.accounts.picture_file(&picture.name).await?;
        let url = file.map(|(kind, bytes)| format!("data:{kind};base64,{}", STANDARD.encode(bytes)));
        list.put(sink, &picture, json!({"file": url})).await?;
    }
    sink.put("]").await
}

/// A list that is being written.
struct List {
    first: bool,
}

impl List {
    async fn open<R: Row, S: Sink>(sink: &mut S) -> Result<Self, ExportError> {
        sink.put(&format!(",\n{}:[", Json::from(R::NAME))).await?;
        Ok(Self { first: true })
    }

    async fn put<S: Sink>(&mut self, sink: &mut S, row: &impl Serialize, more: Json) -> Result<(), ExportError> {
        let mut row = serde_json::to_value(row)?;
        if let (Json::Object(members), Json::Object(more)) = (&mut row, more) {
            members.extend(more);
        }
        let separator = if std::mem::take(&mut self.first) { "\n" } else { ",\n" };
        sink.put(&format!("{separator}{row}")).await
    }
}
