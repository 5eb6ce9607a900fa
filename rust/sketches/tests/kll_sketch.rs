//! What the KLL sketch promises apart from its error bounds.
use driftline_sketches::kll::{KllSketch, KllStrings};
use proptest::collection::vec;
use proptest::prelude::*;

fn sketch(k: u16, values: &[f64]) -> KllSketch {
    let mut sketch = KllSketch::try_new(k, 7).unwrap();
    sketch.update(values);
    sketch
}

/// Each number below n once, unless n is a multiple of the prime, in an order that is not theirs.
fn scrambled(n: u64) -> Vec<f64> {
    (0..n).map(|i| (i * 2_654_435_761 % n) as f64).collect()
}

fn same(a: &KllSketch, b: &KllSketch) -> bool {
    let (x, y) = (a.sorted_view(), b.sorted_view());
    (a.n(), a.min(), a.max()) == (b.n(), b.min(), b.max())
        && x.values() == y.values()
        && x.cumulative() == y.cumulative()
}

#[test]
fn an_empty_sketch_says_so() {
    let empty = KllSketch::try_new(200, 0).unwrap();
    assert!(empty.is_empty() && empty.is_exact());
    assert_eq!((empty.n(), empty.min(), empty.max()), (0, None, None));
    assert_eq!((empty.rank_error(), empty.all_rank_error()), (0.0, 0.0));
    assert_eq!(empty.sorted_view().quantile(0.5), None);
    assert!(same(&KllSketch::from_bytes(&empty.to_bytes()).unwrap(), &empty));
}

/// Exact or not, of a `k` whose image holds what the sketch does and of one whose image does not.
#[test]
fn quantiles_and_image_together_are_those_apart() {
    let shares = [0.0, 0.01, 0.25, 0.5, 0.99, 1.0];
    for k in [8, 20, 128, 1600] {
        for n in [0, 1, 19, 20, 51, 300, 5000] {
            let sketch = sketch(k, &scrambled(n));
            let (quantiles, bytes) = sketch.clone().quantiles_and_bytes(&shares);
            let view = sketch.sorted_view();
            assert_eq!(bytes, sketch.to_bytes(), "{k} {n}");
            let apart: Vec<f64> = shares.iter().filter_map(|share| view.quantile(*share)).collect();
            assert_eq!(quantiles, apart, "{k} {n}");
        }
    }
}

/// Whatever it held, and whether or not it was asked for its image, which compacts it.
#[test]
fn a_cleared_sketch_is_a_new_one() {
    for (k, before, after) in [(8, 5000, 900), (128, 90_000, 1400), (128, 100, 90_000), (1600, 9000, 0)] {
        let new = sketch(k, &scrambled(after));
        for images in [false, true] {
            let mut cleared = KllSketch::try_new(k, 77).unwrap();
            cleared.update(&scrambled(before));
            if images {
                cleared.quantiles_and_bytes(&[0.5]);
            }
            cleared.clear(7);
            cleared.update(&scrambled(after));
            assert!(same(&cleared, &new), "{k} {before} {after}");
            assert_eq!(cleared.to_bytes(), new.to_bytes(), "{k} {before} {after}");
            let mut merged = [cleared, new.clone()];
            merged.iter_mut().for_each(|sketch| sketch.merge(&new));
            assert_eq!(merged[0].to_bytes(), merged[1].to_bytes(), "{k} {before} {after}");
        }
    }
}

#[test]
fn a_small_k_is_refused() {
    let error = KllSketch::try_new(7, 0).unwrap_err();
    assert_eq!(error.to_string(), "k is 7: it must be 8 to 65535");
}

#[test]
fn it_is_exact_until_two_and_a_half_k() {
    for k in [200u16, 1600] {
        let n = u64::from(k) * 5 / 2;
        let values = scrambled(n);
        let exact = sketch(k, &values);
        assert!(exact.is_exact());
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(exact.sorted_view().values(), sorted);
        let read = KllSketch::from_bytes(&exact.to_bytes()).unwrap();
        assert!(read.is_exact() && same(&read, &exact));
        let mut twice = exact.clone();
        twice.merge(&exact);
        assert!(!twice.is_exact() && twice.rank_error() > 0.0);
    }
}

#[test]
fn weights_are_counted_without_loss() {
    let mut weighted = KllSketch::try_new(200, 0).unwrap();
    for (value, weight) in [(3.0, 5), (1.0, 1), (2.0, 1 << 40), (9.0, 0)] {
        weighted.update_weighted(value, weight);
    }
    let n = (1u64 << 40) + 6;
    assert_eq!((weighted.n(), weighted.min(), weighted.max()), (n, Some(1.0), Some(3.0)));
    assert!(weighted.is_exact());
    for again in [weighted.clone(), KllSketch::from_bytes(&weighted.to_bytes()).unwrap()] {
        let view = again.sorted_view();
        assert_eq!(view.rank(1.0), Some(1.0 / n as f64));
        assert_eq!(view.rank_exclusive(3.0), Some((n - 5) as f64 / n as f64));
        assert_eq!(view.n(), n);
    }
}

