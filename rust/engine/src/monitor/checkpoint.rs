//! All that a monitor knows, as bytes and back: what goes on from them goes on as if it had never ended.
use super::collected::Collected;
use super::series::Series;
use super::settings::Settings;
use super::watch::{Monitor, State, Waiting};
use crate::guard::decoding;
use crate::table::{from_parquet, to_parquet};
use crate::whole_file::Pieces;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is written: the state, borrowed for it, and tables as Parquet; after it come the series, by segment and column.
#[derive(Serialize, Deserialize)]
struct Written<S> {
    state: S,
    segments: usize,
    waiting: Vec<WaitingBytes>,
    open: Vec<Window>,
    late: Vec<Window>,
}

#[derive(Serialize, Deserialize)]
enum WaitingBytes {
    Rows(Vec<u8>, Vec<i64>),
    Advance(i64),
}

/// Series that are written by one thread, and about what each of them takes.
const SERIES_TOGETHER: usize = 64;
const SERIES_BYTES: usize = 1 << 15;

/// A window's number, and its segments' profiles.
type Window = (i64, Vec<(usize, Vec<u8>)>);

impl Monitor {
    /// All that it knows, as bytes. Settings are not among it, and what [`take`](Self::take) hands over must be
    /// taken before.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn checkpoint(&mut self) -> Result<Pieces> {
        let waiting = self.waiting.iter().map(|waiting| match waiting {
            Waiting::Rows(rows, times) => Ok(WaitingBytes::Rows(rows_to_bytes(rows)?, times.clone())),
            Waiting::Advance(to_us) => Ok(WaitingBytes::Advance(*to_us)),
        });
        let waiting = waiting.collect::<Result<_>>()?;
        let (mut open, mut late) = (windows_of(&self.open), windows_of(&self.late));
        let series: Vec<_> = self.state.series.iter().flatten().collect();
        let together: Vec<_> = series.chunks(SERIES_TOGETHER).collect();
        let mut parts = vec![vec![]; together.len()];
        // Windows first: each takes as long as a hundred series.
        let windows = [(&mut self.open, &mut open), (&mut self.late, &mut late)].into_iter();
        let windows = windows.flat_map(|(parts, bytes)| parts.values_mut().zip(bytes));
        let windows = windows.flat_map(|(parts, (_, bytes))| parts.values_mut().zip(bytes));
        let windows = windows.map(|(rows, (_, bytes))| Work::Window(rows, bytes));
        let series = together.into_iter().zip(&mut parts).map(|(series, bytes)| Work::Series(series, bytes));
        let work: Vec<_> = windows.chain(series).collect();
        match &mut self.builders {
            Some(builders) => builders.crew.hand_out(work.len(), work, |_, work| work.run())?,
            None => work.into_iter().try_for_each(Work::run)?,
        }
        let written = Written { waiting, open, late, segments: self.state.series.len(), state: &self.state };
        let first = postcard::to_allocvec(&written).map_err(not_written)?;
        Ok(std::iter::once(first).chain(parts).collect())
    }

    /// Goes on from a checkpoint, under settings that ask the same.
    ///
    /// # Errors
    /// The bytes are no checkpoint, or a setting is out of range.
    pub fn restore(settings: Settings, bytes: &[u8]) -> Result<Self> {
        settings.check()?;
        let damaged = |e: postcard::Error| {
            Error::Input(format!("the checkpoint is damaged, or of another version of driftline: {e}"))
        };
        let (mut written, mut rest) =
            decoding(|| postcard::take_from_bytes::<Written<State>>(bytes).map_err(damaged))?;
        written.state.segments = decoding(|| Ok(written.state.segments.restored()))?;
        if written.segments > written.state.segments.met() {
            return Err(damaged(postcard::Error::DeserializeBadEncoding));
        }
        for _ in 0..written.segments {
            let mut of_segment = vec![];
            for _ in &written.state.watched {
                let (series, after) = decoding(|| postcard::take_from_bytes(rest).map_err(damaged))?;
                of_segment.push(series);
                rest = after;
            }
            written.state.series.push(of_segment);
        }
        let mut restored = Self::of(settings, written.state);
        restored.rebuild_options()?;
        restored.open = windows_from_bytes(written.open)?;
        restored.late = windows_from_bytes(written.late)?;
        for waiting in written.waiting {
            restored.waiting.push(match waiting {
                WaitingBytes::Rows(rows, times) => Waiting::Rows(rows_from_bytes(rows)?, times),
                WaitingBytes::Advance(to_us) => Waiting::Advance(to_us),
            });
        }
        Ok(restored)
    }
}

/// What is turned into bytes by one thread.
enum Work<'a> {
    Window(&'a mut Collected, &'a mut Vec<u8>),
    Series(&'a [&'a Series], &'a mut Vec<u8>),
}

impl Work<'_> {
    fn run(self) -> Result<()> {
        match self {
            Self::Window(rows, bytes) => *bytes = to_parquet(rows.peek()?)?,
            Self::Series(series, bytes) => {
                let mut part = Vec::with_capacity(series.len() * SERIES_BYTES);
                for series in series {
                    part = postcard::to_extend(series, part).map_err(not_written)?;
                }
                *bytes = part;
            }
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn not_written(error: postcard::Error) -> Error {
    Error::Storage(format!("the state cannot be written: {error}"))
}

/// Windows and their segments, without their bytes.
fn windows_of(windows: &BTreeMap<i64, BTreeMap<usize, Collected>>) -> Vec<Window> {
    let window = |(&window, parts): (&i64, &BTreeMap<usize, Collected>)| {
        (window, parts.keys().map(|&segment| (segment, vec![])).collect())
    };
    windows.iter().map(window).collect()
}

fn windows_from_bytes(windows: Vec<Window>) -> Result<BTreeMap<i64, BTreeMap<usize, Collected>>> {
    let window = |(window, parts): Window| {
        let part = |(segment, bytes): (usize, Vec<u8>)| {
            Ok((segment, Collected::from_profile(from_parquet(bytes.into())?)))
        };
        Ok((window, parts.into_iter().map(part).collect::<Result<_>>()?))
    };
    windows.into_iter().map(window).collect()
}

fn rows_to_bytes(rows: &RecordBatch) -> Result<Vec<u8>> {
    let failed = |e: parquet::errors::ParquetError| Error::Input(format!("the rows cannot be kept: {e}"));
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), None).map_err(failed)?;
    writer.write(rows).map_err(failed)?;
    writer.close().map_err(failed)?;
    Ok(bytes)
}

fn rows_from_bytes(bytes: Vec<u8>) -> Result<RecordBatch> {
    let damaged = |e: String| Error::Input(format!("the checkpoint is damaged: {e}"));
    decoding(|| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))
            .map_err(|e| damaged(e.to_string()))?;
        let schema = reader.schema().clone();
        let reader = reader.build().map_err(|e| damaged(e.to_string()))?;
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|e| damaged(e.to_string()))?;
        concat_batches(&schema, &batches).map_err(|e| damaged(e.to_string()))
    })
}
