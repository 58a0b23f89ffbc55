//! One hardware register.

/// A register at a fixed address.
#[derive(Clone, Copy)]
pub(crate) struct Register(u32);

#[allow(dead_code, reason = "no machine's modules need all of it")]
impl Register {
    /// `address` is one of the chip's registers (data sheet, register maps), word-aligned.
    pub(crate) const fn at(address: u32) -> Self {
        Self(address)
    }

    pub(crate) const fn plus(self, offset: u32) -> Self {
        Self(self.0 + offset)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: `at` is only called with addresses of the chip's registers, which may be read at any time.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: as for reading; no register used here changes memory that Rust owns.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }

    pub(crate) fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }
}
