//! What is bet on, before a window is seen: every watched set, both ways, by gaps of several sizes.
use crate::ArgumentError;
use crate::e_detector::Band;
use crate::e_detector::powers::{self, LANES};
use crate::error::within;
use serde::{Deserialize, Serialize};

/// Gaps between the band and the share that a bet of the fast detector is best against.
const FAST_GAPS: [f64; 8] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
/// The same of the strict detector, which sees a window as one observation: small gaps would take it thousands.
const STRICT_GAPS: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.7, 0.95];
/// The gap of the twins: small enough that they win against any change that matters, and so know when it began.
const TWIN_GAP: f64 = 0.01;
/// The strict detector stakes at most so much of what it has.
const STAKE: f64 = 0.9;
/// A set that nothing was expected in can still be left empty by rounding: bounds are kept off 0, and bets finite.
const LEAST_BOUND: f64 = 1e-12;

/// Which way a share moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// More rows than the band allows.
    Above,
    /// Fewer.
    Below,
}

impl Side {
    /// Both, in the order of the lines of a set.
    pub(crate) const BOTH: [Self; 2] = [Self::Above, Self::Below];

    /// Rows of the side among `rows`, of which `count` lie in the set.
    pub(crate) fn won(self, count: u64, rows: u64) -> u64 {
        match self {
            Self::Above => count,
            Self::Below => rows - count,
        }
    }

    /// The largest share of the side that a band allows.
    fn bound(self, band: &Band) -> f64 {
        match self {
            Self::Above => band.upper,
            Self::Below => 1.0 - band.lower,
        }
        .max(LEAST_BOUND)
    }
}

/// How much less than independent rows the rows of a set say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discount {
    /// Rows that say as much as one independent row, at least 1: the fast detector's evidence is divided by it.
    pub rows: f64,
    /// Windows that say as much as one independent window, at least 1: the same of the strict detector.
    pub windows: f64,
    /// The most that the fast detector may win in one window (log): what so many windows of the reference did not show may
    /// come once in as many, however unlikely it is where rows are independent.
    pub most: f64,
}

impl Discount {
    /// Of independent rows.
    pub const NONE: Self = Self { rows: 1.0, windows: 1.0, most: f64::INFINITY };
}

/// How many gaps there is room for on each line, a line being one side of one set.
///
/// Evidence is kept for each of them. Where bands differ from season to season, so does the room: there is a gap where
/// any of them leaves room, and where another one does not, nothing is bet on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Gaps of the fast and of the strict detector; two lines a set, above and below.
    lines: Vec<(u8, u8)>,
}

impl Shape {
    /// The smallest gap that is bet on: half of it beyond a band is never found.
    pub const SMALLEST_GAP: f64 = FAST_GAPS[0];

    /// Of one series, by its bands in each season.
    pub fn of(seasons: &[&[Band]]) -> Self {
        let sets = seasons.first().map_or(0, |bands| bands.len());
        let room = |gaps: &[f64], bound: f64| gaps.iter().filter(|&&gap| bound + gap < 1.0).count() as u8;
        let line = |set: usize, side: Side| {
            let bounds = seasons.iter().map(|bands| side.bound(&bands[set]));
            let least = bounds.fold(1.0, f64::min);
            (room(&FAST_GAPS, least), room(&STRICT_GAPS, least))
        };
        Self { lines: (0..sets).flat_map(|set| Side::BOTH.map(|side| line(set, side))).collect() }
    }

    /// Components of the fast detector, of the strict one, and lines that have any.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let (fast, strict) = self
            .lines
            .iter()
            .fold((0, 0), |(f, s), &(fast, strict)| (f + usize::from(fast), s + usize::from(strict)));
        (fast, strict, self.lines.iter().filter(|(fast, _)| *fast > 0).count())
    }
}

/// One side of one set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    /// The set, by its place.
    pub set: u32,
    /// The side.
    pub side: Side,
    /// Bets of the fast detector, and of the strict one.
    pub gaps: (u8, u8),
    /// The bet of the fast detector, among those of the line, that has a twin.
    pub twin: u8,
    /// The largest share of the side under the null.
    pub bound: f64,
    /// Rows that say as much as one.
    pub rows: f64,
    /// The most that is won in a window (log).
    pub most: f64,
}

/// What a row wins or loses (log) of each bet of the fast detector on a line, side by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bets {
    /// A row of the side.
    gains: [f64; LANES],
    /// Any other row.
    losses: [f64; LANES],
}

/// Bets of the strict detector on the share of a window, likewise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StrictBets {
    lambdas: [f64; LANES],
    /// 1 over the windows that say as much as one.
    power: f64,
}

/// The bets on one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    sets: usize,
    lines: Vec<Line>,
    /// By line.
    fast: Vec<Bets>,
    strict: Vec<StrictBets>,
}

impl Watch {
    /// Bets on every set that may leave its band.
    ///
    /// # Errors
    /// There is not one discount a band, or one below 1.
    pub fn try_new(bands: &[Band], discounts: &[Discount]) -> Result<Self, ArgumentError> {
        Self::try_with_shape(&Shape::of(&[bands]), bands, discounts)
    }

