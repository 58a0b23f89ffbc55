//! Who acknowledged, shelved, suppressed, reset or changed the site file, with the reason: people's lines of the alarm journal and of the audit log.

use super::events::{After, acts as of_log, merged, transitions};
use super::{Asked, Page};
use crate::api::ApiError;
use crate::records::Records;

pub(super) async fn acts(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let after = After::read(asked)?;
    let mut all = transitions(records, asked, after.as_ref(), true).await?;
    all.extend(of_log(records, asked, after.as_ref(), true).await?);
    Ok(merged(all, asked.limit))
}
