//! The profile table: one row a column, plain numbers in plain columns, sketches as binary
//! Apache DataSketches images, bins as lists. On disk it is Parquet; `docs/` describes every column.

use crate::guard::decoding;
use crate::profile::{Bins, ColumnProfile, Counts, Frequent, Kind, Numbers, Profile, Skipped};
use crate::{Error, Result};
use arrow_array::builder::{
    BinaryBuilder, Float64Builder, Int64Builder, LargeBinaryBuilder, ListBuilder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use driftline_sketches::bins::Categories;
use driftline_sketches::{CategoryBins, FrequentItems, HllSketch, KllSketch, Moments, NumberBins};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Major and minor version of the table. A reader takes any minor version of its major one.
pub const SCHEMA_VERSION: (u32, u32) = (1, 0);
/// Key of the version in the table's metadata, by which a profile is told from other tables.
pub const VERSION_KEY: &str = "driftline.schema_version";
const ROWS_KEY: &str = "driftline.rows";
const PRODUCER_KEY: &str = "driftline.version";
/// Kind of rows that only name a column whose type is not profiled.
const NOT_PROFILED: &str = "not profiled";
/// Quantiles shown as plain columns, for readers without a sketch library.
const SHOWN: [(&str, f64); 7] =
    [("p01", 0.01), ("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95), ("p99", 0.99)];

/// Columns under construction, in the order in which they are first written.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    floats: HashMap<String, Float64Builder>,
    integers: HashMap<String, Int64Builder>,
    strings: HashMap<String, StringBuilder>,
    images: HashMap<String, BinaryBuilder>,
}

impl Columns {
    fn seen(&mut self, name: &str) {
        if !self.names.iter().any(|n| n == name) {
            self.names.push(name.to_owned());
        }
    }
    fn float(&mut self, name: &str, value: Option<f64>) {
        self.seen(name);
        self.floats.entry(name.to_owned()).or_default().append_option(value);
    }
    fn integer(&mut self, name: &str, value: Option<i64>) {
        self.seen(name);
        self.integers.entry(name.to_owned()).or_default().append_option(value);
    }
    fn count(&mut self, name: &str, value: Option<u64>) {
        self.integer(name, value.map(|v| i64::try_from(v).unwrap_or(i64::MAX)));
    }
    fn string(&mut self, name: &str, value: Option<&str>) {
        self.seen(name);
        self.strings.entry(name.to_owned()).or_default().append_option(value);
    }
    fn image(&mut self, name: &str, value: Option<Vec<u8>>) {
        self.seen(name);
        self.images.entry(name.to_owned()).or_default().append_option(value);
    }

    /// Range, moments and quantiles of numbers, each name with a prefix.
    fn numbers(&mut self, prefix: &str, numbers: Option<&Numbers>, shown: bool) {
        let range = numbers.and_then(|n| n.range);
        let whole = numbers.and_then(|n| n.integer_range);
        let moments = numbers.and_then(|n| n.moments.as_ref());
        let quantiles = numbers.and_then(|n| n.quantiles.as_ref());
        let named = |name: &str| format!("{prefix}{name}");
        self.float(&named("min"), range.map(|r| r.0));
        self.float(&named("max"), range.map(|r| r.1));
        if shown {
            self.integer("min_int", whole.and_then(|r| i64::try_from(r.0).ok()));
            self.integer("max_int", whole.and_then(|r| i64::try_from(r.1).ok()));
        }
        self.float(&named("mean"), moments.and_then(Moments::mean));
        self.float(&named("std"), moments.and_then(|m| m.variance().map(f64::sqrt)));
        self.float(&named("skewness"), moments.and_then(Moments::skewness));
        self.float(&named("kurtosis"), moments.and_then(Moments::kurtosis));
        let parts = moments.map(Moments::parts);
        self.count(&named("moment_n"), parts.map(|p| p.0));
        self.float(&named("m2"), parts.map(|p| p.2));
        self.float(&named("m3"), parts.map(|p| p.3));
        self.float(&named("m4"), parts.map(|p| p.4));
        if shown {
            let view = quantiles.filter(|q| q.n() > 0).map(KllSketch::sorted_view);
            for (name, q) in SHOWN {
                self.float(name, view.as_ref().and_then(|v| v.quantile(q)));
            }
        }
        self.image(&named("quantiles"), quantiles.map(KllSketch::to_bytes));
    }

    fn column(&mut self, column: &ColumnProfile) {
        let counts = &column.counts;
        self.string("column", Some(&column.name));
        self.string("kind", Some(column.kind.name()));
        self.string("type", Some(&column.type_name));
        for (name, count) in [
            ("rows", counts.rows),
            ("absent_count", counts.absent),
            ("null_count", counts.nulls),
            ("nan_count", counts.nans),
            ("pos_inf_count", counts.pos_inf),
            ("neg_inf_count", counts.neg_inf),
            ("zero_count", counts.zeros),
            ("negative_count", counts.negatives),
            ("empty_count", counts.empty),
        ] {
            self.count(name, Some(count));
        }
        self.numbers("", column.numbers.as_ref(), true);
        self.float("distinct_estimate", column.distinct.as_ref().map(HllSketch::estimate));
        self.image("distinct", column.distinct.as_ref().map(HllSketch::to_bytes));
        let (top_type, top) = match &column.frequent {
            Some(Frequent::Integers(items)) => (Some("int64"), Some(items.without_rare().to_bytes())),
            Some(Frequent::Bytes(items)) => (Some("bytes"), Some(items.without_rare().to_bytes())),
            None => (None, None),
        };
        self.string("top_type", top_type);
        self.image("top", top);
        self.numbers("length_", column.lengths.as_ref(), false);
    }

    fn skipped(&mut self, skipped: &Skipped) {
        self.string("column", Some(&skipped.name));
        self.string("kind", Some(NOT_PROFILED));
        self.string("type", Some(&skipped.type_name));
        let counts = ["rows", "absent_count", "null_count", "nan_count", "pos_inf_count", "neg_inf_count"];
        counts
            .iter()
            .chain(&["zero_count", "negative_count", "empty_count"])
            .for_each(|name| self.count(name, None));
        self.numbers("", None, true);
        self.float("distinct_estimate", None);
        self.image("distinct", None);
        self.string("top_type", None);
        self.image("top", None);
        self.numbers("length_", None, false);
    }

    fn finish(mut self) -> Vec<(Field, ArrayRef)> {
        let mut columns = vec![];
        for name in self.names {
            let array: ArrayRef = if let Some(mut b) = self.floats.remove(&name) {
                Arc::new(b.finish())
            } else if let Some(mut b) = self.integers.remove(&name) {
                Arc::new(b.finish())
            } else if let Some(mut b) = self.strings.remove(&name) {
                Arc::new(b.finish())
            } else if let Some(mut b) = self.images.remove(&name) {
                Arc::new(b.finish())
            } else {
                continue;
            };
            columns.push((Field::new(name, array.data_type().clone(), true), array));
        }
        columns
    }
}

fn bin_columns(profile: &Profile) -> Vec<(Field, ArrayRef)> {
    let mut edges = ListBuilder::new(Float64Builder::new());
    let mut categories = ListBuilder::new(LargeBinaryBuilder::new());
    let mut counts = ListBuilder::new(Int64Builder::new());
    for column in profile.columns() {
        let (mut numeric, mut categorical, mut counted) = (false, false, None);
        match &column.bins {
            Some(Bins::Numbers(bins)) => {
                edges.values().append_slice(bins.edges());
                (numeric, counted) = (true, Some(bins.counts()));
            }
            Some(Bins::Categories(bins)) => {
                bins.categories().names().iter().for_each(|name| categories.values().append_value(name));
                (categorical, counted) = (true, Some(bins.counts()));
            }
            None => {}
        }
        edges.append(numeric);
        categories.append(categorical);
        let values = counted.unwrap_or_default().iter();
        values.for_each(|&n| counts.values().append_value(i64::try_from(n).unwrap_or(i64::MAX)));
        counts.append(counted.is_some());
    }
    for _ in profile.skipped() {
        edges.append(false);
        categories.append(false);
        counts.append(false);
    }
    let arrays: [(&str, ArrayRef); 3] = [
        ("bin_edges", Arc::new(edges.finish())),
        ("bin_categories", Arc::new(categories.finish())),
        ("bin_counts", Arc::new(counts.finish())),
    ];
    arrays.map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).into()
}

/// The profile as a table of one batch.
///
/// # Errors
/// The table would be too large for Arrow.
pub fn to_batch(profile: &Profile) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    profile.columns().iter().for_each(|column| columns.column(column));
    profile.skipped().iter().for_each(|skipped| columns.skipped(skipped));
    if profile.columns().is_empty() && profile.skipped().is_empty() {
        // A profile without columns still has the columns of its table.
        columns.skipped(&Skipped { name: String::new(), type_name: String::new() });
    }
    let (mut fields, mut arrays): (Vec<_>, Vec<_>) = columns.finish().into_iter().unzip();
    let rows = profile.columns().len() + profile.skipped().len();
    arrays = arrays.into_iter().map(|array| array.slice(0, rows)).collect();
    let (bin_fields, bin_arrays): (Vec<_>, Vec<_>) = bin_columns(profile).into_iter().unzip();
    fields.extend(bin_fields);
    arrays.extend(bin_arrays);
    let metadata = HashMap::from([
        (VERSION_KEY.to_owned(), format!("{}.{}", SCHEMA_VERSION.0, SCHEMA_VERSION.1)),
        (PRODUCER_KEY.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        (ROWS_KEY.to_owned(), profile.rows().to_string()),
    ]);
    let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
    RecordBatch::try_new(schema, arrays).map_err(|e| Error::Input(format!("the profile is too large: {e}")))
}

/// The profile as the bytes of a Parquet file.
///
/// # Errors
/// As of [`to_batch`].
pub fn to_parquet(profile: &Profile) -> Result<Vec<u8>> {
    let batch = to_batch(profile)?;
    let mut bytes = vec![];
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        // Images do not repeat, and their minima and maxima tell nothing.
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .set_dictionary_enabled(false)
        .build();
    let written =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).and_then(|mut writer| {
            writer.write(&batch)?;
            writer.close()
        });
    written.map_err(|e| Error::Input(format!("the profile cannot be written: {e}")))?;
    Ok(bytes)
}

