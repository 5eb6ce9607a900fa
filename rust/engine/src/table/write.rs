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
        self.float(&named("mean_rest"), moments.map(Moments::mean_rest));
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
