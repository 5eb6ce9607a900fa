//! What the bets have won so far: the state of a series between windows.
//!
//! Each component multiplies what it has, and one more unit that was staked in this window, by what the window
//! wins (Shiryaev and Roberts): `M <- L (M + 1)`. While every row's chance to fall into the set, given all rows before,
//! lies in the band, `L` is at most 1 on average, so the mean of `M` over the components grows by at most 1 a window, and
//! it passes `A` at most once in `A` windows on average, restarts included. Of each set and side one fast component has a
//! twin that forgets losses, `C <- L max(C, 1)`, which tells since when it has been winning.
use crate::e_detector::watch::{Side, Watch};

/// What is won is not counted beyond this.
const MOST: f64 = 1e300;

/// The state of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    fast: Vec<f64>,
    strict: Vec<f64>,
    twins: Vec<Twin>,
}

/// A component that forgets losses, and the rows since it last did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Twin {
    won: f64,
    since: u32,
    count: u64,
    rows: u64,
}

impl Twin {
    fn update(&mut self, factor: f64, count: u64, rows: u64, window: u32) {
        if self.won <= 1.0 {
            *self = Self { won: 1.0, since: window, count: 0, rows: 0 };
        }
        self.won = (factor * self.won).min(MOST);
        self.count += count;
        self.rows += rows;
    }
}

/// The set and side whose rows since it began to win are least likely within the band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Largest {
    /// The set, by its place.
    pub set: u32,
    /// The way it moved.
    pub side: Side,
    /// The window since which it has been winning.
    pub since: u32,
    /// Rows in the set since then.
    pub count: u64,
    /// All rows since then.
    pub rows: u64,
}

/// What a detector says after a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Evidence of the fast detector, the mean over its components.
    pub fast: f64,
    /// Evidence of the strict detector.
    pub strict: f64,
    /// What moved most surely, if anything seems to.
    pub largest: Option<Largest>,
}

impl Evidence {
    /// Nothing won yet.
    pub fn new(watch: &Watch) -> Self {
        Self {
            fast: vec![0.0; watch.fast().len()],
            strict: vec![0.0; watch.strict().len()],
            twins: vec![Twin::default(); watch.twins().len()],
        }
    }

    /// Adds a window, or rows that came late to one: how many of its `rows` rows lie in each set. Without rows nothing
    /// happens.
    ///
    /// `window` is the number of the window, which [`Reading::largest`] refers to. The bets may be other ones in every
    /// window, as long as they are known before it and of the same sets, sides and gaps.
    pub fn update(&mut self, watch: &Watch, counts: &[u64], rows: u64, window: u32) -> Reading {
        debug_assert_eq!((counts.len(), self.fast.len()), (watch.sets(), watch.fast().len()));
        if rows > 0 {
            let mut twins = self.twins.iter_mut().zip(watch.twins()).peekable();
            for (place, (won, component)) in self.fast.iter_mut().zip(watch.fast()).enumerate() {
                let count = counts[component.set as usize];
                let factor = component.factor(count, rows);
                *won = (factor * (*won + 1.0)).min(MOST);
                if let Some((twin, _)) = twins.next_if(|&(_, of)| of == place) {
                    twin.update(factor, count, rows, window);
                }
            }
            for (won, component) in self.strict.iter_mut().zip(watch.strict()) {
                let share = counts[component.set as usize] as f64 / rows as f64;
                *won = (component.factor(share) * (*won + 1.0)).min(MOST);
            }
        }
        self.reading(watch)
    }

    /// What it says now.
    pub fn reading(&self, watch: &Watch) -> Reading {
        let mean =
            |won: &[f64]| if won.is_empty() { 0.0 } else { won.iter().sum::<f64>() / won.len() as f64 };
        let mut most = 0.0;
        let mut largest = None;
        for (twin, place) in self.twins.iter().zip(watch.twins()).filter(|(twin, _)| twin.won > 1.0) {
            let component = &watch.fast()[place];
            let surprise = component.surprise(component.won(twin.count, twin.rows), twin.rows);
            if surprise > most {
                most = surprise;
                let (set, side) = (component.set, component.side);
                largest = Some(Largest { set, side, since: twin.since, count: twin.count, rows: twin.rows });
            }
        }
        Reading { fast: mean(&self.fast), strict: mean(&self.strict), largest }
    }

    /// Forgets everything, as after an alarm.
    pub fn reset(&mut self) {
        self.fast.fill(0.0);
        self.strict.fill(0.0);
        self.twins.fill(Twin::default());
    }
}

/// The threshold that evidence passes at most `budget` times, on average, in all windows of all series together: over
/// `windows` windows of each of `series` series.
pub fn threshold(windows: f64, series: f64, budget: f64) -> f64 {
    windows * series / budget
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::e_detector::Band;
    use crate::e_detector::watch::Discount;

    fn watch() -> Watch {
        let bands = [Band { lower: 0.45, upper: 0.55 }, Band { lower: 0.0, upper: 0.05 }];
        Watch::try_new(&bands, &[Discount::NONE; 2]).unwrap()
    }

    #[test]
    fn evidence_follows_the_recursion() {
        let watch = watch();
        let mut evidence = Evidence::new(&watch);
        let (mut sums, mut strict) = (vec![0.0; watch.fast().len()], vec![0.0; watch.strict().len()]);
        for (window, counts) in [[50, 2], [58, 3], [65, 20]].iter().enumerate() {
            let reading = evidence.update(&watch, counts, 100, window as u32);
            for (sum, c) in sums.iter_mut().zip(watch.fast()) {
                *sum = c.factor(counts[c.set as usize], 100) * (*sum + 1.0);
            }
            for (sum, c) in strict.iter_mut().zip(watch.strict()) {
                *sum = c.factor(counts[c.set as usize] as f64 / 100.0) * (*sum + 1.0);
            }
            let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
            assert_eq!((reading.fast, reading.strict), (mean(&sums), mean(&strict)));
        }
    }

    #[test]
    fn the_twins_name_the_set_and_the_start() {
        let watch = watch();
        let mut evidence = Evidence::new(&watch);
        for window in 0..10 {
            evidence.update(&watch, &[500, 20], 1000, window);
        }
        let mut reading = evidence.reading(&watch);
        for window in 10..13 {
            reading = evidence.update(&watch, &[500, 200], 1000, window);
        }
        let largest = Largest { set: 1, side: Side::Above, since: 10, count: 600, rows: 3000 };
        assert_eq!(reading.largest, Some(largest));
        assert!(reading.fast > 1e100);
        evidence.reset();
        assert_eq!(evidence, Evidence::new(&watch));
    }

    #[test]
    fn windows_without_rows_change_nothing_and_evidence_stays_finite() {
        let watch = watch();
        let mut evidence = Evidence::new(&watch);
        evidence.update(&watch, &[90, 90], 100, 0);
        let before = evidence.clone();
        evidence.update(&watch, &[0, 0], 0, 1);
        assert_eq!(evidence, before);
        for window in 2..50 {
            assert!(evidence.update(&watch, &[100_000, 100_000], 100_000, window).fast.is_finite());
        }
    }
}
