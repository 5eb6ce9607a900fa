//! What is bet on, before a window is seen: every watched set, both ways, by gaps of several sizes.
use crate::ArgumentError;
use crate::e_detector::Band;
use crate::error::within;

/// Gaps between the band and the share that a bet of the fast detector is best against.
const FAST_GAPS: [f64; 8] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
/// The same of the strict detector, which sees a window as one observation: small gaps would take it thousands.
const STRICT_GAPS: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.7, 0.95];
/// The gap of the twins: small enough that they win against any change that matters, and so know when it began.
const TWIN_GAP: f64 = 0.01;
/// The strict detector stakes at most so much of what it has.
const STAKE: f64 = 0.9;

/// Which way a share moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// More rows than the band allows.
    Above,
    /// Fewer.
    Below,
}

/// How much less than independent rows the rows of a set say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discount {
    /// Rows that say as much as one independent row, at least 1: the fast detector's evidence is divided by it.
    pub rows: f64,
    /// Windows that say as much as one independent window, at least 1: the same of the strict detector.
    pub windows: f64,
}

impl Discount {
    /// Of independent rows.
    pub const NONE: Self = Self { rows: 1.0, windows: 1.0 };
}

/// One set, one side, one gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// The set, by its place.
    pub set: u32,
    /// The side.
    pub side: Side,
    /// What a row of the set wins (log), or a row outside of it on the side below.
    gain: f64,
    /// What any other row loses (log).
    loss: f64,
    /// The largest share of the side under the null.
    bound: f64,
}

/// One set and side, as the strict detector bets on its share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrictComponent {
    /// The set, by its place.
    pub set: u32,
    /// The side.
    pub side: Side,
    /// The bet.
    lambda: f64,
    /// The largest mean share under the null.
    bound: f64,
    /// 1 over the windows that say as much as one.
    power: f64,
}

/// The bets on one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    sets: usize,
    fast: Vec<Component>,
    strict: Vec<StrictComponent>,
    /// Components of the fast detector that have a twin, one for each set and side.
    twins: Vec<usize>,
}

impl Watch {
    /// Bets on every set that may leave its band.
    ///
    /// # Errors
    /// There is not one discount a band, or one below 1.
    pub fn try_new(bands: &[Band], discounts: &[Discount]) -> Result<Self, ArgumentError> {
        if bands.len() != discounts.len() {
            return Err(ArgumentError(format!(
                "{} bands and {} discounts: there must be one a set",
                bands.len(),
                discounts.len()
            )));
        }
        let small = FAST_GAPS.iter().filter(|&&gap| gap <= TWIN_GAP).count();
        let (mut fast, mut strict, mut twins) = (vec![], vec![], vec![]);
        for (set, (band, discount)) in bands.iter().zip(discounts).enumerate() {
            within("discount", discount.rows.min(discount.windows), 1.0, f64::MAX)?;
            for (side, bound) in [(Side::Above, band.upper), (Side::Below, 1.0 - band.lower)] {
                // A set that nothing was expected in can still be left empty by rounding: keep the bets finite.
                let bound = bound.max(1e-12);
                let first = fast.len();
                for gap in FAST_GAPS.into_iter().filter(|gap| bound + gap < 1.0) {
                    let lambda = gap / (bound * (1.0 - bound));
                    fast.push(Component {
                        set: set as u32,
                        side,
                        gain: (lambda * (1.0 - bound)).ln_1p() / discount.rows,
                        loss: (-lambda * bound).ln_1p() / discount.rows,
                        bound,
                    });
                }
                if fast.len() > first {
                    twins.push((first + small - 1).min(fast.len() - 1));
                }
                for gap in STRICT_GAPS.into_iter().filter(|gap| bound + gap < 1.0) {
                    strict.push(StrictComponent {
                        set: set as u32,
                        side,
                        lambda: (gap / (bound * (1.0 - bound))).min(STAKE / bound),
                        bound,
                        power: 1.0 / discount.windows,
                    });
                }
            }
        }
        Ok(Self { sets: bands.len(), fast, strict, twins })
    }

    /// Watched sets.
    pub fn sets(&self) -> usize {
        self.sets
    }

    /// The components of the fast detector.
    pub fn fast(&self) -> &[Component] {
        &self.fast
    }

    /// The places of the components of the fast detector that have a twin, ascending.
    pub fn twins(&self) -> impl ExactSizeIterator<Item = usize> {
        self.twins.iter().copied()
    }

    /// The components of the strict detector.
    pub fn strict(&self) -> &[StrictComponent] {
        &self.strict
    }
}

impl Component {
    /// Rows of the side among `rows`, of which `count` lie in the set.
    pub(crate) fn won(&self, count: u64, rows: u64) -> u64 {
        match self.side {
            Side::Above => count,
            Side::Below => rows - count,
        }
    }

