//! Distances of shares, each with what it would be if nothing had changed.
//!
//! PSI, 8 Jensen-Shannon and 8 Hellinger^2 agree to first order with chi-square of the shares, so with
//! `s = 1/n + 1/m` and B cells all three follow `s chi2` with B - 1 degrees of freedom when nothing has
//! changed, and the noncentral chi-square with noncentrality `D / s` when the divergence is D. That holds
//! where every cell is expected to hold at least five rows on either side; elsewhere the null is found by
//! permutations, and no interval is given.
use crate::ArgumentError;
use crate::hypergeometric;
use crate::null::{chi_square_quantile, chi_square_sf, noncentrality};
use crate::resample::{checked, redrawn_null};
use crate::table::{Table, chi_square_term};
use std::f64::consts::LN_2;

/// How far two rows of shares diverge, how far they would if nothing had changed, and between which limits
/// the divergence of the populations lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Divergence {
    /// The divergence of the shares, their counts raised by 1/2.
    pub value: f64,
    /// `value` less the mean when nothing has changed. Not cut off at 0, which would make it too large in
    /// the mean again.
    pub debiased: f64,
    /// 95 % interval of the divergence of the populations, where it holds: see [`psi`].
    pub interval: Option<(f64, f64)>,
    /// p-value of "nothing changed".
    pub p_value: f64,
    /// Mean of `value` when nothing has changed.
    pub null_mean: f64,
    /// What `value` exceeds in 5 % of cases when nothing has changed.
    pub null_95: f64,
}

/// A divergence as a sum over cells, in which the sides can be exchanged.
struct Measure {
    /// Part of a cell with these shares.
    part: fn(f64, f64) -> f64,
    /// How fast that part grows with the first share.
    slope: fn(f64, f64) -> f64,
    /// What makes it chi-square of the shares to first order.
    scale: f64,
    /// The largest value there is.
    most: f64,
}

const PSI: Measure = Measure {
    part: |p, q| (p - q) * (p / q).ln(),
    slope: |p, q| (p / q).ln() + 1.0 - q / p,
    scale: 1.0,
    most: f64::INFINITY,
};

const JENSEN_SHANNON: Measure = Measure {
    part: |p, q| {
        let middle = f64::midpoint(p, q);
        f64::midpoint(p * (p / middle).ln(), q * (q / middle).ln())
    },
    slope: |p, q| (p / f64::midpoint(p, q)).ln() / 2.0,
    scale: 8.0,
    most: LN_2,
};

const SQUARED_HELLINGER: Measure = Measure {
    part: |p, q| (p.sqrt() - q.sqrt()).powi(2) / 2.0,
    slope: |p, q| (1.0 - (q / p).sqrt()) / 2.0,
    scale: 8.0,
    most: 1.0,
};

/// Population stability index of two rows of counts, `PSI = sum (p - q) ln(p / q)`, in nats: the symmetric
/// Kullback-Leibler divergence.
///
/// Every count is raised by 1/2 on both sides (Krichevsky and Trofimov 1981), so that empty cells stay
/// finite. A cell that is empty on both sides is a cell too: leave out those that cannot occur.
///
/// `permutations` redrawn tables give the null where a cell is expected to hold fewer than five rows on a
/// side.
///
/// The interval inverts the noncentral chi-square distribution, scaled to the variance that the delta method
/// gives: near 0 that is `s`, and at a PSI of 2 up to three times as much. It is given where every cell holds
/// at least five rows on either side, and covers there in .94 to .98 of cases. Where nothing has changed its
/// lower end is 0 in 97.5 % of them.
///
/// Sources: Jeffreys (1946); Yurdakul and Naranjo (2020) for the null; Potgieter and others (2023) for the
/// noncentral distribution.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or `permutations` is not
/// [`MIN_PERMUTATIONS`](crate::test::MIN_PERMUTATIONS) to
/// [`MAX_PERMUTATIONS`](crate::test::MAX_PERMUTATIONS).
pub fn psi(reference: &[u64], current: &[u64], permutations: usize) -> Result<Divergence, ArgumentError> {
    PSI.between(reference, current, permutations)
}

/// Jensen-Shannon divergence of two rows of counts, in nats: the mean Kullback-Leibler divergence of the
/// sides from their middle, 0 to ln 2.
///
/// Counts, null and interval are as for [`psi`].
///
/// Source: Lin (1991).
///
/// # Errors
/// As [`psi`].
pub fn jensen_shannon(
    reference: &[u64],
    current: &[u64],
    permutations: usize,
) -> Result<Divergence, ArgumentError> {
    JENSEN_SHANNON.between(reference, current, permutations)
}

