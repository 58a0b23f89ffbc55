//! Seeded noise: the same seed gives the same plant.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in 0 ≤ x < 1.
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Bell-shaped about 0 with standard deviation 1, never beyond ±3: the sum of twelve uniforms has variance 1.
    pub fn bell(&mut self) -> f64 {
        ((0..12).map(|_| self.uniform()).sum::<f64>() - 6.0).clamp(-3.0, 3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_noise_centred_on_zero() {
        let (mut one, mut other) = (Noise::seeded(1), Noise::seeded(1));
        let values: Vec<f64> = (0..10_000).map(|_| one.bell()).collect();
        assert!(values.iter().all(|value| *value == other.bell()));
        assert!((values.iter().sum::<f64>() / 10_000.0).abs() < 0.05);
    }
}
