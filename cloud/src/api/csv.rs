//! CSV by RFC 4180: CRLF, quotes where needed, UTF-8 with a byte order mark so that spreadsheets read Chinese. Column heads are in the reader's language;
//! codes in cells (conditions, qualities, causes) are the API's own, so that a program reads either language's file.

use super::error::ApiError;
use crate::message::{Language, Message};
use crate::records::{Gap, Occurrence, subject_of};
use crate::settings::parse_zone;
use davy_alarm::Reading;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;
use utoipa::IntoParams;

/// How a file is to be written.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CsvQuery {
    /// Offset of the times, such as `+08:00`; the city's own if left out.
    zone: Option<String>,
    /// Of the column heads; the browser's own if left out.
    lang: Option<Language>,
}

/// The form of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) zone: Offset,
    pub(crate) language: Language,
}

impl CsvQuery {
    pub(crate) fn form(&self, zone: Offset, language: Language) -> Result<Form, ApiError> {
        let zone = match self.zone.as_deref() {
            // A plus sign that nobody escaped comes as a space.
            Some(text) => parse_zone(&text.replace(' ', "+")).ok_or(ApiError::BadRequest {
                field: "zone".into(),
            })?,
            None => zone,
        };
        Ok(Form {
            zone,
            language: self.lang.unwrap_or(language),
        })
    }
}

const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Rows of one chunk.
pub(crate) struct Chunk {
    form: Form,
    writer: ::csv::Writer<Vec<u8>>,
}

impl Chunk {
    pub(crate) fn new(form: Form) -> Self {
        let writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .from_writer(Vec::new());
        Self { form, writer }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.writer.into_inner().unwrap_or_default()
    }

    /// The first chunk of a file of alarms.
    pub(crate) fn alarm_head(form: Form) -> Vec<u8> {
        Self::head(form, &ALARM_COLUMNS.map(|column| column()))
    }

    /// The first chunk of a file of readings.
    pub(crate) fn reading_head(form: Form) -> Vec<u8> {
        Self::head(form, &READING_COLUMNS.map(|column| column()))
    }

    pub(super) fn head(form: Form, columns: &[Message]) -> Vec<u8> {
        let mut chunk = Self::new(form);
        chunk.row(
            columns
                .iter()
                .map(|column| column.text(form.language))
                .collect(),
        );
        [BYTE_ORDER_MARK, &chunk.into_bytes()].concat()
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        // Writing into memory cannot fail, and every row has its head's length (a test keeps it so).
        let _written = self
            .writer
            .write_record(cells.iter().map(|cell| harmless(cell)));
    }

    pub(crate) fn alarm(&mut self, one: &Occurrence) {
        let name = match self.form.language {
            Language::Zh => &one.subject.name.zh,
            Language::En => &one.subject.name.en,
        };
        let name = if name.is_empty() {
            subject_of(&one.alarm)
        } else {
            name
        };
        self.row(vec![
            "alarm".to_owned(),
            one.site.clone(),
            one.alarm.clone(),
            name.to_owned(),
            one.occurrence.to_string(),
            one.priority.number().to_string(),
            one.condition.clone(),
            self.time(Some(one.raised_ms)),
            self.time(one.acknowledged_ms),
            self.time(one.cleared_ms),
            one.acknowledged_by.clone().unwrap_or_default(),
            seconds(one.time_to_acknowledge_ms()),
            seconds(one.duration_ms()),
            number(one.peak),
            number(one.limit),
            one.subject.unit.clone(),
            one.late.to_string(),
        ]);
    }

    /// A gap of record stands in the file as a row of its own: a reader must not take silence for calm.
    pub(crate) fn alarm_gap(&mut self, gap: &Gap) {
        let mut cells = vec![String::new(); ALARM_COLUMNS.len()];
        cells[0] = "gap".to_owned();
        cells[1] = gap.site.clone();
        cells[7] = self.time(Some(gap.from_ms));
        cells[9] = self.time(gap.to_ms);
        self.row(cells);
    }

    pub(crate) fn reading(&mut self, site: &str, point: &str, unit: &str, reading: &Reading) {
        let (value, cause) = match reading.value() {
            Ok(value) => (value.to_string(), ""),
            Err(cause) => (String::new(), cause.name()),
        };
        self.row(vec![
            "reading".to_owned(),
            site.to_owned(),
            point.to_owned(),
            self.time(Some(reading.source_time().0)),
            String::new(),
            value,
            unit.to_owned(),
            super::shapes::quality_name(reading.quality()).to_owned(),
            cause.to_owned(),
        ]);
    }

    pub(crate) fn reading_gap(&mut self, gap: &Gap) {
        let mut cells = vec![String::new(); READING_COLUMNS.len()];
        cells[0] = "gap".to_owned();
        cells[1] = gap.site.clone();
        cells[3] = self.time(Some(gap.from_ms));
        cells[4] = self.time(gap.to_ms);
        self.row(cells);
    }

    pub(super) fn time(&self, time_ms: Option<i64>) -> String {
        let time = time_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        time.map_or(String::new(), |time| {
            format!("{:.3}", time.display_with_offset(self.form.zone))
        })
    }
}

