//! The profile table: what is written is read back, and what is damaged, foreign or newer is refused.
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use driftline_engine::{Error, Options, Profile, ProfileBuilder, Reference, table};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

fn data(rows: i64) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "f",
            Arc::new(
                (0..rows).map(|i| (i % 9 != 0).then_some((i * i % 1009) as f64)).collect::<Float64Array>(),
            ),
        ),
        ("i", Arc::new((0..rows).map(|i| Some(i % 50 - 9)).collect::<Int64Array>())),
        (
            "s",
            Arc::new(
                (0..rows).map(|i| (i % 4 != 0).then(|| "v".repeat(i as usize % 6))).collect::<StringArray>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

fn profile(rows: i64, options: &Options) -> Profile {
    let batch = data(rows);
    let mut builder = ProfileBuilder::try_new(&batch.schema(), options).unwrap();
    builder.update(&batch).unwrap();
    builder.finish().unwrap()
}

fn sample() -> Profile {
    let plain = profile(4000, &Options::default());
    let reference = Some(Arc::new(Reference::try_from_profile(&plain).unwrap()));
    profile(4000, &Options { reference, ..Options::default() })
}

static SAVED: LazyLock<Vec<u8>> = LazyLock::new(|| table::to_parquet(&sample()).unwrap());

#[test]
fn a_profile_comes_back_as_it_was_and_merges_on() {
    let before = sample();
    let after = table::from_parquet(SAVED.clone().into()).unwrap();
    assert_eq!(after.rows(), before.rows());
    for (a, b) in before.columns().iter().zip(after.columns()) {
        assert_eq!((&a.name, &a.type_name, a.kind, a.counts), (&b.name, &b.type_name, b.kind, b.counts));
        assert_eq!(a.bins, b.bins);
        assert_eq!(a.distinct.as_ref().map(|d| d.to_bytes()), b.distinct.as_ref().map(|d| d.to_bytes()));
        let numbers = |c: &driftline_engine::profile::ColumnProfile| {
            c.numbers.as_ref().map(|n| {
                (n.range, n.integer_range, n.moments.map(|m| m.parts()), n.quantiles.as_ref().map(|q| q.n()))
            })
        };
        assert_eq!(numbers(a), numbers(b), "{}", a.name);
    }
    assert!(table::to_parquet(&after).unwrap() == *SAVED);
    let mut merged = after.clone();
    merged.merge(&before).unwrap();
    assert_eq!(merged.rows(), 8000);
    assert_eq!(merged.column("f").unwrap().counts.nulls, 2 * before.column("f").unwrap().counts.nulls);
}

#[test]
fn profiles_of_nothing_come_back_too() {
    for empty in [Profile::default(), profile(0, &Options::default())] {
        let bytes = table::to_parquet(&empty).unwrap();
        let after = table::from_parquet(bytes.into()).unwrap();
        assert_eq!((after.rows(), after.columns().len()), (empty.rows(), empty.columns().len()));
    }
}

fn with_metadata(batch: &RecordBatch, key: &str, value: Option<&str>) -> RecordBatch {
    let metadata = batch.schema_ref().metadata();
    let mut metadata: HashMap<_, _> = metadata.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    match value {
        Some(value) => metadata.insert(key.to_owned(), value.to_owned()),
        None => metadata.remove(key),
    };
    let schema = Schema::new(batch.schema_ref().fields().clone()).with_metadata(metadata);
    RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()
}

#[test]
fn versions_decide_who_may_read() {
    let batch = table::to_batch(&sample()).unwrap();
    let read = |version: Option<&str>| table::from_batch(&with_metadata(&batch, table::VERSION_KEY, version));
    assert!(read(Some("1.7")).is_ok());
    let newer = read(Some("2.0")).unwrap_err().to_string();
    assert!(
        newer.contains("is a profile of version 2.0, this driftline reads up to 1.x: update driftline"),
        "{newer}"
    );
    assert!(read(None).unwrap_err().to_string().contains("is not a driftline profile"));
    assert!(read(Some("first")).unwrap_err().to_string().contains("which no driftline writes"));
}

#[test]
fn columns_of_later_versions_are_ignored() {
    let batch = table::to_batch(&sample()).unwrap();
    let extra: ArrayRef = Arc::new(Int64Array::from(vec![7; batch.num_rows()]));
    let mut fields = batch.schema_ref().fields().to_vec();
    fields.insert(2, Arc::new(Field::new("entropy", DataType::Int64, true)));
    let mut columns = batch.columns().to_vec();
    columns.insert(2, extra);
    let schema = Schema::new(fields).with_metadata(batch.schema_ref().metadata().clone());
    let wider = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    assert!(table::to_parquet(&table::from_batch(&wider).unwrap()).unwrap() == *SAVED);
}

#[test]
fn a_sketch_that_contradicts_the_counts_is_refused_by_name() {
    let batch = table::to_batch(&sample()).unwrap();
    let at = batch.schema_ref().index_of("null_count").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[at] = Arc::new(Int64Array::from(vec![1; batch.num_rows()]));
    let wrong = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let error = table::from_batch(&wrong).unwrap_err().to_string();
    assert!(error.contains("column \"f\": quantiles holds 3555 values, the counts say 3999"), "{error}");
}

#[test]
fn a_column_that_comes_twice_is_refused_before_more_is_read() {
    let batch = table::to_batch(&sample()).unwrap();
    let twice = [Ok(batch.clone()), Ok(batch.clone()), Err(Error::Storage("read on".into()))];
    let error = table::from_batches(&batch.schema(), twice.into_iter()).unwrap_err().to_string();
    assert_eq!(error, "has two rows for column \"f\"");
}

#[test]
fn nothing_half_written_stays_when_the_folder_is_not_there() {
    let folder = tempfile::TempDir::new().unwrap();
    let error = table::save(&sample(), &folder.path().join("no/such/p.parquet")).unwrap_err();
    assert!(matches!(&error, Error::Input(m) if m.contains("there is no folder")), "{error}");
    // A folder that is there, and takes nobody's files.
    if std::path::Path::new("/proc/self").is_dir() {
        let error = table::save(&sample(), std::path::Path::new("/proc/a.parquet")).unwrap_err();
        assert!(
            matches!(&error, Error::Input(m) if m.contains("no files can be made in \"/proc\"")),
            "{error}"
        );
    }
    table::save(&sample(), &folder.path().join("p.parquet")).unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, ["p.parquet"]);
    assert!(table::is_profile(&folder.path().join("p.parquet")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn flipped_bytes_are_refused_or_read_but_never_a_panic(at in 0..SAVED.len(), bits in 1_u8..) {
        let mut damaged = SAVED.clone();
        damaged[at] ^= bits;
        if let Ok(profile) = table::from_parquet(damaged.into()) {
            table::to_parquet(&profile).unwrap();
        }
    }

    #[test]
    fn cut_files_are_refused(length in 0..SAVED.len()) {
        prop_assert!(matches!(table::from_parquet(SAVED[..length].to_vec().into()), Err(Error::Input(_))));
    }

    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(table::from_parquet(bytes.into()).is_err());
    }
}
