//! What moved, in words: the set of rows with the largest change, and the bins or categories that provably
//! hold another share than before.
use crate::Result;
use crate::compare::cells::{Cell, Cells, Content};
use crate::compare::judge::wrong;
use driftline_stats::test::moved_cells;

/// Rows whose share changed, and from what to what.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// Which rows: `above 0.31`, `'0-20k'`, `missing`.
    pub label: String,
    /// Share of the reference rows.
    pub reference: f64,
    /// Share of the current rows.
    pub current: f64,
}

/// All values without a cell of their own.
pub const OTHER: &str = "other values";

/// The largest difference of a share over everything up to a cell's end and over single cells, and the set of
/// rows where it is. Cells are ordered.
pub fn largest(cells: &Cells) -> (f64, Option<Moved>) {
    let (m, n) = cells.rows();
    let share = |(reference, current): (u64, u64)| (reference as f64 / m as f64, current as f64 / n as f64);
    let size = |(reference, current): (f64, f64)| (current - reference).abs();
    let mut best = (0.0, None);
    let mut up_to = (0, 0);
    for (i, cell) in cells.cells.iter().enumerate() {
        let single = (cell.reference, cell.current);
        up_to = (up_to.0 + single.0, up_to.1 + single.1);
        for set in [Set::UpTo(i, up_to), Set::Cell(i, single)] {
            let difference = size(share(set.rows()));
            // Of equal ones a single cell says more than everything around it, and one that gained is there to see.
            let told = matches!(set, Set::Cell(..)) && share(single).1 > share(single).0;
            if difference > best.0 || (told && difference > best.0 - 1e-12) {
                best = (difference.max(best.0), Some(set));
            }
        }
    }
    let (effect, Some(set)) = best else { return (0.0, None) };
    let set = without_a_number(cells, effect).unwrap_or(set);
    let numbers = cells.cells.iter().take_while(|c| !matches!(c.content, Content::Nan | Content::Missing));
    let numbers = numbers.count();
    let all = cells.cells[..numbers].iter().fold((0, 0), |sum, c| (sum.0 + c.reference, sum.1 + c.current));
    let (label, counts) = match set {
        Set::Cell(i, counts) => (label(cells, &cells.cells[i..=i]), counts),
        Set::UpTo(i, counts) if i + 1 >= numbers => {
            // All that lies behind: of a cut behind NaN that is missing rows alone.
            let rest = &cells.cells[i + 1..];
            let told = if rest.len() == 1 { label(cells, rest) } else { "no number".into() };
            (told, (m - counts.0, n - counts.1))
        }
        Set::UpTo(0, counts) if cells.cells[0].content == Content::NegativeInfinity => {
            (label(cells, &cells.cells[..1]), counts)
        }
        Set::UpTo(i, counts) => {
            let edge = match cells.cells[i].content {
                Content::Bin { high, .. } => high,
                _ => f64::NEG_INFINITY,
            };
            // Rows above a point are all the others, so long as those without a number keep their share.
            if u128::from(all.0) * u128::from(n) == u128::from(all.1) * u128::from(m) {
                let above = (all.0 - counts.0, all.1 - counts.1);
                (range(edge, f64::INFINITY, cells), above)
            } else {
                (range(f64::NEG_INFINITY, edge, cells), counts)
            }
        }
    };
    let (reference, current) = share(counts);
    (effect, Some(Moved { label, reference, current }))
}

/// Infinite, NaN or missing rows that account for the effect as well as the largest set does, but for the noise: a cut
/// through the numbers moves along with them, and does not say why.
fn without_a_number(cells: &Cells, effect: f64) -> Option<Set> {
    let (m, n) = cells.rows();
    let noise = (1.0 / m as f64 + 1.0 / n as f64).sqrt() / 2.0;
    let size = |cell: &Cell| (cell.current as f64 / n as f64 - cell.reference as f64 / m as f64).abs();
    let special = cells.cells.iter().enumerate().filter(|(_, cell)| {
        matches!(
            cell.content,
            Content::NegativeInfinity | Content::Infinity | Content::Nan | Content::Missing
        )
    });
    let (i, cell) = special.max_by(|a, b| size(a.1).total_cmp(&size(b.1)))?;
    let accounts = size(cell) >= f64::max(effect - noise, effect / 2.0);
    accounts.then_some(Set::Cell(i, (cell.reference, cell.current)))
}

