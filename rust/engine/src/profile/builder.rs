//! Arrow arrays into a column profile, type by type.
use crate::options::Options;
use crate::profile::column::{Bins, ColumnProfile, Frequent};
use crate::profile::flatten::Leaf;
use crate::profile::numbers::{Numbers, wider};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait, downcast_integer_array};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use driftline_sketches::ValueCounter;
use driftline_sketches::hash::{Hash128, hash_bytes};
use driftline_sketches::kernels::{self, CHUNK, Convert};
use std::sync::Arc;

/// Buffers that a thread reuses from chunk to chunk, so that they stay in its cache.
pub struct Scratch {
    floats: Box<[f64; CHUNK]>,
    finite: Box<[f64; CHUNK]>,
    integers: Box<[i64; CHUNK]>,
    counter: ValueCounter,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            floats: Box::new([0.0; CHUNK]),
            finite: Box::new([0.0; CHUNK]),
            integers: Box::new([0; CHUNK]),
            counter: ValueCounter::default(),
        }
    }
}

/// A column profile under construction.
pub struct ColumnBuilder {
    profile: ColumnProfile,
    leaf: Leaf,
    dictionary: Option<DictionaryCounts>,
}

/// Rows per key of a dictionary that several batches share: each of its values is hashed once.
struct DictionaryCounts {
    values: ArrayRef,
    rows: Vec<u64>,
}

impl ColumnBuilder {
    /// Starts the profile of a flat column.
    ///
    /// # Errors
    /// As of [`ColumnProfile::try_new`].
    pub fn try_new(leaf: Leaf, options: &Options, partition: u64) -> Result<Self> {
        let profile = ColumnProfile::try_new(&leaf.name, &leaf.data_type, leaf.kind, options, partition)?;
        Ok(Self { profile, leaf, dictionary: None })
    }

    /// The top-level column whose arrays it takes.
    pub fn root(&self) -> usize {
        self.leaf.root
    }

    /// The profile so far.
    pub fn profile(&self) -> &ColumnProfile {
        &self.profile
    }

    /// The same, to be cleared once it was looked at.
    pub fn profile_mut(&mut self) -> &mut ColumnProfile {
        &mut self.profile
    }

    /// Adds the rows of an array of the top-level column.
    ///
    /// # Errors
    /// The array cannot be converted, which says which column it was.
    pub fn update(&mut self, root: &ArrayRef, scratch: &mut Scratch) -> Result<()> {
        let array = self.leaf.values(root)?;
        self.add(&array, scratch)
    }

    /// Ends the profile.
    ///
    /// # Errors
    /// A dictionary's values cannot be converted.
    pub fn finish(mut self) -> Result<ColumnProfile> {
        self.flush_dictionary()?;
        Ok(self.profile)
    }

