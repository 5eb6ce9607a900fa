//! Files that are written whole or not at all.
use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file: all of it or nothing, also when the disk is full or the process dies.
///
/// # Errors
/// The folder is not there, not writable or full.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.to_string_lossy();
    // Through a link to the file behind it, which is what others open.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file_name = path.file_name().ok_or_else(|| Error::Argument(format!("{name:?} names no file")))?;
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let (process, write) = (std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed));
    let half = folder.join(format!(".{}.{process}.{write}.part", file_name.to_string_lossy()));
    let written = File::create_new(&half)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
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
