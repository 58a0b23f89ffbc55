//! The audit log, newest first. Only administrators may ask.

use super::{Asked, Page, cursor};
use crate::api::ApiError;
use crate::records::Records;
use crate::table::{Column, Kind, row};

pub(super) const COLUMNS: [Column; 7] = [
    Column::new("number", Kind::Whole),
    Column::new("time", Kind::Time),
    Column::new("actor", Kind::Text),
    Column::new("action", Kind::Code),
    Column::new("subject", Kind::Text),
    Column::new("detail", Kind::Text),
    Column::new("hash", Kind::Code),
];

pub(super) async fn audit(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let before = match &asked.cursor {
        None => None,
        Some(text) => Some(cursor::read::<1>(text)?.0[0]),
    };
    let span = asked.from_ms..asked.to_ms;
    let found = records.audited_within(span, before, asked.limit).await?;
    let is_full = found.len() == asked.limit as usize;
    let next = found.last().filter(|_| is_full);
    let next = next.map(|last| cursor::write(&[last.seq], ""));
    let rows = found.into_iter().map(|one| {
        row![
            one.seq,
            one.time_ms,
            one.actor,
            one.action,
            one.subject,
            one.detail,
            one.hash
        ]
    });
    Ok(Page::part(rows.collect(), next))
}
