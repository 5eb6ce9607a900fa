//! Comparison of profiles: what it says of columns whose change is known.
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, NullArray, RecordBatch, StringArray};
use driftline_engine::compare::{CompareOptions, Comparison, Judgement, Limits, Needs, compare};
use driftline_engine::{Collect, Error, Options, Profile, ProfileBuilder, table};
use driftline_stats::verdict::Verdict;
use std::sync::Arc;

fn profile(columns: Vec<(&str, ArrayRef)>) -> Profile {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut builder = ProfileBuilder::try_new(&batch.schema(), &Options::default()).unwrap();
    builder.update(&batch).unwrap();
    builder.finish().unwrap()
}

fn floats(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn strings(values: impl Iterator<Item = &'static str>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

fn judged<'a>(comparison: &'a Comparison, name: &str) -> &'a Judgement {
    let column = comparison.columns.iter().find(|c| c.name == name).unwrap();
    column.judgement.as_ref().unwrap()
}

#[test]
fn the_effect_is_the_share_of_rows_moved_and_the_sentence_says_where() {
    // 10 % of the rows move past 500; the same share of one category becomes another.
    let n = 20_000;
    let before = profile(vec![
        ("x", floats((0..n).map(|i| f64::from(i % 1000)))),
        ("c", strings((0..n).map(|i| if i % 10 < 6 { "red" } else { "blue" }))),
        ("same", floats((0..n).map(|i| f64::from(i % 777)))),
    ]);
    let now = profile(vec![
        ("x", floats((0..n).map(|i| f64::from(if i % 10 == 0 && i % 1000 < 500 { 999 } else { i % 1000 })))),
        ("c", strings((0..n).map(|i| if i % 10 < 5 { "red" } else { "blue" }))),
        ("same", floats((0..n).map(|i| f64::from((i + 5) % 777)))),
    ]);
    let comparison = compare(&before, &now, &CompareOptions::default()).unwrap();
    let x = judged(&comparison, "x");
    assert_eq!((x.verdict, x.test), (Verdict::Drift, "ks, largest bin"));
    assert!((x.effect - 0.05).abs() < 0.005, "{x:?}");
    let c = judged(&comparison, "c");
    assert_eq!((c.verdict, c.test), (Verdict::Drift, "largest category, set of categories"));
    assert!((c.effect - 0.1).abs() < 1e-12, "{c:?}");
    assert_eq!((c.moved.len(), c.moved[0].label.as_str()), (1, "'blue'"));
    assert_eq!(judged(&comparison, "same").verdict, Verdict::Stable);
}

#[test]
fn missing_values_are_part_of_the_change() {
    let before = profile(vec![("x", floats((0..5000).map(f64::from)))]);
    let now =
        profile(vec![("x", floats((0..5000).map(|i| if i % 4 == 0 { f64::NAN } else { f64::from(i) })))]);
    let comparison = compare(&before, &now, &CompareOptions::default()).unwrap();
    let x = judged(&comparison, "x");
    assert_eq!(x.verdict, Verdict::Drift);
    assert_eq!(x.largest.as_ref().unwrap().label, "not a number");
    assert!((x.effect - 0.25).abs() < 1e-12);
}

#[test]
fn missing_rows_are_told_before_a_cut_that_moves_with_them() {
    let x = |i: i32| f64::from(i * 7919 % 5000);
    let before = profile(vec![("x", floats((0..5000).map(x)))]);
    // A row above all others makes the cut below it move a little more than the missing rows do.
    let now = (0..5000).map(|i| match i {
        7 => Some(1e6),
        _ if i % 10 == 0 => None,
        _ => Some(x(i)),
    });
    let now = profile(vec![("x", Arc::new(now.collect::<Float64Array>()))]);
    let comparison = compare(&before, &now, &CompareOptions::default()).unwrap();
    let x = judged(&comparison, "x");
    let largest = x.largest.as_ref().unwrap();
    assert_eq!((largest.label.as_str(), largest.current), ("missing", 0.1));
    assert!((0.1..0.101).contains(&x.effect));
}

