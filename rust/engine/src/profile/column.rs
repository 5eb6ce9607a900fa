//! The profile of one column: counts, and a sketch for every question asked of it.
use crate::options::{Collect, Options};
use crate::profile::kind::{Kind, is_integral, same_measure, type_name};
use crate::profile::numbers::{Numbers, merge_part};
use crate::reference::ColumnBins;
use crate::{Error, Result};
use arrow_schema::DataType;
use driftline_sketches::hash::hash_bytes;
use driftline_sketches::{CategoryBins, FrequentItems, HllSketch, NumberBins};

/// More rows than are ever counted: what claims more is damaged or forged, and would overflow when merged.
pub(crate) const MOST_ROWS: u64 = 1 << 56;

/// Rows of a column by what stands in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows seen, nulls included.
    pub rows: u64,
    /// Rows of files or batches that lack the column altogether; not among `rows`.
    pub absent: u64,
    /// Nulls.
    pub nulls: u64,
    /// Floats that are not a number.
    pub nans: u64,
    /// Positive infinities.
    pub pos_inf: u64,
    /// Negative infinities.
    pub neg_inf: u64,
    /// Numbers equal to zero.
    pub zeros: u64,
    /// Numbers below zero, negative infinity included.
    pub negatives: u64,
    /// Strings, bytes and lists of length zero.
    pub empty: u64,
}

impl Counts {
    /// Values that enter sketches: neither null nor NaN.
    pub fn valid(&self) -> u64 {
        self.rows - self.nulls - self.nans
    }

    /// Adds the counts of other rows.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.absent += other.absent;
        self.nulls += other.nulls;
        self.nans += other.nans;
        self.pos_inf += other.pos_inf;
        self.neg_inf += other.neg_inf;
        self.zeros += other.zeros;
        self.negatives += other.negatives;
        self.empty += other.empty;
    }
}

/// Frequent values: integers by value, everything else by its bytes.
#[derive(Clone, Debug)]
pub enum Frequent {
    /// Of an integer column.
    Integers(FrequentItems<i64>),
    /// Of a category; booleans are `true` and `false`.
    Bytes(FrequentItems<Box<[u8]>>),
}

/// Exact counts over the bins of a reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Bins {
    /// Of numbers.
    Numbers(NumberBins),
    /// Of categories.
    Categories(CategoryBins),
}

/// Mergeable summary of one column.
#[derive(Clone, Debug)]
pub struct ColumnProfile {
    /// Flattened name: `a.b` for a field of a struct, `a[]` for the elements of a list.
    pub name: String,
    /// Logical types seen, in the order of their names, joined by `|`.
    pub type_name: String,
    /// How values are summarised.
    pub kind: Kind,
    /// Rows by what stands in them.
    pub counts: Counts,
    /// Summary of numeric values.
    pub numbers: Option<Numbers>,
    /// Summary of the lengths of strings (in bytes) and lists (in elements).
    pub lengths: Option<Numbers>,
    /// Distinct values.
    pub distinct: Option<HllSketch>,
    /// Frequent values.
    pub frequent: Option<Frequent>,
    /// Exact counts over a reference's bins.
    pub bins: Option<Bins>,
}

/// Whether values of the type are whole 64-bit numbers, which are counted by value.
pub(crate) fn is_integer(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_integer(values),
        DataType::RunEndEncoded(_, values) => is_integer(values.data_type()),
        other => other.is_integer(),
    }
}

/// The seed of a column's sketches.
fn seed_of(name: &str, partition: u64) -> u64 {
    hash_bytes(name.as_bytes()).0 ^ partition
}

impl ColumnProfile {
    /// An empty profile of a column. `partition` tells parts of the same data apart, so that their
    /// sketches toss different coins, and the same ones in every run.
    ///
    /// # Errors
    /// `options.k` is out of range.
    pub fn try_new(
        name: &str,
        data_type: &DataType,
        kind: Kind,
        options: &Options,
        partition: u64,
    ) -> Result<Self> {
        let collect = options.collect_for(name);
        let seed = seed_of(name, partition);
        let lengths_collect =
            if collect.length { Collect { moments: true, quantiles: true, ..collect } } else { collect };
        let measured = matches!(kind, Kind::Category | Kind::List | Kind::Embedding)
            && collect.length
            && type_name(data_type) != "bool";
        let numbers = |collect| Numbers::try_new(options.k, seed, collect);
        let frequent = match kind {
            _ if !collect.top => None,
            Kind::Category => Some(Frequent::Bytes(FrequentItems::try_new(options.lg_max)?)),
            Kind::Number if is_integer(data_type) => {
                Some(Frequent::Integers(FrequentItems::try_new(options.lg_max)?))
            }
            _ => None,
        };
        let valued = kind.is_numeric() || kind == Kind::Category;
        Ok(Self {
            name: name.to_owned(),
            type_name: type_name(data_type),
            kind,
            counts: Counts::default(),
            numbers: if kind.is_numeric() { Some(numbers(collect)?) } else { None },
            lengths: if measured { Some(numbers(lengths_collect)?) } else { None },
            distinct: (collect.distinct && valued).then(HllSketch::new),
            frequent,
            // The categories of bins are values.
            bins: options
                .reference
                .as_ref()
                .filter(|_| !options.is_redacted(name))
                .and_then(|r| r.bins_for(name, kind, &type_name(data_type)))
                .map(ColumnBins::empty)
                .transpose()?,
        })
    }

