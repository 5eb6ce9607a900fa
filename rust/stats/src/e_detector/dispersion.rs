//! By how much windows vary more than independent rows would let them, and for how long they remember it.
use crate::ArgumentError;
use crate::e_detector::watch::Discount;

/// The lag-1 correlation is taken so many standard errors larger than it is estimated.
const CAUTION: f64 = 1.5;
/// Fewer windows cannot show that they do not remember.
const WINDOWS_TO_SHOW: usize = 100;
/// A correlation beyond this is a memory that no discount makes up for.
const MOST_MEMORY: f64 = 0.5;
/// Standard errors within which windows look independent.
const WITHIN: f64 = 2.0;
/// The same for the set that looks least so: of some 150 sets one lies 3 above by chance.
const WITHIN_FOR_ANY: f64 = 4.0;

/// What windows of unchanged data say about their rows, added up window by window.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispersion {
    windows: usize,
    rows: f64,
    sets: Vec<Sums>,
    /// The window before, and what pairs of neighbours weigh.
    last: Option<(Vec<u64>, u64)>,
    pairs: f64,
}

/// Sums over the windows, of `n` rows and `c` of them in the set, from which the variance around the share of all
/// windows follows once that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    /// c.
    count: f64,
    /// c^2 / n.
    square: f64,
    /// c c' / sqrt(n n') of neighbours.
    product: f64,
    /// c sqrt(n' / n) + c' sqrt(n / n').
    crossed: f64,
}

impl Dispersion {
    /// Of no windows yet.
    pub fn new(sets: usize) -> Self {
        Self { windows: 0, rows: 0.0, sets: vec![Sums::default(); sets], last: None, pairs: 0.0 }
    }

    /// Adds the next window in the order of time: how many of its `rows` rows lie in each set. One without rows is
    /// skipped.
    ///
    /// # Errors
    /// There is not one count a set.
    pub fn update(&mut self, counts: &[u64], rows: u64) -> Result<(), ArgumentError> {
        if counts.len() != self.sets.len() {
            return Err(ArgumentError(format!("{} counts for {} sets", counts.len(), self.sets.len())));
        }
        if rows == 0 {
            return Ok(());
        }
        let n = rows as f64;
        self.windows += 1;
        self.rows += n;
        for (sums, &count) in self.sets.iter_mut().zip(counts) {
            sums.count += count as f64;
            sums.square += count as f64 * count as f64 / n;
        }
        if let Some((before, rows_before)) = &self.last {
            let (m, weight) = (*rows_before as f64, (*rows_before as f64 * n).sqrt());
            self.pairs += weight;
            for (sums, (&b, &c)) in self.sets.iter_mut().zip(before.iter().zip(counts)) {
                let (b, c) = (b as f64, c as f64);
                sums.product += b * c / weight;
                sums.crossed += b * weight / m + c * weight / n;
            }
        }
        self.last = Some((counts.to_vec(), rows));
        Ok(())
    }

    /// Windows with rows.
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// Design effect of each set: the variance of its count over that of independent rows,
    /// `sum (c - n p)^2 / (n p (1 - p)) / (W - 1)` with `p` the share of the set in all windows (Rao and Scott 1981). 1 of a
    /// set that holds all rows or none, and of fewer than 2 windows.
    pub fn deff(&self) -> Vec<f64> {
        self.sets
            .iter()
            .map(|sums| self.squares(sums).map_or(1.0, |x| x / (self.windows - 1) as f64))
            .collect()
    }

    /// Lag-1 correlation of the shares of windows, the mean over the sets that vary.
    pub fn memory(&self) -> f64 {
        let of = |sums: &Sums| {
            let p = sums.count / self.rows;
            let product = (sums.product - p * sums.crossed + p * p * self.pairs) / (p * (1.0 - p));
            self.squares(sums).filter(|&squares| squares > 0.0).map(|squares| product / squares)
        };
        mean(&self.sets.iter().filter_map(of).collect::<Vec<_>>())
    }

    /// Squared residuals in units of the binomial's variance.
    fn squares(&self, sums: &Sums) -> Option<f64> {
        let p = sums.count / self.rows;
        let varies = self.windows > 1 && p > 0.0 && p < 1.0;
        varies.then(|| ((sums.square - p * sums.count) / (p * (1.0 - p))).max(0.0))
    }

    /// Whether the windows look like independent rows.
    pub fn is_independent(&self) -> bool {
        let deff = self.deff();
        let number = self.windows as f64;
        // Sets overlap, so their mean may vary as much as one of them: twice the variance of a chi-square over its
        // degrees of freedom.
        let error = (2.0 / (number - 1.0).max(1.0)).sqrt();
        mean(&deff) <= 1.0 + WITHIN * error
            && deff.iter().copied().fold(1.0, f64::max) <= 1.0 + WITHIN_FOR_ANY * error
            && self.memory() <= WITHIN / number.sqrt()
    }

    /// The correlation that is reckoned with.
    pub fn cautious_memory(&self) -> f64 {
        (self.memory() + CAUTION / (self.windows as f64).sqrt()).max(0.0)
    }

    /// Whether windows remember too much for any promise; a tolerance that covers how they vary makes one possible.
    pub fn promises_nothing(&self) -> bool {
        !self.is_independent() && self.cautious_memory() > MOST_MEMORY
    }

