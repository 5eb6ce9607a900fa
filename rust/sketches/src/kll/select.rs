//! A few quantiles of sorted lists, found without merging the lists.

/// A sorted list of values of one weight, and the part of it that is still looked at.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub values: &'a [f64],
    pub weight: u64,
}

/// A retained value with the weight of all smaller ones, and with its own and that of its equals added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub value: f64,
    pub below: u64,
    pub up_to: u64,
}

/// Appends for each of the ascending `targets` the smallest value up to which at least so much weight lies. `below` is
/// the weight of all values before those of the runs from `from` on, and the targets lie above it, none above the whole
/// weight. The runs from `from` on are used up.
///
/// A value from the middle of the longest list cuts all lists, and both halves of them the targets.
pub(super) fn select(
    runs: &mut Vec<Run<'_>>,
    from: usize,
    mut below: u64,
    mut targets: &[u64],
    places: &mut Vec<Place>,
) {
    let to = runs.len();
    while !targets.is_empty() {
        let longest = runs[from..to].iter().map(|run| run.values).max_by_key(|values| values.len());
        let Some(&value) = longest.and_then(|values| values.get(values.len() / 2)) else { return };
        let (mut before, mut up_to) = (below, below);
        for i in from..to {
            let Run { values, weight } = runs[i];
            let (rest, after) = values.split_at(values.partition_point(|x| *x <= value));
            let ties = rest.iter().rev().take_while(|x| **x == value).count();
            let rest = &rest[..rest.len() - ties];
            before = before.saturating_add(weight.saturating_mul(rest.len() as u64));
            up_to = up_to.saturating_add(weight.saturating_mul((rest.len() + ties) as u64));
            if !rest.is_empty() {
                runs.push(Run { values: rest, weight });
            }
            runs[i].values = after;
        }
        let (low, rest) = targets.split_at(targets.partition_point(|target| *target <= before));
        let (here, high) = rest.split_at(rest.partition_point(|target| *target <= up_to));
        select(runs, to, below, low, places);
        runs.truncate(to);
        places.extend(here.iter().map(|_| Place { value, below: before, up_to }));
        (below, targets) = (up_to, high);
    }
}
