//! Licences, bans and sources of every dependency of this platform, by `deny.toml`, from what Cargo itself knows: no network, no other program.
//!
//! The same file serves `cargo deny`, which knows more (texts of licences, advisories) where it is installed.

use crate::run::{cargo, step};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    license: Option<String>,
    /// `None` for our own crates.
    source: Option<String>,
}

/// Refuses a dependency whose licence is not allowed, that is banned, or that comes from elsewhere than the registry.
pub(crate) fn check(root: &Path) -> Result<()> {
    step("licences, bans and sources");
    let path = root.join("deny.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let rules: Rules = toml::from_str(&text).with_context(|| path.display().to_string())?;
    let metadata = metadata(root)?;
    let used = metadata.packages.iter().filter(|package| {
        metadata
            .resolve
            .nodes
            .iter()
            .any(|node| node.id == package.id)
    });
    let refusals: Vec<String> = used.filter_map(|package| rules.refusal(package)).collect();
    if refusals.is_empty() {
        println!("{} packages are allowed", metadata.resolve.nodes.len());
        return Ok(());
    }
    bail!("deny.toml refuses:\n{}", refusals.join("\n"))
}

fn metadata(root: &Path) -> Result<Metadata> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = cargo(&["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", &platform])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

impl Rules {
    fn refusal(&self, package: &Package) -> Option<String> {
        let Package {
            name,
            license,
            source,
            ..
        } = package;
        let source = source.as_deref()?;
        if let Some(ban) = self.bans.deny.iter().find(|ban| ban.name == *name) {
            return Some(format!("{name} is banned: {}", ban.reason));
        }
        if !source.starts_with("registry+") && !source.starts_with("sparse+") {
            return Some(format!("{name} comes from {source}"));
        }
        match license {
            None => Some(format!("{name} names no licence")),
            Some(text) if !self.allows(text) => Some(format!("{name}: {text}")),
            Some(_) => None,
        }
    }

    /// An SPDX expression, or the old form with slashes for `OR`.
    fn allows(&self, expression: &str) -> bool {
        let spaced = expression
            .replace('/', " OR ")
            .replace('(', " ( ")
            .replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut reader = Expression {
            words: &words,
            allowed: &self.licenses.allow,
            is_whole: true,
        };
        reader.any() && reader.is_whole && reader.words.is_empty()
    }
}

/// A reader of `a OR b AND (c WITH d)`; what it cannot read is not allowed.
struct Expression<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
    /// No term was missing so far.
    is_whole: bool,
}

impl Expression<'_> {
    fn take(&mut self, word: &str) -> bool {
        let is = self.words.first() == Some(&word);
        if is {
            self.words = &self.words[1..];
        }
        is
    }

    fn any(&mut self) -> bool {
        let mut holds = self.all();
        while self.take("OR") {
            holds |= self.all();
        }
        holds
    }

    fn all(&mut self) -> bool {
        let mut holds = self.one();
        while self.take("AND") {
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            return self.any() & self.take(")");
        }
        let Some((name, rest)) = self.words.split_first() else {
            self.is_whole = false;
            return false;
        };
        self.words = rest;
        let mut licence = (*name).to_owned();
        if self.take("WITH")
            && let Some((exception, rest)) = self.words.split_first()
        {
            licence += &format!(" WITH {exception}");
            self.words = rest;
        }
        self.allowed.contains(&licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(include_str!("../../deny.toml")).unwrap()
    }

    #[test]
    fn an_expression_is_allowed_where_one_choice_is_allowed_whole() {
        for allowed in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(rules().allows(allowed), "{allowed}");
        }
        for refused in ["GPL-3.0", "MIT AND GPL-3.0", "MIT OR", "", "(MIT"] {
            assert!(!rules().allows(refused), "{refused}");
        }
    }

    #[test]
    fn a_banned_crate_and_a_foreign_source_are_refused() {
        let package = |name: &str, source: &str| Package {
            id: String::new(),
            name: name.into(),
            license: Some("MIT".into()),
            source: Some(source.into()),
        };
        assert!(rules().refusal(&package("openssl", "registry+x")).is_some());
        assert!(rules().refusal(&package("serde", "git+x")).is_some());
        assert!(rules().refusal(&package("serde", "registry+x")).is_none());
    }
}
