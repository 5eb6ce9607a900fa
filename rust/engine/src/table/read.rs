//! A table back into a profile; nothing in it is trusted.
use super::{ROWS_KEY, SCHEMA_VERSION, VERSION_KEY};
use crate::guard::decoding;
use crate::profile::column::MOST_ROWS;
use crate::profile::{Bins, ColumnProfile, Counts, Frequent, Kind, Numbers, Profile, Skipped};
use crate::threads::map;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use driftline_sketches::bins::Categories;
use driftline_sketches::{CategoryBins, FrequentItems, HllSketch, KllSketch, Moments, NumberBins};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Reads a profile from its table in batches.
///
/// # Errors
/// As of [`from_batch`], or of the source of the batches.
pub fn from_batches(
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Profile> {
    read_batches(schema, batches, 0)
}

/// The same with so many threads; all cores where 0.
pub(super) fn read_batches(
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    threads: usize,
) -> Result<Profile> {
    check_version(schema)?;
    let rows = schema.metadata().get(ROWS_KEY).and_then(|rows| rows.parse().ok());
    let rows = rows.filter(|rows| *rows <= MOST_ROWS);
    let rows =
        rows.ok_or_else(|| Error::Input("has no row count in its metadata (driftline.rows)".into()))?;
    let (mut columns, mut skipped, mut names) = (vec![], vec![], HashSet::new());
    for batch in batches {
        let batch = batch?;
        let table = Table::try_new(&batch)?;
        let mut known = vec![];
        for row in 0..batch.num_rows() {
            let name = table
                .string("column", row)
                .ok_or_else(|| Error::Input(format!("row {row} has no column name")))?;
            if !names.insert(name.clone()) {
                return Err(Error::Input(format!("has two rows for column {name:?}")));
            }
            let type_name = table.string("type", row).unwrap_or_default();
            // A kind of a later minor version is like a type that is not profiled.
            match table.string("kind", row).as_deref().and_then(Kind::from_name) {
                None => skipped.push(Skipped { name, type_name }),
                Some(kind) => known.push((row, name, type_name, kind)),
            }
        }
        let read = map(threads, &known, |(row, name, type_name, kind)| {
            // A panic would end the thread; where it came from is told by the column.
            decoding(|| table.column(*row, name.clone(), type_name.clone(), *kind).map_err(Error::Input))
                .map_err(|e| Error::Input(format!("column {name:?}: {e}")))
        });
        for column in read {
            columns.push(column?);
        }
    }
    Profile::try_new(rows, columns, skipped)
}

/// Whether the schema is that of a profile which we can read.
pub(super) fn check_version(schema: &Schema) -> Result<()> {
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
        _ => Err(Error::Input(format!(
            "has the profile version {version:?}, which no driftline writes: profile the data again"
        ))),
    }
}

/// Reads a profile from its table.
///
/// # Errors
/// The table is no profile, of a newer major version, or a sketch in it is damaged.
pub fn from_batch(batch: &RecordBatch) -> Result<Profile> {
    from_batches(batch.schema_ref(), [Ok(batch.clone())].into_iter())
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
                "min" | "max" | "mean" | "mean_rest" | "m2" | "m3" | "m4" => {
                    (&mut table.floats, DataType::Float64)
                }
                "length_min" | "length_max" | "length_mean" | "length_mean_rest" | "length_m2"
                | "length_m3" | "length_m4" => (&mut table.floats, DataType::Float64),
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
        if range.is_some_and(|(min, max)| min.is_nan() || max.is_nan() || min > max) {
            return Err(format!("{} to {} is no range", named("min"), named("max")));
        }
        let whole = |name: &str| self.integer(&named(name), row).map(i128::from);
        let moments = match self.integer(&named("moment_n"), row) {
            None => None,
            Some(_) => {
                let n = self.count(&named("moment_n"), row)?;
                let part = |name| float(name).unwrap_or(if n == 0 { 0.0 } else { f64::NAN });
                let moments = Moments::from_parts(n, part("mean"), part("m2"), part("m3"), part("m4"));
                Some(moments.with_mean_rest(float("mean_rest").unwrap_or(0.0)))
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
        let parts = [counts.pos_inf, counts.neg_inf, counts.zeros, counts.negatives, counts.empty];
        if counts.rows.max(counts.absent) > MOST_ROWS || parts.iter().any(|&part| part > counts.valid()) {
            return Err(format!("has counts that exceed its {} rows", counts.rows));
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
        let counted = match &frequent {
            Ok(Some(Frequent::Integers(items))) => items.total(),
            Ok(Some(Frequent::Bytes(items))) => items.total(),
            _ => counts.valid(),
        };
        if counted != counts.valid() {
            return Err(format!("top counts {counted} values, the counts say {}", counts.valid()));
        }
        Ok(ColumnProfile {
            numbers: if kind.is_numeric() { self.numbers("", row, counts.valid())? } else { None },
            lengths: if measured { self.numbers("length_", row, counts.valid())? } else { None },
            distinct: distinct.map_err(|e| format!("distinct: {e}"))?,
            frequent: frequent.map_err(|e| format!("top: {e}"))?,
            bins: self.bins(row, counts.valid())?,
            name,
            type_name,
            kind,
            counts,
        })
    }

    fn bins(&self, row: usize, valid: u64) -> Result<Option<Bins>, String> {
        // Their sum was checked to be a number of rows.
        let check = |counts: &[u64]| match counts.iter().sum::<u64>() {
            sum if sum == valid => Ok(()),
            sum => Err(format!("bins count {sum} values, the column has {valid}")),
        };
        let Some(counts) = self.list("bin_counts", row) else { return Ok(None) };
        let counts = counts.as_primitive::<Int64Type>().values().iter().map(|&n| u64::try_from(n));
        let counts = counts.collect::<Result<Vec<_>, _>>().map_err(|_| "bin_counts has a count below 0")?;
        if let Some(edges) = self.list("bin_edges", row) {
            let edges = edges.as_primitive::<Float64Type>().values().to_vec();
            let bins = NumberBins::from_parts(edges.into(), counts).map_err(|e| format!("bins: {e}"))?;
            check(bins.counts())?;
            return Ok(Some(Bins::Numbers(bins)));
        }
        let names = self.list("bin_categories", row).ok_or("bin_counts without edges or categories")?;
        let names = names.as_binary::<i64>().iter().map(|name| name.unwrap_or_default().into()).collect();
        let bins = Categories::try_new(names).and_then(|c| CategoryBins::from_parts(Arc::new(c), counts));
        let bins = bins.map_err(|e| format!("bins: {e}"))?;
        check(bins.counts())?;
        Ok(Some(Bins::Categories(bins)))
    }
}
