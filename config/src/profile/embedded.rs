//! The profiles that come with Davy.

/// Declares each profile by its file's name.
macro_rules! profiles {
    ($($name:literal),+ $(,)?) => {
        /// (name, text)
        const EMBEDDED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../profiles/", $name, ".toml")))),+];
    };
}

profiles![
    "davy-node",
    "dongxin-sf6-o2",
    "generic-ai-420",
    "generic-di",
    "generic-relay",
    "honeywell-touchpoint-pro",
    "honeywell-xnx",
    "moxa-e1200-ai",
    "msa-ultima-x3",
    "oldham-mx43",
    "pemtech-pt495",
    "raeguard-3",
    "rki-m2a",
    "rosemount-5300",
    "sierra-5100-02-it",
];

/// The text of an embedded profile; `None` if there is none of this name.
pub fn text(name: &str) -> Option<&'static str> {
    let found = EMBEDDED.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// The names of the embedded profiles, as site files write them.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Choice, parse};

    #[test]
    fn every_embedded_profile_reads_and_is_called_by_its_file() {
        for (name, text) in EMBEDDED {
            let (profile, _) = parse(name, text, &Choice::default())
                .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
            assert!(!profile.signals.is_empty(), "{name} has no signal");
            assert!(
                text.starts_with(&format!("id = \"{name}\"\n")),
                "{name} calls itself otherwise"
            );
        }
    }

    #[test]
    fn every_profile_file_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let names: Vec<String> = names().map(|name| format!("{name}.toml")).collect();
        assert_eq!(files, names);
    }
}