/// Writes the profile to a Parquet file: all of it or nothing, also when the disk is full or the process dies.
///
/// # Errors
/// The folder is not there, not writable or full.
pub fn save(profile: &Profile, path: &Path) -> Result<()> {
    let bytes = to_parquet(profile)?;
    let name = path.to_string_lossy();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file_name = path.file_name().ok_or_else(|| Error::Argument(format!("{name}: names no file")))?;
    let half = folder.join(format!(".{}.{}.part", file_name.to_string_lossy(), std::process::id()));
    let written = std::fs::File::create(&half)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&half, path));
    written.map_err(|error| {
        // The error tells what went wrong; that its remains could not be removed as well adds nothing.
        let _ = std::fs::remove_file(&half);
        match error.kind() {
            std::io::ErrorKind::NotFound => Error::Input(format!("{name}: there is no folder {folder:?}")),
            _ => Error::from_io(&name, &error),
        }
    })
}

/// Reads a profile from the bytes of a Parquet file.
///
/// # Errors
/// The bytes are no profile, of a newer major version, or damaged.
pub fn from_parquet(bytes: Bytes) -> Result<Profile> {
    decoding(|| decode(bytes))
}

fn decode(bytes: Bytes) -> Result<Profile> {
    let damaged = |e: &dyn std::fmt::Display| {
        Error::Input(format!("is not a readable Parquet file, or only part of one: {e}"))
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| damaged(&e))?;
    let schema = builder.schema().clone();
    check_version(&schema)?;
    let reader = builder.build().map_err(|e| damaged(&e))?;
    from_batches(&schema, reader.map(|batch| batch.map_err(|e| damaged(&e))))
}

