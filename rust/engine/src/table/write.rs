//! A profile into its table.
use super::{NOT_PROFILED, PRODUCER_KEY, ROWS_KEY, SCHEMA_VERSION, VERSION_KEY};
use crate::profile::{Bins, ColumnProfile, Frequent, Numbers, Profile, Skipped};
use crate::{Error, Result};
use arrow_array::builder::{
    BinaryBuilder, Float64Builder, Int64Builder, LargeBinaryBuilder, ListBuilder, StringBuilder,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use driftline_sketches::{HllSketch, KllSketch, Moments};
use std::collections::HashMap;
use std::sync::Arc;

/// Quantiles shown as plain columns, for readers without a sketch library.
const SHOWN: [(&str, f64); 7] =
    [("p01", 0.01), ("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95), ("p99", 0.99)];

/// A column under construction.
enum Builder {
    Float(Float64Builder),
    Integer(Int64Builder),
    String(StringBuilder),
    Image(BinaryBuilder),
}

/// What is drawn from the quantiles of numbers.
#[derive(Default)]
struct Quantiles {
    shown: [Option<f64>; SHOWN.len()],
    image: Option<Vec<u8>>,
}

impl Quantiles {
    fn of(sketch: Option<&mut KllSketch>) -> Self {
        let Some(sketch) = sketch else { return Self::default() };
        let (quantiles, image) = sketch.quantiles_and_bytes(&SHOWN.map(|(_, share)| share));
        let mut shown = [None; SHOWN.len()];
        shown.iter_mut().zip(quantiles).for_each(|(shown, quantile)| *shown = Some(quantile));
        Self { shown, image: Some(image) }
    }
}

/// What is drawn from the sketches of a column, which is most of the work of a row.
struct Drawn {
    numbers: Quantiles,
    lengths: Quantiles,
    /// How many distinct values, and the image.
    distinct: Option<(f64, Vec<u8>)>,
    /// The type of frequent values, and the image.
    top: Option<(&'static str, Vec<u8>)>,
}

impl Drawn {
    fn of(column: &ColumnProfile) -> Self {
        let sketch = |numbers: &Option<Numbers>| numbers.as_ref().and_then(|n| n.quantiles.clone());
        Self::with(column, sketch(&column.numbers).as_mut(), sketch(&column.lengths).as_mut())
    }

    /// The same with the quantile sketches beside it, which hold what their images do afterwards.
    fn with(
        column: &ColumnProfile,
        numbers: Option<&mut KllSketch>,
        lengths: Option<&mut KllSketch>,
    ) -> Self {
        Self {
            numbers: Quantiles::of(numbers),
            lengths: Quantiles::of(lengths),
            distinct: column.distinct.as_ref().map(HllSketch::estimate_and_bytes),
            top: column.frequent.as_ref().map(|frequent| match frequent {
                Frequent::Integers(items) => ("int64", items.without_rare().to_bytes()),
                Frequent::Bytes(items) => ("bytes", items.without_rare().to_bytes()),
            }),
        }
    }
}

/// What a row of the table says of a column: a third of what its sketches take.
pub(crate) struct ProfileRow {
    /// Without its sketches, of which there are images.
    column: ColumnProfile,
    drawn: Drawn,
}

impl ProfileRow {
    /// Of a column, whose quantile sketches hold what their images do afterwards.
    pub fn of(column: &mut ColumnProfile) -> Self {
        let sketch = |numbers: &mut Option<Numbers>| numbers.as_mut().and_then(|n| n.quantiles.take());
        let (mut numbers, mut lengths) = (sketch(&mut column.numbers), sketch(&mut column.lengths));
        let drawn = Drawn::with(column, numbers.as_mut(), lengths.as_mut());
        let without = |numbers: &Numbers| Numbers { quantiles: None, ..*numbers };
        let row = Self {
            drawn,
            column: ColumnProfile {
                name: column.name.clone(),
                type_name: column.type_name.clone(),
                kind: column.kind,
                counts: column.counts,
                numbers: column.numbers.as_ref().map(without),
                lengths: column.lengths.as_ref().map(without),
                distinct: None,
                frequent: None,
                bins: column.bins.clone(),
            },
        };
        for (part, sketch) in [(&mut column.numbers, numbers), (&mut column.lengths, lengths)] {
            if let Some(part) = part {
                part.quantiles = sketch;
            }
        }
        row
    }
}

/// Columns under construction, in the order in which they are first written; every row writes all of them in that order.
#[derive(Default)]
struct Columns {
    columns: Vec<(String, Builder)>,
    next: usize,
}

impl Columns {
    /// The same columns without rows, and with room for as many.
    fn emptied(&self, rows: usize) -> Self {
        let empty = |(name, builder): &(String, Builder)| {
            let empty = match builder {
                Builder::Float(_) => Builder::Float(Float64Builder::with_capacity(rows)),
                Builder::Integer(_) => Builder::Integer(Int64Builder::with_capacity(rows)),
                Builder::String(of) => {
                    Builder::String(StringBuilder::with_capacity(rows, of.values_slice().len()))
                }
                Builder::Image(of) => {
                    // A little more than last time: else they would be moved for the last of them.
                    let bytes = of.values_slice().len();
                    Builder::Image(BinaryBuilder::with_capacity(rows, bytes + bytes / 16))
                }
            };
            (name.clone(), empty)
        };
        Self { columns: self.columns.iter().map(empty).collect(), next: 0 }
    }

    /// The column to write next.
    fn turn(&mut self, prefix: &str, name: &str, new: fn() -> Builder) -> &mut Builder {
        if self.next == self.columns.len() {
            self.columns.push((format!("{prefix}{name}"), new()));
        }
        let (known, builder) = &mut self.columns[self.next];
        debug_assert!(known.strip_prefix(prefix) == Some(name), "{known} is written, not {prefix}{name}");
        self.next += 1;
        builder
    }

    fn float(&mut self, prefix: &str, name: &str, value: Option<f64>) {
        if let Builder::Float(builder) = self.turn(prefix, name, || Builder::Float(Float64Builder::new())) {
            builder.append_option(value);
        }
    }
    fn integer(&mut self, name: &str, value: Option<i64>) {
        if let Builder::Integer(builder) = self.turn("", name, || Builder::Integer(Int64Builder::new())) {
            builder.append_option(value);
        }
    }
    fn count(&mut self, prefix: &str, name: &str, value: Option<u64>) {
        if let Builder::Integer(builder) = self.turn(prefix, name, || Builder::Integer(Int64Builder::new())) {
            builder.append_option(value.map(|v| i64::try_from(v).unwrap_or(i64::MAX)));
        }
    }
    fn string(&mut self, name: &str, value: Option<&str>) {
        if let Builder::String(builder) = self.turn("", name, || Builder::String(StringBuilder::new())) {
            builder.append_option(value);
        }
    }
    fn image(&mut self, prefix: &str, name: &str, value: Option<&[u8]>) {
        if let Builder::Image(builder) = self.turn(prefix, name, || Builder::Image(BinaryBuilder::new())) {
            builder.append_option(value);
        }
    }

    /// Range, moments and quantiles of numbers, each name with a prefix.
    fn numbers(&mut self, prefix: &str, numbers: Option<&Numbers>, drawn: &Quantiles, shown: bool) {
        let range = numbers.and_then(|n| n.range);
        let whole = numbers.and_then(|n| n.integer_range);
        let moments = numbers.and_then(|n| n.moments.as_ref());
        self.float(prefix, "min", range.map(|r| r.0));
        self.float(prefix, "max", range.map(|r| r.1));
        if shown {
            self.integer("min_int", whole.and_then(|r| i64::try_from(r.0).ok()));
            self.integer("max_int", whole.and_then(|r| i64::try_from(r.1).ok()));
        }
        self.float(prefix, "mean", moments.and_then(Moments::mean));
        self.float(prefix, "mean_rest", moments.map(Moments::mean_rest));
        self.float(prefix, "std", moments.and_then(|m| m.variance().map(f64::sqrt)));
        self.float(prefix, "skewness", moments.and_then(Moments::skewness));
        self.float(prefix, "kurtosis", moments.and_then(Moments::kurtosis));
        let parts = moments.map(Moments::parts);
        self.count(prefix, "moment_n", parts.map(|p| p.0));
        self.float(prefix, "m2", parts.map(|p| p.2));
        self.float(prefix, "m3", parts.map(|p| p.3));
        self.float(prefix, "m4", parts.map(|p| p.4));
        if shown {
            for ((name, _), value) in SHOWN.into_iter().zip(drawn.shown) {
                self.float("", name, value);
            }
        }
        self.image(prefix, "quantiles", drawn.image.as_deref());
    }

    fn column(&mut self, column: &ColumnProfile, drawn: &Drawn) {
        let counts = &column.counts;
        self.next = 0;
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
            self.count("", name, Some(count));
        }
        self.numbers("", column.numbers.as_ref(), &drawn.numbers, true);
        let (estimate, distinct) =
            drawn.distinct.as_ref().map(|(estimate, image)| (*estimate, image.as_slice())).unzip();
        self.float("", "distinct_estimate", estimate);
        self.image("", "distinct", distinct);
        let (top_type, top) = drawn.top.as_ref().map(|(name, image)| (*name, image.as_slice())).unzip();
        self.string("top_type", top_type);
        self.image("", "top", top);
        self.numbers("length_", column.lengths.as_ref(), &drawn.lengths, false);
    }

    fn skipped(&mut self, skipped: &Skipped) {
        self.next = 0;
        self.string("column", Some(&skipped.name));
        self.string("kind", Some(NOT_PROFILED));
        self.string("type", Some(&skipped.type_name));
        let counts = ["rows", "absent_count", "null_count", "nan_count", "pos_inf_count", "neg_inf_count"];
        counts
            .iter()
            .chain(&["zero_count", "negative_count", "empty_count"])
            .for_each(|name| self.count("", name, None));
        self.numbers("", None, &Quantiles::default(), true);
        self.float("", "distinct_estimate", None);
        self.image("", "distinct", None);
        self.string("top_type", None);
        self.image("", "top", None);
        self.numbers("length_", None, &Quantiles::default(), false);
    }

    fn finish(self) -> Vec<(Field, ArrayRef)> {
        let finished = |(name, builder): (String, Builder)| {
            let array: ArrayRef = match builder {
                Builder::Float(mut builder) => Arc::new(builder.finish()),
                Builder::Integer(mut builder) => Arc::new(builder.finish()),
                Builder::String(mut builder) => Arc::new(builder.finish()),
                Builder::Image(mut builder) => {
                    // Images are most of a table, and grew by doubling.
                    let mut images = builder.finish();
                    images.shrink_to_fit();
                    Arc::new(images)
                }
            };
            (Field::new(name, array.data_type().clone(), true), array)
        };
        self.columns.into_iter().map(finished).collect()
    }
}

/// Bins under construction.
#[derive(Default)]
struct BinColumns {
    edges: ListBuilder<Float64Builder>,
    categories: ListBuilder<LargeBinaryBuilder>,
    counts: ListBuilder<Int64Builder>,
}

impl BinColumns {
    fn column(&mut self, column: &ColumnProfile) {
        let (mut numeric, mut categorical, mut counted) = (false, false, None);
        match &column.bins {
            Some(Bins::Numbers(bins)) => {
                self.edges.values().append_slice(bins.edges());
                (numeric, counted) = (true, Some(bins.counts()));
            }
            Some(Bins::Categories(bins)) => {
                bins.categories().names().iter().for_each(|name| self.categories.values().append_value(name));
                (categorical, counted) = (true, Some(bins.counts()));
            }
            None => {}
        }
        self.edges.append(numeric);
        self.categories.append(categorical);
        let values = counted.unwrap_or_default().iter();
        values.for_each(|&n| self.counts.values().append_value(i64::try_from(n).unwrap_or(i64::MAX)));
        self.counts.append(counted.is_some());
    }

    fn skipped(&mut self) {
        self.edges.append(false);
        self.categories.append(false);
        self.counts.append(false);
    }

    fn finish(mut self) -> [(Field, ArrayRef); 3] {
        let arrays: [(&str, ArrayRef); 3] = [
            ("bin_edges", Arc::new(self.edges.finish())),
            ("bin_categories", Arc::new(self.categories.finish())),
            ("bin_counts", Arc::new(self.counts.finish())),
        ];
        arrays.map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array))
    }
}

/// Rows of the profile table under construction, of one profile or of many.
#[derive(Default)]
pub(crate) struct ProfileRows {
    columns: Columns,
    bins: BinColumns,
    rows: usize,
}

impl ProfileRows {
    /// Adds a row.
    pub fn push(&mut self, row: &ProfileRow) {
        self.column(&row.column, &row.drawn);
    }

    /// Adds a row that only names a column.
    pub fn skip(&mut self, skipped: &Skipped) {
        self.columns.skipped(skipped);
        self.bins.skipped();
        self.rows += 1;
    }

    fn column(&mut self, column: &ColumnProfile, drawn: &Drawn) {
        self.columns.column(column, drawn);
        self.bins.column(column);
        self.rows += 1;
    }

    /// A table of the same columns without rows, and with room for as many.
    pub fn emptied(&self) -> Self {
        Self { columns: self.columns.emptied(self.rows), bins: BinColumns::default(), rows: 0 }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// The table's columns, which are there even without rows.
    pub fn finish(mut self) -> (Vec<Field>, Vec<ArrayRef>) {
        if self.rows == 0 {
            self.columns.skipped(&Skipped { name: String::new(), type_name: String::new() });
            self.bins.skipped();
        }
        let columns = self.columns.finish().into_iter().chain(self.bins.finish());
        columns.map(|(field, array)| (field, array.slice(0, self.rows))).unzip()
    }
}

/// The profile as a table of one batch.
///
/// # Errors
/// The table would be too large for Arrow.
pub fn to_batch(profile: &Profile) -> Result<RecordBatch> {
    let mut rows = ProfileRows::default();
    profile.columns().iter().for_each(|column| rows.column(column, &Drawn::of(column)));
    profile.skipped().iter().for_each(|skipped| rows.skip(skipped));
    let (fields, arrays) = rows.finish();
    let metadata = HashMap::from([
        (VERSION_KEY.to_owned(), format!("{}.{}", SCHEMA_VERSION.0, SCHEMA_VERSION.1)),
        (PRODUCER_KEY.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        (ROWS_KEY.to_owned(), profile.rows().to_string()),
    ]);
    let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
    RecordBatch::try_new(schema, arrays).map_err(|e| Error::Input(format!("the profile is too large: {e}")))
}
