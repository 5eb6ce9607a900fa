//! CSV and JSON lines, also gzip'd and zstd'd: types are inferred from the whole file, then it is read again.
use super::read::Stream;
use super::{Format, Input};
use crate::options::Options;
use crate::profile::{Profile, ProfileBuilder};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

/// Rows decoded at once.
const BATCH_ROWS: usize = 8192;

/// Profiles a text file.
pub(super) fn profile(input: &Input, options: &Options) -> Result<Profile> {
    let options = &Options { threads: 1, ..options.clone() };
    match input.format {
        Format::Csv => {
            let format = arrow_csv::reader::Format::default().with_header(true);
            let inferred = format.infer_schema(stream(input)?, None);
            let (schema, _) = inferred.map_err(|e| text_error(&e))?;
            if schema.fields().is_empty() {
                return Err(Error::Input("is empty: a CSV file begins with a header line".into()));
            }
            let schema = Arc::new(schema);
            let builder =
                arrow_csv::ReaderBuilder::new(schema.clone()).with_header(true).with_batch_size(BATCH_ROWS);
            let reader = builder.build(stream(input)?).map_err(|e| text_error(&e))?;
            batches(&schema, reader, options)
        }
        Format::JsonLines | Format::Parquet => {
            let lines = stream(input)?
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.as_ref().is_ok_and(|l| l.trim().is_empty()));
            let values = lines.map(|(i, line)| {
                let value = line.map_err(|e| e.to_string()).and_then(|line| {
                    serde_json::from_str::<serde_json::Value>(&line).map_err(|e| without_line(&e.to_string()))
                });
                value.map_err(|e| ArrowError::JsonError(format!("line {}: not valid JSON: {e}", i + 1)))
            });
            let inferred = arrow_json::reader::infer_json_schema_from_iterator(values);
            let schema = Arc::new(inferred.map_err(|e| text_error(&e))?);
            let builder = arrow_json::ReaderBuilder::new(schema.clone()).with_batch_size(BATCH_ROWS);
            let reader = builder.build(stream(input)?).map_err(|e| text_error(&e))?;
            batches(&schema, reader, options)
        }
    }
}

fn batches(
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    options: &Options,
) -> Result<Profile> {
    let mut builder = ProfileBuilder::try_new(schema, options)?;
    for batch in batches {
        builder.update(&batch.map_err(|e| text_error(&e))?)?;
    }
    builder.finish()
}

/// The parser counts lines within the one line that it was given.
fn without_line(message: &str) -> String {
    message.replacen(" at line 1 column", " at character", 1)
}

fn text_error(error: &ArrowError) -> Error {
    let message = match error {
        ArrowError::CsvError(m) | ArrowError::JsonError(m) | ArrowError::ParseError(m) => m.clone(),
        other => other.to_string(),
    };
    Error::Input(message)
}

/// The text, unpacked if its name says that it is packed.
fn stream(input: &Input) -> Result<BufReader<Box<dyn Read + Send>>> {
    let bytes = Stream::new(input.open()?);
    let name = input.name.to_ascii_lowercase();
    let unpacked: Box<dyn Read + Send> = if name.ends_with(".gz") {
        Box::new(flate2::read::MultiGzDecoder::new(bytes))
    } else if name.ends_with(".zst") {
        let decoder = zstd::stream::read::Decoder::new(bytes);
        Box::new(decoder.map_err(|e| Error::from_io(&input.name, &e))?)
    } else {
        Box::new(bytes)
    };
    Ok(BufReader::with_capacity(1 << 16, unpacked))
}
