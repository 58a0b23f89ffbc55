//! What may be armed: what somebody proved, what somebody consciously skipped with a reason, and what was armed before and has not changed since. Everything
//! else is refused by its name (docs/decisions/0013).

use davy_config::site::{AlarmIndex, OutputIndex, Point, PointIndex, Site};

/// Points and outputs of `next` that it arms and may not. `running` is the site whose arming stands; `is_proved` knows the proofs, and whether one holds under `next`.
pub(crate) fn unproved<'n>(
    next: &'n Site,
    running: Option<&Site>,
    is_proved: impl Fn(&Site, &str) -> bool,
) -> Vec<&'n str> {
    let stands = |id: &str, now: &str, before: Option<(bool, String)>| {
        is_proved(next, id) || before.is_some_and(|(armed, before)| armed && before == now)
    };
    let points = (0..next.points.len()).filter_map(|position| {
        let point = &next.points[position];
        let before = running.and_then(|site| point_of(site, &point.id));
        let free = !point.armed || point.unproved.is_some();
        (!free && !stands(&point.id, &loop_of(next, point), before)).then_some(&*point.id)
    });
    let outputs = (0..next.outputs.len()).filter_map(|position| {
        let output = &next.outputs[position];
        let before = running.and_then(|site| output_of(site, &output.id));
        let free = !output.armed || output.unproved.is_some();
        let now = drive_of(next, OutputIndex(position));
        (!free && !stands(&output.id, &now, before)).then_some(&*output.id)
    });
    points.chain(outputs).collect()
}

fn point_of(site: &Site, id: &str) -> Option<(bool, String)> {
    let point = site.points.iter().find(|point| point.id == id)?;
    Some((point.armed, loop_of(site, point)))
}

fn output_of(site: &Site, id: &str) -> Option<(bool, String)> {
    let position = site.outputs.iter().position(|output| output.id == id)?;
    let armed = site.outputs[position].armed;
    Some((armed, drive_of(site, OutputIndex(position))))
}

/// Everything between a sensor and its alarms that a proof tries: where it is read, how it is made a value, and its limits.
fn loop_of(site: &Site, point: &Point) -> String {
    let device = &site.devices[point.device.0];
    let limits: Vec<_> = (point.alarms.iter())
        .map(|alarm: &AlarmIndex| (&site.alarms[alarm.0].id, site.alarms[alarm.0].definition))
        .collect();
    format!(
        "{:?}",
        (
            &site.buses[device.bus.0].link,
            device.unit,
            point.register,
            &point.scaling,
            &point.status,
            (point.kind, &point.unit, point.range),
            (point.over_range_at, point.under_range_at),
            limits,
        )
    )
}

/// Everything between an output's causes and its coil that a proof tries.
fn drive_of(site: &Site, output: OutputIndex) -> String {
    let own = &site.outputs[output.0];
    let device = &site.devices[own.device.0];
    let effects = site
        .effects
        .iter()
        .filter(|effect| effect.outputs.contains(&output));
    let mut causes: Vec<&str> = effects
        .flat_map(|effect| effect.causes.iter().map(|cause| &*site.alarms[cause.0].id))
        .collect();
    causes.sort_unstable();
    causes.dedup();
    let feedback = own.feedback.map(|feedback| {
        let PointIndex(point) = feedback.point;
        (&site.points[point].id, feedback.when)
    });
    format!(
        "{:?}",
        (
            &site.buses[device.bus.0].link,
            device.unit,
            own.register,
            (own.on, own.off),
            (own.kind, own.latching, own.min_run_ms),
            feedback,
            causes,
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const SITE: &str = include_str!("../../../config/examples/tank-farm.toml");

    fn site(text: &str) -> Site {
        let loaded = davy_config::parse("site.toml", text, Path::new("."));
        loaded.unwrap_or_else(|problems| panic!("{problems}")).site
    }

    fn held_back() -> Site {
        let text = SITE.replace("[[point]]\n", "[[point]]\narmed = false\n");
        site(&text.replace("[[output]]\n", "[[output]]\narmed = false\n"))
    }

    const NOTHING: fn(&Site, &str) -> bool = |_, _| false;

    #[test]
    fn a_new_site_arms_nothing_that_is_neither_proved_nor_skipped() {
        let all = site(SITE);
        let refused = unproved(&all, None, NOTHING);
        assert_eq!(refused.len(), all.points.len() + all.outputs.len());
        assert_eq!(unproved(&held_back(), None, NOTHING), [""; 0]);
        assert_eq!(unproved(&all, None, |_, _| true), [""; 0]);
    }

    #[test]
    fn what_was_armed_and_has_not_changed_stays_so() {
        let all = site(SITE);
        assert_eq!(unproved(&all, Some(&all), NOTHING), [""; 0]);
        assert_eq!(
            unproved(&all, Some(&held_back()), NOTHING).len(),
            all.points.len() + all.outputs.len()
        );
    }

    #[test]
    fn another_unit_another_limit_and_another_cause_ask_for_a_proof_again() {
        let before = site(SITE);
        let unit = site(&SITE.replacen(
            "unit = 1\nprofile = \"honeywell-xnx\"",
            "unit = 9\nprofile = \"honeywell-xnx\"",
            1,
        ));
        let moved = unproved(&unit, Some(&before), NOTHING);
        assert!(!moved.is_empty());
        let of_device = |id: &&str| {
            let point = unit.points.iter().find(|point| point.id == **id);
            point.is_some_and(|point| unit.devices[point.device.0].unit == 9)
        };
        assert!(moved.iter().all(of_device), "{moved:?}");
        let mut other = site(SITE);
        other.effects.truncate(other.effects.len() - 1);
        let refused = unproved(&other, Some(&before), NOTHING);
        assert!(!refused.is_empty(), "an output lost a cause");
        assert!(
            refused
                .iter()
                .all(|id| other.outputs.iter().any(|output| output.id == *id))
        );
    }

    #[test]
    fn a_skip_with_its_reason_lets_one_be_armed() {
        let skip =
            "[[point]]\nunproved = { by = \"li\", date = 2026-11-28, reason = \"no test gas\" }\n";
        let one = site(&SITE.replacen("[[point]]\n", skip, 1));
        let refused = unproved(&one, None, NOTHING);
        assert!(!refused.contains(&&*one.points[0].id));
        assert!(refused.contains(&&*one.points[1].id));
    }
}
