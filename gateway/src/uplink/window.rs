//! How many batches may be on their way and not yet committed, where the site file does not say it.

use crate::journal;
use davy_config::site::{Site, Uplink};
use std::ops::RangeInclusive;
use std::time::Duration;

/// So many as are made in this time. Fresh ones take three quarters of a window: whatever the site, it keeps up with commits that take a second and a half,
/// up to five hundred batches a second.
const MADE_IN: Duration = Duration::from_secs(2);
/// Of a site of few devices, and of one of very many: each acknowledgement looks at all that is on its way.
const USUAL: RangeInclusive<usize> = 32..=1000;

pub(super) fn of(uplink: &Uplink, site: &Site) -> usize {
    uplink.window.map_or_else(|| usual(site), usize::from)
}

fn usual(site: &Site) -> usize {
    let of_device = |period_ms: u32| {
        let every = journal::batch_every(Duration::from_millis(period_ms.into()));
        MADE_IN.as_secs_f64() / every.as_secs_f64()
    };
    let periods = site.devices.iter().map(|device| device.period_ms);
    let made = periods.map(of_device).sum::<f64>().round();
    (made as usize).clamp(*USUAL.start(), *USUAL.end())
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// The window of a site of so many devices, all of one period.
    fn window(devices: usize, period_ms: u32, said: Option<u16>) -> usize {
        let mut site = Site::clone(&fixture::site());
        let one = site.devices[0].clone();
        site.devices = vec![one; devices];
        for device in &mut site.devices {
            device.period_ms = period_ms;
        }
        let mut uplink = site.uplink.clone().expect("the fixture has an uplink");
        uplink.window = said;
        of(&uplink, &site)
    }

    #[test]
    fn where_nobody_says_how_many_a_window_holds_what_a_site_makes_in_two_seconds() {
        assert_eq!(window(1, 1000, None), 32);
        assert_eq!(window(200, 1000, None), 400);
        assert_eq!(window(200, 10_000, None), 40);
        assert_eq!(window(20, 100, None), 400);
        assert_eq!(
            window(20, 50, None),
            200,
            "gathered for a fifth of a second"
        );
        assert_eq!(window(20, 10, None), 200);
        assert_eq!(window(5000, 1000, None), 1000);
        assert_eq!(window(200, 1000, Some(8)), 8);
    }
}