    fn add(&mut self, array: &ArrayRef, scratch: &mut Scratch) -> Result<()> {
        use DataType::*;
        let profile = &mut self.profile;
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let nulls = nulls.as_ref();
        macro_rules! integers {
            ($type:ty) => {
                add_integers(profile, array.as_primitive::<$type>().values(), nulls, scratch)
            };
        }
        match array.data_type() {
            Float64 => add_floats(profile, array.as_primitive::<Float64Type>().values(), nulls, scratch),
            Float32 => add_floats(profile, array.as_primitive::<Float32Type>().values(), nulls, scratch),
            Int8 => integers!(Int8Type),
            Int16 => integers!(Int16Type),
            Int32 => integers!(Int32Type),
            Int64 => integers!(Int64Type),
            UInt8 => integers!(UInt8Type),
            UInt16 => integers!(UInt16Type),
            UInt32 => integers!(UInt32Type),
            UInt64 => add_unsigned(profile, array.as_primitive::<UInt64Type>().values(), nulls, scratch),
            Date32 => integers!(Date32Type),
            Date64 => integers!(Date64Type),
            Time32(TimeUnit::Second) => integers!(Time32SecondType),
            Time32(_) => integers!(Time32MillisecondType),
            Time64(TimeUnit::Microsecond) => integers!(Time64MicrosecondType),
            Time64(_) => integers!(Time64NanosecondType),
            Timestamp(TimeUnit::Second, _) => integers!(TimestampSecondType),
            Timestamp(TimeUnit::Millisecond, _) => integers!(TimestampMillisecondType),
            Timestamp(TimeUnit::Microsecond, _) => integers!(TimestampMicrosecondType),
            Timestamp(TimeUnit::Nanosecond, _) => integers!(TimestampNanosecondType),
            Duration(TimeUnit::Second) => integers!(DurationSecondType),
            Duration(TimeUnit::Millisecond) => integers!(DurationMillisecondType),
            Duration(TimeUnit::Microsecond) => integers!(DurationMicrosecondType),
            Duration(TimeUnit::Nanosecond) => integers!(DurationNanosecondType),
            Float16 | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => {
                return self.add_converted(array, &Float64, scratch);
            }
            RunEndEncoded(_, values) => {
                let values = values.data_type().clone();
                return self.add_converted(array, &values, scratch);
            }
            Dictionary(..) if self.leaf.kind == crate::profile::Kind::Category => {
                return self.add_dictionary(array);
            }
            Dictionary(_, values) => {
                let values = values.as_ref().clone();
                return self.add_converted(array, &values, scratch);
            }
            Null => {
                profile.counts.rows += array.len() as u64;
                profile.counts.nulls += array.len() as u64;
            }
            Boolean => {
                count_rows(profile, array.len(), nulls);
                let values = array.as_boolean();
                let (yes, no) = (values.true_count() as u64, values.false_count() as u64);
                let groups = [(&b"false"[..], no), (&b"true"[..], yes)];
                let groups = groups.iter().filter(|group| group.1 > 0);
                let groups: Vec<_> = groups.map(|&(value, n)| (value, hash_bytes(value), n)).collect();
                add_groups(profile, &groups);
            }
            Utf8 => add_bytes(
                profile,
                array.as_bytes::<Utf8Type>().iter().map(|v| v.map(str::as_bytes)),
                nulls,
                scratch,
            ),
            LargeUtf8 => {
                add_bytes(
                    profile,
                    array.as_bytes::<LargeUtf8Type>().iter().map(|v| v.map(str::as_bytes)),
                    nulls,
                    scratch,
                );
            }
            Utf8View => add_bytes(
                profile,
                array.as_string_view().iter().map(|v| v.map(str::as_bytes)),
                nulls,
                scratch,
            ),
            Binary => add_bytes(profile, array.as_binary::<i32>().iter(), nulls, scratch),
            LargeBinary => add_bytes(profile, array.as_binary::<i64>().iter(), nulls, scratch),
            BinaryView => add_bytes(profile, array.as_binary_view().iter(), nulls, scratch),
            FixedSizeBinary(_) => add_bytes(profile, array.as_fixed_size_binary().iter(), nulls, scratch),
            List(_) => add_lists::<i32>(profile, array, nulls),
            LargeList(_) => add_lists::<i64>(profile, array, nulls),
            FixedSizeList(_, width) => {
                count_rows(profile, array.len(), nulls);
                let lists = (array.len() - array.null_count()) as u64;
                if *width == 0 {
                    profile.counts.empty += lists;
                }
                if let (Some(lengths), true) = (&mut profile.lengths, lists > 0) {
                    lengths.update_weighted(f64::from(*width), lists);
                }
            }
            other => {
                return Err(Error::Input(format!("column {:?}: {other} is not profiled", profile.name)));
            }
        }
        Ok(())
    }

    fn add_converted(&mut self, array: &ArrayRef, to: &DataType, scratch: &mut Scratch) -> Result<()> {
        // A converted copy of a few thousand rows stays in the second-level cache.
        const ROWS: usize = 8192;
        for start in (0..array.len()).step_by(ROWS) {
            let part = array.slice(start, ROWS.min(array.len() - start));
            let part =
                cast(&part, to).map_err(|e| Error::Input(format!("column {:?}: {e}", self.profile.name)))?;
            self.add(&part, scratch)?;
        }
        Ok(())
    }