#[test]
fn many_weights_stay_small_and_near() {
    // Value i has weight i, so the share at or below i is about (i / 10,000)².
    let mut weighted = KllSketch::try_new(200, 1).unwrap();
    for i in scrambled(10_000) {
        weighted.update_weighted(i, i as u64);
    }
    let view = weighted.sorted_view();
    assert_eq!(view.n(), 10_000 * 9_999 / 2);
    assert!(view.values().len() < 10_000);
    for i in (500..10_000).step_by(500) {
        let truth = f64::from(i) / 10_000.0 * f64::from(i + 1) / 9_999.0;
        assert!((view.rank(f64::from(i)).unwrap() - truth).abs() < weighted.all_rank_error(), "{i}");
    }
}

#[test]
fn merging_takes_the_smaller_k_unless_it_lost_nothing() {
    let large = sketch(800, &scrambled(1 << 14));
    let (coarse, few) = (sketch(200, &scrambled(1 << 14)), sketch(200, &[1.0, 2.0]));
    let mut merged = large.clone();
    merged.merge(&few);
    assert_eq!(merged.rank_error(), large.rank_error());
    merged.merge(&coarse);
    assert_eq!((merged.k(), merged.rank_error()), (800, coarse.rank_error()));
    let read = KllSketch::from_bytes(&merged.to_bytes()).unwrap();
    assert_eq!((read.k(), read.rank_error()), (800, coarse.rank_error()));
}

#[test]
fn infinities_are_values() {
    let both = sketch(200, &[f64::INFINITY, 0.0, f64::NEG_INFINITY]);
    let read = KllSketch::from_bytes(&both.to_bytes()).unwrap();
    assert_eq!((read.min(), read.max()), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
    assert_eq!(read.sorted_view().rank(f64::MAX), Some(2.0 / 3.0));
}

#[test]
fn memory_does_not_grow_with_n() {
    let mut sizes = vec![];
    let mut sketch = KllSketch::try_new(200, 3).unwrap();
    for chunk in scrambled(1 << 22).chunks(1 << 18) {
        sketch.update(chunk);
        sizes.push(sketch.sorted_view().values().len());
    }
    assert!(sizes.iter().all(|&size| size < 200 * 25), "{sizes:?}");
    assert!(sketch.to_bytes().len() < 8 * 3 * 200 + 400);
}

#[test]
fn errors_have_no_direction() {
    // One error has a standard deviation of about .003, the mean of 200 about .0002; a coin that always
    // falls the same way moves it by .0012.
    let values = scrambled(1 << 14);
    let middle = (1 << 13) as f64 - 0.5;
    let error = |seed| {
        let mut sketch = KllSketch::try_new(200, seed).unwrap();
        sketch.update(&values);
        sketch.sorted_view().rank(middle).unwrap() - 0.5
    };
    let mean = (0..200).map(error).sum::<f64>() / 200.0;
    assert!(mean.abs() < 0.0006, "{mean}");
}

#[test]
fn refusals_name_what_is_wrong() {
    let good = sketch(200, &scrambled(1 << 10)).to_bytes();
    let changed = |place: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[place] = byte;
        KllSketch::from_bytes(&bytes).unwrap_err().to_string()
    };
    let cases = [
        (changed(0, 2), "2 longs of preamble, version 1 and flags 0x2 do not go together"),
        (changed(2, 7), "its family is 7, that of KLL is 15"),
        (changed(6, 4), "its smallest level holds 4, readers expect 8"),
        (changed(17, 0xff), "its smallest k is 65480, its k 200"),
        (changed(9, 5), "not to n = 1280"),
        (changed(18, 200), "200 levels for 1024 values"),
        (
            KllSketch::from_bytes(&good[..good.len() - 1]).unwrap_err().to_string(),
            "it ends before its last item",
        ),
        (KllSketch::from_bytes(&[&good[..], &[0]].concat()).unwrap_err().to_string(), "1 bytes follow"),
        (KllSketch::from_bytes(&[]).unwrap_err().to_string(), "it ends before its last item"),
    ];
    for (error, expected) in cases {
        assert!(error.starts_with("not a readable KLL image: ") && error.contains(expected), "{error}");
    }
}

