//! Alarm metrics: `Alarms/<point or device>/<condition>` to journal lines and born states. Pure.

use super::edge::Declared;
use crate::records::{BornAlarm, Line};
use davy_alarm::{Cause, NoValue, Priority, Shown};
use davy_wire::{DataType, Metric, Value, name};

/// Longest text of a person that is kept, characters; the city's own forms allow fewer.
const LONGEST_TEXT: usize = 2_000;

/// The alarm's id, `<point or device>.<condition>`; none for another metric.
pub(crate) fn id_of(metric: &str) -> Option<String> {
    let (subject, condition) = metric.strip_prefix(name::ALARMS)?.rsplit_once('/')?;
    (!subject.is_empty() && !condition.is_empty())
        .then(|| format!("{subject}.{}", suffix(condition)))
}

/// A condition's short name. One that we do not know keeps its own.
fn suffix(condition: &str) -> &str {
    match condition {
        "HIHI" => "HH",
        "HI" => "H",
        "LO" => "L",
        "LOLO" => "LL",
        "DISCRETE" => "ON",
        "BAD_PV" => "BAD",
        other => other,
    }
}

/// Property `priority`, if it is 1 to 4.
pub(crate) fn priority(metric: &Metric) -> Option<Priority> {
    let number = metric.property("priority")?.as_u64()?;
    Priority::from_number(u8::try_from(number).ok()?)
}

/// A cause of absence by its name; a Modbus exception's code stands after a colon.
pub(crate) fn no_value(text: &str) -> Option<NoValue> {
    match text.split_once(':') {
        Some(("exception", code)) => code.parse().ok().map(NoValue::Exception),
        Some(_) => None,
        None => NoValue::from_name(text),
    }
}

/// Reads a line of the alarm journal.
///
/// # Errors
/// The property that is missing or wrong: a line that cannot be told in full is put aside, never guessed.
pub(crate) fn line(metric: &Metric, declared: &Declared, time_ms: i64) -> Result<Line, String> {
    let reader = Reader { metric, declared };
    Ok(Line {
        seq: reader.whole("seq")?,
        alarm: declared.id.clone(),
        occurrence: reader.occurrence()?.unwrap_or(0),
        from: reader.state_of("prev", metric.property("prev"))?,
        to: reader.state()?,
        cause: reader.cause()?,
        time_ms,
        value: reader.number("value"),
        value_cause: reader.value_cause()?,
        limit: reader.number("limit").or(declared.limit),
        priority: reader.priority()?,
        actor: reader.text("actor"),
        reason: reader.text("reason"),
        shelved_until_ms: metric
            .property("shelved_until")
            .and_then(|until| until.as_i64()),
        command: reader.text("command"),
    })
}

/// Reads the state that a birth gives an alarm.
///
/// # Errors
/// As for a line.
pub(crate) fn born(
    metric: &Metric,
    declared: &Declared,
    time_ms: i64,
) -> Result<BornAlarm, String> {
    let reader = Reader { metric, declared };
    Ok(BornAlarm {
        alarm: declared.id.clone(),
        state: reader.state()?,
        changed_ms: time_ms,
        seq: metric.property("seq").and_then(|seq| seq.as_u64()),
        occurrence: reader.occurrence()?,
        value: reader.number("value"),
        value_cause: reader.value_cause()?,
        limit: declared.limit,
        priority: reader.priority()?,
    })
}