    fn add_dictionary(&mut self, array: &ArrayRef) -> Result<()> {
        let dictionary = array.as_any_dictionary();
        let values = dictionary.values();
        if self.dictionary.as_ref().is_none_or(|d| !same_array(&d.values, values)) {
            self.flush_dictionary()?;
            self.dictionary = Some(DictionaryCounts { values: values.clone(), rows: vec![0; values.len()] });
        }
        // Keys can be valid and still point at a null value: those rows are nulls.
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        count_rows(&mut self.profile, array.len(), nulls.as_ref());
        if let Some(counts) = &mut self.dictionary {
            let keys = dictionary.keys();
            downcast_integer_array!(
                keys => count_keys(keys.values(), nulls.as_ref(), &mut counts.rows),
                other => return Err(Error::Input(format!("column {:?}: keys are {other}", self.profile.name))),
            );
        }
        Ok(())
    }

    /// Counts the rows of a dictionary's keys by its values.
    pub fn flush_dictionary(&mut self) -> Result<()> {
        let Some(DictionaryCounts { values, rows }) = self.dictionary.take() else { return Ok(()) };
        // Binary form serves strings and bytes alike.
        let values = match values.data_type() {
            DataType::Boolean => cast(&values, &DataType::Utf8).and_then(|v| cast(&v, &DataType::Binary)),
            DataType::LargeUtf8 | DataType::LargeBinary => cast(&values, &DataType::LargeBinary),
            _ => cast(&values, &DataType::Binary),
        };
        let values = values.map_err(|e| Error::Input(format!("column {:?}: {e}", self.profile.name)))?;
        let value = |i: usize| match values.data_type() {
            DataType::LargeBinary => values.as_binary::<i64>().value(i),
            _ => values.as_binary::<i32>().value(i),
        };
        let used = rows.iter().enumerate().filter(|(_, n)| **n > 0);
        let mut groups: Vec<_> = used.map(|(i, &n)| (value(i), hash_bytes(value(i)), n)).collect();
        // A dictionary may hold the same value twice, as one put together from parts does.
        groups.sort_unstable_by_key(|group| (group.1.0, group.1.1, group.0));
        groups.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.2 += if same { next.2 } else { 0 };
            same
        });
        for group in groups.chunks(4096) {
            add_groups(&mut self.profile, group);
        }
        Ok(())
    }
}

fn same_array(a: &ArrayRef, b: &ArrayRef) -> bool {
    Arc::ptr_eq(a, b) || (a.len() == b.len() && a.to_data().ptr_eq(&b.to_data()))
}

fn count_keys<K: ArrowNativeType>(keys: &[K], nulls: Option<&NullBuffer>, rows: &mut [u64]) {
    match nulls {
        None => keys.iter().for_each(|key| rows[key.as_usize()] += 1),
        Some(nulls) => nulls.valid_indices().for_each(|i| rows[keys[i].as_usize()] += 1),
    }
}

fn count_rows(profile: &mut ColumnProfile, rows: usize, nulls: Option<&NullBuffer>) {
    profile.counts.rows += rows as u64;
    profile.counts.nulls += nulls.map_or(0, NullBuffer::null_count) as u64;
}

/// Chunks of values, each with its validity as words of 64 rows, lowest bit first, where there are nulls.
fn chunks<'a, T>(
    values: &'a [T],
    nulls: Option<&'a NullBuffer>,
) -> impl Iterator<Item = (&'a [T], Option<[u64; CHUNK / 64]>)> {
    values.chunks(CHUNK).enumerate().map(move |(i, chunk)| {
        let words = nulls.map(|nulls| {
            let mut words = [0; CHUNK / 64];
            let bits = nulls.inner().slice(i * CHUNK, chunk.len());
            words.iter_mut().zip(bits.bit_chunks().iter_padded()).for_each(|(word, bits)| *word = bits);
            words
        });
        (chunk, words)
    })
}

/// Arrays are worth a look at how many values they hold from so many times `k` rows on, of which a sketch begins to be
/// selective.
const WORTH_A_LOOK: usize = 10;

