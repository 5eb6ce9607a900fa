//! Every Arrow type is profiled or named as not profiled.
use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder, StringRunBuilder};
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{IntervalMonthDayNano, NullBuffer, OffsetBuffer};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use driftline_engine::profile::{ColumnProfile, Frequent, Kind};
use driftline_engine::{Collect, Options, Profile, ProfileBuilder};
use std::collections::HashMap;
use std::sync::Arc;

fn profile_with(array: ArrayRef, options: &Options) -> Profile {
    let batch = RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap();
    let mut builder = ProfileBuilder::try_new(&batch.schema(), options).unwrap();
    builder.update(&batch).unwrap();
    builder.finish().unwrap()
}

fn profile(array: ArrayRef) -> Profile {
    profile_with(array, &Options::default())
}

fn column(array: ArrayRef) -> ColumnProfile {
    profile(array).column("c").unwrap().clone()
}

fn range(column: &ColumnProfile) -> Option<(f64, f64)> {
    column.numbers.as_ref().and_then(|n| n.range)
}

fn tops(column: &ColumnProfile) -> Vec<(String, u64)> {
    match &column.frequent {
        Some(Frequent::Bytes(items)) => items
            .items_above(0)
            .into_iter()
            .map(|row| (String::from_utf8_lossy(&row.item).into_owned(), row.estimate))
            .collect(),
        Some(Frequent::Integers(items)) => {
            items.items_above(0).into_iter().map(|row| (row.item.to_string(), row.estimate)).collect()
        }
        None => vec![],
    }
}

#[test]
fn numbers_of_every_width() {
    let base: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None, Some(-2), Some(3), Some(0)]));
    use DataType::*;
    for to in [
        Int8,
        Int16,
        Int32,
        Int64,
        Float16,
        Float32,
        Float64,
        Decimal32(9, 2),
        Decimal64(18, 2),
        Decimal128(38, 4),
        Decimal256(76, 4),
    ] {
        let c = column(cast(&base, &to).unwrap());
        assert_eq!(c.kind, Kind::Number, "{to}");
        assert_eq!(range(&c), Some((-2.0, 3.0)), "{to}");
        assert_eq!((c.counts.rows, c.counts.nulls, c.counts.zeros, c.counts.negatives), (5, 1, 1, 1), "{to}");
        let whole = to.is_integer();
        assert_eq!(tops(&c).first(), whole.then(|| ("3".to_owned(), 2)).as_ref(), "{to}");
        assert_eq!(c.distinct.unwrap().estimate().round(), 3.0, "{to}");
    }
    let base: ArrayRef = Arc::new(UInt64Array::from(vec![Some(3), None, Some(2), Some(3), Some(0)]));
    for to in [UInt8, UInt16, UInt32, UInt64] {
        let c = column(cast(&base, &to).unwrap());
        assert_eq!((range(&c), c.numbers.unwrap().integer_range), (Some((0.0, 3.0)), Some((0, 3))), "{to}");
    }
    let large = column(Arc::new(UInt64Array::from(vec![u64::MAX, 1])));
    assert_eq!(large.numbers.unwrap().integer_range, Some((1, i128::from(u64::MAX))));
}

#[test]
fn times_are_numbers_in_their_unit() {
    let base: ArrayRef = Arc::new(Int64Array::from(vec![Some(86_400_000), None, Some(172_800_000)]));
    use DataType::*;
    let units = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    let zone: Arc<str> = "Europe/Paris".into();
    let stamps =
        units.iter().flat_map(|&u| [Timestamp(u, None), Timestamp(u, Some(zone.clone())), Duration(u)]);
    for to in stamps.chain([Date64]) {
        let c = column(cast(&base, &to).unwrap());
        assert_eq!((c.kind, range(&c)), (Kind::Time, Some((86_400_000.0, 172_800_000.0))), "{to}");
        assert!(c.frequent.is_none(), "{to}");
    }
    let days: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(2)]));
    for to in [Date32, Time32(TimeUnit::Second), Time32(TimeUnit::Millisecond)] {
        assert_eq!(range(&column(cast(&days, &to).unwrap())), Some((1.0, 2.0)), "{to}");
    }
    let small: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    for to in [Time64(TimeUnit::Microsecond), Time64(TimeUnit::Nanosecond)] {
        assert_eq!(range(&column(cast(&small, &to).unwrap())), Some((1.0, 2.0)), "{to}");
    }
}