/// The cell whose share changed most.
pub(crate) fn largest_cell(cells: &Cells) -> Option<Moved> {
    let (m, n) = cells.rows();
    let shares = |cell: &Cell| (cell.reference as f64 / m as f64, cell.current as f64 / n as f64);
    let size = |cell: &Cell| (shares(cell).1 - shares(cell).0).abs();
    let cell = cells.cells.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let (reference, current) = shares(cell);
    Some(Moved { label: label(cells, std::slice::from_ref(cell)), reference, current })
}

/// A set of rows whose share is watched, with its rows on both sides.
enum Set {
    /// Everything up to the end of a cell.
    UpTo(usize, (u64, u64)),
    /// One cell.
    Cell(usize, (u64, u64)),
}

impl Set {
    fn rows(&self) -> (u64, u64) {
        match *self {
            Set::UpTo(_, rows) | Set::Cell(_, rows) => rows,
        }
    }
}

/// Cells that provably hold another share than before, at level `alpha` over all of them, the surest first;
/// neighbouring bins that moved the same way are told as one.
///
/// # Errors
/// A side has no rows.
pub fn moved(cells: &Cells, alpha: f64) -> Result<Vec<Moved>> {
    let (m, n) = cells.rows();
    let (reference, current) = cells.counts();
    let mut found = moved_cells(&reference, &current, &cells.errors(), alpha).map_err(wrong)?;
    if cells.cells.len() == 2 {
        // The other cell says the same.
        found.sort_by_key(|cell| (cells.cells[cell.cell].content == Content::Other, cell.z < 0.0));
        found.truncate(1);
    }
    found.sort_by_key(|cell| cell.cell);
    let mut ranges: Vec<Range> = vec![];
    for cell in found {
        let gained = cell.z > 0.0;
        let is_bin = |i: usize| matches!(cells.cells[i].content, Content::Bin { .. });
        match ranges.last_mut().filter(|range| {
            cells.ordered
                && range.last + 1 == cell.cell
                && range.gained == gained
                && is_bin(range.last)
                && is_bin(cell.cell)
        }) {
            Some(range) => {
                range.last = cell.cell;
                range.z = range.z.max(cell.z.abs());
            }
            None => ranges.push(Range { first: cell.cell, last: cell.cell, gained, z: cell.z.abs() }),
        }
    }
    ranges.sort_by(|a, b| b.z.total_cmp(&a.z));
    Ok(ranges
        .into_iter()
        .map(|range| {
            let part = &cells.cells[range.first..=range.last];
            let sum = |count: fn(&Cell) -> u64| part.iter().map(count).sum::<u64>() as f64;
            Moved {
                label: label(cells, part),
                reference: sum(|c| c.reference) / m as f64,
                current: sum(|c| c.current) / n as f64,
            }
        })
        .collect())
}

/// Neighbouring cells that moved the same way.
struct Range {
    first: usize,
    last: usize,
    gained: bool,
    /// The surest of them.
    z: f64,
}

/// Neighbouring cells in words.
pub fn label(cells: &Cells, part: &[Cell]) -> String {
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return String::new() };
    match (&first.content, &last.content) {
        (&Content::Bin { low, .. }, &Content::Bin { high, .. }) => {
            // Nothing lies outside of the outermost bins: their outer edges say nothing.
            let (lowest, highest) = cells.ends();
            let low = if low == lowest && low.next_up() < high { f64::NEG_INFINITY } else { low };
            let high = if high == highest && low.next_up() < high { f64::INFINITY } else { high };
            range(low, high, cells)
        }
        (Content::NegativeInfinity, Content::Bin { high, .. }) => range(f64::NEG_INFINITY, *high, cells),
        (Content::Bin { low, .. }, Content::Infinity) => range(*low, f64::INFINITY, cells),
        (Content::NegativeInfinity, _) => "-infinity".into(),
        (Content::Infinity, _) => "infinity".into(),
        (Content::Value(value), _) => {
            // Where counts are estimates, 0 may be a few.
            let new = if first.reference == 0 && cells.error == 0.0 { " (new)" } else { "" };
            format!("'{}'{new}", String::from_utf8_lossy(value))
        }
        (Content::Other, _) => OTHER.into(),
        (Content::New, _) => "new values".into(),
        (Content::Nan, _) => "not a number".into(),
        (Content::Missing | Content::Bin { .. }, _) => "missing".into(),
    }
}