/// Every accepted image answers, merges, and is written again.
fn exercise(bytes: &[u8]) {
    for read in [KllSketch::from_bytes, KllSketch::from_bytes_f32, KllSketch::from_bytes_i64] {
        let Ok(sketch) = read(bytes) else { continue };
        let view = sketch.sorted_view();
        assert_eq!(view.n(), sketch.n());
        assert!(view.values().len() <= bytes.len() / 4);
        assert_eq!(view.quantile(0.5).is_some(), sketch.n() > 0);
        let again = KllSketch::from_bytes(&sketch.to_bytes()).unwrap();
        assert_eq!((again.n(), again.min(), again.max()), (sketch.n(), sketch.min(), sketch.max()));
        let mut merged = again.clone();
        merged.merge(&sketch);
        merged.update(&[0.5; 5000]);
        assert_eq!(merged.n(), 2 * sketch.n() + 5000);
        assert_eq!(merged.sorted_view().n(), merged.n());
        KllSketch::from_bytes(&merged.to_bytes()).unwrap();
    }
    if let Ok(strings) = KllStrings::from_bytes(bytes) {
        assert_eq!(strings.quantile(0.5).is_some(), strings.n() > 0);
        assert_eq!(strings.sorted_view().n(), strings.n());
    }
}

/// An image of strings, which no writer of ours makes: n, offsets, ends and items by hand.
fn strings_image(items: &[&str]) -> Vec<u8> {
    let mut bytes = vec![5, 1, 15, 0, 200, 0, 8, 0];
    bytes.extend((items.len() as u64).to_le_bytes());
    bytes.extend([200, 0, 1, 0]);
    bytes.extend((200 - items.len() as u32).to_le_bytes());
    for item in [items.iter().min().unwrap(), items.iter().max().unwrap()].into_iter().chain(items) {
        bytes.extend((item.len() as u32).to_le_bytes());
        bytes.extend(item.as_bytes());
    }
    bytes
}

#[test]
fn strings_are_ranked_by_their_bytes() {
    let read = KllStrings::from_bytes(&strings_image(&["b", "é", "", "b", "a"])).unwrap();
    assert_eq!((read.n(), read.k(), read.min(), read.max()), (5, 200, Some(""), Some("é")));
    assert_eq!((read.quantile(0.5).as_deref(), read.rank("b")), (Some("b"), Some(0.8)));
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![vec((-5i8..5).prop_map(f64::from), 0..3000), vec(any::<f64>().prop_map(|x| x + 0.0), 0..3000),]
}

proptest! {
    #[test]
    fn cuts_of_the_data_do_not_matter(values in values(), k in 8u16..300, cut in 1usize..700) {
        let whole = sketch(k, &values);
        let mut cut_up = KllSketch::try_new(k, 7).unwrap();
        values.chunks(cut).for_each(|chunk| cut_up.update(chunk));
        prop_assert!(same(&whole, &cut_up));
    }

    #[test]
    fn weights_at_edges_are_those_of_the_sorted_view(
        values in values(), k in 8u16..300, edges in vec(-10.0..10.0f64, 0..8),
    ) {
        let sketch = sketch(k, &values);
        let view = sketch.sorted_view();
        let mut edges = edges;
        edges.extend(values.iter().step_by(7));
        edges.sort_by(f64::total_cmp);
        let expected = edges.iter().map(|&x| (view.rank(x).unwrap_or(0.0) * view.n() as f64).round() as u64);
        prop_assert_eq!(sketch.weights_up_to(&edges), expected.collect::<Vec<_>>());
    }

    #[test]
    fn weight_and_ends_are_exact_through_merges_and_bytes(
        parts in vec((values(), 8u16..300), 1..6),
    ) {
        let mut merged = KllSketch::try_new(100, 7).unwrap();
        for (values, k) in &parts {
            let part = sketch(*k, values);
            merged.merge(&KllSketch::from_bytes(&part.to_bytes()).unwrap());
            merged.merge(&part);
        }
        let all = || parts.iter().flat_map(|(values, _)| values.iter().copied());
        prop_assert_eq!(merged.n(), 2 * all().count() as u64);
        prop_assert_eq!(merged.min(), all().reduce(f64::min));
        prop_assert_eq!(merged.max(), all().reduce(f64::max));
        prop_assert_eq!(merged.sorted_view().n(), merged.n());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn a_damaged_image_is_read_or_refused(
        values in values(),
        k in 8u16..300,
        cut in any::<proptest::sample::Index>(),
        flips in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let strings: Vec<String> = values.iter().take(200).map(f64::to_string).chain(["x".into()]).collect();
        let strings: Vec<&str> = strings.iter().map(String::as_str).take(200).collect();
        for image in [sketch(k, &values).to_bytes(), strings_image(&strings)] {
            exercise(&image);
            exercise(&image[..cut.index(image.len())]);
            let mut image = image;
            for (place, bits) in &flips {
                // Half of the damage goes to the first 40 bytes, where the structure is.
                let size = if bits % 2 == 0 { image.len() } else { image.len().min(40) };
                image[place.index(size)] ^= bits;
            }
            exercise(&image);
        }
    }
}
