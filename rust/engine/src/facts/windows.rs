//! Profiles of windows, back from the rows of their columns.
use super::Facts;
use super::file::{required, strings, times};
use crate::table::{SCHEMA_VERSION, VERSION_KEY, from_batch};
use crate::{Error, Profile, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{RecordBatch, UInt32Array};
use arrow_cast::cast;
use arrow_schema::{DataType, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The profile of a window, over all writers.
pub struct WindowProfile {
    /// Whose window it is.
    pub monitor: String,
    /// Its segment, empty for the whole.
    pub segment: String,
    /// When it begins, in microseconds.
    pub window_start: i64,
    /// Its rows.
    pub profile: Profile,
}

/// Makes the rows of table `profiles` the profiles that they were.
///
/// # Errors
/// Rows are no profile, or profiles of two writers do not merge.
pub fn window_profiles(facts: &Facts) -> Result<Vec<WindowProfile>> {
    let whole = concat_batches(&facts.schema, &facts.batches)
        .map_err(|e| Error::Input(format!("too many profiles at once, ask for less time: {e}")))?;
    let [monitors, segments, writers, starts] =
        ["monitor", "segment", "writer", "window_start"].map(|name| required(&whole, name));
    let (monitors, segments, writers, starts) = (monitors?, segments?, writers?, starts?);
    let mut windows: BTreeMap<(&str, &str, i64), BTreeMap<&str, Vec<u32>>> = BTreeMap::new();
    for row in 0..whole.num_rows() {
        let window =
            (strings(&monitors).value(row), strings(&segments).value(row), times(&starts).value(row));
        let rows = windows.entry(window).or_default().entry(strings(&writers).value(row)).or_default();
        rows.push(u32::try_from(row).map_err(|_| Error::Input("too many profiles at once".into()))?);
    }
    let mut profiles = vec![];
    for ((monitor, segment, window_start), writers) in windows {
        let mut merged: Option<Profile> = None;
        for rows in writers.into_values() {
            let profile = profile(&whole, rows)?;
            match &mut merged {
                Some(merged) => merged.merge(&profile)?,
                None => merged = Some(profile),
            }
        }
        if let Some(profile) = merged {
            let (monitor, segment) = (monitor.to_owned(), segment.to_owned());
            profiles.push(WindowProfile { monitor, segment, window_start, profile });
        }
    }
    Ok(profiles)
}

fn profile(whole: &RecordBatch, rows: Vec<u32>) -> Result<Profile> {
    let wrong = |e: arrow_schema::ArrowError| Error::Input(format!("rows of a profile: {e}"));
    let batch = take_record_batch(whole, &UInt32Array::from(rows)).map_err(wrong)?;
    // Rows of the window: every column has seen each of them, or was absent in it.
    let mut most = 0;
    let counts = ["rows", "absent_count"].map(|name| {
        let array = batch
            .column_by_name(name)
            .ok_or_else(|| Error::Input(format!("has no column {name:?}: it is no table of profiles")))?;
        cast(array, &DataType::Int64).map_err(wrong)
    });
    let [seen, absent] = counts;
    let (seen, absent) = (seen?, absent?);
    for (seen, absent) in seen.as_primitive::<Int64Type>().iter().zip(absent.as_primitive::<Int64Type>()) {
        most = most.max(seen.unwrap_or(0).saturating_add(absent.unwrap_or(0)));
    }
    let mut metadata = batch.schema_ref().metadata().clone();
    if !metadata.contains_key(VERSION_KEY) {
        metadata.insert(VERSION_KEY.to_owned(), format!("{}.{}", SCHEMA_VERSION.0, SCHEMA_VERSION.1));
    }
    metadata.insert("driftline.rows".to_owned(), most.to_string());
    let schema = Schema::new_with_metadata(batch.schema_ref().fields().clone(), metadata);
    let batch = batch.with_schema(Arc::new(schema)).map_err(wrong)?;
    from_batch(&batch)
}