    /// What the evidence of each set is divided by.
    ///
    /// Independent rows need nothing. Else the fast detector counts `deff (1 + phi) / (1 - phi)` rows as one; so does
    /// the strict one with windows where they are seen to remember, or are too few to show that they do not.
    pub fn discounts(&self) -> Vec<Discount> {
        if self.is_independent() {
            return vec![Discount::NONE; self.sets.len()];
        }
        let memory = self.cautious_memory().min(MOST_MEMORY);
        let remembered = (1.0 + memory) / (1.0 - memory);
        let clear = self.memory() > WITHIN / (self.windows as f64).sqrt();
        let windows = if clear || self.windows < WINDOWS_TO_SHOW { remembered } else { 1.0 };
        let of = |deff: f64| Discount { rows: deff.max(1.0) * remembered, windows };
        self.deff().into_iter().map(of).collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Windows of `rows` rows whose share of one set wobbles around a half with that standard deviation, a part of
    /// which the next window remembers.
    fn windows(number: usize, rows: u64, wobble: f64, memory: f64) -> Vec<([u64; 2], u64)> {
        let mut rng = Rng::new(11);
        let mut uniform = || rng.next_f64();
        let mut level = 0.0;
        let mut window = || {
            // A sum of 12 uniforms is normal enough.
            let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            level = memory * level + (1.0f64 - memory * memory).sqrt() * noise;
            let share = (0.5 + wobble * level).clamp(0.0, 1.0);
            let count = (0..rows).filter(|_| uniform() < share).count() as u64;
            ([count, 0], rows)
        };
        (0..number).map(|_| window()).collect()
    }

    fn dispersion(windows: &[([u64; 2], u64)]) -> Dispersion {
        let mut found = Dispersion::new(2);
        windows.iter().for_each(|(counts, rows)| found.update(counts, *rows).unwrap());
        found
    }

    /// The sums give what the residuals give.
    #[test]
    fn sums_equal_the_definition() {
        let windows = [([3u64, 40], 50u64), ([8, 80], 100), ([0, 0], 0), ([1, 30], 30), ([9, 41], 60)];
        let found = dispersion(&windows);
        let windows: Vec<_> = windows.iter().filter(|(_, rows)| *rows > 0).collect();
        let rows: u64 = windows.iter().map(|(_, rows)| rows).sum();
        let mut memories = vec![];
        for set in 0..2 {
            let p = windows.iter().map(|(counts, _)| counts[set]).sum::<u64>() as f64 / rows as f64;
            let residual = |&&(counts, n): &&([u64; 2], u64)| {
                (counts[set] as f64 - n as f64 * p) / (n as f64 * p * (1.0 - p)).sqrt()
            };
            let residuals: Vec<f64> = windows.iter().map(residual).collect();
            let squares: f64 = residuals.iter().map(|r| r * r).sum();
            assert!((found.deff()[set] - squares / 3.0).abs() < 1e-12);
            memories.push(residuals.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / squares);
        }
        assert!((found.memory() - (memories[0] + memories[1]) / 2.0).abs() < 1e-12);
        assert_eq!(found.windows(), 4);
    }

    #[test]
    fn independent_rows_need_no_discount() {
        let found = dispersion(&windows(200, 500, 0.0, 0.0));
        assert!(found.is_independent() && found.discounts() == vec![Discount::NONE; 2], "{found:?}");
    }

    /// A wobble of .05 around a half has a variance of 1 + (n - 1) .05^2 / .25 = 5.99 binomials.
    #[test]
    fn windows_that_wobble_have_their_design_effect() {
        let found = dispersion(&windows(400, 500, 0.05, 0.0));
        assert!(!found.is_independent() && (found.deff()[0] / 5.99 - 1.0).abs() < 0.25, "{found:?}");
        assert!(found.memory().abs() < 0.15 && !found.promises_nothing());
        let discount = found.discounts()[0];
        assert_eq!(discount.windows, 1.0);
        assert!(discount.rows >= found.deff()[0]);
        assert_eq!(found.deff()[1], 1.0);
    }

    #[test]
    fn memory_is_seen_and_too_much_of_it_promises_nothing() {
        let found = dispersion(&windows(400, 500, 0.05, 0.5));
        // The noise of the rows hides a sixth of the correlation.
        assert!((found.memory() - 0.42).abs() < 0.15, "{found:?}");
        assert!(found.discounts()[0].windows > 1.5);
        assert!(dispersion(&windows(400, 500, 0.05, 0.9)).promises_nothing());
    }

    #[test]
    fn few_windows_are_taken_with_caution() {
        let few = dispersion(&windows(40, 500, 0.05, 0.0));
        assert!(few.discounts()[0].windows > 1.2, "{few:?}");
    }

    #[test]
    fn nothing_seen_is_nothing_said() {
        let mut found = Dispersion::new(2);
        assert_eq!((found.deff(), found.memory()), (vec![1.0; 2], 0.0));
        found.update(&[3, 0], 10).unwrap();
        assert_eq!((found.deff(), found.memory(), found.windows()), (vec![1.0; 2], 0.0, 1));
        assert_eq!(found.update(&[1], 2).unwrap_err().to_string(), "1 counts for 2 sets");
    }
}