/// Reads a profile from its table in batches.
///
/// # Errors
/// As of [`from_batch`], or of the source of the batches.
pub fn from_batches(
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Profile> {
    check_version(schema)?;
    let batches = batches.collect::<Result<Vec<_>>>()?;
    let whole = concat_batches(schema, &batches).and_then(|batch| batch.with_schema(schema.clone()));
    from_batch(&whole.map_err(|e| Error::Input(format!("is not a profile: {e}")))?)
}

/// Reads a profile from a Parquet file.
///
/// # Errors
/// As of [`from_parquet`], or the file cannot be read.
pub fn load(path: &Path) -> Result<Profile> {
    let name = path.to_string_lossy();
    let bytes = std::fs::read(path).map_err(|e| Error::from_io(&name, &e))?;
    from_parquet(bytes.into()).map_err(|error| match error {
        Error::Input(message) => Error::Input(format!("{name}: {message}")),
        other => other,
    })
}

/// Whether a Parquet file is a saved profile; `false` where it is anything else or cannot be read.
pub fn is_profile(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    let opened = decoding(|| Ok(ParquetRecordBatchReaderBuilder::try_new(file).ok()));
    opened.ok().flatten().is_some_and(|builder| builder.schema().metadata().contains_key(VERSION_KEY))
}

fn check_version(schema: &Schema) -> Result<()> {
    let Some(version) = schema.metadata().get(VERSION_KEY) else {
        return Err(Error::Input(
            "is not a driftline profile: its metadata has no driftline.schema_version".into(),
        ));
    };
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major <= SCHEMA_VERSION.0 && major > 0 => Ok(()),
        Some(major) if major > SCHEMA_VERSION.0 => Err(Error::Input(format!(
            "is a profile of version {version}, this driftline reads up to {}.x: update driftline",
            SCHEMA_VERSION.0
        ))),
        _ => Err(Error::Input(format!("has the profile version {version:?}, which is none"))),
    }
}