#[test]
fn strings_and_bytes_of_every_layout_are_the_same_category() {
    use DataType::*;
    let base: ArrayRef = Arc::new(StringArray::from(vec![
        Some("b"),
        None,
        Some(""),
        Some("b"),
        Some("a long string of more than twelve bytes"),
    ]));
    let dictionary = |key: DataType, value: DataType| Dictionary(Box::new(key), Box::new(value));
    let layouts = [
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
        dictionary(Int8, Utf8),
        dictionary(UInt16, LargeUtf8),
        dictionary(Int32, Utf8View),
        dictionary(Int64, Binary),
    ];
    for to in layouts {
        let c = column(cast(&base, &to).unwrap());
        assert_eq!(c.kind, Kind::Category, "{to}");
        assert_eq!((c.counts.rows, c.counts.nulls, c.counts.empty), (5, 1, 1), "{to}");
        assert_eq!(tops(&c)[..2], [("b".to_owned(), 2), (String::new(), 1)], "{to}");
        let lengths = c.lengths.unwrap();
        assert_eq!(
            (lengths.range, lengths.moments.unwrap().mean()),
            (Some((0.0, 39.0)), Some(10.25)),
            "{to}"
        );
    }
    let fixed = FixedSizeBinaryArray::try_from_iter([b"xy", b"xy", b"zz"].into_iter()).unwrap();
    assert_eq!(tops(&column(Arc::new(fixed))), [("xy".to_owned(), 2), ("zz".to_owned(), 1)]);
    let bools = column(Arc::new(BooleanArray::from(vec![Some(true), None, Some(true), Some(false)])));
    assert_eq!(tops(&bools), [("true".to_owned(), 2), ("false".to_owned(), 1)]);
    assert!(bools.lengths.is_none());
}

#[test]
fn dictionaries_may_repeat_values_hold_nulls_or_numbers() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("a"), None, Some("unused")]));
    let keys = Int8Array::from(vec![Some(0), Some(1), Some(2), None, Some(0)]);
    let c = column(Arc::new(DictionaryArray::new(keys, values)));
    assert_eq!((c.counts.rows, c.counts.nulls), (5, 2));
    assert_eq!(tops(&c), [("a".to_owned(), 3)]);
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 2.5]));
    let c = column(Arc::new(DictionaryArray::new(Int32Array::from(vec![0, 1, 1]), numbers)));
    assert_eq!((c.kind, range(&c)), (Kind::Number, Some((1.5, 2.5))));
}

#[test]
fn runs_count_every_row() {
    let mut builder = StringRunBuilder::<Int32Type>::new();
    builder.extend([Some("x"), Some("x"), None, Some("y")]);
    let c = column(Arc::new(builder.finish()));
    assert_eq!((c.kind, c.counts.rows, c.counts.nulls), (Kind::Category, 4, 1));
    assert_eq!(tops(&c)[0], ("x".to_owned(), 2));
}

#[test]
fn lists_give_lengths_and_elements_without_those_of_null_lists() {
    let values = Int64Array::from(vec![1, 2, 3, 99, 4]);
    let offsets = OffsetBuffer::new(vec![0, 2, 2, 3, 4, 5].into());
    let nulls = NullBuffer::from(vec![true, true, true, false, true]);
    let field = Arc::new(Field::new_list_field(DataType::Int64, true));
    let lists: ArrayRef = Arc::new(ListArray::new(field, offsets, Arc::new(values), Some(nulls)));
    for array in [
        lists.clone(),
        cast(&lists, &DataType::LargeList(Arc::new(Field::new_list_field(DataType::Int64, true)))).unwrap(),
    ] {
        let profile = profile(array);
        let c = profile.column("c").unwrap();
        assert_eq!((c.kind, c.counts.rows, c.counts.nulls, c.counts.empty), (Kind::List, 5, 1, 1));
        assert_eq!(c.lengths.as_ref().unwrap().range, Some((0.0, 2.0)));
        let elements = profile.column("c[]").unwrap();
        assert_eq!((elements.counts.rows, range(elements)), (4, Some((1.0, 4.0))));
        assert_eq!(profile.rows(), 5);
    }
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(
        [Some(vec![Some(1), Some(2)]), None, Some(vec![Some(5), None])],
        2,
    );
    let sliced: ArrayRef = Arc::new(fixed.slice(1, 2));
    let profile = profile(sliced);
    let elements = profile.column("c[]").unwrap();
    assert_eq!((elements.counts.rows, elements.counts.nulls, range(elements)), (2, 1, Some((5.0, 5.0))));
}