    /// The same for one season of several.
    ///
    /// # Errors
    /// There is not one discount a band, or one below 1, or the shape is that of other sets.
    pub fn try_with_shape(
        shape: &Shape,
        bands: &[Band],
        discounts: &[Discount],
    ) -> Result<Self, ArgumentError> {
        if bands.len() != discounts.len() || shape.lines.len() != 2 * bands.len() {
            return Err(ArgumentError(format!(
                "{} bands, {} discounts and a shape of {} sets: there must be one a set",
                bands.len(),
                discounts.len(),
                shape.lines.len() / 2
            )));
        }
        let (_, _, lines) = shape.sizes();
        let mut new = Self {
            sets: bands.len(),
            lines: Vec::with_capacity(lines),
            fast: Vec::with_capacity(lines),
            strict: Vec::with_capacity(lines),
        };
        let mut gaps = shape.lines.iter();
        for (set, (band, discount)) in bands.iter().zip(discounts).enumerate() {
            within("discount", discount.rows.min(discount.windows), 1.0, f64::MAX)?;
            for (side, &gaps) in Side::BOTH.into_iter().zip(gaps.by_ref()) {
                new.lay(set as u32, side, side.bound(band), gaps, discount);
            }
        }
        Ok(new)
    }

    fn lay(&mut self, set: u32, side: Side, bound: f64, gaps: (u8, u8), discount: &Discount) {
        let (fast, strict) = (&FAST_GAPS[..gaps.0.into()], &STRICT_GAPS[..gaps.1.into()]);
        if fast.is_empty() {
            return;
        }
        let twin = fast.iter().filter(|&&gap| gap <= TWIN_GAP && bound + gap < 1.0).count().saturating_sub(1);
        let (rows, most) = (discount.rows, discount.most);
        self.lines.push(Line { set, side, gaps, twin: twin as u8, bound, rows, most });
        // Beyond the room that this season has, nothing is staked: what was won stays.
        let staked = |gap: f64| if bound + gap < 1.0 { gap / (bound * (1.0 - bound)) } else { 0.0 };
        let mut bets = Bets { gains: [0.0; LANES], losses: [0.0; LANES] };
        for (place, &gap) in fast.iter().enumerate() {
            let lambda = staked(gap);
            bets.gains[place] = (lambda * (1.0 - bound)).ln_1p() / discount.rows;
            bets.losses[place] = (-lambda * bound).ln_1p() / discount.rows;
        }
        self.fast.push(bets);
        let mut bets = StrictBets { lambdas: [0.0; LANES], power: 1.0 / discount.windows };
        for (lambda, &gap) in bets.lambdas.iter_mut().zip(strict) {
            *lambda = staked(gap).min(STAKE / bound);
        }
        self.strict.push(bets);
    }