/// Lets the quantile sketch know how many values the first array holds at least.
fn expect(profile: &mut ColumnProfile, rows: usize, missing: impl Fn() -> usize) {
    let quantiles = profile.numbers.as_mut().and_then(|n| n.quantiles.as_mut());
    let Some(quantiles) = quantiles.filter(|_| profile.counts.rows == 0) else { return };
    if rows >= WORTH_A_LOOK * usize::from(quantiles.k()) {
        quantiles.expect(rows.saturating_sub(missing()) as u64);
    }
}

/// Floats, cleaned chunk by chunk.
fn add_floats<T: Convert<f64> + PartialOrd>(
    profile: &mut ColumnProfile,
    values: &[T],
    nulls: Option<&NullBuffer>,
    scratch: &mut Scratch,
) {
    let nans = || values.iter().filter(|x| x.partial_cmp(x).is_none()).count();
    let missing = || nans() + nulls.map_or(0, NullBuffer::null_count);
    expect(profile, values.len(), missing);
    count_rows(profile, values.len(), nulls);
    for (chunk, words) in chunks(values, nulls) {
        let cleaned = kernels::clean(chunk, words.as_ref().map(|w| &w[..]), &mut scratch.floats);
        let counts = &mut profile.counts;
        counts.nans += cleaned.nans as u64;
        counts.pos_inf += cleaned.pos_inf as u64;
        counts.neg_inf += cleaned.neg_inf as u64;
        counts.zeros += cleaned.zeros as u64;
        counts.negatives += cleaned.negatives as u64;
        let values = &scratch.floats[..cleaned.kept];
        if let Some(distinct) = &mut profile.distinct {
            distinct.update_f64(values);
        }
        let finite = if cleaned.pos_inf + cleaned.neg_inf > 0 {
            let kept = kernels::finite(values, &mut scratch.finite);
            &scratch.finite[..kept]
        } else {
            values
        };
        add_numbers(&mut profile.numbers, &mut profile.bins, values, finite);
    }
}

/// What all numbers have in common; `finite` are those of `values` that enter the moments.
fn add_numbers(numbers: &mut Option<Numbers>, bins: &mut Option<Bins>, values: &[f64], finite: &[f64]) {
    if let Some(numbers) = numbers {
        if numbers.ranged {
            numbers.range = wider(numbers.range, kernels::min_max(values));
        }
        if let Some(moments) = &mut numbers.moments {
            moments.update(finite);
        }
        if let Some(quantiles) = &mut numbers.quantiles {
            quantiles.update(values);
        }
    }
    if let Some(Bins::Numbers(bins)) = bins {
        bins.update(values);
    }
}

/// Whole numbers: hashed, counted and ranged as integers, summarised as floats.
fn add_integers<T: Convert<i64>>(
    profile: &mut ColumnProfile,
    values: &[T],
    nulls: Option<&NullBuffer>,
    scratch: &mut Scratch,
) {
    expect(profile, values.len(), || nulls.map_or(0, NullBuffer::null_count));
    count_rows(profile, values.len(), nulls);
    for (chunk, words) in chunks(values, nulls) {
        let compacted = kernels::compact_i64(chunk, words.as_ref().map(|w| &w[..]), &mut scratch.integers);
        let whole = &scratch.integers[..compacted.kept];
        let floats = &mut scratch.floats[..compacted.kept];
        kernels::to_f64(whole, floats);
        profile.counts.zeros += compacted.zeros as u64;
        profile.counts.negatives += compacted.negatives as u64;
        add_whole(profile, whole, floats, compacted.range.map(|(a, b)| (i128::from(a), i128::from(b))));
    }
}

