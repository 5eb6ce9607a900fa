//! Files that are written whole or not at all.
use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a file is to hold, in pieces that follow one another. A single one would be copied again and again as it grows, and
/// the system would take its memory back each time.
#[derive(Debug, Default)]
pub struct Pieces(Vec<Vec<u8>>);

/// What is written comes in pieces of this size.
const PIECE: usize = 1 << 20;

impl Pieces {
    /// The pieces.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// All of them as one.
    pub fn concat(&self) -> Vec<u8> {
        self.0.concat()
    }
}

impl FromIterator<Vec<u8>> for Pieces {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(pieces: I) -> Self {
        Self(pieces.into_iter().collect())
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(bytes: Vec<u8>) -> Self {
        Self(vec![bytes])
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = |piece: &Vec<u8>| piece.capacity() - piece.len();
        if self.0.last().is_none_or(|last| room(last) == 0) {
            self.0.push(Vec::with_capacity(PIECE));
        }
        let Some(last) = self.0.last_mut() else { return Ok(0) };
        let bytes = &bytes[..bytes.len().min(room(last))];
        last.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes a file, of parts that follow one another: all of it or nothing, also when the disk is full or the process dies.
///
/// # Errors
/// The folder is not there, not writable or full.
pub fn write<'a>(path: &Path, mut parts: impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let name = path.to_string_lossy();
    // Through a link to the file behind it, which is what others open.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file_name = path.file_name().ok_or_else(|| Error::Argument(format!("{name:?} names no file")))?;
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let (process, write) = (std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed));
    let half = folder.join(format!(".{}.{process}.{write}.part", file_name.to_string_lossy()));
    let written = File::create_new(&half)
        .and_then(|mut file| {
            parts.try_for_each(|part| file.write_all(part))?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&half, path));
    written.map_err(|error| {
        // The error tells what went wrong; that its remains could not be removed as well adds nothing.
        let _ = std::fs::remove_file(&half);
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                let why = if folder.is_dir() { "no files can be made in" } else { "there is no folder" };
                Error::Input(format!("{name}: {why} {folder:?}: choose another one"))
            }
            _ => Error::from_io(&name, &error),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_what_was_written() {
        let mut pieces = Pieces::default();
        let mut expected = vec![];
        for (i, many) in [0, 1, PIECE - 1, 1, PIECE, 3 * PIECE + 5, 7].into_iter().enumerate() {
            let bytes = vec![i as u8; many];
            pieces.write_all(&bytes).unwrap();
            expected.extend(bytes);
        }
        assert!(pieces.concat() == expected);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, pieces.iter()).unwrap();
        assert!(std::fs::read(&path).unwrap() == expected);
    }
}