/// Reads a profile from its table.
///
/// # Errors
/// The table is no profile, of a newer major version, or a sketch in it is damaged.
pub fn from_batch(batch: &RecordBatch) -> Result<Profile> {
    check_version(batch.schema_ref())?;
    let rows = batch.schema_ref().metadata().get(ROWS_KEY).and_then(|rows| rows.parse().ok());
    let rows =
        rows.ok_or_else(|| Error::Input("has no row count in its metadata (driftline.rows)".into()))?;
    let table = Table::try_new(batch)?;
    let (mut columns, mut skipped) = (vec![], vec![]);
    for row in 0..batch.num_rows() {
        let name = table
            .string("column", row)
            .ok_or_else(|| Error::Input(format!("row {row} has no column name")))?;
        let type_name = table.string("type", row).unwrap_or_default();
        // A kind of a later minor version is like a type that is not profiled.
        match table.string("kind", row).as_deref().and_then(Kind::from_name) {
            None => skipped.push(Skipped { name, type_name }),
            Some(kind) => columns.push(
                table
                    .column(row, name.clone(), type_name, kind)
                    .map_err(|e| Error::Input(format!("column {name:?}: {e}")))?,
            ),
        }
    }
    Profile::try_new(rows, columns, skipped)
}

/// The columns of a table that we know, in the types in which we read them.
struct Table {
    floats: HashMap<String, ArrayRef>,
    integers: HashMap<String, ArrayRef>,
    strings: HashMap<String, ArrayRef>,
    images: HashMap<String, ArrayRef>,
    lists: HashMap<String, ArrayRef>,
}

