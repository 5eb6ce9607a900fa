//! Bounds of frequent items over streams of every shape and through random merges, with fixed
//! seeds; and the ways in that must say the same.
use driftline_sketches::frequent::Item;
use driftline_sketches::hash::hash_bytes;
use driftline_sketches::{FrequentItems, ValueCounter};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::{BTreeMap, HashMap};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

const N: u64 = 60_000;

/// Streams of `N` integers.
fn streams() -> Vec<(&'static str, Vec<i64>)> {
    let mut random = Random(4);
    let mut stream = |value: &mut dyn FnMut(&mut Random, u64) -> i64| -> Vec<i64> {
        (0..N).map(|i| value(&mut random, i)).collect()
    };
    // Rank r comes about 1 / r of the time.
    let zipf = stream(&mut |random, _| (random.unit() * (1e5f64).ln()).exp() as i64);
    let mut sorted = zipf.clone();
    sorted.sort_unstable();
    let reversed = sorted.iter().rev().copied().collect();
    vec![
        ("zipf", zipf),
        ("zipf, frequent first", sorted),
        ("zipf, rare first", reversed),
        ("uniform", stream(&mut |random, _| random.below(3000) as i64)),
        ("unique", stream(&mut |_, i| i as i64)),
        ("constant", stream(&mut |_, _| 7)),
        ("a mode among unique", stream(&mut |_, i| if i % 3 == 0 { -1 } else { i as i64 })),
        // Each value fills a counter just before a purge takes it away.
        ("rounds", stream(&mut |_, i| (i % 97) as i64)),
        ("blocks", stream(&mut |_, i| (i / 300) as i64)),
        ("a late flood", stream(&mut |_, i| if i < N / 2 { (i % 20) as i64 } else { i as i64 })),
    ]
}

/// One summary of a stream cut at random, each part added in one of the ways, merged at random.
fn summary<T: Item>(
    lg_max: u8,
    values: &[T],
    mut add: impl FnMut(&mut FrequentItems<T>, &[T], u64),
) -> FrequentItems<T> {
    let mut random = Random(u64::from(lg_max));
    let empty = FrequentItems::try_new(lg_max).expect("in range");
    let mut parts = vec![empty; 1 + random.below(8) as usize];
    let mut rest = values;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rest.len().min(1 + random.below(2500) as usize));
        let at = random.below(parts.len() as u64) as usize;
        add(&mut parts[at], chunk, random.below(3));
        rest = behind;
    }
    while parts.len() > 1 {
        let part = parts.swap_remove(random.below(parts.len() as u64) as usize);
        let at = random.below(parts.len() as u64) as usize;
        parts[at].merge(&part);
    }
    parts.swap_remove(0)
}

fn check<T: Item + std::hash::Hash + std::fmt::Debug>(
    name: &str,
    lg_max: u8,
    values: &[T],
    summary: &FrequentItems<T>,
) {
    let mut truth: HashMap<&T, u64> = HashMap::new();
    values.iter().for_each(|value| *truth.entry(value).or_insert(0) += 1);
    let bound = 3.5 / f64::from(1u32 << lg_max) * values.len() as f64;
    let stored = FrequentItems::from_bytes(&summary.to_bytes()).expect("our own image");
    for sketch in [summary, &stored, &summary.without_rare()] {
        assert_eq!(sketch.total(), values.len() as u64);
        assert!(sketch.len() <= sketch.capacity(), "{name}");
        assert!(sketch.max_error() as f64 <= bound.max(1.0), "{name}: {} > {bound}", sketch.max_error());
        for (item, &count) in &truth {
            let (lower, estimate, upper) = sketch.count(item.as_ref());
            assert!(
                lower <= count && count <= upper && estimate <= upper,
                "{name} {item:?}: {lower} {count} {upper}"
            );
        }
        // Whatever comes more often than twice the error is found.
        let shown = sketch.items_above(0);
        for (item, &count) in &truth {
            assert!(
                count <= 2 * sketch.max_error() || shown.iter().any(|row| row.item == **item),
                "{name} {item:?}"
            );
        }
    }
    assert!(truth.len() > summary.capacity() || summary.max_error() == 0, "{name}");
    let error = summary.max_error();
    assert!(error as f64 <= 1.6 / f64::from(1u32 << lg_max) * values.len() as f64, "{name}: {error}");
    // What leaves the process.
    let clean = summary.without_rare();
    assert_eq!(clean.without_rare().to_bytes(), clean.to_bytes(), "{name}");
    for (item, &count) in &truth {
        if clean.count(item.as_ref()).0 > 0 {
            assert!(count > error, "{name}: {item:?} is not proven to be frequent");
            assert!(count > 1 || truth.len() * 2 <= values.len(), "{name}: {item:?} came once");
        }
    }
}

#[test]
fn bounds_hold_for_integers() {
    for (name, values) in streams() {
        for lg_max in [3, 6, 11] {
            let summary = summary(lg_max, &values, |summary, chunk, way| match way {
                0 => summary.update_all(chunk),
                1 => chunk.iter().for_each(|value| summary.update(value, 1)),
                _ => summary.update_counts(chunk.iter().map(|value| (value, 1))),
            });
            check(name, lg_max, &values, &summary);
        }
    }
}

