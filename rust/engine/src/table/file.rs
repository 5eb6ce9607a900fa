//! The table as a Parquet file: written whole or not at all, read with distrust.
use super::read::{check_version, read_batches};
use super::{VERSION_KEY, to_batch};
use crate::guard::decoding;
use crate::profile::Profile;
use crate::source::read::open_regular;
use crate::{Error, Result};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::ChunkReader;
use parquet::schema::types::ColumnPath;
use std::path::Path;

/// The profile as the bytes of a Parquet file.
///
/// # Errors
/// As of [`to_batch`].
pub fn to_parquet(profile: &Profile) -> Result<Vec<u8>> {
    let batch = to_batch(profile)?;
    let mut bytes = vec![];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        // Images do not repeat, and their minima and maxima tell nothing.
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .set_dictionary_enabled(false);
    for name in ["quantiles", "length_quantiles"] {
        // They are nearly all of a profile, and unpacking zstd was a third of what reading one takes.
        properties = properties.set_column_compression(ColumnPath::from(name), Compression::SNAPPY);
    }
    let written =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).and_then(|mut writer| {
            writer.write(&batch)?;
            writer.close()
        });
    written.map_err(|e| Error::Input(format!("the profile cannot be written: {e}")))?;
    Ok(bytes)
}

/// Writes the profile to a Parquet file: all of it or nothing, also when the disk is full or the process dies.
///
/// # Errors
/// The folder is not there, not writable or full; or something else than a profile is there, which is kept.
pub fn save(profile: &Profile, path: &Path) -> Result<()> {
    let bytes = to_parquet(profile)?;
    let name = path.to_string_lossy();
    if path.exists() && !is_profile(path) {
        return Err(Error::Argument(format!(
            "{name}: is there and is no profile: remove it or choose another name"
        )));
    }
    crate::whole_file::write(path, std::iter::once(&bytes[..]))
}

/// Reads a profile from the bytes of a Parquet file.
///
/// # Errors
/// The bytes are no profile, of a newer major version, or damaged.
pub fn from_parquet(bytes: Bytes) -> Result<Profile> {
    decoding(|| decode(bytes, 0))
}

/// More columns than any table has.
const MOST_COLUMNS: i64 = 1_000_000;
/// How many times its size a profile unpacks to at most, beyond the first gibibyte: the sketches of constant
/// columns compress to a thousandth.
const MOST_UNPACKED: u64 = 1000;

fn decode(file: impl ChunkReader + 'static, threads: usize) -> Result<Profile> {
    // A small file of repeated values must not fill the memory.
    let most_bytes = (1 << 30) + MOST_UNPACKED * file.len();
    let damaged = |e: &dyn std::fmt::Display| {
        Error::Input(format!("is not a readable Parquet file, or only part of one: {e}"))
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(&e))?;
    let schema = builder.schema().clone();
    check_version(&schema)?;
    let rows: i64 = builder.metadata().row_groups().iter().map(|group| group.num_rows()).sum();
    if rows > MOST_COLUMNS {
        return Err(Error::Input(format!("has {rows} rows, one for each column: no table has so many")));
    }
    let reader = builder.with_batch_size(64).build().map_err(|e| damaged(&e))?;
    let mut bytes = 0;
    read_batches(
        &schema,
        reader.map(|batch| {
            let batch = batch.map_err(|e| damaged(&e))?;
            bytes += batch.get_array_memory_size() as u64;
            if bytes > most_bytes {
                return Err(Error::Input(format!(
                    "unpacks to more than {most_bytes} bytes, which no profile does"
                )));
            }
            Ok(batch)
        }),
        threads,
    )
}

/// Reads a profile from a Parquet file.
///
/// # Errors
/// As of [`from_parquet`], or the file cannot be read.
pub fn load(path: &Path) -> Result<Profile> {
    load_on(path, 0)
}

/// Reads two profiles side by side: one is mostly waited for while its pages are unpacked one after another.
///
/// # Errors
/// As of [`load`]; where neither can be read, the error of the first.
pub fn load_both([first, second]: [&Path; 2]) -> Result<[Profile; 2]> {
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| load_on(second, 1));
        let first = load_on(first, 1);
        (first, second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    Ok([first?, second?])
}

/// Reads a profile with so many threads; all cores where 0.
fn load_on(path: &Path, threads: usize) -> Result<Profile> {
    let name = path.to_string_lossy();
    let file = open_regular(path, &name)?;
    // The footer tells what it is, before the rest is read.
    decoding(|| decode(file, threads)).map_err(|error| match error {
        Error::Input(message) => Error::Input(format!("{name}: {message}")),
        other => other,
    })
}

/// Whether a Parquet file is a saved profile; `false` where it is anything else or cannot be read.
pub fn is_profile(path: &Path) -> bool {
    let Ok(file) = open_regular(path, "") else { return false };
    let opened = decoding(|| Ok(ParquetRecordBatchReaderBuilder::try_new(file).ok()));
    opened.ok().flatten().is_some_and(|builder| builder.schema().metadata().contains_key(VERSION_KEY))
}
