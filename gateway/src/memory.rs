//! Memory that was needed for a moment goes back to the system.
//!
//! Reading a large site file and being born on MQTT take several times what the gateway needs afterwards, in pieces that the C library keeps for itself:
//! at a thousand points a third of the resident memory (`cargo xtask bench edge`). It keeps them once a thread, too, unless told otherwise.

/// Has every thread allocate from one heap. The few threads here allocate seldom enough not to wait for each other; a heap each would hold what
/// another could use. To be called before the first thread starts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library offers no other way")]
pub(crate) fn one_heap() {
    /// `malloc.h`: the most heaps that there may be.
    const M_ARENA_MAX: std::ffi::c_int = -8;
    unsafe extern "C" {
        fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
    }
    // SAFETY: it takes plain numbers and may be called at any time; a refusal leaves everything as it was.
    unsafe { mallopt(M_ARENA_MAX, 1) };
}

/// Other allocators know no such choice.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) const fn one_heap() {}

/// Gives back what the allocator holds and nobody uses. Takes about a millisecond, during which allocations of other threads may wait.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library offers no other way")]
pub(crate) fn give_back() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: it takes a plain number, may be called from any thread at any time, and changes nothing that a program can see.
    unsafe { malloc_trim(0) };
}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) const fn give_back() {}

/// Lets the system take back the pages of the program that hold these bytes: they are read again from its file if they are ever asked for.
#[cfg(target_os = "linux")]
pub(crate) fn leave(bytes: &'static [u8]) {
    const PAGE: usize = 4096;
    // Whole pages alone: what else lies on the first and the last stays.
    let first = (bytes.as_ptr() as usize).next_multiple_of(PAGE);
    let end = (bytes.as_ptr() as usize + bytes.len()) / PAGE * PAGE;
    if first < end {
        // The bytes are of the program's file: nothing can write to them.
        leave_pages(first, end);
    }
}

/// The pages of program and libraries: from first to end, each mapping.
#[derive(Debug)]
pub(crate) struct ProgramPages(Vec<(usize, usize)>);

/// What of program and libraries is mapped before anything else is.
#[cfg(target_os = "linux")]
pub(crate) fn program_pages() -> ProgramPages {
    let told = std::fs::read_to_string("/proc/self/smaps");
    ProgramPages(told.map_or_else(|_| Vec::new(), |told| own_file_pages(&told)))
}

/// Lets the system take back, once, the pages of program and libraries that the start has read: of what comes back with the next poll, the next alarm or the
/// next screen, as much comes back as is used, and the reader of site files and the command line do not. A page that the process has made its own stays,
/// and so does whatever was mapped since.
#[cfg(target_os = "linux")]
pub(crate) fn leave_start(program: &ProgramPages) {
    for (first, end) in program_pages().0 {
        if program.0.contains(&(first, end)) {
            leave_pages(first, end);
        }
    }
}

/// By `/proc/self/smaps`: the mappings of files that cannot be written to and of which no page differs from its file, be it in memory or swapped out.
#[cfg(target_os = "linux")]
fn own_file_pages(told: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut present = None;
    for line in told.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(value)) = (words.next(), words.next()) else {
            continue;
        };
        if let Some((first, end)) = name.split_once('-') {
            let number = |text| usize::from_str_radix(text, 16).ok();
            let path = words.nth(3).unwrap_or_default();
            let is_file = value.starts_with("r-") && value.ends_with('p') && path.starts_with('/');
            present = number(first).zip(number(end)).filter(|_| is_file);
        } else if name == "Anonymous:" && value != "0" {
            present = None;
        } else if name == "Swap:" && value == "0" {
            found.extend(present.take());
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the C library offers no other way")]
fn leave_pages(first: usize, end: usize) {
    const MADV_DONTNEED: std::ffi::c_int = 4;
    unsafe extern "C" {
        fn madvise(
            address: *mut std::ffi::c_void,
            length: usize,
            advice: std::ffi::c_int,
        ) -> std::ffi::c_int;
    }
    // SAFETY: whoever calls knows the pages to be read-only and equal to their file, whose content they get again when they are touched; an address that
    // is refused changes nothing.
    unsafe { madvise(first as *mut _, end - first, MADV_DONTNEED) };
}

/// Other systems see to it themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn leave(_: &'static [u8]) {}

/// Other systems see to it themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn program_pages() -> ProgramPages {
    ProgramPages(Vec::new())
}

/// Other systems see to it themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn leave_start(_: &ProgramPages) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A mapping as `/proc/self/smaps` tells it.
    fn mapping(head: &str, anonymous: u32, swap: u32) -> String {
        format!("{head}\nSize: 1024 kB\nAnonymous: {anonymous} kB\nSwap: {swap} kB\nVmFlags: rd\n")
    }

    #[test]
    fn only_pages_that_equal_their_file_and_cannot_be_written_are_left() {
        let program = "fe:00 12 /usr/bin/davy-gateway";
        let told = [
            mapping(&format!("00400000-00500000 r--p 00000000 {program}"), 0, 0),
            mapping(&format!("00500000-00900000 r-xp 00100000 {program}"), 0, 0),
            mapping(
                &format!("00900000-00a00000 r--p 00500000 {program}"),
                168,
                0,
            ),
            mapping(&format!("00a00000-00b00000 rw-p 00600000 {program}"), 0, 0),
            mapping("00b00000-00c00000 r--p 00000000 00:00 0", 0, 0),
            mapping(
                "00c00000-00d00000 r--s 00000000 fe:00 13 /var/lib/davy/shared",
                0,
                0,
            ),
            mapping("00d00000-00e00000 r-xp 00000000 00:00 0 [vdso]", 0, 0),
            mapping(
                "00e00000-00f00000 r--p 00000000 fe:00 14 /lib/swapped.so",
                0,
                4,
            ),
        ];
        let left = own_file_pages(&told.concat());
        assert_eq!(left, [(0x40_0000, 0x50_0000), (0x50_0000, 0x90_0000)]);
    }

    #[test]
    fn a_program_goes_on_after_its_start_was_left() {
        let program = program_pages();
        assert!(!program.0.is_empty());
        leave_start(&program);
        assert_eq!(format!("{:.3}", 2.0_f64.powf(0.5)), "1.414");
    }
}