    /// Forgets all rows, and keeps the memory that they took: it is as [`try_new`](Self::try_new) makes it.
    pub(crate) fn clear(&mut self, partition: u64) {
        let seed = seed_of(&self.name, partition);
        self.counts = Counts::default();
        [&mut self.numbers, &mut self.lengths].into_iter().flatten().for_each(|numbers| numbers.clear(seed));
        if let Some(distinct) = &mut self.distinct {
            distinct.clear();
        }
        match &mut self.frequent {
            Some(Frequent::Integers(items)) => items.clear(),
            Some(Frequent::Bytes(items)) => items.clear(),
            None => {}
        }
        match &mut self.bins {
            Some(Bins::Numbers(bins)) => bins.clear(),
            Some(Bins::Categories(bins)) => bins.clear(),
            None => {}
        }
    }

    /// A string column that holds the same value, or null, in every row: a partition known from a folder's name.
    ///
    /// # Errors
    /// `options.k` is out of range.
    pub fn try_constant(name: &str, value: Option<&str>, rows: u64, options: &Options) -> Result<Self> {
        let mut column = Self::try_new(name, &DataType::Utf8, Kind::Category, options, 0)?;
        column.counts.rows = rows;
        match value {
            None => column.counts.nulls = rows,
            Some(value) if rows > 0 => {
                super::builder::add_groups(
                    &mut column,
                    &[(value.as_bytes(), hash_bytes(value.as_bytes()), rows)],
                );
            }
            Some(_) => {}
        }
        Ok(column)
    }

    /// Adds what another profile of the same column has seen. Parts that either side lacks are dropped.
    ///
    /// # Errors
    /// The kinds or units differ, or bins were counted over other edges. `self` is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.check_mergeable(other)?;
        if other.kind == Kind::Null && self.kind != Kind::Null {
            self.counts.merge(&other.counts);
            return Ok(());
        }
        if self.kind == Kind::Null && other.kind != Kind::Null {
            let counts = self.counts;
            *self = Self { name: std::mem::take(&mut self.name), ..other.clone() };
            self.counts.merge(&counts);
            return Ok(());
        }
        if self.type_name != other.type_name {
            let types = self.type_name.split('|').chain(other.type_name.split('|'));
            let types: std::collections::BTreeSet<_> = types.collect();
            let joined = types.into_iter().collect::<Vec<_>>().join("|");
            // An integer and the float equal to it have different hashes, and the largest unsigned integers
            // the same as negative ones.
            let unsigned = |name: &str| name.split('|').any(|name| name == "uint64");
            let hashed_alike = is_integral(&self.type_name) == is_integral(&other.type_name)
                && unsigned(&self.type_name) == unsigned(&other.type_name);
            if self.kind == Kind::Number && !hashed_alike {
                self.distinct = None;
                self.frequent = None;
            }
            self.type_name = joined;
        }
        self.counts.merge(&other.counts);
        merge_part(&mut self.numbers, &other.numbers, Numbers::merge);
        merge_part(&mut self.lengths, &other.lengths, Numbers::merge);
        merge_part(&mut self.distinct, &other.distinct, HllSketch::merge);
        self.frequent = match (self.frequent.take(), &other.frequent) {
            (Some(Frequent::Integers(mut a)), Some(Frequent::Integers(b))) => {
                a.merge(b);
                Some(Frequent::Integers(a))
            }
            (Some(Frequent::Bytes(mut a)), Some(Frequent::Bytes(b))) => {
                a.merge(b);
                Some(Frequent::Bytes(a))
            }
            _ => None,
        };
        match (&mut self.bins, &other.bins) {
            (Some(Bins::Numbers(a)), Some(Bins::Numbers(b))) => a.merge(b)?,
            (Some(Bins::Categories(a)), Some(Bins::Categories(b))) => a.merge(b)?,
            _ => self.bins = None,
        }
        Ok(())
    }

    /// Whether [`merge`](Self::merge) would succeed.
    ///
    /// # Errors
    /// As of `merge`.
    pub fn check_mergeable(&self, other: &Self) -> Result<()> {
        let units_differ =
            self.kind == other.kind && !same_measure(self.kind, &self.type_name, &other.type_name);
        let nullish = self.kind == Kind::Null || other.kind == Kind::Null;
        if units_differ || (self.kind != other.kind && !nullish) {
            return Err(Error::Input(format!(
                "column {:?} is {} on one side and {} on the other: profile them apart, or convert one first",
                self.name, self.type_name, other.type_name
            )));
        }
        let (ours, theirs) = (&self.counts, &other.counts);
        let most = [(ours.rows, theirs.rows), (ours.absent, theirs.absent)];
        if most.iter().any(|&(a, b)| a.checked_add(b).is_none_or(|sum| sum > MOST_ROWS)) {
            return Err(Error::Input(format!(
                "column {:?} would have more than {MOST_ROWS} rows",
                self.name
            )));
        }
        let edges_differ = match (&self.bins, &other.bins) {
            (Some(Bins::Numbers(a)), Some(Bins::Numbers(b))) => a.edges() != b.edges(),
            (Some(Bins::Categories(a)), Some(Bins::Categories(b))) => a.categories() != b.categories(),
            _ => false,
        };
        if edges_differ {
            return Err(Error::Input(format!(
                "column {:?} was counted over the bins of two different references: profile both with the same one",
                self.name
            )));
        }
        Ok(())
    }
}
