//! `cargo xtask firmware`: builds the node's images for a board by Debian's compiler, one for each slot, and its boot stage; holds their sizes, their stack and
//! their ways to panic against their budgets; makes of them, and signs, what is flashed and what `davy-gateway node update` sends.

mod image;
mod package;
mod stack;

use crate::cortex_m::panics_in;
use crate::machine;
use crate::run::{check, step};
use anyhow::{Context as _, Result, ensure};
use davy_wire::node::{Board, Version};
use image::Image;
use package::Signing;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program may take, bytes.
struct Budget {
    /// Code and constants.
    text: u32,
    /// Everything static: data, bss and what outlives a reset.
    fixed: u32,
    /// Worst stack, by the call graph.
    stack: u32,
    /// Panics that may be left, each with its reason; all of them end in the program's handler.
    panics: &'static [(&'static str, &'static str)],
}

const NODE: Budget = Budget {
    text: 48 * 1_024,
    fixed: 16 * 1_024,
    stack: 24 * 1_024,
    panics: &[],
};

const OF_THE_SIGNATURE: &str = "the signature's arithmetic and its hash index what the compiler does not see to be in bounds; the handler resets, relays not driven, \
                                and the next start goes back from the image, which stands in the record as on trial by then";

/// What may be left of floating-point numbers in software, by the begin of what [`float`] finds: `alarm` takes values as `f64`, which holds every `i32` exactly, and
/// compares and adds them, which is exact too. Nothing multiplies, divides or rounds.
const FLOATS: [&str; 10] = [
    "__aeabi_dadd",
    "__aeabi_dsub",
    "__aeabi_dcmp",
    "__aeabi_i2d",
    "__adddf3",
    "__subdf3",
    "__floatsidf",
    "add8___adddf3",
    "cmp3cmpd",
    "conv11___floatsidf",
];

/// Its stack and statics are given back before the image runs.
const BOOT: Budget = Budget {
    text: 32 * 1_024,
    fixed: 1_024,
    stack: 24 * 1_024,
    panics: &[
        ("panicking", OF_THE_SIGNATURE),
        ("slice_index_fail", OF_THE_SIGNATURE),
    ],
};

/// A board, the target that it is built for, and what outlives a reset at the begin of its RAM, which no section of an image shows, bytes.
struct Made {
    board: Board,
    target: &'static str,
    kept: u32,
}

const BOARDS: [Made; 3] = [
    Made {
        board: Board::Lm3s6965evb,
        target: "thumbv7m-none-eabi",
        kept: 5 * 1_024,
    },
    Made {
        board: Board::Mps2An386,
        target: "thumbv7em-none-eabihf",
        kept: 5 * 1_024,
    },
    Made {
        board: Board::Stm32g474,
        target: "thumbv7em-none-eabihf",
        kept: 4_224,
    },
];

/// The version in the image's head, where DAVY_NODE_VERSION does not say another: that of the core's package.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A program or file that building and running takes, and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 4] = [
    ("/usr/bin/rustc", "rustc-web"),
    ("/usr/bin/cargo", "cargo-web"),
    (
        "/usr/lib/rustlib/src/rust/library/core/Cargo.toml",
        "rust-web-src",
    ),
    ("/usr/bin/qemu-system-arm", "qemu-system-arm"),
];

/// Which board, and whose signature.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The board: lm3s6965evb, mps2-an386 or stm32g474
    #[arg(default_value = "lm3s6965evb")]
    board: String,
    /// File of the installer's own key: the boot stage believes it, and images are signed by it. Without one the boot stage takes no update
    #[arg(long)]
    key: Option<PathBuf>,
    /// Builds what the suites run: images that a test may hang and cut, signed by the test key
    #[arg(long, conflicts_with = "key")]
    drills: bool,
    /// Makes such a key in this file, prints its public part, and builds nothing
    #[arg(long, conflicts_with = "key")]
    new_key: Option<PathBuf>,
}

/// Builds a board's images and judges them; an error if one is over budget.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    if let Some(path) = &options.new_key {
        println!("{}  {}", package::new_key(path)?, path.display());
        return Ok(());
    }
    machine::install(&PROGRAMS)?;
    let signing = match &options.key {
        Some(path) => Signing::from_file(path)?,
        None if options.drills => Signing::test()?,
        None => Signing::Nobody,
    };
    make(root, find(&options.board)?, options.drills, &signing).map(|_| ())
}

/// For the suites: the plain images of every board judged; the folder that holds those with drills, signed by the test key, each board's in one of its own.
pub(crate) fn judged_and_drilled(root: &Path) -> Result<PathBuf> {
    machine::install(&PROGRAMS)?;
    machine::install(&[("/usr/bin/socat", "socat")])?;
    for made in &BOARDS {
        make(root, made, false, &Signing::Nobody)?;
        make(root, made, true, &Signing::test()?)?;
    }
    Ok(root.join("target/firmware"))
}

fn find(name: &str) -> Result<&'static Made> {
    let known = BOARDS.iter().find(|made| made.board.name() == name);
    known.with_context(|| {
        format!(
            "there is no board `{name}`: {:?}",
            BOARDS.each_ref().map(|made| made.board.name())
        )
    })
}

