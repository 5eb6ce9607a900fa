//! All that a monitor knows, as bytes and back: what goes on from them goes on as if it had never ended.
use super::collected::Collected;
use super::settings::Settings;
use super::watch::{Monitor, State, Waiting};
use crate::guard::decoding;
use crate::table::{from_parquet, to_parquet};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is written: the state, borrowed for it, and tables as Parquet.
#[derive(Serialize, Deserialize)]
struct Written<S> {
    state: S,
    waiting: Vec<WaitingBytes>,
    open: Vec<Window>,
    late: Vec<Window>,
}

#[derive(Serialize, Deserialize)]
enum WaitingBytes {
    Rows(Vec<u8>, Vec<i64>),
    Advance(i64),
}

/// A window's number, and its segments' profiles.
type Window = (i64, Vec<(usize, Vec<u8>)>);

impl Monitor {
    /// All that it knows, as bytes. Settings are not among it, and what [`take`](Self::take) hands over must be
    /// taken before.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn checkpoint(&mut self) -> Result<Vec<u8>> {
        let waiting = self.waiting.iter().map(|waiting| match waiting {
            Waiting::Rows(rows, times) => Ok(WaitingBytes::Rows(rows_to_bytes(rows)?, times.clone())),
            Waiting::Advance(to_us) => Ok(WaitingBytes::Advance(*to_us)),
        });
        let written = Written {
            waiting: waiting.collect::<Result<_>>()?,
            open: windows_to_bytes(&mut self.open)?,
            late: windows_to_bytes(&mut self.late)?,
            state: &self.state,
        };
        postcard::to_allocvec(&written)
            .map_err(|e| Error::Storage(format!("the state cannot be written: {e}")))
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
        let mut written: Written<State> = decoding(|| postcard::from_bytes(bytes).map_err(damaged))?;
        written.state.segments = written.state.segments.restored();
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

fn windows_to_bytes(windows: &mut BTreeMap<i64, BTreeMap<usize, Collected>>) -> Result<Vec<Window>> {
    let window = |(&window, parts): (&i64, &mut BTreeMap<usize, Collected>)| {
        let part = |(&segment, rows): (&usize, &mut Collected)| Ok((segment, to_parquet(rows.peek()?)?));
        Ok((window, parts.iter_mut().map(part).collect::<Result<_>>()?))
    };
    windows.iter_mut().map(window).collect()
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
