//! CSV and JSON lines, also gzip'd and zstd'd: types are inferred from the whole file, then it is read again.
use super::read::Stream;
use super::{Format, Gate, Input};
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

/// Profiles a text file, as long as the caller wants it.
pub(super) fn profile(input: &Input, options: &Options, gate: &Gate) -> Result<Profile> {
    let stopped = &|| gate.is_stopped();
    let (schema, batches) = batches(input, stopped)?;
    let mut builder = ProfileBuilder::try_new(&schema, &Options { threads: 1, ..options.clone() })?;
    for batch in batches {
        let batch = batch?;
        builder.update(&batch)?;
        gate.count(batch.num_rows() as u64);
    }
    builder.finish()
}

type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// The rows of a text file, their types inferred from all of it.
pub(super) fn batches<'a>(
    input: &Input,
    stopped: &'a (dyn Fn() -> bool + Sync),
) -> Result<(SchemaRef, Batches<'a>)> {
    fn read<'a>(reader: impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'a) -> Batches<'a> {
        Box::new(reader.map(|batch| batch.map_err(|e| text_error(&e))))
    }
    match input.format {
        Format::Csv => {
            let missing = Regex::new(MISSING).map_err(|e| Error::Input(e.to_string()))?;
            let format =
                arrow_csv::reader::Format::default().with_header(true).with_null_regex(missing.clone());
            let inferred = format.infer_schema(stream(input, stopped)?, None);
            let (schema, _) = inferred.map_err(|e| text_error(&e))?;
            if schema.fields().is_empty() {
                return Err(Error::Input("is empty: a CSV file begins with a header line".into()));
            }
            let schema = Arc::new(schema);
            let builder = arrow_csv::ReaderBuilder::new(schema.clone())
                .with_header(true)
                .with_null_regex(missing)
                .with_batch_size(BATCH_ROWS);
            let reader = builder.build(stream(input, stopped)?).map_err(|e| text_error(&e))?;
            Ok((schema, read(reader)))
        }
        Format::JsonLines | Format::Parquet => {
            let values = Lines { text: stream(input, stopped)?, number: 0 };
            let inferred = arrow_json::reader::infer_json_schema_from_iterator(values);
            let schema = Arc::new(inferred.map_err(|e| text_error(&e))?);
            let builder = arrow_json::ReaderBuilder::new(schema.clone())
                .with_batch_size(BATCH_ROWS)
                // A column that is a number here and a string there is a column of strings.
                .with_coerce_primitive(true);
            let reader = builder.build(stream(input, stopped)?).map_err(|e| text_error(&e))?;
            Ok((schema, read(reader)))
        }
    }
}

/// The longest line that is taken: what is longer is no record, and would fill the memory.
const MOST_LINE_BYTES: u64 = 64 << 20;

/// The lines of a file as JSON objects, empty ones left out.
struct Lines<R> {
    text: R,
    number: u64,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<serde_json::Value, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.number += 1;
            let mut line = vec![];
            let read = (&mut self.text).take(MOST_LINE_BYTES + 1).read_until(b'\n', &mut line);
            let value = match read {
                Ok(0) => return None,
                Ok(n) if n as u64 > MOST_LINE_BYTES => Err(format!("is longer than {MOST_LINE_BYTES} bytes")),
                Ok(_) if line.trim_ascii().is_empty() => continue,
                Ok(_) => std::str::from_utf8(&line).map_err(|_| "is not UTF-8".to_owned()).and_then(object),
                Err(e) => Err(e.to_string()),
            };
            return Some(value.map_err(|e| ArrowError::JsonError(format!("line {}: {e}", self.number))));
        }
    }
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

/// What the reader of CSV says of a line with another number of fields, which it calls records.
fn of_fields(message: &str) -> Option<String> {
    let (_, told) = message.split_once("unequal lengths between records")?;
    let mut numbers = told.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let (expected, found, line) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let noun = if found == "1" { "field" } else { "fields" };
    Some(format!(
        "line {line} has {found} {noun}, and the header {expected}: the file is cut short, or a field needs quotes"
    ))
}

fn text_error(error: &ArrowError) -> Error {
    let message = match error {
        ArrowError::CsvError(m) | ArrowError::JsonError(m) | ArrowError::ParseError(m) => m.clone(),
        other => other.to_string(),
    };
    let message = of_fields(&message).unwrap_or(message);
    // Some messages of the readers quote the data, at any length.
    let most = message.char_indices().nth(300).map_or(message.len(), |(i, _)| i);
    Error::Input(message[..most].to_owned())
}

/// The text, unpacked if its name says that it is packed.
fn stream<'a>(
    input: &Input,
    stopped: &'a (dyn Fn() -> bool + Sync),
) -> Result<BufReader<Box<dyn Read + Send + 'a>>> {
    let bytes = Stream::new(input.open()?, stopped);
    let name = input.name.to_ascii_lowercase();
    let unpacked: Box<dyn Read + Send + 'a> = if name.ends_with(".gz") {
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
