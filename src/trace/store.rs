//! The table `traces`.

use ::entity::traces;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};

use super::record::Trace;
use super::recorder::Noted;
use crate::platform::database::{Database, DatabaseError, Tx, execute};

/// Adds a batch. One statement.
pub(super) async fn add(tx: &Tx, noted: Vec<Noted>) -> Result<(), DatabaseError> {
    let rows = noted.into_iter().filter_map(|Noted { trace, place, at }| {
        Some(traces::ActiveModel {
            reference: Set(trace.reference.clone()),
            place: Set(place),
            at: Set(at),
            trace: Set(serde_json::to_string(&trace).ok()?),
        })
    });
    // A batch whose answer was lost is written again.
    let again = OnConflict::column(traces::Column::Reference).do_nothing().to_owned();
    traces::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

pub(super) async fn find(
    database: &Database,
    reference: &str,
    since: DateTime<Utc>,
) -> Result<Option<Trace>, DatabaseError> {
    let found = traces::Entity::find_by_id(reference)
        .filter(traces::Column::At.gt(since.timestamp_millis()))
        .one(database.reader())
        .await?;
    Ok(found.and_then(|row| serde_json::from_str(&row.trace).ok()))
}

/// Removes traces from before an instant, and those beyond so many: of each place the newest stays longest.
pub(super) async fn forget(
    database: &Database,
    before: DateTime<Utc>,
    most: i64,
    batch: i64,
) -> Result<u64, DatabaseError> {
    let before = before.timestamp_millis();
    database
        .write(move |tx| {
            Box::pin(async move {
                let old =
                    "DELETE FROM traces WHERE reference IN (SELECT reference FROM traces WHERE at <= $1 LIMIT $2)";
                let gone = execute(tx, old, [before.into(), batch.into()]).await?;
                let beyond = "DELETE FROM traces WHERE (SELECT COUNT(*) FROM traces) > $2 AND reference IN \
                              (SELECT ranked.reference FROM (SELECT reference, at, \
                               ROW_NUMBER() OVER (PARTITION BY place ORDER BY at DESC) AS nth FROM traces) ranked \
                               ORDER BY ranked.nth, ranked.at DESC LIMIT $1 OFFSET $2)";
                Ok(gone + execute(tx, beyond, [batch.into(), most.into()]).await?)
            })
        })
        .await
}
