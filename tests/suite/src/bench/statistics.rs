//! Medians, shares and slopes.

/// The value below which `share` (0 to 1) of the values lie, by the nearest rank.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The middle of the values; of an even number, the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some((sorted[low] + sorted[high]) / 2.0)
}

/// The largest value.
pub fn maximum(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

/// Slope of the line through `(0, y0), (1, y1), …`: the median of the slopes between any two points (Theil and Sen), so that a few polls that the machine
/// delayed do not tilt it. `None` below three values.
pub fn slope(values: &[f64]) -> Option<f64> {
    if values.len() < 3 {
        return None;
    }
    let mut slopes = Vec::with_capacity(values.len() * (values.len() - 1) / 2);
    for (position, value) in values.iter().enumerate() {
        let later = values.iter().enumerate().skip(position + 1);
        slopes.extend(later.map(|(other, later)| (later - value) / (other - position) as f64));
    }
    median(&slopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_sorted_values() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(quantile(&values, 0.5), Some(3.0));
        assert_eq!(quantile(&values, 0.99), Some(5.0));
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_slope_is_found_through_jitter_and_a_few_wild_values() {
        let mut values: Vec<f64> = (0..60)
            .map(|n| f64::from(n) * 1.01 + f64::from(n % 2) * 0.001)
            .collect();
        values[59] += 0.5;
        values[31] += 0.3;
        let found = slope(&values).unwrap_or_default();
        assert!((found - 1.01).abs() < 1e-4, "{found}");
    }
}
