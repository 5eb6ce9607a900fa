//! The laws that every sketch keeps: merging equals the whole, order does not matter, the empty
//! sketch adds nothing, what is stored comes back, and bounds hold.
//!
//! A sketch says what "equal" and "holds" mean for it; the laws are written once.
use driftline_sketches::bins::Categories;
use driftline_sketches::{CategoryBins, FrequentItems, HllSketch, KllSketch, Moments, NumberBins};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

trait Sketch: Clone + Debug {
    type Value: Clone + Debug;

    /// A sketch of nothing.
    fn empty() -> Self;
    fn update(&mut self, values: &[Self::Value]);
    fn merge(&mut self, other: &Self);
    /// Written and read again.
    fn stored(&self) -> Self;
    /// Gives the same answers to the last bit.
    fn same(&self, other: &Self) -> bool;
    /// Gives answers as close as is promised for the same values in another order or cut.
    fn agrees(&self, other: &Self) -> bool;
    /// Every answer about `values` is within its stated bounds.
    fn holds(&self, values: &[Self::Value]);

    fn of(values: &[Self::Value]) -> Self {
        let mut new = Self::empty();
        new.update(values);
        new
    }
}

/// Cuts at some places, a sketch of each piece, then merges of random pairs until one is left.
fn merged<S: Sketch>(values: &[S::Value], cuts: &[Index], pairs: &[Index]) -> S {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(values.len() + 1)).collect();
    places.extend([0, values.len()]);
    places.sort_unstable();
    let mut sketches: Vec<S> = places.windows(2).map(|w| S::of(&values[w[0]..w[1]])).collect();
    for pair in pairs.iter().cycle() {
        let other = sketches.swap_remove(pair.index(sketches.len()));
        if sketches.is_empty() {
            return other;
        }
        let at = pair.index(sketches.len());
        sketches[at].merge(&other);
    }
    S::of(values)
}

fn merge_equals_whole<S: Sketch>(values: &[S::Value], cuts: &[Index], pairs: &[Index]) {
    let (whole, parts) = (S::of(values), merged::<S>(values, cuts, pairs));
    whole.holds(values);
    parts.holds(values);
    assert!(parts.agrees(&whole), "{parts:?} is not {whole:?}");
}

fn order_does_not_matter<S: Sketch>(values: &[S::Value], keys: &[u64]) {
    let mut order: Vec<_> = (0..values.len()).collect();
    order.sort_by_key(|&i| (keys[i % keys.len()].wrapping_mul(i as u64 | 1), i));
    let shuffled: Vec<_> = order.into_iter().map(|i| values[i].clone()).collect();
    let (one, other) = (S::of(values), S::of(&shuffled));
    other.holds(values);
    assert!(other.agrees(&one), "{other:?} is not {one:?}");
}

fn empty_adds_nothing<S: Sketch>(values: &[S::Value]) {
    let one = S::of(values);
    let mut left = one.clone();
    left.merge(&S::empty());
    left.update(&[]);
    assert!(left.same(&one), "{left:?} is not {one:?}");
    let mut right = S::empty();
    right.merge(&one);
    right.holds(values);
    assert!(right.agrees(&one), "{right:?} is not {one:?}");
}

fn stored_comes_back<S: Sketch>(values: &[S::Value], more: &[S::Value]) {
    let one = S::of(values);
    let mut back = one.stored();
    // A sketch may be stored smaller than it lives, but only once.
    assert!(back.agrees(&one), "{back:?} is not {one:?}");
    assert!(back.stored().same(&back), "{back:?} changes when it is stored again");
    back.merge(&S::of(more).stored());
    back.holds(&[values, more].concat());
}

fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(9001), failure_persistence: None, ..Default::default() }
}

