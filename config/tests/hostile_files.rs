//! No site file and no profile makes the reader panic: slips of the hand, values at the ends of their types, torn and shuffled files.

use davy_alarm::{NoValue, Reading, WallMs};
use davy_config::Language;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const EXAMPLES: [&str; 4] = [
    "tank-farm.toml",
    "cold-store.toml",
    "dust-workshop.toml",
    "solvent-warehouse.toml",
];

/// What may stand where a value stood.
const VALUES: [&str; 30] = [
    "0",
    "-1",
    "1",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "0.0",
    "-0.0",
    "1e308",
    "-1e308",
    "5e-324",
    "nan",
    "inf",
    "-inf",
    "\"\"",
    "\"\\u0000\"",
    "\"储罐\"",
    "[]",
    "[0, 0]",
    "[100, 0]",
    "[-1e308, 1e308]",
    "{}",
    "true",
    "2026-13-45",
    "1979-05-27T07:32:00Z",
];

/// One slip; positions count from the start and wrap.
#[derive(Clone, Debug)]
enum Slip {
    /// A line's value becomes another.
    Value(usize, &'static str),
    /// A line's key becomes another line's.
    Key(usize, usize),
    Gone(usize),
    Twice(usize, usize),
    Swapped(usize, usize),
    Torn(usize),
    Character(usize, char),
}

fn slip() -> impl Strategy<Value = Slip> {
    let line = 0_usize..1000;
    prop_oneof![
        8 => (line.clone(), proptest::sample::select(VALUES.to_vec())).prop_map(|(at, value)| Slip::Value(at, value)),
        2 => (line.clone(), line.clone()).prop_map(|(at, from)| Slip::Key(at, from)),
        2 => line.clone().prop_map(Slip::Gone),
        1 => (line.clone(), line.clone()).prop_map(|(at, to)| Slip::Twice(at, to)),
        1 => (line.clone(), line.clone()).prop_map(|(at, with)| Slip::Swapped(at, with)),
        1 => line.clone().prop_map(Slip::Torn),
        2 => (0_usize..100_000, any::<char>()).prop_map(|(at, character)| Slip::Character(at, character)),
    ]
}

fn make(text: &str, slip: &Slip) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let count = lines.len().max(1);
    if lines.is_empty() {
        return String::new();
    }
    match slip {
        Slip::Value(at, value) => {
            // The next line that has one.
            let mut places = (0..count).map(|step| (at + step) % count);
            if let Some(place) = places.find(|place| lines[*place].contains(" = ")) {
                let key = lines[place].split(" = ").next().unwrap_or_default();
                lines[place] = format!("{key} = {value}");
            }
        }
        Slip::Key(at, from) => {
            let key = lines[from % count].split(" = ").next().map(str::to_owned);
            let value = lines[at % count]
                .split_once(" = ")
                .map(|(_, value)| value.to_owned());
            if let (Some(key), Some(value)) = (key, value) {
                lines[at % count] = format!("{key} = {value}");
            }
        }
        Slip::Gone(at) => {
            lines.remove(at % count);
        }
        Slip::Twice(at, to) => lines.insert(to % count, lines[at % count].clone()),
        Slip::Swapped(at, with) => lines.swap(at % count, with % count),
        Slip::Torn(at) => lines.truncate(at % count),
        Slip::Character(at, character) => {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at % characters.len().max(1);
            characters[at] = *character;
            return characters.into_iter().collect();
        }
    }
    lines.join("\n")
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

proptest! {
    #[test]
    fn no_slip_of_the_hand_in_a_site_file_makes_its_reader_panic(
        example in 0..EXAMPLES.len(),
        slips in proptest::collection::vec(slip(), 1..6),
    ) {
        let file = EXAMPLES[example];
        let text = std::fs::read_to_string(examples().join(file)).expect("an example is there");
        let text = slips.iter().fold(text, |text, slip| make(&text, slip));
        // Valid or every problem told, in both languages.
        if let Err(problems) = davy_config::parse(file, &text, &examples()) {
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    #[test]
    fn no_text_at_all_makes_the_reader_of_site_files_panic(text in "(\\PC|\\n){0,400}") {
        let _ = davy_config::parse("site.toml", &text, Path::new("."));
    }

    #[test]
    fn no_slip_of_the_hand_in_a_profile_makes_its_reader_panic(
        profile in 0..davy_config::profile_names().count(),
        slips in proptest::collection::vec(slip(), 1..6),
    ) {
        let name = davy_config::profile_names().nth(profile).expect("there are as many");
        let text = davy_config::profile_text(name).expect("it ships").to_owned();
        let text = slips.iter().fold(text, |text, slip| make(&text, slip));
        let absent = |_: &_, _: &[u16], _: &[&[u16]]| Reading::absent(NoValue::UnknownCode, WallMs(0));
        let problems = davy_config::check_profile(name, &text, &absent);
        // Every problem can be told, in both languages.
        for problem in problems.iter() {
            for language in [Language::Zh, Language::En] {
                prop_assert!(!problem.message(language).is_empty());
            }
        }
    }
}
