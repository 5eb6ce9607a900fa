//! The distances that others know, beside the effect: computed when asked, never judged by a threshold.
use crate::Result;
use crate::compare::cells::{Cells, Content};
use crate::compare::judge::{merged_bins, wrong};
use crate::profile::ColumnProfile;
use driftline_sketches::kll::SortedView;
use driftline_stats::ArgumentError;
use driftline_stats::distance::{
    Bounded, WeightedSample, chi_square, cramer_von_mises, energy, ks_statistic, kuiper, total_variation,
    wasserstein,
};
use driftline_stats::divergence::{Divergence, hellinger, jensen_shannon, null_is_drawn, psi, values};
use driftline_stats::test::{MIN_PERMUTATIONS, wasserstein_null_95};

type Measure = fn(&[u64], &[u64], usize) -> std::result::Result<Divergence, ArgumentError>;

/// Divergences of cells, and the names of value, debiased value, interval, and what 5 % exceed without a change.
const DIVERGENCES: [(Measure, [&str; 5]); 3] = [
    (psi, ["psi", "psi_debiased", "psi_lower", "psi_upper", "psi_null_95"]),
    (
        jensen_shannon,
        [
            "jensen_shannon",
            "jensen_shannon_debiased",
            "jensen_shannon_lower",
            "jensen_shannon_upper",
            "jensen_shannon_null_95",
        ],
    ),
    (
        hellinger,
        ["hellinger", "hellinger_debiased", "hellinger_lower", "hellinger_upper", "hellinger_null_95"],
    ),
];

type Distance =
    fn(WeightedSample<'_>, WeightedSample<'_>, f64) -> std::result::Result<Bounded, ArgumentError>;

/// Distances of distribution functions, and the names of value and bounds.
const DISTANCES: [(Distance, [&str; 3]); 3] = [
    (kuiper, ["kuiper", "kuiper_lower", "kuiper_upper"]),
    (cramer_von_mises, ["cramer_von_mises", "cramer_von_mises_lower", "cramer_von_mises_upper"]),
    (energy, ["energy", "energy_lower", "energy_upper"]),
];

/// Fewer bins than this are a coarse picture of a distribution.
const FEWEST_BINS: usize = 10;

/// Cells from which on the null of a divergence is not drawn for a table: some thousand draws of each of them.
const MANY_CELLS: usize = 100;

/// Distances of one column, by name; those that its kind of values has no meaning for are left out.
///
/// Divergences are of the cells, with bins merged until each holds 40 rows of the reference
/// where that leaves ten of them. Distances of distribution functions are of the values that are numbers: exact
/// while the sketches hold every value, and with the bounds that their error leaves else.
///
/// # Errors
/// A side has no rows.
pub fn statistics(
    reference: &ColumnProfile,
    current: &ColumnProfile,
    cells: &Cells,
) -> Result<Vec<(&'static str, f64)>> {
    let mut found = vec![];
    if cells.ordered {
        found.extend(ordered(reference, current)?);
    }
    // Of a small reference too few would be left to show anything.
    let merged = cells.ordered.then(|| merged_bins(cells));
    let merged = merged.filter(|(before, _)| before.len() >= FEWEST_BINS);
    let (before, now) = merged.unwrap_or_else(|| cells.counts());
    found.push(("total_variation", total_variation(&before, &now).map_err(wrong)?));
    if before.len() > MANY_CELLS && null_is_drawn(&before, &now).map_err(wrong)? {
        let values = values(&before, &now).map_err(wrong)?;
        found.extend(DIVERGENCES.iter().zip(values).map(|((_, names), value)| (names[0], value)));
    } else {
        for (measure, [value, debiased, lower, upper, null_95]) in DIVERGENCES {
            let divergence = measure(&before, &now, MIN_PERMUTATIONS).map_err(wrong)?;
            found.extend([(value, divergence.value), (debiased, divergence.debiased)]);
            // The interval is that of counts, not of estimates.
            if let Some(interval) = divergence.interval.filter(|_| cells.error == 0.0) {
                found.extend([(lower, interval.0), (upper, interval.1)]);
            }
            found.push((null_95, divergence.null_95));
        }
    }
    let chi_square = chi_square(&before, &now).map_err(wrong)?;
    found.extend([("chi_square", chi_square.statistic), ("chi_square_df", chi_square.df as f64)]);
    found.push(("w", chi_square.w));
    let (m, n) = cells.rows();
    let missing = cells.cells.iter().filter(|cell| matches!(cell.content, Content::Missing | Content::Nan));
    let missing = missing.fold((0, 0), |sum, cell| (sum.0 + cell.reference, sum.1 + cell.current));
    found.push(("missing_change", missing.1 as f64 / n as f64 - missing.0 as f64 / m as f64));
    Ok(found)
}

/// Distances of the distribution functions of numbers; none where a side has no quantiles.
fn ordered(reference: &ColumnProfile, current: &ColumnProfile) -> Result<Vec<(&'static str, f64)>> {
    let [before, now] = [reference, current].map(|column| {
        let quantiles = column.numbers.as_ref().and_then(|numbers| numbers.quantiles.as_ref());
        quantiles.filter(|quantiles| !quantiles.is_empty())
    });
    let (Some(before), Some(now)) = (before, now) else { return Ok(vec![]) };
    let error = (before.all_rank_error() + now.all_rank_error()).min(1.0);
    let (before, now) = (before.sorted_view(), now.sorted_view());
    let (f, g) = (sample(&before)?, sample(&now)?);
    let d = ks_statistic(f, g).map_err(wrong)?.statistic;
    let mut found = vec![("ks", d), ("ks_lower", (d - error).max(0.0)), ("ks_upper", (d + error).min(1.0))];
    for (measure, [value, lower, upper]) in DISTANCES {
        let distance = measure(f, g, error).map_err(wrong)?;
        found.extend([(value, distance.value), (lower, distance.lower), (upper, distance.upper)]);
    }
    let distance = wasserstein(f, g, error).map_err(wrong)?;
    found.extend([("wasserstein", distance.value), ("wasserstein_lower", distance.lower)]);
    found.push(("wasserstein_upper", distance.upper));
    found.push(("wasserstein_null_95", wasserstein_null_95(f, g).map_err(wrong)?));
    // In units of the middle half of the reference, which no outlier stretches.
    let quartiles = before.quantile(0.25).zip(before.quantile(0.75));
    if let Some(spread) = quartiles.map(|(low, high)| high - low).filter(|spread| *spread > 0.0) {
        found.push(("wasserstein_scaled", distance.value / spread));
    }
    Ok(found)
}

fn sample(view: &SortedView) -> Result<WeightedSample<'_>> {
    WeightedSample::try_new(view.values(), view.cumulative()).map_err(wrong)
}
