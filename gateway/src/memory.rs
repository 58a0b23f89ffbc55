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
#[expect(unsafe_code, reason = "the C library offers no other way")]
pub(crate) fn leave(bytes: &'static [u8]) {
    const PAGE: usize = 4096;
    const MADV_DONTNEED: std::ffi::c_int = 4;
    unsafe extern "C" {
        fn madvise(
            address: *mut std::ffi::c_void,
            length: usize,
            advice: std::ffi::c_int,
        ) -> std::ffi::c_int;
    }
    // Whole pages alone: what else lies on the first and the last stays.
    let first = (bytes.as_ptr() as usize).next_multiple_of(PAGE);
    let end = (bytes.as_ptr() as usize + bytes.len()) / PAGE * PAGE;
    if first < end {
        // SAFETY: the pages are read-only and of the program's file, whose content they get again when they are touched; an address that is refused
        // changes nothing.
        unsafe { madvise(first as *mut _, end - first, MADV_DONTNEED) };
    }
}

/// Other systems see to it themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn leave(_: &'static [u8]) {}
