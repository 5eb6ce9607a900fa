//! Files of facts are read as one table: of revisions the highest, of equal ones one.
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use driftline_engine::facts::{Filter, Table, disagreements, encode, examine, expire, merge, read};
use driftline_engine::source::{Input, paths};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Window, revision and value.
type Row = (i64, i64, i64);

fn batch(rows: &[Row]) -> RecordBatch {
    let text = |text: &str| Arc::new(StringArray::from(vec![text; rows.len()])) as _;
    let starts = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.0));
    RecordBatch::try_from_iter([
        ("segment", text("")),
        ("column", text("x")),
        ("window_start", Arc::new(starts.with_timezone("UTC")) as _),
        ("revision", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))) as _),
        ("value", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))) as _),
    ])
    .unwrap()
}

fn bytes(rows: &[Row]) -> Vec<u8> {
    let batch = batch(rows);
    let rows = [Ok(batch.clone())].into_iter();
    encode(Table::Results, &batch.schema(), rows, "m", "w", 2).unwrap().unwrap().concat()
}

fn input(folder: &Path, name: &str, bytes: &[u8]) -> Input {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    paths::expand(&[path.to_string_lossy().into_owned()]).unwrap().remove(0)
}

fn rows(inputs: &[Input], filter: &Filter) -> Vec<Row> {
    let mut rows = vec![];
    for batch in read(Table::Results, inputs, filter).unwrap().batches {
        let numbers = |name: &str| {
            let column =
                arrow_cast::cast(batch.column_by_name(name).unwrap(), &arrow_schema::DataType::Int64);
            column.unwrap().as_primitive::<Int64Type>().values().to_vec()
        };
        let (starts, revisions, values) = (numbers("window_start"), numbers("revision"), numbers("value"));
        rows.extend((0..batch.num_rows()).map(|i| (starts[i], revisions[i], values[i])));
    }
    rows.sort_unstable();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn files_are_one_table(files in vec(vec((0_i64..6, 1_i64..4), 1..20), 1..5), since in 0_i64..6) {
        let folder = tempfile::tempdir().unwrap();
        let mut oracle: BTreeMap<i64, i64> = BTreeMap::new();
        let mut inputs = vec![];
        for (i, mut file) in files.into_iter().enumerate() {
            file.sort_unstable();
            file.dedup();
            for &(window, revision) in &file {
                let kept = oracle.entry(window).or_default();
                *kept = revision.max(*kept);
            }
            let file: Vec<Row> = file.into_iter().map(|(w, r)| (w, r, w * 10 + r)).collect();
            inputs.push(input(folder.path(), &format!("{i}.parquet"), &bytes(&file)));
        }
        let expected: Vec<Row> = oracle.into_iter().map(|(w, r)| (w, r, w * 10 + r)).collect();
        prop_assert_eq!(&rows(&inputs, &Filter::default()), &expected);
        prop_assert!(disagreements(Table::Results, &inputs).unwrap().is_empty());

        // Merged, and beside its parts.
        let whole = input(folder.path(), "whole.parquet", &merge(Table::Results, &inputs, 2).unwrap().concat());
        prop_assert_eq!(&rows(std::slice::from_ref(&whole), &Filter::default()), &expected);
        prop_assert_eq!(examine(Table::Results, &whole).unwrap().rows, expected.len());
        inputs.push(whole.clone());
        prop_assert_eq!(&rows(&inputs, &Filter::default()), &expected);

        let filter = Filter { since: Some(since), ..Filter::default() };
        let late: Vec<Row> = expected.iter().copied().filter(|row| row.0 >= since).collect();
        prop_assert_eq!(&rows(&inputs, &filter), &late);
        let left = expire(Table::Results, &[whole], since).unwrap().remove(0);
        prop_assert_eq!((left.dropped, left.kept), (expected.len() - late.len(), late.len()));
        if let Some(bytes) = left.bytes {
            prop_assert_eq!(rows(&[input(folder.path(), "left.parquet", &bytes.concat())], &Filter::default()), late);
        }
    }
}

#[test]
fn files_that_disagree_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = [
        input(folder.path(), "a.parquet", &bytes(&[(1, 1, 10), (2, 1, 20)])),
        input(folder.path(), "b.parquet", &bytes(&[(2, 1, 21), (3, 1, 30)])),
    ];
    let found = disagreements(Table::Results, &inputs).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].files, found[0].rows), ((0, 1), 1));
    assert_eq!(found[0].columns.iter().collect::<Vec<_>>(), ["value"]);
    let first = "segment \"\", column \"x\", window_start 1970-01-01T00:00:00.000002Z, revision 1";
    assert_eq!(found[0].first, first);
    // Of two that say different things the later counts.
    assert_eq!(rows(&inputs, &Filter::default())[1], (2, 1, 21));
}

/// Rows of several row groups, in batches that end within them, are the same file whoever encodes them.
#[test]
fn threads_make_no_difference() {
    let rows: Vec<Row> = (0..40_000).map(|i| (i, 1, i * 7 % 1000)).collect();
    let batches = || rows.chunks(9_000).map(|rows| Ok(batch(rows)));
    let schema = batch(&rows[..1]).schema();
    let encoded =
        |threads| encode(Table::Results, &schema, batches(), "m", "w", threads).unwrap().unwrap().concat();
    let alone = encoded(1);
    for threads in [2, 5, 0] {
        assert_eq!(encoded(threads), alone, "{threads}");
    }
    let folder = tempfile::tempdir().unwrap();
    let inputs = [input(folder.path(), "all.parquet", &alone)];
    assert_eq!(self::rows(&inputs, &Filter::default()), rows);
    let merged = |threads| merge(Table::Results, &inputs, threads).unwrap().concat();
    assert_eq!(merged(3), merged(1));
}