#[test]
fn few_rows_are_undecided_and_ids_are_not_judged() {
    let sides: Vec<_> = [0, 50]
        .map(|shift| {
            profile(vec![
                ("x", floats((0..50).map(|i| f64::from(i % 7)))),
                ("id", Arc::new((shift..shift + 50).map(|i| Some(i64::from(i))).collect::<Int64Array>())),
            ])
        })
        .into();
    let comparison = compare(&sides[0], &sides[1], &CompareOptions::default()).unwrap();
    assert_eq!(judged(&comparison, "x").verdict, Verdict::Undecided);
    let id = comparison.columns.iter().find(|c| c.name == "id").unwrap();
    assert_eq!(
        id.judgement.as_ref().unwrap_err().why.to_string(),
        "nearly all values are distinct: cast to float to judge"
    );
}

#[test]
fn a_saved_profile_compares_like_the_one_at_hand() {
    // Two values that hold the column, and a tail of values that come once.
    let text = |i: usize, shift: usize| match i % 10 {
        0..6 => "common".to_owned(),
        6..9 => "second".to_owned(),
        _ => format!("rare {}", (i + shift) / 10),
    };
    let side = |shift: usize| {
        let values = (0..6000).map(|i| Some(text(i, shift))).collect::<StringArray>();
        profile(vec![("c", Arc::new(values))])
    };
    let (before, now) = (side(0), side(7));
    let saved = table::from_parquet(table::to_parquet(&before).unwrap().into()).unwrap();
    for reference in [&before, &saved] {
        let comparison = compare(reference, &now, &CompareOptions::default()).unwrap();
        let judgement = judged(&comparison, "c").clone();
        assert_ne!(judgement.verdict, Verdict::Drift, "{judgement:?}");
        // The saved one has lost the rare values, and says so by its error; what is left moved as little.
        assert!(judgement.effect < 0.01, "{judgement:?}");
    }
}

#[test]
fn a_retyped_column_is_a_finding_and_the_others_are_compared() {
    let before =
        profile(vec![("x", floats((0..900).map(f64::from))), ("y", floats((0..900).map(f64::from)))]);
    let now = profile(vec![
        ("x", strings((0..900).map(|_| "a"))),
        ("y", floats((0..900).map(|i| f64::from(i + 800)))),
    ]);
    let comparison = compare(&before, &now, &CompareOptions::default()).unwrap();
    let x = comparison.columns[0].judgement.as_ref().unwrap_err();
    let said = "float64 in the reference, string now: convert one side to compare the values";
    assert_eq!(x.why.to_string(), said);
    assert_eq!(judged(&comparison, "y").verdict, Verdict::Drift);
}

#[test]
fn a_column_that_becomes_all_null_has_changed_whatever_its_type() {
    let before = profile(vec![("x", floats((0..900).map(f64::from)))]);
    for gone in [floats((0..900).map(|_| f64::NAN)), Arc::new(NullArray::new(900)) as ArrayRef] {
        let comparison = compare(&before, &profile(vec![("x", gone)]), &CompareOptions::default()).unwrap();
        let x = judged(&comparison, "x");
        assert_eq!((x.verdict, x.effect), (Verdict::Drift, 1.0));
    }
}

#[test]
fn shares_are_of_all_rows_also_where_most_are_missing() {
    // One row in a hundred has a value; all of these rise.
    let mostly_missing = |from: i32| {
        let values = (0..50_000).map(|i| (i % 100 == 0).then_some(f64::from(from + i % 7)));
        profile(vec![("x", Arc::new(values.collect::<Float64Array>()) as ArrayRef)])
    };
    let comparison = compare(&mostly_missing(0), &mostly_missing(100), &CompareOptions::default()).unwrap();
    let x = judged(&comparison, "x");
    assert!((x.effect - 0.01).abs() < 1e-9, "{x:?}");
    assert_eq!(x.verdict, Verdict::Stable);
}