/// Hellinger distance of two rows of counts, `H = sqrt(1/2 sum (sqrt p - sqrt q)^2)`, 0 to 1.
///
/// H itself, a distance, not its square. Null and interval are those of the square, as for [`psi`], and
/// every field is their root: so `null_mean` is a root mean square, and `debiased` the root of the
/// debiased square, negative where that is.
///
/// Source: Hellinger (1909).
///
/// # Errors
/// As [`psi`].
pub fn hellinger(
    reference: &[u64],
    current: &[u64],
    permutations: usize,
) -> Result<Divergence, ArgumentError> {
    let squared = SQUARED_HELLINGER.between(reference, current, permutations)?;
    Ok(Divergence {
        value: squared.value.sqrt(),
        debiased: squared.debiased.abs().sqrt().copysign(squared.debiased),
        interval: squared.interval.map(|(lower, upper)| (lower.sqrt(), upper.sqrt())),
        p_value: squared.p_value,
        null_mean: squared.null_mean.sqrt(),
        null_95: squared.null_95.sqrt(),
    })
}

/// Shares of a cell on both sides, its counts raised by 1/2.
fn raised(cells: usize, table: &Table) -> impl Fn(u64, u64) -> (f64, f64) + use<> {
    let (m, n) = (table.m as f64 + cells as f64 / 2.0, table.n as f64 + cells as f64 / 2.0);
    move |a, b| ((a as f64 + 0.5) / m, (b as f64 + 0.5) / n)
}

/// The values of [`psi`], [`jensen_shannon`] and [`hellinger`] alone: of tables whose null would take thousands of
/// draws of thousands of cells.
///
/// # Errors
/// As [`psi`].
pub fn values(reference: &[u64], current: &[u64]) -> Result<[f64; 3], ArgumentError> {
    let table = Table::try_new(reference, current)?;
    let value = |measure: &Measure| measure.sum(reference.len(), &table)(&table.cells);
    Ok([value(&PSI), value(&JENSEN_SHANNON), value(&SQUARED_HELLINGER).sqrt()])
}

/// The population stability index alone, without what it would be by chance.
///
/// # Errors
/// As [`psi`].
pub fn psi_value(reference: &[u64], current: &[u64]) -> Result<f64, ArgumentError> {
    let table = Table::try_new(reference, current)?;
    Ok(PSI.sum(reference.len(), &table)(&table.cells))
}

/// Whether the null of such a table has to be drawn: some cell is expected to hold fewer than five rows on a side.
///
/// # Errors
/// As [`psi`].
pub fn null_is_drawn(reference: &[u64], current: &[u64]) -> Result<bool, ArgumentError> {
    Ok(is_drawn(reference.len(), &Table::try_new(reference, current)?))
}

fn is_drawn(cells: usize, table: &Table) -> bool {
    table.cells.len() < cells || table.has_small_expected_count()
}

impl Measure {
    fn between(
        &self,
        reference: &[u64],
        current: &[u64],
        permutations: usize,
    ) -> Result<Divergence, ArgumentError> {
        let permutations = checked("permutations", permutations)?;
        let table = Table::try_new(reference, current)?;
        let sum = self.sum(reference.len(), &table);
        let value = sum(&table.cells);
        if is_drawn(reference.len(), &table) {
            let null = redrawn_null(&table, permutations, sum);
            return Ok(Divergence {
                value,
                debiased: value - null.mean,
                interval: None,
                p_value: null.p_value,
                null_mean: null.mean,
                null_95: null.null_95,
            });
        }
        let df = table.cells.len() as u64 - 1;
        // The value at which the standardised divergence is 1.
        let unit = (1.0 / table.m as f64 + 1.0 / table.n as f64) / self.scale;
        let null_mean = df as f64 * unit;
        // Approximations of each side's own counts, where those of the pooled ones do not help.
        let has_interval = df > 0 && table.cells.iter().all(|&(a, b)| a.min(b) >= 5);
        let interval = || {
            let shares = raised(reference.len(), &table);
            let variance = self.variance(table.cells.iter().map(|&(a, b)| shares(a, b)), &table);
            self.interval(value, df, unit, variance)
        };
        Ok(Divergence {
            value,
            debiased: value - null_mean,
            interval: has_interval.then(interval),
            p_value: chi_square_sf(value / unit, df),
            null_mean,
            null_95: chi_square_quantile(0.95, df) * unit,
        })
    }