/// Everything for a board: `boot.elf` and the same flat, `boot.bin`, `slot-a.bin` and `slot-b.bin` as they are flashed, and `update.dvn`, both images one after the other, as it is sent. Returns their
/// folder. With `drills` the images that tests may hang and cut, which are not judged; a boot stage always is.
fn make(root: &Path, made: &Made, drills: bool, signing: &Signing) -> Result<PathBuf> {
    let name = made.board.name();
    step(&format!(
        "firmware for {name}{}",
        if drills { ", with drills" } else { "" }
    ));
    let kind = if drills { "drills" } else { "plain" };
    let folder = root.join("target/firmware").join(format!("{name}-{kind}"));
    std::fs::create_dir_all(&folder)?;
    let source = root.join("firmware").join(name);
    // One folder for all: the compiler's own library is built once.
    let built = root.join("target/firmware/built");
    let features: &[&str] = if drills {
        &["--features", "drills"]
    } else {
        &[]
    };
    let mut update = Vec::new();
    for (slot, file) in [("A", "slot-a.bin"), ("B", "slot-b.bin")] {
        let elf = build(&source, &built, made, features, &[("DAVY_SLOT", slot)])?;
        let elf = read(&elf.join(format!("davy-node-{name}")))?;
        if !drills && slot == "A" {
            judge(&format!("the node on {name}"), &elf, &NODE, made.kept)?;
        }
        let image = package::package(&elf, made.board, version()?, drills, signing)?;
        std::fs::write(folder.join(file), &image)?;
        update.extend(image);
    }
    std::fs::write(folder.join("update.dvn"), update)?;
    let features: &[&str] = match signing {
        Signing::Test(_) => &["--features", "test-key"],
        Signing::Nobody | Signing::Installer(_) => &[],
    };
    let key = signing.public();
    let boot = build(
        &source.join("boot"),
        &built,
        made,
        features,
        &[("DAVY_NODE_KEY", &key)],
    )?;
    let boot = read(&boot.join(format!("davy-boot-{name}")))?;
    judge(&format!("the boot stage on {name}"), &boot, &BOOT, 0)?;
    std::fs::write(folder.join("boot.bin"), Image::flat(&boot)?.1)?;
    std::fs::write(folder.join("boot.elf"), boot)?;
    println!("{}", folder.display());
    Ok(folder)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

fn version() -> Result<Version> {
    let text = std::env::var("DAVY_NODE_VERSION").unwrap_or_else(|_| VERSION.to_owned());
    version_of(&text).with_context(|| {
        format!("DAVY_NODE_VERSION is `{text}`: three numbers below 65536 with points between them")
    })
}

/// Three numbers and nothing besides: a `1.2.3-rc1` would be older than itself, or as new as what it leads to.
fn version_of(text: &str) -> Option<Version> {
    let part = |part: &str| {
        let is_digits = !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        is_digits.then(|| part.parse().ok()).flatten()
    };
    let parts: Option<Vec<u16>> = text.split('.').map(part).collect();
    parts?.try_into().ok()
}

/// Builds a program; returns where cargo left it.
fn build(
    source: &Path,
    built: &Path,
    made: &Made,
    features: &[&str],
    settings: &[(&str, &str)],
) -> Result<PathBuf> {
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo.args(["build", "--quiet", "--release", "--locked"]);
    check(
        cargo
            .args(features)
            .current_dir(source)
            .env("CARGO_TARGET_DIR", built)
            .env(linker_variable(made.target), linker()?)
            .envs(settings.iter().copied())
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC")
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN"),
    )?;
    Ok(built.join(made.target).join("release"))
}

fn linker_variable(target: &str) -> String {
    format!(
        "CARGO_TARGET_{}_LINKER",
        target.to_uppercase().replace('-', "_")
    )
}

/// The linker that comes with the compiler of the workspace.
fn linker() -> Result<PathBuf> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    let hosts = std::fs::read_dir(sysroot.join("lib/rustlib"))?;
    let linkers = hosts.filter_map(|host| Some(host.ok()?.path().join("bin/rust-lld")));
    let mut linkers = linkers.filter(|linker| linker.exists());
    linkers.next().with_context(|| {
        format!(
            "no rust-lld under {}: `rustup component add rustc-dev` or another toolchain",
            sysroot.display()
        )
    })
}

