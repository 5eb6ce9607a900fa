//! CSV and JSON lines, also gzip'd and zstd'd: types are inferred from the whole file, then it is read again.
use super::read::Stream;
use super::{Format, Input};
use crate::options::Options;
use crate::profile::{Profile, ProfileBuilder};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use regex::Regex;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

/// What stands for a missing value in CSV, as R and pandas write it.
const MISSING: &str = "^(|NA|N/A|NaN|nan|NULL|null)$";
/// Rows decoded at once.
const BATCH_ROWS: usize = 8192;

/// Profiles a text file.
pub(super) fn profile(input: &Input, options: &Options) -> Result<Profile> {
    let options = &Options { threads: 1, ..options.clone() };
    match input.format {
        Format::Csv => {
            let missing = Regex::new(MISSING).map_err(|e| Error::Input(e.to_string()))?;
            let format =
                arrow_csv::reader::Format::default().with_header(true).with_null_regex(missing.clone());
            let inferred = format.infer_schema(stream(input)?, None);
            let (schema, _) = inferred.map_err(|e| text_error(&e))?;
            if schema.fields().is_empty() {
                return Err(Error::Input("is empty: a CSV file begins with a header line".into()));
            }
            let schema = Arc::new(schema);
            let builder = arrow_csv::ReaderBuilder::new(schema.clone())
                .with_header(true)
                .with_null_regex(missing)
                .with_batch_size(BATCH_ROWS);
            let reader = builder.build(stream(input)?).map_err(|e| text_error(&e))?;
            batches(&schema, reader, options)
        }
        Format::JsonLines | Format::Parquet => {
            let lines = stream(input)?
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.as_ref().is_ok_and(|l| l.trim().is_empty()));
            let values = lines.map(|(i, line)| {
                let value = line.map_err(|e| e.to_string()).and_then(|line| object(&line));
                value.map_err(|e| ArrowError::JsonError(format!("line {}: {e}", i + 1)))
            });
            let inferred = arrow_json::reader::infer_json_schema_from_iterator(values);
            let schema = Arc::new(inferred.map_err(|e| text_error(&e))?);
            let builder = arrow_json::ReaderBuilder::new(schema.clone())
                .with_batch_size(BATCH_ROWS)
                // A column that is a number here and a string there is a column of strings.
                .with_coerce_primitive(true);
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

/// One line as a JSON object; messages hold nothing of the data.
fn object(line: &str) -> std::result::Result<serde_json::Value, String> {
    use serde_json::Value;
    // The parser counts lines within the one line that it was given.
    let invalid = |e: serde_json::Error| {
        format!("not valid JSON: {}", e.to_string().replacen(" at line 1 column", " at character", 1))
    };
    let told = |kind: &str| format!("holds {kind}: JSON lines have one object a line, {{...}}");
    match serde_json::from_str(line).map_err(invalid)? {
        object @ Value::Object(_) => Ok(object),
        Value::Array(_) => Err(told("an array")),
        _ => Err(told("a single value")),
    }
}

fn text_error(error: &ArrowError) -> Error {
    let message = match error {
        ArrowError::CsvError(m) | ArrowError::JsonError(m) | ArrowError::ParseError(m) => m.clone(),
        other => other.to_string(),
    };
    // Some messages of the readers quote the data, at any length.
    let most = message.char_indices().nth(300).map_or(message.len(), |(i, _)| i);
    Error::Input(message[..most].to_owned())
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
    let mut text = BufReader::with_capacity(1 << 16, unpacked);
    // Some editors put a mark of the byte order in front.
    if text.fill_buf().map_err(|e| Error::from_io(&input.name, &e))?.starts_with(b"\xef\xbb\xbf") {
        text.consume(3);
    }
    Ok(text)
}