/// Heads of the alarms' columns, in order.
const ALARM_COLUMNS: [fn() -> Message; 17] = [
    || Message::new("csv-record"),
    || Message::new("csv-site"),
    || Message::new("csv-alarm"),
    || Message::new("csv-name"),
    || Message::new("csv-occurrence"),
    || Message::new("csv-priority"),
    || Message::new("csv-condition"),
    || Message::new("csv-raised"),
    || Message::new("csv-acknowledged"),
    || Message::new("csv-cleared"),
    || Message::new("csv-acknowledged-by"),
    || Message::new("csv-time-to-acknowledge"),
    || Message::new("csv-duration"),
    || Message::new("csv-peak"),
    || Message::new("csv-limit"),
    || Message::new("csv-unit"),
    || Message::new("csv-late"),
];

/// Heads of the readings' columns, in order.
const READING_COLUMNS: [fn() -> Message; 9] = [
    || Message::new("csv-record"),
    || Message::new("csv-site"),
    || Message::new("csv-point"),
    || Message::new("csv-time"),
    || Message::new("csv-gap-end"),
    || Message::new("csv-value"),
    || Message::new("csv-unit"),
    || Message::new("csv-quality"),
    || Message::new("csv-cause"),
];

/// A text that a spreadsheet would run as a formula is made a text again; numbers stay numbers.
fn harmless(cell: &str) -> String {
    let is_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn seconds(ms: Option<i64>) -> String {
    ms.map_or(String::new(), |ms| (ms as f64 / 1_000.0).to_string())
}

fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// Readings after this one: the next page begins a millisecond later.
pub(crate) fn after(last: &Reading) -> i64 {
    last.source_time().0.saturating_add(1)
}

/// What the export asks of the history at once.
pub(crate) const READINGS_A_CHUNK: usize = 5_000;

/// Says whether more readings may follow a page.
pub(crate) fn is_last(page: &[Reading]) -> bool {
    page.len() < READINGS_A_CHUNK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Subject, Text};
    use davy_alarm::{NoValue, Priority, WallMs};

    fn form(language: Language) -> Form {
        Form {
            zone: parse_zone("+08:00").expect("a zone"),
            language,
        }
    }

    fn occurrence() -> Occurrence {
        Occurrence {
            site: "tank-farm".into(),
            epoch: 1,
            alarm: "GT-101.HH".into(),
            occurrence: 3,
            condition: "HH".into(),
            priority: Priority::P1,
            raised_ms: 1_795_500_000_000,
            cleared_ms: Some(1_795_500_090_500),
            acknowledged_ms: Some(1_795_500_004_250),
            acknowledged_by: Some("王, \"老\"王".into()),
            peak: Some(62.1),
            limit: Some(50.0),
            late: false,
            subject: Subject {
                is_point: true,
                name: Text {
                    zh: "一号罐可燃气".into(),
                    en: "Tank 1 gas".into(),
                },
                unit: "%LEL".into(),
                ..Subject::default()
            },
        }
    }

    fn file(language: Language) -> String {
        let mut chunk = Chunk::new(form(language));
        chunk.alarm(&occurrence());
        chunk.alarm_gap(&Gap {
            site: "cold-store".into(),
            from_ms: 1_795_500_000_000,
            to_ms: None,
        });
        let bytes = [Chunk::alarm_head(form(language)), chunk.into_bytes()].concat();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_file_of_alarms_is_what_it_always_was() {
        let tail = "王, \"\"老\"\"王\",4.25,90.5,62.1,50,%LEL,false\r\n\
            gap,cold-store,,,,,,2026-11-24T14:00:00.000+08:00,,,,,,,,,\r\n";
        let times = "2026-11-24T14:00:00.000+08:00,2026-11-24T14:00:04.250+08:00,2026-11-24T14:01:30.500+08:00";
        let zh = format!(
            "\u{feff}记录,企业,报警,名称,次序,级别,类别,发生,确认,恢复,确认人,确认用时（秒）,持续（秒）,峰值,限值,单位,迟到\r\n\
             alarm,tank-farm,GT-101.HH,一号罐可燃气,3,1,HH,{times},\"{tail}"
        );
        let en = format!(
            "\u{feff}Record,Site,Alarm,Name,Occurrence,Priority,Condition,Raised,Acknowledged,Cleared,Acknowledged by,\
             Time to acknowledge (s),Duration (s),Peak,Limit,Unit,Late\r\n\
             alarm,tank-farm,GT-101.HH,Tank 1 gas,3,1,HH,{times},\"{tail}"
        );
        assert_eq!(file(Language::Zh), zh);
        assert_eq!(file(Language::En), en);
    }

    #[test]
    fn a_missing_reading_has_an_empty_value_and_its_cause() {
        let mut chunk = Chunk::new(form(Language::En));
        chunk.reading(
            "s",
            "p",
            "ppm",
            &Reading::absent(NoValue::BrokenLoop, WallMs(0)),
        );
        chunk.reading("s", "p", "ppm", &Reading::measured(-0.5, WallMs(1)));
        let text = String::from_utf8(chunk.into_bytes()).expect("UTF-8");
        assert_eq!(
            text,
            "reading,s,p,1970-01-01T08:00:00.000+08:00,,,ppm,bad,broken-loop\r\n\
             reading,s,p,1970-01-01T08:00:00.001+08:00,,-0.5,ppm,good,\r\n"
        );
    }

    #[test]
    fn a_name_that_a_spreadsheet_would_run_is_made_a_text() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("-12.5"), "-12.5");
        assert_eq!(harmless("GT-101"), "GT-101");
    }

    #[test]
    fn a_zone_with_an_unescaped_plus_is_understood() {
        let query = CsvQuery {
            zone: Some(" 09:00".into()),
            lang: None,
        };
        let form = query.form(Offset::UTC, Language::En).expect("a form");
        assert_eq!((form.zone.seconds(), form.language), (32_400, Language::En));
    }
}
