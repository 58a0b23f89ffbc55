//! The text of events as they go over the wire (`text/event-stream`), but for their numbers, which every stream counts for itself.

use super::shapes::{self, Alarm, Demand, Transition, Value};
use crate::live::Update;
use bytes::Bytes;
use davy_alarm::Reading;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Refused<'a> {
    command: &'a str,
    site: &'a str,
    alarm: &'a str,
    why: &'a str,
}

/// One event. JSON has no line breaks of its own, so that it is one line of data.
pub(crate) fn event(name: &str, data: &impl Serialize) -> Option<Bytes> {
    match serde_json::to_string(data) {
        Ok(data) => Some(format!("event: {name}\ndata: {data}\n\n").into()),
        Err(error) => {
            tracing::error!(%error, name, "an event could not be written");
            None
        }
    }
}

/// What an update is sent as: nothing for a site whose overview follows by itself.
pub(crate) fn of(update: &Update) -> Vec<Bytes> {
    let one = match update {
        Update::Values { site, values } => return of_values(site, values),
        Update::Alarm(alarm) => event("alarm", &Alarm::from(&**alarm)),
        Update::Transition(transition) => event("transition", &Transition::from(&**transition)),
        Update::Site(_) => None,
        Update::Refused {
            command,
            site,
            alarm,
            why,
        } => {
            let refused = Refused {
                command,
                site,
                alarm,
                why,
            };
            event("refused", &refused)
        }
    };
    one.into_iter().collect()
}

fn of_values(site: &str, told: &[(String, Reading)]) -> Vec<Bytes> {
    let points = told.iter().filter(|(name, _)| !shapes::is_output(name));
    let values: Vec<_> = points
        .map(|(point, reading)| Value::new(point, reading, false).of(site))
        .collect();
    let demands: Vec<_> = (told.iter())
        .filter_map(|(name, reading)| Some(Demand::new(name, reading, false)?.of(site)))
        .collect();
    let values = (!values.is_empty()).then(|| event("values", &values));
    let demands = (!demands.is_empty()).then(|| event("demands", &demands));
    [values, demands].into_iter().flatten().flatten().collect()
}