impl Table {
    /// Other libraries store the same table in other types of the same meaning (large strings, views).
    fn try_new(batch: &RecordBatch) -> Result<Self> {
        let list = |item: DataType| DataType::LargeList(Arc::new(Field::new_list_field(item, true)));
        let mut table = Self {
            floats: HashMap::new(),
            integers: HashMap::new(),
            strings: HashMap::new(),
            images: HashMap::new(),
            lists: HashMap::new(),
        };
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let name = field.name().clone();
            let (group, wanted) = match name.as_str() {
                "column" | "kind" | "type" | "top_type" => (&mut table.strings, DataType::LargeUtf8),
                "quantiles" | "distinct" | "top" | "length_quantiles" => {
                    (&mut table.images, DataType::LargeBinary)
                }
                "bin_edges" => (&mut table.lists, list(DataType::Float64)),
                "bin_categories" => (&mut table.lists, list(DataType::LargeBinary)),
                "bin_counts" => (&mut table.lists, list(DataType::Int64)),
                "rows" | "min_int" | "max_int" | "moment_n" | "length_moment_n" => {
                    (&mut table.integers, DataType::Int64)
                }
                other if other.ends_with("_count") => (&mut table.integers, DataType::Int64),
                "min" | "max" | "mean" | "m2" | "m3" | "m4" => (&mut table.floats, DataType::Float64),
                "length_min" | "length_max" | "length_mean" | "length_m2" | "length_m3" | "length_m4" => {
                    (&mut table.floats, DataType::Float64)
                }
                _ => continue,
            };
            let array = cast(array, &wanted).map_err(|e| {
                Error::Input(format!("column {name:?} of the table is {}: {e}", field.data_type()))
            })?;
            group.insert(name, array);
        }
        Ok(table)
    }

    fn string(&self, name: &str, row: usize) -> Option<String> {
        let array = self.strings.get(name)?.as_string::<i64>();
        array.is_valid(row).then(|| array.value(row).to_owned())
    }

    fn float(&self, name: &str, row: usize) -> Option<f64> {
        let array = self.floats.get(name)?.as_primitive::<Float64Type>();
        array.is_valid(row).then(|| array.value(row))
    }

    fn integer(&self, name: &str, row: usize) -> Option<i64> {
        let array = self.integers.get(name)?.as_primitive::<Int64Type>();
        array.is_valid(row).then(|| array.value(row))
    }

    fn count(&self, name: &str, row: usize) -> Result<u64, String> {
        let value = self.integer(name, row).unwrap_or(0);
        u64::try_from(value).map_err(|_| format!("{name} is {value}: counts are 0 or more"))
    }

    fn image(&self, name: &str, row: usize) -> Option<&[u8]> {
        let array = self.images.get(name)?.as_binary::<i64>();
        array.is_valid(row).then(|| array.value(row))
    }

    fn list(&self, name: &str, row: usize) -> Option<ArrayRef> {
        let array = self.lists.get(name)?.as_list::<i64>();
        array.is_valid(row).then(|| array.value(row))
    }

    fn numbers(&self, prefix: &str, row: usize, kept: u64) -> Result<Option<Numbers>, String> {
        let named = |name: &str| format!("{prefix}{name}");
        let float = |name: &str| self.float(&named(name), row);
        let range = float("min").zip(float("max"));
        let whole = |name: &str| self.integer(&named(name), row).map(i128::from);
        let moments = match self.integer(&named("moment_n"), row) {
            None => None,
            Some(_) => {
                let n = self.count(&named("moment_n"), row)?;
                let part = |name| float(name).unwrap_or(if n == 0 { 0.0 } else { f64::NAN });
                Some(Moments::from_parts(n, part("mean"), part("m2"), part("m3"), part("m4")))
            }
        };
        let quantiles = match self.image(&named("quantiles"), row) {
            None => None,
            Some(image) => {
                let sketch =
                    KllSketch::from_bytes(image).map_err(|e| format!("{}: {e}", named("quantiles")))?;
                if sketch.n() != kept {
                    return Err(format!(
                        "{} holds {} values, the counts say {kept}",
                        named("quantiles"),
                        sketch.n()
                    ));
                }
                Some(sketch)
            }
        };
        Ok(Some(Numbers {
            ranged: range.is_some() || kept == 0 || quantiles.is_some(),
            range,
            integer_range: whole("min_int").zip(whole("max_int")),
            moments,
            quantiles,
        }))
    }

    fn column(
        &self,
        row: usize,
        name: String,
        type_name: String,
        kind: Kind,
    ) -> Result<ColumnProfile, String> {
        let counts = Counts {
            rows: self.count("rows", row)?,
            absent: self.count("absent_count", row)?,
            nulls: self.count("null_count", row)?,
            nans: self.count("nan_count", row)?,
            pos_inf: self.count("pos_inf_count", row)?,
            neg_inf: self.count("neg_inf_count", row)?,
            zeros: self.count("zero_count", row)?,
            negatives: self.count("negative_count", row)?,
            empty: self.count("empty_count", row)?,
        };
        if counts.nulls.checked_add(counts.nans).is_none_or(|missing| missing > counts.rows) {
            return Err(format!(
                "has {} nulls and {} NaN in {} rows",
                counts.nulls, counts.nans, counts.rows
            ));
        }
        let measured = matches!(kind, Kind::Category | Kind::List | Kind::Embedding)
            && self.integer("length_moment_n", row).is_some();
        let distinct = self.image("distinct", row).map(HllSketch::from_bytes).transpose();
        let frequent = match (self.image("top", row), self.string("top_type", row).as_deref()) {
            (None, _) => Ok(None),
            (Some(image), Some("int64")) => {
                FrequentItems::from_bytes(image).map(|f| Some(Frequent::Integers(f)))
            }
            (Some(image), _) => FrequentItems::from_bytes(image).map(|f| Some(Frequent::Bytes(f))),
        };
        Ok(ColumnProfile {
            numbers: if kind.is_numeric() { self.numbers("", row, counts.valid())? } else { None },
            lengths: if measured { self.numbers("length_", row, counts.valid())? } else { None },
            distinct: distinct.map_err(|e| format!("distinct: {e}"))?,
            frequent: frequent.map_err(|e| format!("top: {e}"))?,
            bins: self.bins(row)?,
            name,
            type_name,
            kind,
            counts,
        })
    }

    fn bins(&self, row: usize) -> Result<Option<Bins>, String> {
        let Some(counts) = self.list("bin_counts", row) else { return Ok(None) };
        let counts = counts.as_primitive::<Int64Type>().values().iter().map(|&n| u64::try_from(n));
        let counts = counts.collect::<Result<Vec<_>, _>>().map_err(|_| "bin_counts has a count below 0")?;
        if let Some(edges) = self.list("bin_edges", row) {
            let edges = edges.as_primitive::<Float64Type>().values().to_vec();
            let bins = NumberBins::from_parts(edges.into(), counts).map_err(|e| format!("bins: {e}"))?;
            return Ok(Some(Bins::Numbers(bins)));
        }
        let names = self.list("bin_categories", row).ok_or("bin_counts without edges or categories")?;
        let names = names.as_binary::<i64>().iter().map(|name| name.unwrap_or_default().into()).collect();
        let bins = Categories::try_new(names).and_then(|c| CategoryBins::from_parts(Arc::new(c), counts));
        Ok(Some(Bins::Categories(bins.map_err(|e| format!("bins: {e}"))?)))
    }
}
