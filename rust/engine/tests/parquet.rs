//! Parquet files: every way a column can be stored gives the profile of the rows themselves.
use arrow_array::builder::{ListBuilder, StringDictionaryBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field};
use driftline_engine::source::{paths, profile_inputs};
use driftline_engine::{Error, Options, Profile, ProfileBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn table(rows: usize, seed: i64) -> RecordBatch {
    let at = |i: usize| (i as i64).wrapping_mul(2_654_435_761).wrapping_add(seed);
    let floats: Float64Array = (0..rows).map(|i| (i % 7 != 0).then(|| at(i) as f64 / 1e3)).collect();
    let few: StringArray = (0..rows).map(|i| Some(format!("value {}", at(i).rem_euclid(37)))).collect();
    let many: StringArray = (0..rows).map(|i| (i % 11 != 0).then(|| format!("id-{}", at(i)))).collect();
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    (0..rows).for_each(|i| dictionary.append_option((i % 5 != 0).then_some(["x", "", "zz"][i % 3])));
    let mut lists = ListBuilder::new(arrow_array::builder::Int64Builder::new());
    for i in 0..rows {
        (0..i % 4).for_each(|j| lists.values().append_value(j as i64));
        lists.append(i % 6 != 0);
    }
    let inner: ArrayRef = Arc::new((0..rows).map(|i| Some(i as i32 % 3)).collect::<Int32Array>());
    let nested = StructArray::from(vec![(Arc::new(Field::new("inner", DataType::Int32, true)), inner)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("floats", Arc::new(floats)),
        ("few", Arc::new(few)),
        ("many", Arc::new(many)),
        ("dictionary", Arc::new(dictionary.finish())),
        ("lists", Arc::new(lists.finish())),
        ("nested", Arc::new(nested)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

fn write(
    path: &Path,
    batch: &RecordBatch,
    row_group: usize,
    properties: parquet::file::properties::WriterPropertiesBuilder,
) {
    let properties = properties.set_max_row_group_row_count(Some(row_group)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn read(path: &Path, options: &Options) -> driftline_engine::Result<Profile> {
    let inputs = paths::expand(&[path.to_string_lossy().into_owned()])?;
    profile_inputs(&inputs, options, &mut ())
}

fn in_memory(batches: &[RecordBatch]) -> Profile {
    let options = Options { threads: 1, ..Options::default() };
    let mut builder = ProfileBuilder::try_new(&batches[0].schema(), &options).unwrap();
    batches.iter().for_each(|batch| builder.update(batch).unwrap());
    builder.finish().unwrap()
}

fn assert_same(a: &Profile, b: &Profile) {
    assert_eq!(a.rows(), b.rows());
    let names = |p: &Profile| p.columns().iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(a), names(b));
    for (x, y) in a.columns().iter().zip(b.columns()) {
        assert_eq!(x.counts, y.counts, "{}", x.name);
        assert_eq!(x.kind, y.kind, "{}", x.name);
        assert_eq!(x.type_name, y.type_name, "{}", x.name);
        assert_eq!(
            x.distinct.as_ref().map(|d| d.to_bytes()),
            y.distinct.as_ref().map(|d| d.to_bytes()),
            "{}",
            x.name
        );
        let range = |c: &driftline_engine::profile::ColumnProfile| c.numbers.as_ref().and_then(|n| n.range);
        assert_eq!(range(x), range(y), "{}", x.name);
        let lengths = |c: &driftline_engine::profile::ColumnProfile| {
            c.lengths.as_ref().map(|l| (l.range, l.moments.map(|m| m.n())))
        };
        assert_eq!(lengths(x), lengths(y), "{}", x.name);
    }
}

#[test]
fn every_encoding_gives_the_profile_of_the_rows() {
    let folder = TempDir::new().unwrap();
    let batch = table(5000, 1);
    let expected = in_memory(std::slice::from_ref(&batch));
    let plain = WriterProperties::builder().set_dictionary_enabled(false);
    // Dictionary pages that overflow: the chunk goes on in plain pages.
    let mixed =
        WriterProperties::builder().set_dictionary_page_size_limit(1000).set_data_page_row_count_limit(500);
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ];
    for (name, properties) in
        [("plain", plain), ("dictionary", WriterProperties::builder()), ("mixed", mixed)]
    {
        for codec in codecs {
            for row_group in [700, 5000] {
                let path = folder.path().join(format!("{name}.parquet"));
                write(&path, &batch, row_group, properties.clone().set_compression(codec));
                for threads in [1, 3] {
                    let options = Options { threads, ..Options::default() };
                    assert_same(&read(&path, &options).unwrap(), &expected);
                }
            }
        }
    }
}

#[test]
fn threads_change_nothing_not_even_the_sketches() {
    let folder = TempDir::new().unwrap();
    for part in 0..3 {
        let path = folder.path().join(format!("{part}.parquet"));
        write(&path, &table(20_000, part), 4000, WriterProperties::builder());
    }
    let saved = |threads| {
        let options = Options { threads, k: 64, ..Options::default() };
        driftline_engine::table::to_parquet(&read(folder.path(), &options).unwrap()).unwrap()
    };
    let one = saved(1);
    assert!(saved(2) == one);
    assert!(saved(5) == one);
}

#[test]
fn columns_may_come_and_go_between_files_and_their_absence_is_counted() {
    let folder = TempDir::new().unwrap();
    let batch = table(100, 0);
    write(
        &folder.path().join("a.parquet"),
        &batch.project(&[0, 1]).unwrap(),
        100,
        WriterProperties::builder(),
    );
    write(
        &folder.path().join("b.parquet"),
        &batch.project(&[1, 2]).unwrap(),
        100,
        WriterProperties::builder(),
    );
    let profile = read(folder.path(), &Options::default()).unwrap();
    assert_eq!(profile.rows(), 200);
    let counts = |name: &str| profile.column(name).map(|c| (c.counts.rows, c.counts.absent)).unwrap();
    assert_eq!(counts("floats"), (100, 100));
    assert_eq!(counts("few"), (200, 0));
    assert_eq!(counts("many"), (100, 100));
}

#[test]
fn a_column_that_changes_its_kind_is_refused_with_the_file_and_both_types() {
    let folder = TempDir::new().unwrap();
    let batch = |column: ArrayRef| RecordBatch::try_from_iter([("x", column)]).unwrap();
    write(
        &folder.path().join("a.parquet"),
        &batch(Arc::new(Int64Array::from(vec![1]))),
        9,
        WriterProperties::builder(),
    );
    write(
        &folder.path().join("b.parquet"),
        &batch(Arc::new(StringArray::from(vec!["1"]))),
        9,
        WriterProperties::builder(),
    );
    let error = read(folder.path(), &Options::default()).unwrap_err();
    let Error::Input(message) = &error else { panic!("{error:?}") };
    assert!(message.contains("b.parquet"), "{message}");
    assert!(message.contains("column \"x\" is int64 on one side and string on the other"), "{message}");
}

#[test]
fn integers_and_floats_are_one_column_of_numbers() {
    let folder = TempDir::new().unwrap();
    let batch = |column: ArrayRef| RecordBatch::try_from_iter([("x", column)]).unwrap();
    write(
        &folder.path().join("a.parquet"),
        &batch(Arc::new(Int64Array::from(vec![1, 2]))),
        9,
        WriterProperties::builder(),
    );
    write(
        &folder.path().join("b.parquet"),
        &batch(Arc::new(Float64Array::from(vec![0.5]))),
        9,
        WriterProperties::builder(),
    );
    let profile = read(folder.path(), &Options::default()).unwrap();
    let x = profile.column("x").unwrap();
    assert_eq!(x.type_name, "float64|int64");
    assert_eq!(x.numbers.as_ref().unwrap().range, Some((0.5, 2.0)));
    // 1 and 1.0 hash differently, so the two distinct counts do not add up.
    assert!(x.distinct.is_none());
}

#[test]
fn hive_folders_are_columns() {
    let folder = TempDir::new().unwrap();
    for (name, rows) in [("country=FR", 3), ("country=D%20E", 2), ("country=__HIVE_DEFAULT_PARTITION__", 1)] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        let batch = table(rows, 0).project(&[0]).unwrap();
        write(&folder.path().join(name).join("part.parquet"), &batch, 10, WriterProperties::builder());
    }
    let profile = read(folder.path(), &Options::default()).unwrap();
    let country = profile.column("country").unwrap();
    assert_eq!((country.counts.rows, country.counts.nulls), (6, 1));
    let Some(driftline_engine::profile::Frequent::Bytes(items)) = &country.frequent else {
        panic!("no items")
    };
    let rows: Vec<_> = items.items_above(0).into_iter().map(|r| (r.item, r.estimate)).collect();
    assert_eq!(rows, vec![(b"FR"[..].into(), 3), (b"D E"[..].into(), 2)]);
}

#[test]
fn projection_reads_what_was_asked_for_and_names_what_is_not_there() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, &table(50, 0), 50, WriterProperties::builder());
    let asked = |columns: &[&str]| Options {
        columns: Some(columns.iter().map(|c| (*c).to_owned()).collect()),
        ..Options::default()
    };
    let profile = read(&path, &asked(&["nested", "lists"])).unwrap();
    let names: Vec<_> = profile.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["lists", "lists[]", "nested.inner"]);
    let error = read(&path, &asked(&["flaots"])).unwrap_err().to_string();
    assert!(error.starts_with("no column \"flaots\"; columns are \"floats\", \"few\""), "{error}");
    let redacted = Options { redact: ["mnay".to_owned()].into(), ..Options::default() };
    let error = read(&path, &redacted).unwrap_err().to_string();
    assert!(error.starts_with("redact names \"mnay\", which is no column; columns are"), "{error}");
}

#[test]
fn a_file_cut_anywhere_is_refused_and_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, &table(300, 0), 100, WriterProperties::builder());
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 37) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = read(&path, &Options::default()).unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{length}: {error:?}");
        assert!(error.to_string().contains("t.parquet"), "{length}: {error}");
    }
}

#[test]
fn damaged_pages_give_an_error_or_a_result_but_no_panic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, &table(300, 0), 100, WriterProperties::builder());
    let whole = std::fs::read(&path).unwrap();
    for at in (4..whole.len()).step_by(61) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&path, &damaged).unwrap();
        let _ = read(&path, &Options { threads: 1, ..Options::default() });
    }
}

#[test]
fn files_without_rows_or_columns_have_profiles() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("none.parquet");
    write(&path, &table(0, 0), 10, WriterProperties::builder());
    let profile = read(&path, &Options::default()).unwrap();
    assert_eq!((profile.rows(), profile.columns().len()), (0, 7));
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(3));
    let columnless =
        RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), vec![], &options).unwrap();
    assert_eq!(in_memory(&[columnless]).rows(), 3);
}