    /// The divergence of any counts with the margins of the table, some of `cells` being empty.
    fn sum(&self, cells: usize, table: &Table) -> impl Fn(&[(u64, u64)]) -> f64 + use<> {
        let (shares, part) = (raised(cells, table), self.part);
        let (p, q) = shares(0, 0);
        let empty = (cells - table.cells.len()) as f64 * part(p, q);
        // Rounding can put equal shares below 0.
        move |counts| {
            let add = |sum: f64, &(a, b): &(u64, u64)| {
                let (p, q) = shares(a, b);
                sum + part(p, q)
            };
            counts.iter().fold(empty, add).max(0.0)
        }
    }

    /// Variance by the delta method: that of the slopes of either side.
    fn variance(&self, shares: impl Iterator<Item = (f64, f64)>, table: &Table) -> f64 {
        let (mut first, mut second) = ((0.0, 0.0), (0.0, 0.0));
        for (p, q) in shares {
            let (x, y) = ((self.slope)(p, q), (self.slope)(q, p));
            first = (first.0 + p * x, first.1 + p * x * x);
            second = (second.0 + q * y, second.1 + q * y * y);
        }
        let spread = |(mean, square): (f64, f64)| square - mean * mean;
        spread(first) / table.m as f64 + spread(second) / table.n as f64
    }

    /// The divergences under which the one observed is neither among the 2.5 % smallest nor the largest.
    fn interval(&self, value: f64, df: u64, unit: f64, variance: f64) -> (f64, f64) {
        // A noncentral chi-square with noncentrality D / unit has, times the unit, a variance of 4 D unit and more.
        // Of almost no divergence the quotient would be one of rounding errors.
        let unit = if value > 1e-6 * unit { variance / (4.0 * value) } else { unit };
        let at = |x: f64, p: f64| (unit * noncentrality(x, df, p)).min(self.most);
        let x = value / unit;
        // A value below its mean under no change says no more than one at that mean: the plain inversion
        // would end at 0, as if it had proved equality.
        (at(x, 0.975), at(x.max(df as f64), 0.025))
    }
}

/// p-value of "nothing changed" for the [`chi_square`](crate::distance::chi_square) of two rows of counts.
///
/// From the chi-square distribution where every cell is expected to hold at least five rows on either side
/// (Cochran 1954), otherwise from `permutations` redrawn tables: at unequal sides the distribution would
/// have a real size of up to .27 there. Cells that are empty on both sides are left out.
///
/// # Errors
/// As [`psi`].
pub fn chi_square_p_value(
    reference: &[u64],
    current: &[u64],
    permutations: usize,
) -> Result<f64, ArgumentError> {
    let permutations = checked("permutations", permutations)?;
    let table = Table::try_new(reference, current)?;
    let statistic = |cells: &[(u64, u64)]| -> f64 {
        cells.iter().map(|&(a, b)| chi_square_term(a, b, table.m, table.n)).sum()
    };
    Ok(if table.has_small_expected_count() {
        redrawn_null(&table, permutations, statistic).p_value
    } else {
        chi_square_sf(statistic(&table.cells), table.cells.len() as u64 - 1)
    })
}