    /// How surely so many rows of the side are more than the bound allows: the log-likelihood ratio.
    pub(crate) fn surprise(&self, won: u64, rows: u64) -> f64 {
        let (share, n) = (won as f64 / rows as f64, rows as f64);
        if rows == 0 || share <= self.bound {
            return 0.0;
        }
        let rest = if share < 1.0 { (1.0 - share) * ((1.0 - share) / (1.0 - self.bound)).ln() } else { 0.0 };
        n * (share * (share / self.bound).ln() + rest)
    }

    /// By which factor a window with `count` of `rows` rows in the set multiplies what was won.
    pub(crate) fn factor(&self, count: u64, rows: u64) -> f64 {
        let won = self.won(count, rows);
        (won as f64 * self.gain + (rows - won) as f64 * self.loss).exp()
    }
}

impl StrictComponent {
    /// The same of a share.
    pub(crate) fn factor(&self, share: f64) -> f64 {
        let won = match self.side {
            Side::Above => share,
            Side::Below => 1.0 - share,
        };
        let factor = 1.0 + self.lambda * (won - self.bound);
        if self.power == 1.0 { factor } else { factor.powf(self.power) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(lower: f64, upper: f64) -> Watch {
        Watch::try_new(&[Band { lower, upper }], &[Discount::NONE]).unwrap()
    }

    #[test]
    fn gaps_end_where_shares_do() {
        // Above .95 there is room for .002 to .02, below .9 (1 - .9 = .1) for all gaps.
        let watch = watch(0.9, 0.95);
        let above = watch.fast().iter().filter(|c| c.side == Side::Above).count();
        assert_eq!((above, watch.fast().len() - above), (4, 8));
        // Nothing can be above everything, or below nothing.
        assert!(self::watch(0.0, 1.0).fast().is_empty());
    }

    /// At the edge of the band a bet neither wins nor loses on average; beyond it it wins, inside it loses.
    #[test]
    fn bets_are_fair_at_the_band() {
        let watch = watch(0.3, 0.4);
        for component in watch.fast() {
            let edge = if component.side == Side::Above { 0.4 } else { 0.3 };
            let mean = |share: f64| share * component.factor(1, 1) + (1.0 - share) * component.factor(0, 1);
            assert!((mean(edge) - 1.0).abs() < 1e-12);
            let beyond = if component.side == Side::Above { 0.45 } else { 0.25 };
            assert!(mean(beyond) > 1.0 && mean(0.35) < 1.0);
        }
        for component in watch.strict() {
            let (edge, beyond) = if component.side == Side::Above { (0.4, 0.45) } else { (0.3, 0.25) };
            assert!((component.factor(edge) - 1.0).abs() < 1e-12 && component.factor(beyond) > 1.0);
            assert!(component.factor(0.0) >= 0.1 - 1e-12 && component.factor(1.0) >= 0.1 - 1e-12);
        }
    }

    #[test]
    fn dependent_rows_win_less() {
        let band = [Band { lower: 0.3, upper: 0.4 }];
        let half = Watch::try_new(&band, &[Discount { rows: 4.0, windows: 2.0 }]).unwrap();
        let full = Watch::try_new(&band, &[Discount::NONE]).unwrap();
        for (half, full) in half.fast().iter().zip(full.fast()) {
            let (few, many) = (half.factor(300, 500), full.factor(75, 125));
            assert!((few / many - 1.0).abs() < 1e-12);
        }
        for (half, full) in half.strict().iter().zip(full.strict()) {
            assert!((half.factor(0.5).powi(2) - full.factor(0.5)).abs() < 1e-12);
        }
    }

    /// SciPy 1.17.1: 100 sum(rel_entr([.5, .5], [.4, .6])).
    #[test]
    fn surprise_is_the_likelihood_ratio() {
        let watch = watch(0.3, 0.4);
        let above = &watch.fast()[watch.twins().next().unwrap()];
        assert!((above.surprise(50, 100) - 2.041_099_726_012_759).abs() < 1e-12);
        assert_eq!((above.surprise(40, 100), above.surprise(0, 0)), (0.0, 0.0));
        assert!((above.surprise(100, 100) + 100.0 * 0.4f64.ln()).abs() < 1e-9);
        assert_eq!(watch.twins().len(), 2);
    }

    #[test]
    fn errors_say_what_and_where() {
        let band = [Band { lower: 0.3, upper: 0.4 }];
        let text = |discounts: &[Discount]| Watch::try_new(&band, discounts).unwrap_err().to_string();
        assert_eq!(text(&[]), "1 bands and 0 discounts: there must be one a set");
        assert!(text(&[Discount { rows: 0.5, windows: 1.0 }]).starts_with("discount is 0.5"));
    }
}
