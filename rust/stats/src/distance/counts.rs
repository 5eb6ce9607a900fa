//! Distances of counts whose cells have no order.
use crate::ArgumentError;
use crate::table::{Table, chi_square_term};

/// Total variation distance of two rows of counts: `TV = 1/2 sum |p - q|`, the share of rows that would
/// have to move for the shares to be equal, 0 to 1.
///
/// The sum is exact in integers and rounded once. Under no change its mean is not 0 but about
/// `sum sqrt(p (1 - p) (1/n + 1/m) / (2 pi))`: an effect size, not a test.
///
/// # Errors
/// The sides have different lengths, or one has no rows or 2^62 or more.
pub fn total_variation(reference: &[u64], current: &[u64]) -> Result<f64, ArgumentError> {
    let Table { cells, m, n } = Table::try_new(reference, current)?;
    // The positive differences add up to as much as the negative ones: half of the absolute sum.
    let gained: u128 = cells
        .iter()
        .map(|&(a, b)| (u128::from(b) * u128::from(m)).saturating_sub(u128::from(a) * u128::from(n)))
        .sum();
    Ok(gained as f64 / (m as f64 * n as f64))
}

/// Pearson's chi-square of a 2 x B table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom: cells that are not empty on both sides, less one.
    pub df: u64,
    /// Effect size, see [`chi_square`].
    pub w: f64,
}

/// Chi-square of homogeneity of two rows of counts, and its effect size.
///
/// `chi2 = sum (a n - b m)^2 / (n m (a + b))` over cells that hold `a` reference and `b` current rows;
/// cells empty on both sides are dropped. `w = sqrt(chi2 (n + m) / (4 n m))` is the effect at equal
/// weights: unlike Cramer's V it does not change with the ratio of the sample sizes when the shares stay
/// as they are (0 to 1).
///
/// Sources: Pearson (1900); Cohen (1988) for w.
///
/// # Errors
/// The sides have different lengths, or one has no rows or 2^62 or more.
pub fn chi_square(reference: &[u64], current: &[u64]) -> Result<ChiSquare, ArgumentError> {
    let Table { cells, m, n } = Table::try_new(reference, current)?;
    let statistic: f64 = cells.iter().map(|&(a, b)| chi_square_term(a, b, m, n)).sum();
    let w = (statistic / 4.0 * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
    Ok(ChiSquare { statistic, df: cells.len() as u64 - 1, w })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn chi_square_equals_scipy_and_drops_empty_cells() {
        let x = chi_square(&[30, 50, 20, 0, 5], &[20, 60, 25, 0, 12]).unwrap();
        assert!((x.statistic - 5.715049220931572).abs() < 1e-13);
        assert_eq!(x.df, 3);
        assert!((x.w - (x.statistic * 222.0 / (4.0 * 105.0 * 117.0)).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn w_does_not_depend_on_the_ratio_of_sizes() {
        let equal = chi_square(&[3000, 7000], &[2000, 8000]).unwrap();
        let unequal = chi_square(&[300_000, 700_000], &[200, 800]).unwrap();
        // At equal weights w^2 = (.3 - .2)^2 / (4 * .25 * .75); at other ratios the pooled share moves a
        // little.
        assert!((equal.w - 0.1154700538379).abs() < 1e-12);
        assert!((unequal.w - equal.w).abs() < 0.01);
    }

    #[test]
    fn total_variation_is_the_share_that_moved() {
        assert_eq!(total_variation(&[50, 50], &[60, 40]).unwrap(), 0.1);
        assert_eq!(total_variation(&[1, 0, 0], &[0, 0, 9]).unwrap(), 1.0);
        assert_eq!(total_variation(&[1, 2, 3], &[1_000_000, 2_000_000, 3_000_000]).unwrap(), 0.0);
    }

    #[test]
    fn huge_counts_do_not_overflow() {
        let half = 1u64 << 60;
        assert_eq!(total_variation(&[half, half], &[half, 0]).unwrap(), 0.5);
        assert!(chi_square(&[half, half], &[half, 0]).unwrap().statistic > 1e17);
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(
            text(total_variation(&[1], &[1, 2])),
            "reference has 1 cells and current 2: both must count the same cells"
        );
        assert_eq!(
            text(total_variation(&[0, 0], &[1, 2])),
            "reference has no rows: at least one count must be positive"
        );
        assert_eq!(
            text(total_variation(&[1, 2], &[u64::MAX, 2])),
            "current has 2^62 rows or more: that is beyond what is counted"
        );
        assert!(total_variation(&[], &[]).is_err());
    }

    proptest! {
        #[test]
        fn counts_equal_the_textbook(cells in vec((0..50u64, 0..50u64), 2..20)) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.iter().copied().unzip();
            let (m, n) = (a.iter().sum::<u64>() as f64, b.iter().sum::<u64>() as f64);
            prop_assume!(m > 0.0 && n > 0.0);
            let mut chi2 = 0.0;
            let mut tv = 0.0;
            for &(a, b) in &cells {
                tv += (a as f64 / m - b as f64 / n).abs() / 2.0;
                if a + b > 0 {
                    let share = (a + b) as f64 / (m + n);
                    chi2 += (a as f64 - m * share).powi(2) / (m * share);
                    chi2 += (b as f64 - n * share).powi(2) / (n * share);
                }
            }
            prop_assert!((total_variation(&a, &b).unwrap() - tv).abs() < 1e-13);
            let x = chi_square(&a, &b).unwrap();
            prop_assert!((x.statistic - chi2).abs() < 1e-11 * chi2.max(1.0));
            prop_assert_eq!(x.df as usize + 1, cells.iter().filter(|&&(a, b)| a + b > 0).count());
        }
    }
}
