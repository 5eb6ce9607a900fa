//! When rows happened: any column of times as microseconds since the epoch.
use crate::profile::type_name;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// Stands for a row without a time.
pub(super) const NO_TIME: i64 = i64::MIN;

/// The size of a whole number tells its unit: from these on it counts milliseconds, microseconds and nanoseconds
/// since 1970. As seconds the first is the year 5138, as milliseconds it is 1973.
const FIRST_MILLISECOND: i64 = 100_000_000_000;
const FIRST_MICROSECOND: i64 = 100_000_000_000_000;
const FIRST_NANOSECOND: i64 = 100_000_000_000_000_000;

/// Instants of the rows, [`NO_TIME`] where there is none.
///
/// Timestamps with a zone are instants; those without one, dates, and ISO 8601 text without an offset are read as UTC.
///
/// # Errors
/// The column holds no times.
pub(super) fn instants_us(array: &ArrayRef, column: &str) -> Result<Vec<i64>> {
    use DataType::*;
    let wrong = |e: ArrowError| Error::Input(format!("column {column:?}, which is the time: {e}"));
    match array.data_type() {
        Timestamp(..) | Date32 | Date64 => in_microseconds(array).map_err(wrong),
        Utf8 | LargeUtf8 | Utf8View => {
            let instants = in_microseconds(array).map_err(wrong)?;
            let none = array.len() > array.null_count() && instants.iter().all(|&us| us == NO_TIME);
            if none { Err(no_times(column, "text that is no time")) } else { Ok(instants) }
        }
        Dictionary(_, values) => instants_us(&cast(array, values).map_err(wrong)?, column),
        Int32 | Int64 | UInt32 | UInt64 => {
            let whole = cast(array, &Int64).map_err(wrong)?;
            let whole = whole.as_primitive::<Int64Type>();
            Ok(whole.iter().map(|value| value.map_or(NO_TIME, from_whole)).collect())
        }
        Null => Ok(vec![NO_TIME; array.len()]),
        other => Err(no_times(column, &type_name(other))),
    }
}

fn no_times(column: &str, found: &str) -> Error {
    Error::Input(format!(
        "column {column:?}, which is the time, is {found}: it takes timestamps, dates, text in ISO 8601 \
         (2026-11-03T14:00:00Z) or whole numbers since 1970"
    ))
}

fn in_microseconds(array: &ArrayRef) -> Result<Vec<i64>, ArrowError> {
    // A cast that cannot hold a time, or read a text, gives null.
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        DataType::Date32 | DataType::Date64 => None,
        _ => Some("+00:00".into()),
    };
    let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    if times.null_count() == 0 {
        return Ok(times.values().to_vec());
    }
    Ok(times.iter().map(|time| time.unwrap_or(NO_TIME)).collect())
}

fn from_whole(value: i64) -> i64 {
    match value.saturating_abs() {
        size if size < FIRST_MILLISECOND => value * 1_000_000,
        size if size < FIRST_MICROSECOND => value * 1_000,
        size if size < FIRST_NANOSECOND => value,
        _ => value / 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int32Type;
    use arrow_array::{
        Date32Array, DictionaryArray, Float64Array, Int64Array, StringArray, TimestampMillisecondArray,
        TimestampNanosecondArray,
    };
    use std::sync::Arc;

    const NOON_US: i64 = 1_762_171_200_000_000; // 2025-11-03T12:00:00Z

    fn read(array: impl Array + 'static) -> Result<Vec<i64>> {
        instants_us(&(Arc::new(array) as ArrayRef), "ts")
    }

    #[test]
    fn every_kind_of_time_gives_the_same_instant() {
        let berlin = TimestampMillisecondArray::from(vec![Some(NOON_US / 1000), None]);
        assert_eq!(read(berlin.with_timezone("Europe/Berlin")).unwrap(), [NOON_US, NO_TIME]);
        assert_eq!(read(TimestampNanosecondArray::from(vec![NOON_US * 1000 + 999])).unwrap(), [NOON_US]);
        let texts = ["2025-11-03T12:00:00Z", "2025-11-03 13:00:00+01:00", "2025-11-03T12:00:00", "soon"];
        assert_eq!(read(StringArray::from(texts.to_vec())).unwrap(), [NOON_US, NOON_US, NOON_US, NO_TIME]);
        let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
        assert_eq!(read(dictionary).unwrap(), [NOON_US, NOON_US, NOON_US, NO_TIME]);
        let whole = [NOON_US / 1_000_000, NOON_US / 1_000, NOON_US, NOON_US * 1_000];
        assert_eq!(read(Int64Array::from(whole.to_vec())).unwrap(), [NOON_US; 4]);
        assert_eq!(read(Date32Array::from(vec![1])).unwrap(), [86_400_000_000]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let text = |r: Result<Vec<i64>>| r.unwrap_err().to_string();
        let said = text(read(StringArray::from(vec![Some("soon"), None])));
        assert!(
            said.starts_with("column \"ts\", which is the time, is text that is no time: it takes"),
            "{said}"
        );
        assert!(text(read(Float64Array::from(vec![1.0]))).contains("is float64"));
        assert_eq!(read(StringArray::from(vec![None::<&str>])).unwrap(), [NO_TIME]);
    }
}
