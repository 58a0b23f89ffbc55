//! The example sites load, whole and without a second look being needed.

#![allow(clippy::unwrap_used)]

use davy_config::site::{PointKind, Site};
use std::path::{Path, PathBuf};

fn examples() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    paths
}

fn site(path: &Path) -> Site {
    let loaded = davy_config::load(path).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.site
}

#[test]
fn every_example_loads_without_a_warning() {
    let paths = examples();
    assert!(paths.len() >= 4, "{paths:?}");
    for path in &paths {
        let site = site(path);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(site.id, stem);
    }
}

#[test]
fn every_gas_point_of_the_examples_has_two_levels_and_its_faults() {
    for path in &examples() {
        let site = site(path);
        for point in site.points.iter().filter(|point| point.kind.is_gas()) {
            let suffixes: Vec<&str> = (point.alarms.iter())
                .map(|index| site.alarms[index.0].definition.condition.suffix())
                .collect();
            let levels: &[&str] = match point.kind {
                PointKind::Oxygen => &["H", "L", "BAD", "STALE"],
                _ => &["HH", "H", "BAD", "STALE"],
            };
            assert_eq!(suffixes, levels, "{}", point.id);
        }
    }
}
