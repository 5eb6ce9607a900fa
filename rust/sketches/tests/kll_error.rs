//! The error of the KLL sketch in simulation: over shapes of data, sizes, `k`, and random merge trees
//! whose parts are now and then written and read again.
//!
//! The data of a cell are fixed and the coins of each trial are not, because the promise holds for any
//! data. Seeds are fixed. What is judged is an image read back, which has lost more than the sketch.
use driftline_sketches::kll::{KllSketch, SortedView};

/// The promise is an error at 99 %. Measured errors at 99 % stay below this share of it in every cell,
/// which leaves room for the chance of a few hundred trials.
const MARGIN: f64 = 0.9;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Every shape as the value at place `i` of `n`.
type Shape = (&'static str, fn(usize, usize, &mut Random) -> f64);

const SHAPES: [Shape; 13] = [
    ("normal", |_, _, random| random.normal()),
    ("lognormal", |_, _, random| (2.0 * random.normal()).exp()),
    ("pareto", |_, _, random| random.unit().powf(-1.0 / 1.1)),
    ("sorted", |i, _, _| i as f64),
    ("reversed", |i, n, _| (n - i) as f64),
    ("constant", |_, _, _| 4.0),
    ("few values", |_, _, random| (5.0 * random.unit().powi(2)).floor()),
    ("mixture", |_, _, random| if random.unit() < 0.3 { 0.0 } else { random.normal() }),
    // Low and high in turn, closing in on the middle: every new value falls between all before.
    ("zig-zag", |i, n, _| if i % 2 == 0 { i as f64 } else { (2 * n - i) as f64 }),
    ("zig-zag outwards", |i, n, _| if i % 2 == 0 { (n - i) as f64 } else { (n + i) as f64 }),
    ("organ pipe", |i, n, _| i.min(n - i) as f64),
    // In every block two low values in each of four lanes: half a stride, the worst remainder, and
    // nothing in the lanes whose offsets mirror theirs.
    ("half the lanes", |i, n, _| if i % 8 < 4 && i % 256 < 16 { i as f64 } else { (n + i) as f64 }),
    // One low value in each lane of a block and low in the last block's place: odd counts everywhere.
    ("one a lane", |i, n, _| if i % 256 < 8 { i as f64 } else { (n + i) as f64 }),
];

/// The largest difference between estimated and true rank at any point, and those at `grid`, as shares.
fn errors(view: &SortedView, sorted: &[f64], grid: &[f64]) -> (f64, Vec<f64>) {
    let n = sorted.len() as f64;
    let (values, cumulative) = (view.values(), view.cumulative());
    let (mut worst, mut below, mut estimate) = (0.0f64, 0, 0);
    for (i, &value) in values.iter().enumerate() {
        if i > 0 && values[i - 1] == value {
            estimate = cumulative[i];
            continue;
        }
        // Just below `value` the estimate is still that of the values before it.
        let at_or_below = below + sorted[below..].partition_point(|&x| x <= values[i.max(1) - 1] && i > 0);
        worst = worst.max((estimate as f64 - at_or_below as f64).abs());
        below = at_or_below + sorted[at_or_below..].partition_point(|&x| x < value);
        worst = worst.max((estimate as f64 - below as f64).abs());
        estimate = cumulative[i];
    }
    let last = values.last().map_or(0, |&last| sorted.partition_point(|&x| x <= last));
    worst = worst.max((estimate as f64 - last as f64).abs()).max((sorted.len() - last) as f64);
    let at = |q: &f64| {
        let x = sorted[((q * n) as usize).min(sorted.len() - 1)];
        (view.rank(x).unwrap() - sorted.partition_point(|&y| y <= x) as f64 / n).abs()
    };
    (worst / n, grid.iter().map(at).collect())
}

/// A sketch of the data, whole or merged in random order from parts of very different sizes.
fn sketch(data: &[f64], k: u16, tree: bool, random: &mut Random) -> KllSketch {
    let mut parts = vec![];
    let mut rest = data;
    while !rest.is_empty() {
        // From one row to a third of all, every order of magnitude alike.
        let size = (data.len() as f64 / 3.0).powf(random.unit()) as usize;
        let (part, after) = rest.split_at(if tree { size.clamp(1, rest.len()) } else { rest.len() });
        let mut sketch = KllSketch::try_new(k, random.next()).unwrap();
        if random.below(2) == 0 {
            sketch.expect(part.len() as u64);
        }
        sketch.update(part);
        parts.push(sketch);
        rest = after;
    }
    while parts.len() > 1 {
        let mut part = parts.swap_remove(random.below(parts.len()));
        if random.below(4) == 0 {
            part = KllSketch::from_bytes(&part.to_bytes()).unwrap();
        }
        let to = random.below(parts.len());
        parts[to].merge(&part);
    }
    parts.pop().unwrap()
}

/// The value that 99 % do not exceed.
fn at_99(mut errors: Vec<f64>) -> f64 {
    errors.sort_by(f64::total_cmp);
    errors[(errors.len() * 99).div_ceil(100) - 1]
}

/// Checks every shape, whole and through merges, and prints what share of the promise the errors at 99 %
/// used: of all ranks at once, of one rank.
fn simulate(k: u16, n: usize, trials: usize) {
    let grid: Vec<f64> = (1..20).map(|i| f64::from(i) / 20.0).chain([0.001, 0.01, 0.99, 0.999]).collect();
    for (seed, (shape, value)) in SHAPES.iter().enumerate() {
        let random = &mut Random(seed as u64 + 1000 * n as u64);
        let data: Vec<f64> = (0..n).map(|i| value(i, n, random) + 0.0).collect();
        let mut sorted = data.clone();
        sorted.sort_by(f64::total_cmp);
        for tree in [false, true] {
            let (mut all, mut single, mut promise) = (vec![], vec![], (0.0f64, 0.0f64));
            for _ in 0..trials {
                let sketch = sketch(&data, k, tree, random);
                let read = KllSketch::from_bytes(&sketch.to_bytes()).unwrap();
                assert_eq!(
                    (read.n(), read.min(), read.max()),
                    (n as u64, sorted.first().copied(), sorted.last().copied())
                );
                let (worst, at_grid) = errors(&read.sorted_view(), &sorted, &grid);
                if read.is_exact() {
                    assert_eq!(worst, 0.0, "{shape}, k {k}, n {n}");
                }
                promise = (promise.0.max(read.all_rank_error()), promise.1.max(read.rank_error()));
                all.push(worst);
                single.extend(at_grid);
            }
            if promise.0 == 0.0 {
                continue;
            }
            let used = (at_99(all) / promise.0, at_99(single) / promise.1);
            println!("k {k:4} n {n:8} tree {tree:5} {shape:17} all {:.2} one {:.2}", used.0, used.1);
            assert!(used.0 < MARGIN && used.1 < MARGIN, "{shape}, k {k}, n {n}, tree {tree}: {used:?}");
        }
    }
}

#[test]
fn small_sketches_keep_their_promise() {
    for (n, trials) in [(1, 2), (19, 2), (100, 200), (3000, 200), (50_000, 100)] {
        simulate(8, n, trials);
    }
}

#[test]
fn middling_sketches_keep_their_promise() {
    for (n, trials) in [(1, 2), (500, 4), (1000, 200), (10_000, 100), (200_000, 50)] {
        simulate(200, n, trials);
    }
}

#[test]
fn default_sketches_keep_their_promise() {
    for (n, trials) in [(4000, 2), (9000, 100), (130_000, 50), (2_500_000, 8)] {
        simulate(KllSketch::DEFAULT_K, n, trials);
    }
}
