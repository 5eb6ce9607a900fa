//! Tables: whoever asks for which rows of which column gets those that were written.
use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray, StructArray, new_empty_array,
};
use arrow_cast::cast;
use arrow_schema::{DataType, Field};
use driftline_engine::source::paths;
use driftline_engine::source::table::{Table, Tables};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::{collection::vec, prelude::*};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A column of every way to be stored: with nulls, as a dictionary, as one that grew too large, as a struct, as lists.
fn rows(many: usize) -> RecordBatch {
    let floats: Float64Array = (0..many).map(|i| (i % 7 != 0).then_some(i as f64)).collect();
    let few: StringArray = (0..many).map(|i| Some(["a", "b", ""][i * i % 3])).collect();
    let texts: StringArray = (0..many).map(|i| (i % 11 != 0).then(|| format!("row {i}"))).collect();
    let inner: ArrayRef =
        Arc::new((0..many).map(|i| (i % 5 != 0).then_some(i as i32)).collect::<Int32Array>());
    let nested = StructArray::from(vec![(Arc::new(Field::new("inner", DataType::Int32, true)), inner)]);
    let mut lists = ListBuilder::new(Int64Builder::new());
    for i in 0..many {
        (0..i % 4).for_each(|j| lists.values().append_value(j as i64));
        lists.append(i % 6 != 0);
    }
    let columns: [(&str, ArrayRef); 5] = [
        ("floats", Arc::new(floats)),
        ("few", Arc::new(few)),
        ("texts", Arc::new(texts)),
        ("nested", Arc::new(nested)),
        ("lists", Arc::new(lists.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn tables(path: &Path, rows: &RecordBatch, row_group: usize) -> Vec<Table> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(row_group))
        .set_data_page_row_count_limit(500)
        .set_dictionary_page_size_limit(2_000)
        .set_write_batch_size(100);
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties.build())).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    let input = paths::expand(&[path.to_string_lossy().into_owned()]).unwrap().remove(0);
    let at_hand = vec!["few".into(), "none".into()];
    Tables::try_new(input, at_hand).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The pieces as one array of the type that was written.
fn joined(pieces: &[ArrayRef], of: &DataType) -> ArrayRef {
    let pieces: Vec<_> = pieces.iter().map(|piece| cast(piece, of).unwrap()).collect();
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    if pieces.is_empty() { new_empty_array(of) } else { arrow_select::concat::concat(&pieces).unwrap() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_of_any_column_are_those_that_were_written(
        many in 0usize..20_000,
        row_group in 1usize..3,
        asked in vec((0usize..5, any::<[prop::sample::Index; 2]>()), 1..30),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let written = rows(many);
        let tables = tables(&folder.path().join("a.parquet"), &written, many / row_group + 1);
        prop_assert_eq!(tables.iter().map(Table::num_rows).sum::<usize>(), many);
        let mut first = 0;
        for table in tables {
            let many = table.num_rows();
            let all = [0..many / 2, many / 2..many].map(|half| (0..5).map(move |column| (column, half.clone())));
            // In their order, as a monitor asks for them, then here and there.
            let here_and_there = asked.iter().map(|(column, ends)| {
                let [a, b] = ends.each_ref().map(|end| end.index(many + 1));
                (*column, a.min(b)..a.max(b))
            });
            for (column, rows) in all.into_iter().flatten().chain(here_and_there) {
                let Range { start, end } = rows;
                let expected = written.column(column).slice(first + start, end - start);
                let pieces = table.column(column, start..end).unwrap();
                let found = joined(&pieces, expected.data_type());
                prop_assert_eq!(&found.to_data(), &joined(std::slice::from_ref(&expected), expected.data_type()).to_data());
            }
            let few = table.column_by_name("few").unwrap().unwrap();
            prop_assert_eq!(few.len(), many);
            prop_assert!(table.column_by_name("none").is_none());
            let some = table.project(&[3, 1]);
            let names: Vec<_> = some.schema().fields().iter().map(|field| field.name().as_str()).collect();
            prop_assert_eq!(names, ["nested", "few"]);
            first += many;
        }
    }
}

/// A page that is damaged is told with its file and its column, and the other columns are there.
#[test]
fn damage_is_of_one_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let found = tables(&path, &rows(3_000), 3_000);
    let spoilt = |column: &str| {
        let metadata = parquet::file::metadata::ParquetMetaDataReader::new()
            .parse_and_finish(&File::open(&path).unwrap())
            .unwrap();
        let chunks = metadata.row_group(0).columns();
        let chunk = chunks.iter().find(|chunk| chunk.column_descr().name() == column).unwrap();
        chunk.byte_range()
    };
    let (start, size) = spoilt("floats");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[start as usize..(start + size) as usize].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let error = found[0].column(0, 0..3_000).unwrap_err().to_string();
    let name = path.to_string_lossy();
    assert!(error.starts_with(&format!("{name}: column \"floats\": ")), "{error}");
    assert_eq!(found[0].column(2, 0..3_000).unwrap().iter().map(|piece| piece.len()).sum::<usize>(), 3_000);
}
