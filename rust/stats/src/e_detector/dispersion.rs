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

/// What windows of unchanged data say about their rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispersion {
    /// Windows with rows.
    pub windows: usize,
    /// Design effect of each set: the variance of its count over that of independent rows.
    pub deff: Vec<f64>,
    /// Lag-1 correlation of the shares of windows, the mean over the sets.
    pub memory: f64,
    /// Whether the windows look like independent rows.
    pub independent: bool,
}

impl Dispersion {
    /// Of windows in the order of time, each with its counts of every set and its rows; windows without rows are
    /// skipped. A set that holds all rows or none says nothing: its design effect is 1.
    ///
    /// `deff = sum (c - n p)^2 / (n p (1 - p)) / (W - 1)` (Rao and Scott 1981), `p` the share of the set over all windows.
    ///
    /// # Errors
    /// There are fewer than 3 windows with rows, or a window has another number of sets than the first.
    pub fn try_new<'a>(windows: impl IntoIterator<Item = (&'a [u64], u64)>) -> Result<Self, ArgumentError> {
        let windows: Vec<_> = windows.into_iter().filter(|&(_, rows)| rows > 0).collect();
        let number = windows.len();
        if number < 3 {
            return Err(ArgumentError(format!(
                "{number} windows have rows: it takes 3 to see how they vary"
            )));
        }
        let sets = windows[0].0.len();
        if let Some((other, _)) = windows.iter().find(|(counts, _)| counts.len() != sets) {
            return Err(ArgumentError(format!("a window counts {} sets and the first {sets}", other.len())));
        }
        let rows: u64 = windows.iter().map(|(_, rows)| rows).sum();
        let (mut deff, mut memories) = (vec![1.0; sets], vec![]);
        for (set, deff) in deff.iter_mut().enumerate() {
            let count: u64 = windows.iter().map(|(counts, _)| counts[set]).sum();
            if count == 0 || count >= rows {
                continue;
            }
            let p = count as f64 / rows as f64;
            let residual = |&(counts, n): &(&[u64], u64)| {
                (counts[set] as f64 - n as f64 * p) / (n as f64 * p * (1.0 - p)).sqrt()
            };
            let residuals: Vec<f64> = windows.iter().map(residual).collect();
            let squares: f64 = residuals.iter().map(|r| r * r).sum();
            *deff = squares / (number - 1) as f64;
            if squares > 0.0 {
                memories.push(residuals.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / squares);
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let memory = mean(&memories);
        // Sets overlap, so their mean may vary as much as one of them: twice the variance of a chi-square over its
        // degrees of freedom.
        let error = (2.0 / (number - 1) as f64).sqrt();
        let largest = deff.iter().copied().fold(1.0, f64::max);
        let independent = mean(&deff) <= 1.0 + WITHIN * error
            && largest <= 1.0 + WITHIN_FOR_ANY * error
            && memory <= WITHIN / (number as f64).sqrt();
        Ok(Self { windows: number, deff, memory, independent })
    }

    /// The correlation that is reckoned with.
    pub fn cautious_memory(&self) -> f64 {
        (self.memory + CAUTION / (self.windows as f64).sqrt()).max(0.0)
    }

    /// Whether windows remember too much for any promise; a tolerance that covers how they vary makes one possible.
    pub fn promises_nothing(&self) -> bool {
        !self.independent && self.cautious_memory() > MOST_MEMORY
    }

    /// What the evidence of each set is divided by.
    ///
    /// Independent rows need nothing. Else the fast detector counts `deff (1 + phi) / (1 - phi)` rows as one; so does
    /// the strict one with windows where they are seen to remember, or are too few to show that they do not.
    pub fn discounts(&self) -> Vec<Discount> {
        if self.independent {
            return vec![Discount::NONE; self.deff.len()];
        }
        let memory = self.cautious_memory().min(MOST_MEMORY);
        let remembered = (1.0 + memory) / (1.0 - memory);
        let clear = self.memory > WITHIN / (self.windows as f64).sqrt();
        let windows = if clear || self.windows < WINDOWS_TO_SHOW { remembered } else { 1.0 };
        let of = |deff: &f64| Discount { rows: deff.max(1.0) * remembered, windows };
        self.deff.iter().map(of).collect()
    }
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
        Dispersion::try_new(windows.iter().map(|(counts, rows)| (&counts[..], *rows))).unwrap()
    }

    #[test]
    fn independent_rows_need_no_discount() {
        let found = dispersion(&windows(200, 500, 0.0, 0.0));
        assert!(found.independent && found.discounts() == vec![Discount::NONE; 2], "{found:?}");
    }

    /// A wobble of .05 around a half has a variance of 1 + (n - 1) .05^2 / .25 = 5.99 binomials.
    #[test]
    fn windows_that_wobble_have_their_design_effect() {
        let found = dispersion(&windows(400, 500, 0.05, 0.0));
        assert!(!found.independent && (found.deff[0] / 5.99 - 1.0).abs() < 0.25, "{found:?}");
        assert!(found.memory.abs() < 0.15 && !found.promises_nothing());
        let discount = found.discounts()[0];
        assert_eq!(discount.windows, 1.0);
        assert!(discount.rows >= found.deff[0]);
        assert_eq!(found.deff[1], 1.0);
    }

    #[test]
    fn memory_is_seen_and_too_much_of_it_promises_nothing() {
        let found = dispersion(&windows(400, 500, 0.05, 0.5));
        // The noise of the rows hides a sixth of the correlation.
        assert!((found.memory - 0.42).abs() < 0.15, "{found:?}");
        assert!(found.discounts()[0].windows > 1.5);
        assert!(dispersion(&windows(400, 500, 0.05, 0.9)).promises_nothing());
    }

    #[test]
    fn few_windows_are_taken_with_caution() {
        let few = dispersion(&windows(40, 500, 0.05, 0.0));
        assert!(few.discounts()[0].windows > 1.2, "{few:?}");
    }

    #[test]
    fn errors_say_what_and_where() {
        let text =
            |windows: &[(&[u64], u64)]| Dispersion::try_new(windows.iter().copied()).unwrap_err().to_string();
        assert_eq!(
            text(&[(&[1], 2), (&[1], 2), (&[0], 0)]),
            "2 windows have rows: it takes 3 to see how they vary"
        );
        assert_eq!(text(&[(&[1], 2), (&[1, 1], 2), (&[0], 1)]), "a window counts 2 sets and the first 1");
    }
}
