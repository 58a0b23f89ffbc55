//! The example site files and the simulated plant name the same devices, points and outputs, and the files are valid.

#![allow(clippy::unwrap_used)]

use davy_config::site::Site;
use davy_plant::sites;
use std::collections::BTreeSet;
use std::path::Path;

fn load(id: &str) -> Site {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../config/examples/{id}.toml"));
    match davy_config::load(&path) {
        Ok(loaded) => loaded.site,
        Err(problems) => panic!("{problems:#?}"),
    }
}

#[test]
fn every_example_is_valid_and_names_what_the_plant_has() {
    for layout in sites::all() {
        let site = load(layout.id);
        assert_eq!(site.id, layout.id);
        let simulated: BTreeSet<(&str, &str, u8)> = (layout.buses.iter())
            .flat_map(|bus| &bus.devices)
            .flat_map(|device| {
                device
                    .channels
                    .iter()
                    .map(move |channel| (channel.point, device.id, device.unit))
            })
            .collect();
        let written: BTreeSet<(&str, &str, u8)> = (site.points.iter())
            .map(|point| {
                let device = &site.devices[point.device.0];
                (point.id.as_str(), device.id.as_str(), device.unit)
            })
            .collect();
        assert_eq!(simulated, written, "{}", layout.id);
        let ranges = layout
            .buses
            .iter()
            .flat_map(|bus| &bus.devices)
            .flat_map(|device| &device.channels);
        for channel in ranges {
            let point = site
                .points
                .iter()
                .find(|point| point.id == channel.point)
                .unwrap();
            assert_eq!(point.range, channel.range, "{}", channel.point);
        }
    }
}