macro_rules! laws {
    ($name:ident, $sketch:ty, $values:expr) => {
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(fixed(48))]

                #[test]
                fn merge_equals_whole(
                    values in $values,
                    cuts in vec(any::<Index>(), 0..12),
                    pairs in vec(any::<Index>(), 1..12),
                ) {
                    super::merge_equals_whole::<$sketch>(&values, &cuts, &pairs);
                }

                #[test]
                fn order_does_not_matter(values in $values, keys in vec(any::<u64>(), 1..9)) {
                    super::order_does_not_matter::<$sketch>(&values, &keys);
                }

                #[test]
                fn empty_adds_nothing(values in $values) {
                    super::empty_adds_nothing::<$sketch>(&values);
                }

                #[test]
                fn stored_comes_back(values in $values, more in $values) {
                    super::stored_comes_back::<$sketch>(&values, &more);
                }
            }
        }
    };
}

/// Doubles with ties, extremes and many or few distinct values; no NaN and no negative zero.
fn doubles() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        vec((-5i8..5).prop_map(f64::from), 0..60),
        vec(-1e3..1e3f64, 0..3000),
        vec(prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(0.0), -1e300..1e300f64], 0..90),
    ]
}

/// Integers, of which some come far more often than others.
fn integers() -> impl Strategy<Value = Vec<i64>> {
    prop_oneof![
        vec(-4i64..4, 0..60),
        vec((0i64..40).prop_map(|i| i * i * i / 400), 0..900),
        vec(prop_oneof![3 => 0i64..3, 1 => any::<i64>()], 0..900),
    ]
}

fn strings() -> impl Strategy<Value = Vec<Box<[u8]>>> {
    let text = |i: i64| i.to_string().repeat((i & 3) as usize).into_bytes().into_boxed_slice();
    integers().prop_map(move |values| values.into_iter().map(text).collect())
}

laws!(kll, KllSketch, doubles());
laws!(hll, HllSketch, doubles());
laws!(frequent_integers, FrequentItems<i64>, integers());
laws!(frequent_strings, FrequentItems<Box<[u8]>>, strings());
laws!(moments, Moments, vec(-1e3..1e3f64, 0..3000));
laws!(number_bins, NumberBins, doubles());
laws!(category_bins, CategoryBins, strings());

impl Sketch for KllSketch {
    type Value = f64;

    fn empty() -> Self {
        Self::try_new(200, 1).expect("k is in range")
    }
    fn update(&mut self, values: &[f64]) {
        KllSketch::update(self, values);
    }
    fn merge(&mut self, other: &Self) {
        KllSketch::merge(self, other);
    }
    fn stored(&self) -> Self {
        Self::from_bytes(&self.to_bytes()).expect("our own image")
    }
    fn same(&self, other: &Self) -> bool {
        let (a, b) = (self.sorted_view(), other.sorted_view());
        self.agrees(other) && a.values() == b.values() && a.cumulative() == b.cumulative()
    }
    fn agrees(&self, other: &Self) -> bool {
        (self.n(), self.min(), self.max()) == (other.n(), other.min(), other.max())
    }
    fn holds(&self, values: &[f64]) {
        let n = values.len();
        assert_eq!(self.n(), n as u64);
        assert_eq!(self.min(), values.iter().copied().reduce(f64::min));
        assert_eq!(self.max(), values.iter().copied().reduce(f64::max));
        let view = self.sorted_view();
        assert_eq!(view.n(), n as u64);
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        for &x in &sorted {
            let truth = sorted.partition_point(|&v| v <= x) as f64 / n as f64;
            let rank = view.rank(x).expect("not empty");
            // The bound of all ranks holds in 99 of 100 sketches; twice as much always does.
            assert!((rank - truth).abs() <= 2.0 * self.all_rank_error(), "{x}: {rank}, not {truth}");
        }
    }
}

impl Sketch for HllSketch {
    type Value = f64;

