//! CSV by RFC 4180: CRLF, quotes where needed, UTF-8 with a byte order mark so that spreadsheets read Chinese. Column heads are in the reader's language;
//! codes in cells (conditions, qualities, causes) are the API's own, so that a program reads either language's file.

use super::{Column, Form, Row};
use ::csv::{Terminator, Writer, WriterBuilder};

const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The first bytes of a file.
pub(crate) fn head(columns: &[Column], form: Form) -> Vec<u8> {
    let heads: Vec<String> = columns.iter().map(|one| one.head(form.language)).collect();
    let mut writer = writer();
    write(&mut writer, &heads);
    [BYTE_ORDER_MARK, &bytes(writer)].concat()
}

/// The bytes of a page.
pub(crate) fn rows(columns: &[Column], rows: &[Row], form: Form) -> Vec<u8> {
    let mut writer = writer();
    for row in rows {
        let cells = columns.iter().zip(row);
        let cells: Vec<String> = cells.map(|(one, cell)| cell.text(one.kind, form)).collect();
        write(&mut writer, &cells);
    }
    bytes(writer)
}

/// The last row of a file that holds not all there is.
pub(crate) fn cut(columns: &[Column], rows: usize, form: Form) -> Vec<u8> {
    let mut cells = vec![String::new(); columns.len()];
    if let Some(first) = cells.first_mut() {
        *first = super::cut_text(rows, form);
    }
    let mut writer = writer();
    write(&mut writer, &cells);
    bytes(writer)
}

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new())
}

fn write(writer: &mut Writer<Vec<u8>>, cells: &[String]) {
    // Writing into memory cannot fail, and every row has its head's length (a test keeps it so).
    let _written = writer.write_record(cells.iter().map(|cell| harmless(cell)));
}

fn bytes(writer: Writer<Vec<u8>>) -> Vec<u8> {
    writer.into_inner().unwrap_or_default()
}

/// A text that a spreadsheet would run as a formula is made a text again; numbers stay numbers.
pub(crate) fn harmless(cell: &str) -> String {
    let is_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, row};
    use super::*;
    use crate::message::Language;

    #[test]
    fn a_name_that_a_spreadsheet_would_run_is_made_a_text() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("-12.5"), "-12.5");
        assert_eq!(harmless("GT-101"), "GT-101");
    }

    #[test]
    fn times_bear_the_chosen_offset_and_quotes_are_doubled() {
        let columns = [
            Column::new("time", Kind::Time),
            Column::new("reason", Kind::Text),
            Column::new("duration", Kind::Lasting),
        ];
        let form = Form {
            zone: jiff::tz::Offset::from_seconds(28_800).expect("a zone"),
            language: Language::En,
        };
        let written = rows(
            &columns,
            &[row![1_795_500_000_000_i64, "a, \"b\"", 4_250_i64]],
            form,
        );
        assert_eq!(
            String::from_utf8(written).expect("UTF-8"),
            "2026-11-24T14:00:00.000+08:00,\"a, \"\"b\"\"\",4.25\r\n"
        );
    }
}
