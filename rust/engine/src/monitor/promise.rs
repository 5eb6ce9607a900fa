//! What is promised of a series, and what has to be true for it, in words.
use super::baseline::WINDOWS_TO_CALIBRATE;
use driftline_stats::e_detector::Dispersion;
use driftline_stats::e_detector::dispersion::COVERS;
use serde::{Deserialize, Serialize};

/// Under which assumptions there are no more false alarms than were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Promise {
    /// Rows are independent, as so many windows of the reference show.
    Rows { windows: usize },
    /// Rows depend on each other no more than so few windows show, so that up to so many of them say as much as one.
    Few { windows: usize, rows: f64 },
    /// Windows vary by up to so many times more than independent rows would, and remember no more than this.
    Windows { windows: usize, deff: f64, memory: f64 },
    /// Windows vary by no more than the tolerance covers, whatever they remember.
    Covered { windows: usize, wobble: f64 },
    /// Nothing is promised: windows remember too much; a tolerance that covers how they vary would help.
    Nothing { memory: f64, wobble: f64 },
    /// Nothing is promised before so many windows have shown how they vary.
    NotYet { windows: usize },
}

impl Promise {
    /// What windows let one promise.
    pub fn of(dispersion: &Dispersion, tolerance: f64) -> Self {
        let windows = dispersion.windows();
        if windows < WINDOWS_TO_CALIBRATE {
            return Self::NotYet { windows };
        }
        let memory = dispersion.cautious_memory();
        if dispersion.is_independent() {
            return Self::Rows { windows };
        }
        if dispersion.looks_independent() {
            let rows = dispersion.discounts().iter().map(|discount| discount.rows).fold(1.0, f64::max);
            return Self::Few { windows, rows };
        }
        if dispersion.promises_nothing(tolerance) {
            return Self::Nothing { memory, wobble: dispersion.wobble() };
        }
        if dispersion.promises_nothing(0.0) {
            return Self::Covered { windows, wobble: dispersion.wobble() };
        }
        let deff = dispersion.deff().into_iter().fold(1.0, f64::max);
        Self::Windows { windows, deff, memory }
    }

    /// Whether the accepted number of false alarms is promised.
    pub fn holds(self) -> bool {
        matches!(self, Self::Rows { .. } | Self::Few { .. } | Self::Windows { .. } | Self::Covered { .. })
    }

    /// Which one it is, for machines.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Rows { .. } => "rows",
            Self::Few { .. } => "few windows",
            Self::Windows { .. } => "windows",
            Self::Covered { .. } => "covered",
            Self::Nothing { .. } => "none",
            Self::NotYet { .. } => "not yet",
        }
    }

    /// The tolerance, in whole percent, that would cover how windows vary, where nothing is promised without.
    pub fn covering_percent(self) -> Option<f64> {
        let Self::Nothing { wobble, .. } = self else { return None };
        Some((100.0 * COVERS * wobble).ceil()).filter(|&percent| percent < 100.0)
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Self::Rows { windows } => {
                format!("if rows stay independent of each other, as in {windows} windows of the reference")
            }
            Self::Few { windows, rows } => format!(
                "if rows depend on each other no more than {windows} windows of the reference show, {rows:.1} of them counted \
                 as one"
            ),
            Self::Windows { windows, deff, memory } => format!(
                "if windows go on varying up to {deff:.1} times more than independent rows and remembering at most \
                 {memory:.2} of it, as in {windows} windows of the reference"
            ),
            Self::Covered { windows, wobble } => format!(
                "if windows go on varying by some {:.1} % of the rows, which the tolerance covers, as in {windows} windows of \
                 the reference",
                100.0 * wobble
            ),
            Self::Nothing { memory, .. } => {
                let advice = match self.covering_percent() {
                    Some(percent) => format!(
                        "with a tolerance of {percent:.0} %, which covers how they vary, one could be made"
                    ),
                    None => "no tolerance covers how they vary".into(),
                };
                format!("none: each window remembers {memory:.2} of the one before; {advice}")
            }
            Self::NotYet { windows } => {
                format!("none yet: {windows} of {WINDOWS_TO_CALIBRATE} windows have shown how they vary")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use driftline_stats::rng::Rng;

    /// Windows of 100 rows, half of them in the set, which vary by so much beyond chance.
    fn promise(windows: usize, wobble: f64) -> String {
        let mut rng = Rng::new(2);
        let mut found = Dispersion::new(1, 1);
        for _ in 0..windows {
            let share = 0.5 + wobble * (rng.next_f64() - 0.5);
            let count = (0..100).filter(|_| rng.next_f64() < share).count() as u64;
            found.update(&[count], 100, 0).unwrap();
        }
        Promise::of(&found, 0.0).words()
    }

    /// So few windows are never said to show independence.
    #[test]
    fn words_say_what_is_assumed() {
        assert_eq!(promise(29, 0.0), "none yet: 29 of 30 windows have shown how they vary");
        let few = promise(99, 0.0);
        let (before, after) = (
            "if rows depend on each other no more than 99 windows of the reference show, ",
            " of them counted as one",
        );
        let rows = few.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        assert!(rows.is_some_and(|rows| rows.parse::<f64>().is_ok_and(|rows| rows > 1.0)), "{few}");
        assert_eq!(
            promise(100, 0.0),
            "if rows stay independent of each other, as in 100 windows of the reference"
        );
        assert!(promise(100, 0.5).starts_with("if windows go on varying up to "), "{}", promise(100, 0.5));
    }
}