/// Mean of the [`total_variation`](crate::distance::total_variation) of two rows of counts when nothing has
/// changed, given their pooled counts.
///
/// Half of the sum of the mean absolute deviations of hypergeometric counts, each in closed form. The usual
/// `sum sqrt(p (1 - p) (1/n + 1/m) / (2 pi))` is its limit for many rows in every cell: at 300 cells and 200
/// rows a side it says .69 where the truth is .61.
///
/// Source: Diaconis and Zabell (1991) for closed forms of mean absolute deviations.
///
/// # Errors
/// The sides have different lengths, or one has no rows or 2^62 or more.
pub fn total_variation_null_mean(reference: &[u64], current: &[u64]) -> Result<f64, ArgumentError> {
    let table = Table::try_new(reference, current)?;
    let (m, n) = (table.m as f64, table.n as f64);
    let deviation =
        |&(a, b): &(u64, u64)| hypergeometric::mean_absolute_deviation(table.rows(), a + b, table.n);
    // A row more on one side is a row less on the other.
    Ok(table.cells.iter().map(deviation).sum::<f64>() * (1.0 / m + 1.0 / n) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance::{chi_square, total_variation};
    use proptest::{collection::vec, prelude::*};

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-9 * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// SciPy 1.17.1: rel_entr and jensenshannon of the raised counts; null and p of chi2 times (1/1000 + 1/1200) over 1,
    /// 8 and 8.
    #[test]
    fn divergences_and_their_null_equal_scipy() {
        let (x, y) = ([400, 350, 250], [520, 430, 250]);
        for (found, value, debiased, p, null_95) in [
            (
                psi(&x, &y, 999),
                0.010441257678914332,
                0.006774591012247665,
                0.05798240186403707,
                0.010984351669697962,
            ),
            (
                jensen_shannon(&x, &y, 999),
                0.0013037611516745309,
                0.0008454278183411975,
                0.0581592823266134,
                0.0013730439587122452,
            ),
            (
                hellinger(&x, &y, 999),
                0.0013044586327712908f64.sqrt(),
                0.0008461252994379574f64.sqrt(),
                0.058070844180648375,
                0.0013730439587122452f64.sqrt(),
            ),
        ] {
            let found = found.unwrap();
            close(found.value, value);
            close(found.debiased, debiased);
            close(found.p_value, p);
            close(found.null_95, null_95);
        }
        close(psi(&[50, 50], &[90, 10], 999).unwrap().value, 0.8530592449672881);
    }

    /// NumPy 2.4 for the variance by the delta method, SciPy 1.17.1: brentq over ncx2.cdf.
    #[test]
    fn intervals_equal_scipy() {
        let x = [400, 350, 250];
        for (y, f, lower, upper) in [
            ([520, 430, 250], psi as fn(&_, &_, _) -> _, 0.0, 0.03215848023511892),
            ([520, 430, 250], jensen_shannon, 0.0, 0.004012097213563167),
            ([520, 430, 250], hellinger, 0.0, 0.00401594908288435f64.sqrt()),
            ([620, 330, 250], psi, 0.021479337964155108, 0.09984657805809954),
            ([620, 330, 250], jensen_shannon, 0.0026869322954070317, 0.012435464410076584),
            ([620, 330, 250], hellinger, 0.002685931703014274f64.sqrt(), 0.01245809666693364f64.sqrt()),
        ] {
            let found: Divergence = f(&x[..], &y[..], 999).unwrap();
            let found = found.interval.unwrap();
            close(found.0, lower);
            close(found.1, upper);
        }
    }

    #[test]
    fn the_ends_of_the_scale() {
        let (x, y) = ([1_000_000, 0], [0, 1_000_000]);
        for (f, least, most) in
            [(psi as fn(&_, &_, _) -> _, 28.0, 30.0), (jensen_shannon, 0.69, LN_2), (hellinger, 0.99, 1.0)]
        {
            let found: Divergence = f(&x[..], &y[..], 999).unwrap();
            assert!(found.value > least && found.value < most && found.p_value == 0.0, "{found:?}");
            // Neither side has rows in the other's cell.
            assert_eq!(found.interval, None);
            let near: Divergence = f(&[1_000_000, 5][..], &[5, 1_000_000][..], 999).unwrap();
            let (lower, upper) = near.interval.unwrap();
            assert!(lower < near.value && near.value < upper && upper <= most, "{near:?}");
        }
        // Equal shares: below what chance makes of them, so the debiased value is negative.
        for f in [psi, jensen_shannon, hellinger] {
            let found = f(&[3000, 3000], &[3000, 3000], 999).unwrap();
            assert!(found.value == 0.0 && found.debiased < 0.0 && found.p_value == 1.0, "{found:?}");
            let (lower, upper) = found.interval.unwrap();
            assert!(lower == 0.0 && upper > found.null_mean, "{found:?}");
            let one = f(&[40], &[50], 999).unwrap();
            assert_eq!((one.value, one.interval, one.p_value, one.null_95), (0.0, None, 1.0, 0.0));
            let huge = 1 << 61;
            assert!(f(&[huge, huge - 1], &[huge, huge - 1], 999).unwrap().p_value > 0.99);
        }
    }

    #[test]
    fn small_cells_take_permutations_and_give_no_interval() {
        for f in [psi, jensen_shannon, hellinger] {
            assert!(f(&[95, 5], &[95, 5], 999).unwrap().interval.is_some());
            let rare = f(&[950, 50, 2], &[50, 9, 0], 999).unwrap();
            assert!(
                rare.interval.is_none() && rare.null_mean > 0.0 && rare.null_95 > rare.null_mean,
                "{rare:?}"
            );
            assert_eq!(rare, f(&[950, 50, 2], &[50, 9, 0], 999).unwrap());
            // A cell without rows is one that holds fewer than five. It moves value and null alike, but not p.
            let empty = f(&[950, 50, 0], &[390, 30, 0], 9999).unwrap();
            let without = f(&[950, 50], &[390, 30], 9999).unwrap();
            assert!(empty.interval.is_none() && without.interval.is_some(), "{empty:?} {without:?}");
            assert!(
                empty.null_mean > without.null_mean && empty.value > without.value,
                "{empty:?} {without:?}"
            );
            assert!((empty.p_value - without.p_value).abs() < 0.03, "{empty:?} {without:?}");
        }
        // Asymptotically, chi-square of 5 cells with (47, 0, 0, 0, 3) of 50 against 1 % in each of four would be
        // drift in one case of four.
        let (x, y) = ([4800, 50, 50, 50, 50], [47, 0, 0, 0, 3]);
        assert!(chi_square_sf(chi_square(&x, &y).unwrap().statistic, 4) < 0.01);
        assert!(chi_square_p_value(&x, &y, 999).unwrap() > 0.03);
    }

    /// SciPy 1.17.1: chi2_contingency([[400, 350, 250], [520, 430, 250]], correction=False).
    #[test]
    fn chi_square_p_value_equals_scipy() {
        close(
            chi_square_p_value(&[400, 350, 0, 250], &[520, 430, 0, 250], 999).unwrap(),
            0.057189222401054875,
        );
        assert_eq!(chi_square_p_value(&[7, 0], &[9, 0], 999).unwrap(), 1.0);
    }

    #[test]
    fn total_variation_has_the_mean_of_its_permutations() {
        let (x, y) = ([30, 5, 1, 0, 900, 2], [3, 1, 0, 1, 90, 1]);
        let mean = total_variation_null_mean(&x, &y).unwrap();
        let table = Table::try_new(&x, &y).unwrap();
        let null = redrawn_null(&table, 100_000, |cells| {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.iter().copied().unzip();
            total_variation(&a, &b).unwrap()
        });
        // Its standard deviation is below its mean: five standard errors of a mean of 100,000.
        assert!((null.mean / mean - 1.0).abs() < 0.016, "{} {mean}", null.mean);
        // With many rows it is the usual formula.
        let (x, y) = ([1_000_000, 3_000_000], [200_000, 600_000]);
        let s: f64 = 1.0 / 4e6 + 1.0 / 8e5;
        let formula = 2.0 * (0.25 * 0.75 * s / (2.0 * std::f64::consts::PI)).sqrt();
        assert!((total_variation_null_mean(&x, &y).unwrap() / formula - 1.0).abs() < 1e-5);
        assert_eq!(total_variation_null_mean(&[5, 0], &[9, 0]).unwrap(), 0.0);
    }

    #[test]
    fn errors_say_what_and_where() {
        for f in [psi, jensen_shannon, hellinger] {
            let text = |x: &[u64], y: &[u64], permutations| f(x, y, permutations).unwrap_err().to_string();
            assert_eq!(text(&[1, 2], &[2, 1], 10), "permutations is 10: it must be 999 to 10000000");
            assert_eq!(
                text(&[1], &[1, 2], 999),
                "reference has 1 cells and current 2: both must count the same cells"
            );
        }
        assert!(
            chi_square_p_value(&[1, 2], &[2, 1], 10).is_err() && chi_square_p_value(&[0], &[2], 999).is_err()
        );
        assert!(total_variation_null_mean(&[1], &[1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn divergences_are_symmetric_and_within_their_limits(cells in vec((0..500u64, 0..500u64), 2..20)) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.iter().copied().unzip();
            prop_assume!(a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0));
            for (f, most) in [(psi as fn(&_, &_, _) -> _, f64::INFINITY), (jensen_shannon, LN_2), (hellinger, 1.0)] {
                let there: Divergence = f(&a[..], &b[..], 999).unwrap();
                let back: Divergence = f(&b[..], &a[..], 999).unwrap();
                prop_assert!((there.value - back.value).abs() <= 1e-12 * there.value);
                prop_assert!((0.0..=most).contains(&there.value));
                prop_assert!((0.0..=1.0).contains(&there.p_value) && there.debiased <= there.value);
                if let Some((lower, upper)) = there.interval {
                    prop_assert!(0.0 <= lower && lower <= there.value && lower <= upper && upper <= most);
                    prop_assert!(upper >= there.debiased, "{:?}", there);
                }
            }
        }
    }
}