fn judge(what: &str, bytes: &[u8], budget: &Budget, kept: u32) -> Result<()> {
    let image = Image::read(bytes)?;
    let stack = stack::worst(&image)?;
    let sizes = image.sizes();
    println!("{what}:");
    let rows = [
        ("text (code and constants)", sizes.text, budget.text),
        (
            "static RAM (data, bss, kept over a reset)",
            sizes.fixed + kept,
            budget.fixed,
        ),
        (
            "worst stack (frames along the call graph)",
            stack.bytes,
            budget.stack,
        ),
    ];
    for (what, bytes, budget) in rows {
        println!("{what:44} {bytes:6} of {budget:6} bytes");
    }
    println!("deepest: {}", stack.path.join(" > "));
    let panics: Vec<String> = panics_in(bytes).into_iter().collect();
    let new: Vec<&String> = panics
        .iter()
        .filter(|symbol| {
            !budget
                .panics
                .iter()
                .any(|(allowed, _)| symbol.contains(allowed))
        })
        .collect();
    println!("ways to panic: {}", panics.len());
    ensure!(
        new.is_empty(),
        "the firmware can panic in ways that nobody allowed: {new:#?}"
    );
    let surprises: Vec<&str> = image
        .functions
        .values()
        .filter_map(|function| float(function.name))
        .filter(|name| !FLOATS.iter().any(|allowed| name.starts_with(allowed)))
        .collect();
    ensure!(
        surprises.is_empty(),
        "the firmware reckons with floating-point numbers where nobody allowed it: {surprises:#?}"
    );
    let over: Vec<&str> = rows
        .iter()
        .filter(|(_, bytes, budget)| bytes > budget)
        .map(|(what, ..)| *what)
        .collect();
    ensure!(over.is_empty(), "over budget: {over:?}");
    Ok(())
}

/// What a function reckons with floating-point numbers in software, by its name: a helper of the run-time ABI for ARM (§5.1.2), one by the name that GCC's library gave
/// it, or what the compiler's own library made of either in its modules.
fn float(name: &str) -> Option<&str> {
    for module in ["compiler_builtins5float", "compiler_builtins4math", "4libm"] {
        if let Some((_, work)) = name.split_once(module) {
            return Some(work.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
    }
    (is_of_the_abi(name) || is_of_gcc(name)).then_some(name)
}

fn is_of_the_abi(name: &str) -> bool {
    name.strip_prefix("__aeabi_").is_some_and(|name| {
        let arithmetic = [
            "dadd", "dsub", "drsub", "dmul", "ddiv", "dneg", "dcmp", "cdcmp", "cdrcmp",
        ];
        let is = |name: &str| arithmetic.iter().any(|begin| name.starts_with(begin));
        is(name)
            || is(&name.replacen('f', "d", 1))
            || ["2d", "2f", "d2", "f2", "h2", "2h"]
                .iter()
                .any(|part| name.contains(part))
    })
}

/// An operation, then the widths that it is of: half, single, double, quadruple.
fn is_of_gcc(name: &str) -> bool {
    const OPERATIONS: [&str; 19] = [
        "add", "sub", "mul", "div", "neg", "eq", "ne", "lt", "le", "gt", "ge", "cmp", "unord",
        "powi", "fix", "float", "extend", "trunc", "fma",
    ];
    name.strip_prefix("__").is_some_and(|name| {
        let widths = OPERATIONS
            .iter()
            .filter_map(|begin| name.strip_prefix(begin));
        let is_wide = |width: &str| ["hf", "sf", "df", "tf"].iter().any(|of| width.contains(of));
        widths.into_iter().any(is_wide)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_and_nothing_besides() {
        assert_eq!(version_of("1.2.3"), Some([1, 2, 3]));
        assert_eq!(version_of("0.65535.0"), Some([0, 65_535, 0]));
        for text in [
            "1.2.3.rc1",
            "1.2.3rc1",
            "1.2.3.4",
            "1.2",
            "1.2.",
            "1.2.3.",
            "1.+2.3",
            "1.2.65536",
            "",
            " 1.2.3",
        ] {
            assert_eq!(version_of(text), None, "{text}");
        }
    }

    #[test]
    fn functions_of_floating_point_are_told_from_those_of_whole_numbers() {
        for name in [
            "__aeabi_dmul",
            "__aeabi_fadd",
            "__aeabi_i2d",
            "__aeabi_d2iz",
            "__aeabi_fcmpeq",
            "__aeabi_f2d",
            "__muldf3",
            "__divdf3",
            "__divsf3",
            "__fixdfsi",
            "__fixunsdfdi",
            "__floatundidf",
            "__extendsfdf2",
            "__truncdfsf2",
            "__ledf2",
            "__unorddf2",
            "__powidf2",
            "_RNvNtNtCslSRQKjL3nn5_17compiler_builtins5float3mul8___muldf3",
            "_RNvNtNtCslSRQKjL3nn5_17compiler_builtins4math4fmod",
        ] {
            assert!(float(name).is_some(), "{name}");
        }
        for name in [
            "__aeabi_memcpy8",
            "__aeabi_ldivmod",
            "__aeabi_uldivmod",
            "memcpy",
            "__aeabi_llsl",
            "__aeabi_idiv",
            "__divmoddi4",
            "__muldi3",
            "__divsi3",
            "__ashldi3",
            "_RNvNtNtCslSRQKjL3nn5_17compiler_builtins3int4sdiv11___divmoddi4",
        ] {
            assert_eq!(float(name), None, "{name}");
        }
        let product = "_RNvNtNtCslSRQKjL3nn5_17compiler_builtins5float3mul8___muldf3";
        assert_eq!(float(product), Some("mul8___muldf3"));
        assert!(!FLOATS.contains(&"mul8___muldf3"));
    }
}
