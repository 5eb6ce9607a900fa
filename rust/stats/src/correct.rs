//! Adjusted p-values: one test among many.
use crate::ArgumentError;
use crate::error::within;

/// Benjamini-Hochberg adjusted p-values: `min over j >= i of p_(j) K / j`, at most 1, in the order given.
///
/// Calling what is at most alpha keeps the expected share of false calls among all calls at alpha, for
/// independent and for positively dependent tests; if nothing changed at all, the chance of any call.
///
/// Source: Benjamini and Hochberg (1995).
///
/// # Errors
/// A p-value is not 0 to 1.
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, ArgumentError> {
    let order = ascending(p_values)?;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0f64;
    for (below, &i) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[i] * p_values.len() as f64 / (below + 1) as f64);
        adjusted[i] = smallest;
    }
    Ok(adjusted)
}

/// Holm adjusted p-values: `max over j <= i of p_(j) (K + 1 - j)`, at most 1, in the order given.
///
/// Calling what is at most alpha keeps the chance of any false call at alpha, whatever the dependence.
///
/// Source: Holm (1979).
///
/// # Errors
/// A p-value is not 0 to 1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, ArgumentError> {
    let order = ascending(p_values)?;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0f64;
    for (below, &i) in order.iter().enumerate() {
        largest = largest.max(p_values[i] * (p_values.len() - below) as f64).min(1.0);
        adjusted[i] = largest;
    }
    Ok(adjusted)
}

/// The indices of checked p-values, smallest first.
fn ascending(p_values: &[f64]) -> Result<Vec<usize>, ArgumentError> {
    for (i, &p) in p_values.iter().enumerate() {
        within(&format!("p_values[{i}]"), p, 0.0, 1.0)?;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const P: [f64; 8] = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04, 0.9, 0.0001];

    fn assert_close(values: &[f64], expected: &[f64]) {
        assert_eq!(values.len(), expected.len());
        assert!(values.iter().zip(expected).all(|(v, e)| (v - e).abs() < 1e-15), "{values:?}");
    }

    /// SciPy 1.17.1: scipy.stats.false_discovery_control.
    #[test]
    fn benjamini_hochberg_equals_scipy() {
        let expected = [
            0.026666666666666665,
            0.05333333333333333,
            0.05333333333333333,
            0.02,
            0.22857142857142856,
            0.05333333333333333,
            0.9,
            0.0008,
        ];
        assert_close(&benjamini_hochberg(&P).unwrap(), &expected);
    }

    /// By hand: sorted .0001 .005 .01 .03 .04 .04 .2 .9, times 8 to 1, made to rise.
    #[test]
    fn holm_equals_the_hand_calculation() {
        assert_close(&holm(&P).unwrap(), &[0.06, 0.16, 0.15, 0.035, 0.4, 0.16, 0.9, 0.0008]);
    }

    #[test]
    fn nothing_and_nonsense() {
        assert_eq!((benjamini_hochberg(&[]).unwrap(), holm(&[]).unwrap()), (vec![], vec![]));
        assert_eq!(holm(&[0.1, f64::NAN]).unwrap_err().to_string(), "p_values[1] is NaN: it must be 0 to 1");
        assert_eq!(
            benjamini_hochberg(&[-0.5]).unwrap_err().to_string(),
            "p_values[0] is -0.5: it must be 0 to 1"
        );
    }

    proptest! {
        /// The step procedures as they were published: they reject a set, not a p-value.
        #[test]
        fn adjusted_values_reject_what_the_procedures_reject(
            p in vec(0.0..1.0f64, 1..20), alpha in 0.01..0.99f64
        ) {
            let mut sorted = p.clone();
            sorted.sort_by(f64::total_cmp);
            let k = p.len() as f64;
            let bh = sorted.iter().enumerate().rev().find(|(i, p)| **p <= alpha * (*i + 1) as f64 / k);
            let bh_limit = bh.map_or(-1.0, |(_, p)| *p);
            let passed = sorted.iter().enumerate().take_while(|(i, p)| **p <= alpha / (k - *i as f64));
            let holm_limit = passed.last().map_or(-1.0, |(_, p)| *p);
            for (i, adjusted) in benjamini_hochberg(&p).unwrap().iter().enumerate() {
                prop_assert_eq!(*adjusted <= alpha, p[i] <= bh_limit);
            }
            for (i, adjusted) in holm(&p).unwrap().iter().enumerate() {
                prop_assert_eq!(*adjusted <= alpha, p[i] <= holm_limit);
            }
        }
    }
}
