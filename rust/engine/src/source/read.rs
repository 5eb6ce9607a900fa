//! Random access to bytes, wherever they are, and streams made of it.
use crate::{Error, Result};
use bytes::Bytes;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Bytes that can be read at any place, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// How many bytes there are.
    fn size_bytes(&self) -> u64;

    /// Reads exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// The bytes cannot be had.
    fn read_at(&self, offset: u64, length: usize) -> Result<Bytes>;

    /// How much to read at once: more where each request has to travel.
    fn read_ahead_bytes(&self) -> usize;
}

/// A file on this machine.
pub struct LocalFile {
    file: File,
    size: u64,
    name: String,
}

/// Opens a file that can be read at any place. A pipe would keep us waiting for a writer.
pub(crate) fn open_regular(path: &Path, name: &str) -> Result<File> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::from_io(name, &e))?;
    if metadata.is_dir() {
        return Err(Error::Input(format!("{name}: is a folder, not a file")));
    }
    if !metadata.is_file() {
        return Err(Error::Input(format!("{name}: is a pipe or a device: copy it to a file first")));
    }
    File::open(path).map_err(|e| Error::from_io(name, &e))
}

impl LocalFile {
    /// Opens a file; `name` is what messages call it.
    ///
    /// # Errors
    /// It is not there or not readable.
    pub fn try_open(path: &Path, name: &str) -> Result<Self> {
        let file = open_regular(path, name)?;
        let size = file.metadata().map_err(|e| Error::from_io(name, &e))?.len();
        Ok(Self { file, size, name: name.to_owned() })
    }
}

impl ReadAt for LocalFile {
    fn size_bytes(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Bytes> {
        let mut buffer = vec![0; length];
        // Positioned reads leave the file's own position alone, so threads do not disturb each other.
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_exact_at(&self.file, &mut buffer, offset);
        #[cfg(windows)]
        let read = read_exact_at(&self.file, &mut buffer, offset);
        read.map_err(|e| Error::from_io(&self.name, &e))?;
        Ok(buffer.into())
    }

    fn read_ahead_bytes(&self) -> usize {
        1 << 20
    }
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer = &mut buffer[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}

/// Reads from front to back in large pieces.
pub(crate) struct Stream<'a> {
    data: Arc<dyn ReadAt>,
    stopped: &'a (dyn Fn() -> bool + Sync),
    position: u64,
    piece: Bytes,
}

impl<'a> Stream<'a> {
    /// From the first byte on, until `stopped`.
    pub fn new(data: Arc<dyn ReadAt>, stopped: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { data, stopped, position: 0, piece: Bytes::new() }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.piece.is_empty() {
            if (self.stopped)() {
                return Err(std::io::Error::other("stopped"));
            }
            let left = self.data.size_bytes() - self.position;
            let length = (self.data.read_ahead_bytes() as u64).min(left) as usize;
            if length == 0 {
                return Ok(0);
            }
            self.piece = self.data.read_at(self.position, length).map_err(std::io::Error::other)?;
            self.position += length as u64;
        }
        let n = out.len().min(self.piece.len());
        out[..n].copy_from_slice(&self.piece.split_to(n));
        Ok(n)
    }
}
