//! Sizes by Zipf's law: the largest of several workloads is twice the second, three times the third, and so on.

/// `total` in so many parts, the largest first. No part is empty if there is enough for each; the sum is `total`.
pub(super) fn zipf(total: u32, parts: u32) -> Vec<u32> {
    if parts == 0 {
        return Vec::new();
    }
    let weights: Vec<u64> = (1..=u64::from(parts)).map(|rank| SCALE / rank).collect();
    let sum: u64 = weights.iter().sum();
    let spare = u64::from(total.saturating_sub(parts));
    let least = u32::from(total >= parts);
    let part = |weight: &u64| least + u32::try_from(spare * weight / sum).unwrap_or(u32::MAX);
    let mut sizes: Vec<u32> = weights.iter().map(part).collect();
    let given: u32 = sizes.iter().sum();
    if let Some(largest) = sizes.first_mut() {
        *largest += total.saturating_sub(given);
    }
    sizes
}

/// Whole numbers instead of fractions, so that every machine rounds alike.
const SCALE: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_fall() {
        for (total, parts) in [(0, 3), (2, 3), (3, 3), (100, 1), (1000, 17), (12_345, 200)] {
            let sizes = zipf(total, parts);
            assert_eq!(sizes.iter().sum::<u32>(), total);
            assert_eq!(sizes.len(), parts as usize);
            assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
            assert!(total < parts || sizes.iter().all(|size| *size > 0));
        }
    }

    #[test]
    fn the_first_is_twice_the_second() {
        let sizes = zipf(100_000, 10);
        let ratio = f64::from(sizes[0]) / f64::from(sizes[1]);
        assert!((1.9..2.1).contains(&ratio), "{sizes:?}");
    }
}