#[test]
fn bounds_hold_for_strings() {
    let mut counter = ValueCounter::default();
    for (name, values) in streams() {
        let values: Vec<Box<[u8]>> = values.iter().map(|v| format!("{v}").into_bytes().into()).collect();
        for lg_max in [5, 11] {
            let summary = summary(lg_max, &values, |summary, chunk, way| match way {
                0 => counter.count(chunk.iter().map(|v| &**v), |groups| summary.update_groups(groups)),
                1 => chunk.iter().for_each(|value| summary.update(value, 1)),
                _ => summary.update_counts(chunk.iter().map(|value| (&**value, 1))),
            });
            check(name, lg_max, &values, &summary);
        }
    }
}

/// A flood of values that come once costs a frequent one nothing but the stated error.
#[test]
fn ids_never_leave() {
    let ids: Vec<i64> = (0..N as i64).collect();
    let mut summary = FrequentItems::try_new(11).expect("in range");
    summary.update_all(&ids);
    assert!(summary.without_rare().is_empty());
    let mut few = FrequentItems::try_new(11).expect("in range");
    few.update_all(&[1, 2, 3, 4, 5, 5, 6]);
    let shown: Vec<_> = few.without_rare().items_above(0).into_iter().map(|row| row.item).collect();
    assert_eq!(shown, [5]);
    assert_eq!(few.without_rare().count(&6), (0, 0, 1));
    let mut categories = FrequentItems::try_new(11).expect("in range");
    categories.update_all(&[1, 1, 2, 2, 2, 3]);
    assert_eq!(categories.without_rare(), categories, "a rare category is no id");
}

#[test]
fn sizes_meet_at_the_smaller() {
    let mut large = FrequentItems::try_new(11).expect("in range");
    let mut small = FrequentItems::try_new(4).expect("in range");
    large.update_all(&(0..1000).collect::<Vec<i64>>());
    small.update_all(&[5; 100]);
    let (mut left, mut right) = (large.clone(), small.clone());
    left.merge(&small);
    right.merge(&large);
    for merged in [left, right] {
        assert_eq!((merged.lg_max(), merged.total()), (4, 1100));
        assert!(merged.len() <= merged.capacity() && merged.max_error() as f64 <= 1.6 / 16.0 * 1100.0);
        assert_eq!(merged.items_above(0)[0].item, 5);
    }
    assert_eq!(
        FrequentItems::<i64>::try_new(2).expect_err("too small").to_string(),
        "lg_max is 2: it must be 3 to 20"
    );
}

fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(9001), failure_persistence: None, ..Default::default() }
}

/// Short and long strings, many of them alike in parts.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(0u8..2, 0..20),
        vec(any::<u8>(), 0..40),
        (0u8..3, 14usize..40).prop_map(|(byte, len)| {
            let mut text = vec![7; len];
            text[len / 2] = byte;
            text
        }),
    ]
}

proptest! {
    #![proptest_config(fixed(200))]

    #[test]
    fn a_counter_counts(batches in vec(vec(text(), 0..300), 0..4)) {
        let mut counter = ValueCounter::default();
        for batch in batches {
            let mut truth: BTreeMap<&[u8], u64> = BTreeMap::new();
            batch.iter().for_each(|value| *truth.entry(value).or_insert(0) += 1);
            let mut counts: BTreeMap<&[u8], u64> = BTreeMap::new();
            counter.count(batch.iter().map(|value| &value[..]), |groups| {
                for &(value, hash, count) in groups {
                    assert_eq!(hash, hash_bytes(value));
                    *counts.entry(value).or_insert(0) += count;
                }
            });
            prop_assert_eq!(counts, truth);
        }
    }
}

#[test]
fn a_counter_hands_over_when_full() {
    let mut counter = ValueCounter::default();
    // Ids, then few values, then both: the counter changes its way in between.
    let texts: Vec<String> = (0..40_000u32)
        .map(|i| if i < 15_000 || i % 2 == 0 && i > 30_000 { i.to_string() } else { (i % 9).to_string() })
        .collect();
    let mut truth: HashMap<&[u8], u64> = HashMap::new();
    texts.iter().for_each(|text| *truth.entry(text.as_bytes()).or_insert(0) += 1);
    let (mut counts, mut flushes) = (HashMap::new(), 0);
    counter.count(texts.iter().map(|text| text.as_bytes()), |groups| {
        flushes += 1;
        let mut once: Vec<_> = groups.iter().map(|group| group.0).collect();
        once.sort_unstable();
        assert!(once.windows(2).all(|pair| pair[0] != pair[1]), "a value twice in one flush");
        for &(value, hash, count) in groups {
            assert_eq!(hash, hash_bytes(value));
            *counts.entry(value).or_insert(0) += count;
        }
    });
    assert_eq!(counts, truth);
    assert!((4..=6).contains(&flushes), "{flushes}");
}