/// One alarm metric being read; errors name the alarm.
struct Reader<'a> {
    metric: &'a Metric,
    declared: &'a Declared,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        format!("alarm {}: no valid {what}", self.declared.id)
    }

    fn state(&self) -> Result<Shown, String> {
        self.state_of("state", self.metric.value(Some(DataType::Int32 as u32)))
    }

    fn state_of(&self, what: &str, code: Option<Value>) -> Result<Shown, String> {
        code.and_then(|code| code.as_u64())
            .and_then(|code| Shown::from_code(u8::try_from(code).ok()?))
            .ok_or_else(|| self.wrong(what))
    }

    fn cause(&self) -> Result<Cause, String> {
        let cause = self.metric.property("cause");
        cause
            .as_ref()
            .and_then(Value::as_text)
            .and_then(Cause::from_name)
            .ok_or_else(|| self.wrong("cause"))
    }

    /// As the line says, else as the birth did.
    fn priority(&self) -> Result<Priority, String> {
        match self.metric.property("priority") {
            Some(_) => priority(self.metric),
            None => self.declared.priority,
        }
        .ok_or_else(|| self.wrong("priority"))
    }

    fn whole(&self, key: &str) -> Result<u64, String> {
        let value = self.metric.property(key).and_then(|value| value.as_u64());
        // Records hold it as a signed number.
        value
            .filter(|value| i64::try_from(*value).is_ok())
            .ok_or_else(|| self.wrong(key))
    }

    fn occurrence(&self) -> Result<Option<u32>, String> {
        if self.metric.property("occurrence").is_none() {
            return Ok(None);
        }
        let number = self.whole("occurrence")?;
        // The one after it must be a number too.
        u32::try_from(number)
            .ok()
            .filter(|number| *number < u32::MAX)
            .map(Some)
            .ok_or_else(|| self.wrong("occurrence"))
    }

    fn number(&self, key: &str) -> Option<f64> {
        let value = self.metric.property(key)?.as_f64()?;
        value.is_finite().then_some(value)
    }

    fn text(&self, key: &str) -> Option<String> {
        let value = self.metric.property(key)?;
        let text = value.as_text().filter(|text| !text.is_empty())?;
        Some(text.chars().take(LONGEST_TEXT).collect())
    }

    fn value_cause(&self) -> Result<Option<NoValue>, String> {
        match self.text("value_cause") {
            None => Ok(None),
            Some(text) => no_value(&text)
                .map(Some)
                .ok_or_else(|| self.wrong("value_cause")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Declared {
        Declared {
            id: "GT-101.HH".into(),
            priority: Some(Priority::P1),
            limit: Some(50.0),
        }
    }

    fn metric() -> Metric {
        Metric::aliased(8, Some(Value::Whole(1)))
            .with("seq", Value::Unsigned(9))
            .with("occurrence", Value::Unsigned(2))
            .with("prev", Value::Whole(0))
            .with("cause", Value::Text("active".into()))
            .with("value", Value::Number(55.5))
    }

    #[test]
    fn conditions_get_the_short_names_of_alarm_ids() {
        for (metric, id) in [
            ("Alarms/GT-101/HIHI", Some("GT-101.HH")),
            ("Alarms/GT-101/LOLO", Some("GT-101.LL")),
            ("Alarms/ESD/DISCRETE", Some("ESD.ON")),
            ("Alarms/GT-101/BAD_PV", Some("GT-101.BAD")),
            ("Alarms/GT/COMMS", Some("GT.COMMS")),
            ("Alarms/press/ROC", Some("press.ROC")),
            ("Alarms/GT-101", None),
            ("GT-101", None),
        ] {
            assert_eq!(id_of(metric).as_deref(), id, "{metric}");
        }
    }

    #[test]
    fn a_line_takes_priority_and_limit_from_the_birth_where_it_has_none_of_its_own() {
        let line = line(&metric(), &declared(), 1_000).expect("a line");
        assert_eq!((line.priority, line.limit), (Priority::P1, Some(50.0)));
        assert_eq!((line.from, line.to), (Shown::Normal, Shown::Unacknowledged));
        assert_eq!((line.seq, line.occurrence, line.value), (9, 2, Some(55.5)));
    }

    #[test]
    fn what_cannot_be_told_in_full_is_refused_by_name() {
        let wrong = Metric {
            raw: None,
            ..metric()
        };
        let error = line(&wrong, &declared(), 0).expect_err("no state");
        assert_eq!(error, "alarm GT-101.HH: no valid state");
        let wrong =
            Metric::aliased(8, Some(Value::Whole(1))).with("seq", Value::Unsigned(u64::MAX));
        let error = line(&wrong, &declared(), 0).expect_err("no seq");
        assert_eq!(error, "alarm GT-101.HH: no valid seq");
        let wrong = metric().with("value_cause", Value::Text("gremlins".into()));
        assert!(line(&wrong, &declared(), 0).is_err());
    }

    #[test]
    fn an_exception_keeps_its_code() {
        assert_eq!(no_value("exception:2"), Some(NoValue::Exception(2)));
        assert_eq!(no_value("timeout"), Some(NoValue::Timeout));
        assert_eq!(no_value("timeout:2"), None);
    }
}
