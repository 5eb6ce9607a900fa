//! However the data are cut, ordered in batches or spread over threads: the same counts, bins, ranges
//! and distinct counts bit for bit, the same moments up to rounding.
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use driftline_engine::profile::{Bins, ColumnProfile};
use driftline_engine::{Options, Profile, ProfileBuilder, Reference};
use driftline_sketches::HllSketch;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

type Row = (Option<f64>, Option<i64>, Option<String>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let special = select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, 1.0, -7.5]);
    let float = option::of(prop_oneof![special, -1e6..1e6]);
    let integer = option::of(prop_oneof![-3_i64..3, any::<i64>()]);
    let string = option::of(prop_oneof![select(vec![String::new(), "a".into(), "bb".into()]), "[a-z]{1,20}"]);
    vec((float, integer, string), 0..3000)
}

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 3] = [
        ("f", Arc::new(rows.iter().map(|r| r.0).collect::<Float64Array>())),
        ("i", Arc::new(rows.iter().map(|r| r.1).collect::<Int64Array>())),
        ("s", Arc::new(rows.iter().map(|r| r.2.as_deref()).collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn profile(batches: &[RecordBatch], options: &Options) -> Profile {
    let mut builder = ProfileBuilder::try_new(&batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| builder.update(batch).unwrap());
    builder.finish().unwrap()
}

/// Cuts at the given places and puts slices of one big batch, or batches of their own, in between.
fn cut(rows: &[Row], places: &[usize]) -> Vec<Vec<Row>> {
    let mut places: Vec<_> = places.iter().map(|p| p % (rows.len() + 1)).chain([0, rows.len()]).collect();
    places.sort_unstable();
    places.windows(2).map(|w| rows[w[0]..w[1]].to_vec()).collect()
}

fn integers(column: &ColumnProfile) -> impl PartialEq + std::fmt::Debug {
    let bins = column.bins.as_ref().map(|bins| match bins {
        Bins::Numbers(bins) => bins.counts().to_vec(),
        Bins::Categories(bins) => bins.counts().to_vec(),
    });
    let numbers = column.numbers.as_ref();
    (
        column.counts,
        bins,
        column.distinct.as_ref().map(HllSketch::to_bytes),
        numbers.and_then(|n| n.range).map(|(a, b)| (a.to_bits(), b.to_bits())),
        numbers.and_then(|n| n.integer_range),
        numbers.and_then(|n| n.quantiles.as_ref()).map(|q| q.n()),
    )
}

fn close(a: &ColumnProfile, b: &ColumnProfile, scale: f64) -> Result<(), TestCaseError> {
    let (Some(a), Some(b)) = (&a.numbers, &b.numbers) else { return Ok(()) };
    let (Some(a), Some(b)) = (&a.moments, &b.moments) else { return Ok(()) };
    prop_assert_eq!(a.n(), b.n());
    if let (Some(x), Some(y)) = (a.mean(), b.mean()) {
        prop_assert!((x - y).abs() <= 1e-12 * scale, "means {} and {}", x, y);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_cut_and_any_threads_give_the_same(
        rows in rows(),
        places in vec(any::<usize>(), 0..6),
        threads in 1_usize..4,
        slices in any::<bool>(),
    ) {
        let one = Options { threads: 1, ..Options::default() };
        let whole = batch(&rows);
        let first = profile(std::slice::from_ref(&whole), &one);
        let reference = Some(Arc::new(Reference::try_from_profile(&first).unwrap()));
        let one = Options { reference: reference.clone(), ..one };
        let expected = profile(std::slice::from_ref(&whole), &one);

        let parts = cut(&rows, &places);
        let batches: Vec<_> = if slices {
            let mut start = 0;
            parts.iter().map(|part| { start += part.len(); whole.slice(start - part.len(), part.len()) }).collect()
        } else {
            parts.iter().map(|part| batch(part)).collect()
        };
        let many = Options { threads, ..one.clone() };
        let streamed = profile(&batches, &many);
        let mut merged = profile(&batches[..1], &one);
        for batch in &batches[1..] {
            merged.merge(&profile(std::slice::from_ref(batch), &one)).unwrap();
        }
        let mean_abs = |xs: Vec<f64>| xs.iter().map(|x| x.abs()).sum::<f64>() / xs.len().max(1) as f64;
        let floats = mean_abs(rows.iter().filter_map(|r| r.0).filter(|x| x.is_finite()).collect());
        let whole_numbers = mean_abs(rows.iter().filter_map(|r| r.1).map(|x| x as f64).collect());
        for other in [&streamed, &merged] {
            prop_assert_eq!(other.rows(), rows.len() as u64);
            for column in expected.columns() {
                let theirs = other.column(&column.name).unwrap();
                prop_assert_eq!(integers(column), integers(theirs), "column {}", column.name);
                close(column, theirs, if column.name == "f" { floats } else { whole_numbers })?;
            }
        }
        // The naive counts, so that all of them cannot be wrong together.
        let f = expected.column("f").unwrap().counts;
        let is = |test: fn(f64) -> bool| rows.iter().filter_map(|r| r.0).filter(|&x| test(x)).count() as u64;
        prop_assert_eq!(f.nulls, rows.iter().filter(|r| r.0.is_none()).count() as u64);
        prop_assert_eq!(f.nans, is(f64::is_nan));
        prop_assert_eq!(f.pos_inf, is(|x| x == f64::INFINITY));
        prop_assert_eq!(f.neg_inf, is(|x| x == f64::NEG_INFINITY));
        prop_assert_eq!(f.zeros, is(|x| x == 0.0));
        prop_assert_eq!(f.negatives, is(|x| x < 0.0));
        let s = expected.column("s").unwrap().counts;
        prop_assert_eq!(s.empty, rows.iter().filter(|r| r.2.as_deref() == Some("")).count() as u64);
    }
}
