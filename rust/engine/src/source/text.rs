//! CSV and JSON lines, also gzip'd and zstd'd: types are inferred from the whole file, then it is read again.
use super::read::Stream;
use super::{Format, Input};
use crate::options::Options;
use crate::profile::{Profile, ProfileBuilder};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::io::{BufReader, Read};
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
            let builder = arrow_csv::ReaderBuilder::new(schema.clone()).with_header(true).with_batch_size(BATCH_ROWS);
            let reader = builder.build(stream(input)?).map_err(|e| text_error(&e))?;
            batches(&schema, reader, options)
        }
        Format::JsonLines | Format::Parquet => {
            let inferred = arrow_json::reader::infer_json_schema(stream(input)?, None);
            let (schema, _): (Schema, _) = inferred.map_err(|e| text_error(&e))?;
            let schema = Arc::new(schema);
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