/// The same rows, whole and put together from pieces of a size: the sketches err differently, the data do not.
#[test]
fn the_merge_of_pieces_never_drifts_from_the_whole() {
    let value = |i: usize| if i % 5 < 3 { format!("value {}", i * i % 503) } else { format!("id {i}") };
    let rows = 120_000;
    let column = |range: std::ops::Range<usize>| {
        let text: ArrayRef = Arc::new(range.clone().map(|i| Some(value(i))).collect::<StringArray>());
        let number = floats(range.map(|i| ((i * 7919) % 10_007) as f64));
        profile(vec![("c", text), ("x", number)])
    };
    let whole = column(0..rows);
    let mut pieces = column(0..2000);
    for start in (2000..rows).step_by(2000) {
        pieces.merge(&column(start..start + 2000)).unwrap();
    }
    let small = column(0..3000);
    for tolerance in [0.0, 0.02] {
        let limits = Limits { tolerance, ..CompareOptions::default().limits };
        let options = CompareOptions { limits, ..CompareOptions::default() };
        for (a, b) in [(&whole, &pieces), (&pieces, &whole), (&whole, &small)] {
            for column in compare(a, b, &options).unwrap().columns {
                if let Ok(judgement) = &column.judgement {
                    assert_ne!(judgement.verdict, Verdict::Drift, "{}: {judgement:?}", column.name);
                }
            }
            // As many rows of the same numbers are the same, in whatever pieces they came.
            if a.rows() == b.rows() {
                let x = judged(&compare(a, b, &options).unwrap(), "x").clone();
                assert_eq!(x.verdict, Verdict::Stable, "{x:?}");
                assert!(x.effect < 0.005, "{x:?}");
            }
        }
    }
}