/// Unsigned 64-bit numbers: hashed and counted by their bits, which for values of the signed range are the same.
fn add_unsigned(
    profile: &mut ColumnProfile,
    values: &[u64],
    nulls: Option<&NullBuffer>,
    scratch: &mut Scratch,
) {
    count_rows(profile, values.len(), nulls);
    for (chunk, words) in chunks(values, nulls) {
        let chunk = &signed(chunk)[..chunk.len()];
        let compacted = kernels::compact_i64(chunk, words.as_ref().map(|w| &w[..]), &mut scratch.integers);
        let whole = &scratch.integers[..compacted.kept];
        let floats = &mut scratch.floats[..compacted.kept];
        floats.iter_mut().zip(whole).for_each(|(float, &x)| *float = x as u64 as f64);
        profile.counts.zeros += compacted.zeros as u64;
        let ends = whole.iter().map(|&x| i128::from(x as u64));
        add_whole(profile, whole, floats, ends.clone().min().zip(ends.max()));
    }
}

/// The same bits, read as signed.
fn signed(chunk: &[u64]) -> [i64; CHUNK] {
    let mut out = [0; CHUNK];
    out.iter_mut().zip(chunk).for_each(|(signed, &bits)| *signed = bits as i64);
    out
}

fn add_whole(profile: &mut ColumnProfile, whole: &[i64], floats: &[f64], range: Option<(i128, i128)>) {
    if let Some(distinct) = &mut profile.distinct {
        distinct.update_i64(whole);
    }
    if let Some(Frequent::Integers(frequent)) = &mut profile.frequent {
        frequent.update_all(whole);
    }
    if let Some(numbers) = profile.numbers.as_mut().filter(|numbers| numbers.ranged) {
        numbers.integer_range = wider(numbers.integer_range, range);
    }
    add_numbers(&mut profile.numbers, &mut profile.bins, floats, floats);
}

/// Strings and bytes that are not dictionary-encoded: equal ones are grouped before anything looks at them.
fn add_bytes<'a>(
    profile: &mut ColumnProfile,
    values: impl ExactSizeIterator<Item = Option<&'a [u8]>>,
    nulls: Option<&NullBuffer>,
    scratch: &mut Scratch,
) {
    count_rows(profile, values.len(), nulls);
    let sketched = profile.distinct.is_some() || profile.frequent.is_some() || profile.lengths.is_some();
    if !sketched && profile.bins.is_none() {
        profile.counts.empty += values.flatten().filter(|value| value.is_empty()).count() as u64;
        return;
    }
    scratch.counter.count(values.flatten(), |groups| add_groups(profile, groups));
}

/// Groups of equal values, distinct from one another, with their hashes and numbers of rows.
pub(crate) fn add_groups(profile: &mut ColumnProfile, groups: &[(&[u8], Hash128, u64)]) {
    let lengths = !profile.type_name.starts_with("bool");
    if let Some(distinct) = &mut profile.distinct {
        // DataSketches ignores the empty string, and so do its readers.
        distinct.update_hashes(groups.iter().filter(|group| !group.0.is_empty()).map(|group| group.1));
    }
    if let Some(Frequent::Bytes(frequent)) = &mut profile.frequent {
        frequent.update_groups(groups);
    }
    if let Some(Bins::Categories(bins)) = &mut profile.bins {
        groups.iter().for_each(|&(value, _, n)| bins.update(value, n));
    }
    if lengths {
        // Lengths are few: counted, then added once each.
        let mut rows_by_length = std::collections::BTreeMap::new();
        groups.iter().for_each(|&(value, _, n)| *rows_by_length.entry(value.len()).or_insert(0) += n);
        profile.counts.empty += rows_by_length.get(&0).copied().unwrap_or(0);
        if let Some(lengths) = &mut profile.lengths {
            rows_by_length.iter().for_each(|(&length, &n)| lengths.update_weighted(length as f64, n));
        }
    }
}

fn add_lists<O: OffsetSizeTrait>(profile: &mut ColumnProfile, array: &ArrayRef, nulls: Option<&NullBuffer>) {
    count_rows(profile, array.len(), nulls);
    let lists = array.as_list::<O>();
    for i in (0..lists.len()).filter(|&i| lists.is_valid(i)) {
        let length = lists.value_length(i).as_usize();
        profile.counts.empty += u64::from(length == 0);
        if let Some(lengths) = &mut profile.lengths {
            lengths.update_weighted(length as f64, 1);
        }
    }
}
