//! Memory that was needed for a moment goes back to the system.
//!
//! Reading a large site file and being born on MQTT take several times what the gateway needs afterwards, in pieces that the C library keeps for itself:
//! at a thousand points a third of the resident memory (`cargo xtask bench edge`).

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