    fn empty() -> Self {
        Self::new()
    }
    fn update(&mut self, values: &[f64]) {
        self.update_f64(values);
    }
    fn merge(&mut self, other: &Self) {
        HllSketch::merge(self, other);
    }
    fn stored(&self) -> Self {
        Self::from_bytes(&self.to_bytes()).expect("our own image")
    }
    fn same(&self, other: &Self) -> bool {
        self == other && self.to_bytes() == other.to_bytes() && self.estimate() == other.estimate()
    }
    fn agrees(&self, other: &Self) -> bool {
        self.same(other)
    }
    fn holds(&self, values: &[f64]) {
        let distinct: BTreeSet<_> = values.iter().map(|x| x.to_bits()).collect();
        let n = distinct.len() as f64;
        let (lower, estimate, upper) = (self.lower_bound(3), self.estimate(), self.upper_bound(3));
        assert!(lower <= estimate && estimate <= upper);
        // Six standard deviations: beyond chance.
        assert!((estimate - n).abs() <= n * 6.0 * 0.0162, "{estimate} of {n}");
        assert!(n > 384.0 || (estimate - n).abs() < 0.001, "{estimate} of {n}");
        assert_eq!(self.is_empty(), values.is_empty());
    }
}

/// So small that few distinct items make it purge.
const LG_MAX: u8 = 4;

/// What holds of frequent items of any type.
macro_rules! frequent {
    ($item:ty, $self:ident, $values:ident, $update:block) => {
        impl Sketch for FrequentItems<$item> {
            type Value = $item;

            fn empty() -> Self {
                Self::try_new(LG_MAX).expect("in range")
            }
            fn update(&mut $self, $values: &[$item]) $update
            fn merge(&mut self, other: &Self) {
                FrequentItems::merge(self, other);
            }
            fn stored(&self) -> Self {
                Self::from_bytes(&self.to_bytes()).expect("our own image")
            }
            fn same(&self, other: &Self) -> bool {
                self == other && self.items_above(0) == other.items_above(0)
            }
            fn agrees(&self, other: &Self) -> bool {
                self.total() == other.total()
                    && (self.same(other) || self.max_error() > 0 || other.max_error() > 0)
            }
            fn holds(&self, values: &[$item]) {
                let mut truth = BTreeMap::new();
                values.iter().for_each(|v| *truth.entry(v.clone()).or_insert(0u64) += 1);
                for sketch in [self, &self.without_rare()] {
                    assert_eq!(sketch.total(), values.len() as u64);
                    assert!(sketch.len() <= sketch.capacity());
                    let bound = 3.5 / f64::from(1u32 << LG_MAX) * values.len() as f64;
                    assert!(sketch.max_error() as f64 <= bound.max(1.0), "{} > {bound}", sketch.max_error());
                    for (item, &count) in &truth {
                        let (lower, _, upper) = sketch.count(item);
                        assert!(lower <= count && count <= upper, "{lower} <= {count} <= {upper}");
                    }
                    for row in sketch.items_above(0) {
                        assert!(row.lower_bound > sketch.max_error());
                        assert_eq!(
                            (row.lower_bound, row.estimate, row.upper_bound),
                            sketch.count(&row.item)
                        );
                    }
                }
                assert!(truth.len() > self.capacity() || self.max_error() == 0);
            }
        }
    };
}

frequent!(i64, self, values, {
    self.update_all(values);
});
frequent!(Box<[u8]>, self, values, {
    // Three ways in that must say the same.
    let (one, rest) = values.split_at(values.len() / 3);
    let (many, batch) = rest.split_at(rest.len() / 2);
    one.iter().for_each(|value| FrequentItems::update(self, value, 1));
    self.update_counts(many.iter().map(|value| (&**value, 1)));
    driftline_sketches::ValueCounter::default()
        .count(batch.iter().map(|value| &**value), |groups| self.update_groups(groups));
});

impl Sketch for Moments {
    type Value = f64;