    /// Watched sets.
    pub fn sets(&self) -> usize {
        self.sets
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(crate) fn fast(&self) -> &[Bets] {
        &self.fast
    }

    pub(crate) fn strict(&self) -> &[StrictBets] {
        &self.strict
    }
}

impl Line {
    /// How surely so many rows of the side are more than the bound allows: the log-likelihood ratio of as many independent
    /// rows as they say.
    pub fn surprise(&self, won: u64, rows: u64) -> f64 {
        let (share, n) = (won as f64 / rows as f64, rows as f64);
        if rows == 0 || share <= self.bound {
            return 0.0;
        }
        let rest = if share < 1.0 { (1.0 - share) * ((1.0 - share) / (1.0 - self.bound)).ln() } else { 0.0 };
        n / self.rows * (share * (share / self.bound).ln() + rest)
    }
}

impl Bets {
    /// The logarithms of the factors by which a window with so many rows of the side, and so many others, multiplies what
    /// was won.
    #[inline(always)]
    pub fn log_factors(&self, won: f64, lost: f64) -> [f64; LANES] {
        let mut logs = [0.0; LANES];
        for (log, (gain, loss)) in logs.iter_mut().zip(self.gains.iter().zip(&self.losses)) {
            *log = won * gain + lost * loss;
        }
        logs
    }
}

impl StrictBets {
    /// The factors themselves, of the share of the side above its bound.
    #[inline(always)]
    pub fn factors(&self, excess: f64) -> [f64; LANES] {
        let factors = self.lambdas.map(|lambda| 1.0 + lambda * excess);
        if self.power == 1.0 {
            return factors;
        }
        powers::exp(powers::ln(factors).map(|log| self.power * log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(lower: f64, upper: f64) -> Watch {
        Watch::try_new(&[Band { lower, upper }], &[Discount::NONE]).unwrap()
    }

    /// The bets of a line: its place, and that.
    fn bets(watch: &Watch, side: Side) -> (usize, Line) {
        let place = watch.lines().iter().position(|line| line.side == side);
        let place = place.expect("there is such a line");
        (place, watch.lines()[place])
    }

    /// The factors of the fast bets of a line (log), as many as it has.
    fn logs(watch: &Watch, (place, line): (usize, Line), won: f64, lost: f64) -> Vec<f64> {
        watch.fast()[place].log_factors(won, lost)[..line.gaps.0.into()].to_vec()
    }

    /// Those of the strict ones.
    fn factors(watch: &Watch, (place, line): (usize, Line), excess: f64) -> Vec<f64> {
        watch.strict()[place].factors(excess)[..line.gaps.1.into()].to_vec()
    }

    #[test]
    fn gaps_end_where_shares_do() {
        // Above .95 there is room for .002 to .02, below .9 (1 - .9 = .1) for all gaps.
        let watch = watch(0.9, 0.95);
        assert_eq!((bets(&watch, Side::Above).1.gaps.0, bets(&watch, Side::Below).1.gaps.0), (4, 8));
        // Nothing can be above everything, or below nothing.
        assert!(self::watch(0.0, 1.0).fast().is_empty());
    }

    /// At the edge of the band a bet neither wins nor loses on average; beyond it it wins, inside it loses.
    #[test]
    fn bets_are_fair_at_the_band() {
        let watch = watch(0.3, 0.4);
        for (side, edge, beyond) in [(Side::Above, 0.4, 0.45), (Side::Below, 0.7, 0.75)] {
            let line = bets(&watch, side);
            assert!((line.1.bound - edge).abs() < 1e-15);
            let (wins, loses) = (logs(&watch, line, 1.0, 0.0), logs(&watch, line, 0.0, 1.0));
            for (win, lose) in wins.into_iter().zip(loses) {
                let mean = |share: f64| share * win.exp() + (1.0 - share) * lose.exp();
                assert!((mean(edge) - 1.0).abs() < 1e-12);
                assert!(mean(beyond) > 1.0 && mean(edge - 0.05) < 1.0);
            }
            assert!(factors(&watch, line, beyond - edge).into_iter().all(|factor| factor > 1.0));
            assert!(factors(&watch, line, 0.0).into_iter().all(|factor| factor == 1.0));
            assert!(factors(&watch, line, -edge).into_iter().all(|factor| factor >= 0.1 - 1e-12));
        }
    }

    #[test]
    fn dependent_rows_win_less() {
        let band = [Band { lower: 0.3, upper: 0.4 }];
        let half = Watch::try_new(&band, &[Discount { rows: 4.0, windows: 2.0, ..Discount::NONE }]).unwrap();
        let full = Watch::try_new(&band, &[Discount::NONE]).unwrap();
        for side in Side::BOTH {
            let (line, fully) = (bets(&half, side), bets(&full, side));
            let logs = logs(&half, line, 300.0, 200.0).into_iter().zip(logs(&full, fully, 75.0, 50.0));
            logs.for_each(|(half, full)| assert!((half / full - 1.0).abs() < 1e-12));
            let factors = factors(&half, line, 0.1).into_iter().zip(factors(&full, fully, 0.1));
            factors.for_each(|(half, full)| assert!((half.powi(2) - full).abs() < 1e-12));
        }
    }

    /// Where a season leaves no room for a gap of another one, nothing is bet on it.
    #[test]
    fn seasons_share_a_shape() {
        let (narrow, wide) = ([Band { lower: 0.9, upper: 0.95 }], [Band { lower: 0.3, upper: 0.4 }]);
        let shape = Shape::of(&[&narrow, &wide]);
        assert_eq!(shape.sizes(), (16, 9, 2));
        let narrow = Watch::try_with_shape(&shape, &narrow, &[Discount::NONE]).unwrap();
        let line = bets(&narrow, Side::Above);
        assert_eq!((line.1.gaps.0, line.1.twin), (8, 2));
        assert!(logs(&narrow, line, 1.0, 0.0)[3] > 0.0);
        assert!(logs(&narrow, line, 3.0, 1.0)[4..].iter().all(|log| *log == 0.0));
        assert!(factors(&narrow, line, 0.04).into_iter().all(|factor| factor == 1.0));
    }

    /// SciPy 1.17.1: 100 sum(rel_entr([.5, .5], [.4, .6])).
    #[test]
    fn surprise_is_the_likelihood_ratio() {
        let watch = watch(0.3, 0.4);
        let (_, above) = bets(&watch, Side::Above);
        assert!((above.surprise(50, 100) - 2.041_099_726_012_759).abs() < 1e-12);
        assert_eq!((above.surprise(40, 100), above.surprise(0, 0)), (0.0, 0.0));
        assert!((above.surprise(100, 100) + 100.0 * 0.4f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn errors_say_what_and_where() {
        let band = [Band { lower: 0.3, upper: 0.4 }];
        let text = |discounts: &[Discount]| Watch::try_new(&band, discounts).unwrap_err().to_string();
        assert_eq!(text(&[]), "1 bands, 0 discounts and a shape of 1 sets: there must be one a set");
        assert!(text(&[Discount { rows: 0.5, ..Discount::NONE }]).starts_with("discount is 0.5"));
    }
}
