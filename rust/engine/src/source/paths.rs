//! From what a user names (a file, a folder, a glob) to the files behind it, in a defined order.
use super::{Format, Input, Location};
use crate::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The value of a hive partition whose rows have none.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The format that a file's name tells; packed text counts by its inner ending.
pub fn format_of(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let unpacked = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match unpacked.rsplit_once('.')?.1 {
        "parquet" | "pq" | "parq" if unpacked.len() == name.len() => Some(Format::Parquet),
        "csv" => Some(Format::Csv),
        "jsonl" | "ndjson" | "json" => Some(Format::JsonLines),
        _ => None,
    }
}

/// Expands files, folders and globs on this machine, each in the order of its files' names.
///
/// # Errors
/// Something named is not there, holds no file that we read, or is a bad pattern.
pub fn expand(names: &[String]) -> Result<Vec<Input>> {
    let mut inputs = vec![];
    for name in names {
        let path = Path::new(name);
        if path.is_dir() {
            let mut files = vec![];
            walk(path, &mut HashSet::new(), &mut files).map_err(|e| Error::from_io(name, &e))?;
            files.retain(|file| format_of(&file.to_string_lossy()).is_some());
            if files.is_empty() {
                return Err(Error::Input(format!(
                    "{name}: no Parquet, CSV or JSON-lines file in this folder or below it"
                )));
            }
            inputs.extend(files.into_iter().map(|file| local(&file, path)).collect::<Result<Vec<_>>>()?);
        } else if path.exists() || !name.contains(['*', '?', '[']) {
            // A file that is not there is told by name, once it is opened.
            if !path.exists() {
                return Err(Error::Input(format!("{name}: no such file or folder")));
            }
            inputs.push(local(path, path.parent().unwrap_or(Path::new("")))?);
        } else {
            let matches = glob::glob(name).map_err(|e| {
                Error::Argument(format!("{name}: not a pattern: {} at character {}", e.msg, e.pos))
            })?;
            let fixed = name.split(['*', '?', '[']).next().unwrap_or("");
            let root = Path::new(fixed.rsplit_once('/').map_or("", |(folder, _)| folder));
            let wanted = |file: &PathBuf| {
                let below = file.strip_prefix(root).unwrap_or(file);
                let hidden = below.iter().any(|part| is_bookkeeping(&part.to_string_lossy()));
                !hidden && file.is_file() && format_of(&file.to_string_lossy()).is_some()
            };
            let mut files: Vec<PathBuf> =
                matches.filter_map(std::result::Result::ok).filter(wanted).collect();
            files.sort();
            if files.is_empty() {
                return Err(Error::Input(format!("{name}: matches no Parquet, CSV or JSON-lines file")));
            }
            inputs.extend(files.into_iter().map(|file| local(&file, root)).collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(inputs)
}

fn local(file: &Path, root: &Path) -> Result<Input> {
    let name = file.to_string_lossy().into_owned();
    let Some(format) = format_of(&name) else {
        return Err(Error::Input(format!(
            "{name}: the name tells no format; names end in .parquet, .csv, .jsonl, .ndjson or .json (text also with .gz or .zst)"
        )));
    };
    let below = file.strip_prefix(root).unwrap_or(file);
    let partitions = partitions_of(&below.to_string_lossy());
    Ok(Input { name, format, location: Location::Local(file.to_owned()), partitions })
}

/// The hive partitions in the folders of a path: `country=FR/day=2026-01-01/part.parquet`.
pub fn partitions_of(path: &str) -> Vec<(String, Option<String>)> {
    let folders = path.split(['/', '\\']).rev().skip(1).filter_map(|folder| folder.split_once('='));
    let mut partitions: Vec<_> = folders
        .map(|(key, value)| (key.to_owned(), (value != HIVE_NULL).then(|| percent_decoded(value))))
        .collect();
    partitions.reverse();
    partitions
}

/// Hive writes characters that a path cannot hold as `%XX`.
fn percent_decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Writers keep unfinished and bookkeeping files under such names; a hive partition may begin so.
fn is_bookkeeping(name: &str) -> bool {
    name.starts_with(['.', '_']) && !name.contains('=')
}

/// Each folder once: a link may lead back up.
fn walk(folder: &Path, seen: &mut HashSet<PathBuf>, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !seen.insert(folder.canonicalize()?) {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if is_bookkeeping(&name) {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), seen, files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