    fn empty() -> Self {
        Self::new()
    }
    fn update(&mut self, values: &[f64]) {
        Moments::update(self, values);
    }
    fn merge(&mut self, other: &Self) {
        Moments::merge(self, other);
    }
    fn stored(&self) -> Self {
        let (n, mean, m2, m3, m4) = self.parts();
        Self::from_parts(n, mean, m2, m3, m4)
    }
    fn same(&self, other: &Self) -> bool {
        self == other
    }
    fn agrees(&self, other: &Self) -> bool {
        let ((n, mean, a2, a3, a4), (m, other_mean, b2, b3, b4)) = (self.parts(), other.parts());
        let sigma = (a2 / n.max(1) as f64).sqrt();
        let scale = |r: i32| 1e-12 * n as f64 * sigma.powi(r);
        n == m
            && (mean - other_mean).abs() <= 1e-12 * mean.abs().max(sigma)
            && (a2 - b2).abs() <= scale(2)
            && (a3 - b3).abs() <= scale(3)
            && (a4 - b4).abs() <= scale(4)
    }
    fn holds(&self, values: &[f64]) {
        // Two passes.
        let n = values.len() as f64;
        let mean = if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / n };
        let sum = |r: i32| values.iter().map(|x| (x - mean).powi(r)).sum::<f64>();
        let truth = Self::from_parts(values.len() as u64, mean, sum(2), sum(3), sum(4));
        assert!(self.agrees(&truth), "{self:?} is not {truth:?}");
    }
}

impl Sketch for NumberBins {
    type Value = f64;

    fn empty() -> Self {
        Self::try_new(Arc::from(EDGES)).expect("edges ascend")
    }
    fn update(&mut self, values: &[f64]) {
        NumberBins::update(self, values);
    }
    fn merge(&mut self, other: &Self) {
        NumberBins::merge(self, other).expect("the same edges");
    }
    fn stored(&self) -> Self {
        Self::from_parts(self.edges().into(), self.counts().to_vec()).expect("our own parts")
    }
    fn same(&self, other: &Self) -> bool {
        self == other
    }
    fn agrees(&self, other: &Self) -> bool {
        self == other
    }
    fn holds(&self, values: &[f64]) {
        for (i, &count) in self.counts().iter().enumerate() {
            let above = if i == 0 { f64::NEG_INFINITY } else { EDGES[i - 1] };
            let inside = |x: f64| (i == 0 || x > above) && EDGES.get(i).is_none_or(|&edge| x <= edge);
            assert_eq!(count, values.iter().filter(|&&x| inside(x)).count() as u64, "bin {i}");
        }
    }
}

const EDGES: [f64; 6] = [-1e100, -3.0, 0.0, 1.0, 500.0, f64::INFINITY];

impl Sketch for CategoryBins {
    type Value = Box<[u8]>;

    fn empty() -> Self {
        let names = NAMES.map(|name| name.as_bytes().into()).to_vec();
        Self::new(Arc::new(Categories::try_new(names).expect("distinct")))
    }
    fn update(&mut self, values: &[Box<[u8]>]) {
        values.iter().for_each(|value| CategoryBins::update(self, value, 1));
    }
    fn merge(&mut self, other: &Self) {
        CategoryBins::merge(self, other).expect("the same categories");
    }
    fn stored(&self) -> Self {
        Self::from_parts(self.categories().clone(), self.counts().to_vec()).expect("our own parts")
    }
    fn same(&self, other: &Self) -> bool {
        self == other
    }
    fn agrees(&self, other: &Self) -> bool {
        self == other
    }
    fn holds(&self, values: &[Box<[u8]>]) {
        let count = |name: &str| values.iter().filter(|v| &***v == name.as_bytes()).count() as u64;
        let mut truth: Vec<_> = NAMES.iter().map(|name| count(name)).collect();
        truth.push(values.len() as u64 - truth.iter().sum::<u64>());
        assert_eq!(self.counts(), truth);
    }
}

const NAMES: [&str; 4] = ["", "1", "22", "-1-1-1"];