#[test]
fn rows_of_files_that_lack_the_column_are_missing() {
    let whole = |n: i32| {
        profile(vec![("x", floats((0..n).map(|i| f64::from(i % 50)))), ("y", floats((0..n).map(f64::from)))])
    };
    let mut now = whole(9000);
    now.merge(&profile(vec![("y", floats((0..1000).map(f64::from)))])).unwrap();
    let comparison = compare(&whole(10_000), &now, &CompareOptions::default()).unwrap();
    let x = judged(&comparison, "x");
    assert_eq!((x.verdict, x.largest.as_ref().unwrap().label.as_str()), (Verdict::Drift, "missing"));
    assert!((x.effect - 0.1).abs() < 1e-12, "{x:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_in_a_sentence() {
    let numbers = profile(vec![("x", floats((0..9).map(f64::from)))]);
    let other = profile(vec![("y", floats((0..9).map(f64::from)))]);
    let said = |a: &Profile, b: &Profile, options: CompareOptions| match compare(a, b, &options) {
        Err(Error::Input(message) | Error::Argument(message)) => message,
        other => panic!("{other:?}"),
    };
    let default = CompareOptions::default;
    assert!(said(&numbers, &other, default()).contains("no column in common"));
    assert!(said(&numbers, &Profile::default(), default()).contains("the current data has no rows"));
    let limited = |change: fn(&mut Limits)| {
        let mut options = default();
        change(&mut options.limits);
        said(&numbers, &numbers, options)
    };
    assert!(limited(|l| l.tolerance = 2.0).contains("tolerance is 2: it is a share"));
    assert!(limited(|l| l.alpha = 0.0).contains("alpha is 0"));
    assert!(limited(|l| l.resolution = f64::NAN).contains("resolution is NaN"));
    let columns = Some(vec!["z".to_owned()]);
    assert!(
        said(&numbers, &numbers, CompareOptions { columns, ..default() })
            .contains("no column \"z\" on either side")
    );
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

#[test]
fn columns_asked_for_that_no_two_sides_have_are_refused() {
    let before = profile(vec![("x", floats([1.0].into_iter())), ("old", floats([1.0].into_iter()))]);
    let now = profile(vec![("x", floats([1.0].into_iter())), ("new", floats([1.0].into_iter()))]);
    let refused = |names: &[&str]| {
        let columns = Some(names.iter().map(|&name| name.to_owned()).collect());
        compare(&before, &now, &CompareOptions { columns, ..CompareOptions::default() })
            .unwrap_err()
            .to_string()
    };
    let told =
        |of: &str| format!("no column to compare: {of}: name one that both sides have, or leave columns out");
    assert_eq!(refused(&["new"]), told("\"new\" is only in the current data"));
    assert_eq!(
        refused(&["new", "old"]),
        told("\"new\" is only in the current data, \"old\" is only in the reference")
    );
    let many = ["old"; 8];
    assert!(
        refused(&many).contains("\"old\" is only in the reference and 3 more: name one"),
        "{}",
        refused(&many)
    );
    // Both ends of a long name are told.
    let long = format!("{}{}", "a".repeat(500), "b".repeat(500));
    let refusal = refused(&[&long]);
    assert!(refusal.contains("\"aaaa") && refusal.contains("a...b") && refusal.len() < 150, "{refusal}");
}

#[test]
fn categories_none_of_which_came_before_moved_whole() {
    let sides = ["old", "new"]
        .map(|side| profile(vec![("c", texts((0..500).map(|i| format!("{side} {}", (i * i) % 173))))]));
    let comparison = compare(&sides[0], &sides[1], &CompareOptions::default()).unwrap();
    let c = judged(&comparison, "c");
    assert_eq!((c.verdict, c.effect, c.effect_bound), (Verdict::Drift, 1.0, 1.0));
}

#[test]
fn what_moves_among_values_beyond_the_limit_is_not_called_stable() {
    let n = 50_000;
    // All of a few values, and 3,000 others that come as often each as any; then half of those are replaced.
    let of = |replaced: bool| {
        let value = move |i: u32| match i % 10 {
            0..4 => format!("often {}", i % 7),
            _ if replaced && i.is_multiple_of(2) => format!("new {}", (i / 10) % 1511),
            _ => format!("rare {}", (i / 3) % 3001),
        };
        profile(vec![("c", texts((0..n).map(value)))])
    };
    let (before, same, now) = (of(false), of(false), of(true));
    for current in [&same, &now] {
        for tolerance in [0.0, 0.02, 0.1] {
            let options = with_tolerance(tolerance);
            let comparison = compare(&before, current, &options).unwrap();
            let c = judged(&comparison, "c");
            assert_eq!((c.verdict, c.needs), (Verdict::Undecided, Some(Needs::FewerValues)), "{tolerance}");
            assert!(c.effect_bound > 0.5, "{c:?}");
        }
    }
    // What holds nearly all rows is seen, and its effect is the same whatever is tolerated.
    let heavy = |moved: u32| {
        let value = move |i: u32| match i % 100 {
            99 => format!("rare {i}"),
            k if k < moved => "often 0".to_owned(),
            _ => format!("often {}", i % 7),
        };
        profile(vec![("c", texts((0..n).map(value)))])
    };
    let effects = [0.0, 0.02, 0.05].map(|tolerance| {
        let comparison = compare(&heavy(0), &heavy(10), &with_tolerance(tolerance)).unwrap();
        let c = judged(&comparison, "c");
        assert_eq!(c.verdict, Verdict::Drift, "{c:?}");
        assert_eq!(c.moved[0].label, "'often 0'");
        c.effect
    });
    assert!(effects[0] == effects[1] && effects[1] == effects[2], "{effects:?}");
    assert!((effects[0] - 6.0 / 70.0).abs() < 0.01, "{effects:?}");
    let comparison = compare(&heavy(0), &heavy(0), &with_tolerance(0.05)).unwrap();
    assert_eq!(judged(&comparison, "c").verdict, Verdict::Stable);
}

fn with_tolerance(tolerance: f64) -> CompareOptions {
    let limits = Limits { tolerance, ..CompareOptions::default().limits };
    CompareOptions { limits, ..CompareOptions::default() }
}

#[test]
fn a_few_ids_beside_many_are_ids_and_a_single_one_that_comes_again_is_not() {
    let ids = |n: u32, shift: u32| profile(vec![("id", texts((0..n).map(|i| format!("u-{}", i + shift))))]);
    let before = ids(5_000, 0);
    let comparison = compare(&before, &ids(12, 10_000), &CompareOptions::default()).unwrap();
    let why = &comparison.columns[0].judgement.as_ref().unwrap_err().why;
    assert_eq!(why.to_string(), "nearly all values are distinct");
    let stuck = profile(vec![("id", texts((0..12).map(|_| "u-1".to_owned())))]);
    let comparison = compare(&before, &stuck, &CompareOptions::default()).unwrap();
    assert_eq!(judged(&comparison, "id").verdict, Verdict::Drift);
}

#[test]
fn what_may_be_an_id_is_not_judged_where_distinct_values_were_not_counted() {
    let collect = Collect { distinct: false, ..Collect::ALL };
    let options = Options { collect, ..Options::default() };
    let of = |shift: u32| {
        let id = texts((0..5_000).map(|i| format!("u-{}", i + shift)));
        let c = texts((0..5_000).map(|i| format!("c-{}", i % 9)));
        let batch = RecordBatch::try_from_iter([("id", id), ("c", c)]).unwrap();
        let mut builder = ProfileBuilder::try_new(&batch.schema(), &options).unwrap();
        builder.update(&batch).unwrap();
        builder.finish().unwrap()
    };
    let comparison = compare(&of(0), &of(5_000), &CompareOptions::default()).unwrap();
    let why = &comparison.columns[0].judgement.as_ref().unwrap_err().why;
    assert!(why.to_string().ends_with("it may be an id: collect distinct"), "{why}");
    assert_eq!(judged(&comparison, "c").verdict, Verdict::Stable);
}

#[test]
fn single_and_double_precision_of_the_same_values_are_the_same() {
    // A tenth of the rows holds one value, which no number of single precision equals.
    let values: Vec<f64> =
        (0..20_000).map(|i| if i % 10 == 0 { 0.1 } else { f64::from(i * 7919 % 20_000) / 7000.0 }).collect();
    let double = profile(vec![("x", floats(values.iter().copied()))]);
    let single: ArrayRef = Arc::new(values.iter().map(|&x| Some(x as f32)).collect::<Float32Array>());
    let single = profile(vec![("x", single)]);
    for (before, now) in [(&double, &single), (&single, &double)] {
        let comparison = compare(before, now, &CompareOptions::default()).unwrap();
        let x = judged(&comparison, "x");
        assert!(x.effect < 0.003, "{x:?}");
        assert_eq!(x.verdict, Verdict::Stable);
    }
    let moved = profile(vec![("x", floats(values.iter().map(|&x| if x == 0.1 { 0.2 } else { x })))]);
    let comparison = compare(&single, &moved, &CompareOptions::default()).unwrap();
    assert!((judged(&comparison, "x").effect - 0.1).abs() < 0.005);
}

#[test]
fn what_would_decide_is_told_apart() {
    let of = |n: i32, k: u16| {
        let x = floats((0..n).map(|i| f64::from(i * 7919 % n) / f64::from(n)));
        let batch = RecordBatch::try_from_iter([("x", x)]).unwrap();
        let options = Options { k, ..Options::default() };
        let mut builder = ProfileBuilder::try_new(&batch.schema(), &options).unwrap();
        builder.update(&batch).unwrap();
        builder.finish().unwrap()
    };
    let needs = |before: &Profile, now: &Profile| {
        judged(&compare(before, now, &CompareOptions::default()).unwrap(), "x").needs
    };
    let (small, large) = (of(1_000, 3200), of(100_000, 3200));
    assert_eq!(needs(&small, &large), Some(Needs::LargerReference));
    assert!(matches!(needs(&large, &small), Some(Needs::Rows(rows)) if rows > 1_000));
    assert_eq!(needs(&of(100_000, 100), &of(100_000, 100)), Some(Needs::FinerSketch));
}