/// Numbers above `low` up to `high`; whole numbers by the ones that lie there. Which end belongs to them is said: many
/// rows may have just that value.
fn range(low: f64, high: f64, cells: &Cells) -> String {
    if let Some((min, max)) = cells.whole_range {
        let (from, to) = ((low.floor() + 1.0).max(min), high.floor().min(max));
        return if from == to {
            format!("{from}")
        } else if low == f64::NEG_INFINITY {
            format!("up to {to}")
        } else if high == f64::INFINITY {
            format!("above {}", low.floor())
        } else {
            format!("{from} to {to}")
        };
    }
    let written = |x: f64| written(x, cells.gap(x));
    // The edge below a frequent value, or below the smallest of all, is the number just before it.
    let before = |x: f64| cells.is_alone(x.next_up()) || shorter(x.next_up(), x);
    let (begins, ends) = (before(low) || low.next_up() == high, before(high));
    let (first, end) = (written(if begins { low.next_up() } else { low }), high.next_up());
    match (low.is_finite(), high.is_finite()) {
        (true, true) if low.next_up() == high => written(high),
        (true, true) if begins && ends => format!("{first} to below {}", written(end)),
        (true, true) if begins => format!("{first} to {}", written(high)),
        (true, true) if ends => format!("above {first} to below {}", written(end)),
        (true, true) => format!("above {first} up to {}", written(high)),
        (false, true) if ends => format!("below {}", written(end)),
        (false, true) => format!("up to {}", written(high)),
        (true, false) if begins => format!("{first} or more"),
        (true, false) => format!("above {first}"),
        (false, false) => "any number".into(),
    }
}

/// Whether `x` takes clearly fewer digits to write than `y`, its neighbour.
fn shorter(x: f64, y: f64) -> bool {
    x.is_finite() && y.is_finite() && x.to_string().len() + 4 < y.to_string().len()
}

/// Digits that a number is written with at least, where it has them.
const DIGITS: usize = 4;
/// Of the way to the next edge, how far a written number may lie from the edge that it stands for: no more of the rows lie
/// between the two than a reader would round away.
const NEAR: f64 = 0.02;
/// Digits that tell any two doubles apart.
const ALL_DIGITS: usize = 17;

/// A number as a person would write it: four digits, or as many as tell it well from another one `gap` away, and
/// never more than it has.
fn written(x: f64, gap: f64) -> String {
    let magnitude = x.abs().max(1e-300).log10().floor();
    let is_plain = x == 0.0 || (1e-4..1e15).contains(&x.abs());
    let with = |digits: usize| {
        let text = if is_plain {
            format!("{x:.0$}", (digits as f64 - 1.0 - magnitude).max(0.0) as usize)
        } else {
            format!("{x:.0$e}", digits - 1)
        };
        let (number, exponent) = text.split_at(text.find('e').unwrap_or(text.len()));
        if !number.contains('.') {
            return text;
        }
        format!("{}{exponent}", number.trim_end_matches('0').trim_end_matches('.'))
    };
    let tells = |text: &String| text.parse().is_ok_and(|read: f64| (read - x).abs() < NEAR * gap);
    let exact = if is_plain { x.to_string() } else { format!("{x:e}") };
    let text = (DIGITS..=ALL_DIGITS).map(with).find(tells);
    text.filter(|text| text.len() < exact.len()).unwrap_or(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_tells_their_neighbours_apart() {
        for (x, gap, text) in [
            (0.422915, 1e-20, "0.422915"),
            (0.422915, f64::INFINITY, "0.4229"),
            (0.1 + 0.2, 1e-3, "0.3"),
            (0.1 + 0.2, 1e-17, "0.30000000000000004"),
            (0.0, 0.0, "0"),
            (27_082.4, 100.0, "27082"),
            (100_000.05, 0.01, "100000.05"),
            (-1234.56789, 0.2, "-1234.57"),
            (-1234.56789, 0.01, "-1234.568"),
            (1e-5, 1.0, "1e-5"),
            (1.23456e-7, 1e-7, "1.235e-7"),
            (1.26004e-7, 1e-7, "1.26e-7"),
            (1.23456e-7, 1e-13, "1.23456e-7"),
            (1.234_567_89e18, 2e14, "1.23457e18"),
        ] {
            assert_eq!(written(x, gap), text);
        }
    }
}
