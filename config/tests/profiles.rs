//! docs/profiles.md says what is true: its example loads as it explains it, and every profile that ships stands in its table.

#![allow(clippy::unwrap_used)]

use davy_config::site::{Encoding, Order, Point, Scaling, Site, Table};
use std::path::Path;

const PAGE: &str = include_str!("../../docs/profiles.md");

/// A site with one device of the page's profile, and a point for each signal of it.
const SITE: &str = r#"
schema = 1
[site]
id = "page"
name = { zh = "页", en = "Page" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:502"
[[device]]
id = "d"
name = { zh = "器", en = "Device" }
bus = "b"
unit = 1
profile_file = "acme-g7.toml"
"#;

fn example() -> String {
    let (_, rest) = PAGE
        .split_once("```toml\n")
        .expect("the page has an example");
    let (text, _) = rest.split_once("```").expect("the example ends");
    text.to_owned()
}

fn with_points(signals: &[&str], registers: &str) -> String {
    let point = |signal: &&str| {
        format!(
            "[[point]]\nid = \"{signal}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"d\"\nsignal = \"{signal}\"\nkind = \"other\"\nunit = \"1\"\nrange = [0, 100]\n"
        )
    };
    let points: String = signals.iter().map(point).collect();
    format!("{SITE}{registers}\n{points}")
}

fn load(text: &str) -> Site {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("acme-g7.toml"), example())
        .expect("a folder that can be written");
    let loaded = davy_config::parse("site.toml", text, dir.path());
    loaded.unwrap_or_else(|problems| panic!("{problems}")).site
}

fn point<'s>(site: &'s Site, id: &str) -> &'s Point {
    site.points
        .iter()
        .find(|point| point.id == id)
        .unwrap_or_else(|| panic!("no point {id}"))
}

#[test]
fn the_pages_example_loads_and_means_what_it_explains() {
    let site = load(&with_points(&["gas", "loop4"], ""));
    let gas = point(&site, "gas");
    assert_eq!(
        (gas.register.table, gas.register.address),
        (Table::Holding, 100)
    );
    assert_eq!(gas.register.encoding, Encoding::F32 { order: Order::Cdab });
    assert!(
        matches!(&gas.scaling, Scaling::Linear { scale, offset } if (*scale, *offset) == (0.1, 0.0))
    );
    let rules: Vec<(u16, i64, i64)> = (gas.status.iter())
        .map(|rule| (rule.register.address, rule.from, rule.to))
        .collect();
    assert_eq!(rules, [(104, 3, 3), (105, 1, 1), (104, 8, i64::MAX)]);
    let loop4 = point(&site, "loop4");
    assert_eq!(
        (loop4.register.table, loop4.register.address),
        (Table::Input, 6)
    );
    assert!(matches!(loop4.scaling, Scaling::CurrentLoop { .. }));
    assert_eq!(loop4.status[0].register.address, 67);
    let device = &site.devices[0];
    assert_eq!(
        (device.max_block, device.max_bits, device.max_gap),
        (60, 512, 4)
    );
}

#[test]
fn a_site_chooses_what_the_example_leaves_to_it() {
    let registers = "registers = { base = 200, order = \"DCBA\" }";
    let site = load(&with_points(&["gas"], registers));
    let register = point(&site, "gas").register;
    assert_eq!(register.address, 300);
    assert_eq!(register.encoding, Encoding::F32 { order: Order::Dcba });
}

#[test]
fn every_shipped_profile_stands_in_the_pages_table_with_its_source_and_confidence() {
    let rows: Vec<&str> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let mut wanted = 0;
    for name in davy_config::profile_names() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("profiles/{name}.toml"));
        let profile: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
        let row = format!(
            "| `{name}` | {} | {} | {} | {} |",
            text(&profile["name"]["zh"]),
            text(&profile["name"]["en"]),
            text(&profile["confidence"]),
            text(&profile["source"]),
        );
        assert!(rows.contains(&row.as_str()), "the page lacks:\n{row}");
        wanted += 1;
    }
    let listed = rows
        .iter()
        .filter(|row| row.matches('|').count() == 6)
        .count();
    assert_eq!(
        listed, wanted,
        "the page lists a profile that does not ship"
    );
}

#[test]
fn every_spelling_and_band_that_the_page_names_is_accepted() {
    let (_, rest) = PAGE.split_once("### Spellings").unwrap();
    let (spellings, rest) = rest.split_once("### Bands").unwrap();
    let (bands, _) = rest.split_once("`config/data").unwrap();
    // The first row is the head.
    for row in (spellings.lines().filter(|line| line.starts_with("| `"))).skip(1) {
        let names = row.split('|').nth(1).unwrap();
        names
            .split('`')
            .skip(1)
            .step_by(2)
            .for_each(accepts_spelling);
    }
    for name in bands.split('`').skip(3).step_by(2) {
        accepts("input", &format!("current_ma = \"{name}\""));
    }
}

fn accepts_spelling(name: &str) {
    let (table, more) = match name {
        "bool" => ("coil", ""),
        "bit" => ("input", "bit = 15"),
        "bit-field" => ("input", "width = 3"),
        _ => ("input", ""),
    };
    accepts(table, &format!("as = \"{name}\"\n{more}"));
}

fn accepts(table: &str, keys: &str) {
    let profile = format!(
        "id = \"acme-g7\"\nname = {{ zh = \"艾\", en = \"A\" }}\nsource = \"none\"\nconfidence = \"M\"\n[[signal]]\nid = \"s\"\ntable = \"{table}\"\naddress = 1\n{keys}\n"
    );
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("acme-g7.toml"), profile).expect("a folder that can be written");
    let loaded = davy_config::parse("site.toml", &with_points(&["s"], ""), dir.path());
    loaded.unwrap_or_else(|problems| panic!("{keys}: {problems}"));
}