#[test]
fn embeddings_give_their_norm() {
    let vectors = [Some(vec![Some(3.0), Some(4.0)]), None, Some(vec![Some(0.0), Some(0.0)])];
    let vectors = FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(vectors, 2);
    for item in [DataType::Float16, DataType::Float32, DataType::Float64] {
        let to = DataType::FixedSizeList(Arc::new(Field::new_list_field(item, true)), 2);
        let profile = profile(cast(&vectors, &to).unwrap());
        assert_eq!(profile.column("c").unwrap().kind, Kind::Embedding);
        let norm = profile.column("c.norm").unwrap();
        assert_eq!((norm.counts.rows, norm.counts.nulls, range(norm)), (3, 1, Some((0.0, 5.0))));
    }
}

#[test]
fn structs_are_flattened_and_their_nulls_reach_the_fields() {
    let fields =
        Fields::from(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), Some(2), None])),
        Arc::new(StringArray::from(vec!["x", "y", "z"])),
    ];
    let nulls = NullBuffer::from(vec![true, false, true]);
    let profile = profile(Arc::new(StructArray::new(fields, arrays, Some(nulls))));
    let counts = |name: &str| profile.column(name).map(|c| (c.counts.rows, c.counts.nulls)).unwrap();
    assert_eq!((counts("c.a"), counts("c.b")), ((3, 2), (3, 1)));
    assert_eq!(tops(profile.column("c.b").unwrap()), [("x".to_owned(), 1), ("z".to_owned(), 1)]);
}

#[test]
fn nulls_alone_are_counted() {
    let c = column(Arc::new(NullArray::new(7)));
    assert_eq!((c.kind, c.counts.rows, c.counts.nulls), (Kind::Null, 7, 7));
}

#[test]
fn other_types_are_named() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.append(true).unwrap();
    let interval = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3)]);
    let mut views = ListBuilder::new(Int64Builder::new());
    views.append_value([Some(1)]);
    let views =
        cast(&views.finish(), &DataType::ListView(Arc::new(Field::new_list_field(DataType::Int64, true))));
    let arrays: [(ArrayRef, &str); 3] = [
        (Arc::new(map.finish()), "map"),
        (Arc::new(interval), "interval"),
        (views.unwrap(), "list view[int64]"),
    ];
    for (array, name) in arrays {
        let profile = profile(array);
        assert!(profile.columns().is_empty());
        assert_eq!(
            (profile.skipped()[0].name.as_str(), profile.skipped()[0].type_name.as_str()),
            ("c", name)
        );
    }
}

#[test]
fn duplicate_names_are_refused_also_where_flattening_makes_them() {
    let inner = Fields::from(vec![Field::new("b", DataType::Int64, true)]);
    let fields =
        vec![Field::new("a", DataType::Struct(inner), true), Field::new("a.b", DataType::Int64, true)];
    for fields in [fields, vec![Field::new("x", DataType::Int8, true), Field::new("x", DataType::Int8, true)]]
    {
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        let error =
            ProfileBuilder::try_new(&schema, &Options::default()).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("two columns are called "), "{error}");
    }
}

#[test]
fn redacted_columns_keep_no_value_and_others_what_was_asked_for() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![7, 7, 8]));
    let redacted = Options { redact: ["c".to_owned()].into(), ..Options::default() };
    let profile = profile_with(array.clone(), &redacted);
    let c = profile.column("c").unwrap();
    let numbers = c.numbers.as_ref().unwrap();
    assert!(numbers.range.is_none() && numbers.integer_range.is_none());
    assert!(numbers.quantiles.is_none() && numbers.moments.is_none() && c.frequent.is_none());
    assert_eq!(c.distinct.as_ref().unwrap().estimate().round(), 2.0);
    let counts = HashMap::from([("c".to_owned(), Collect::COUNTS)]);
    let c = profile_with(array, &Options { collect_by_column: counts, ..Options::default() });
    let c = c.column("c").unwrap();
    assert!(c.distinct.is_none() && c.frequent.is_none() && c.numbers.as_ref().unwrap().range.is_none());
    assert_eq!(c.counts.rows, 3);
}
