//! What tells the content of one file from that of any other.
use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::path::Path;

/// Read at once.
const PART: usize = 1 << 20;

/// The BLAKE3 hash of the first bytes of a file, so many or all there are, in hexadecimal.
///
/// # Errors
/// The file cannot be opened or read.
pub fn digest(path: &Path, most_bytes: u64) -> Result<String> {
    let mut file = File::open(path)?.take(most_bytes);
    let (mut hasher, mut part) = (blake3::Hasher::new(), vec![0; PART]);
    loop {
        match file.read(&mut part) {
            Ok(0) => return Ok(hasher.finalize().to_hex().to_string()),
            Ok(many) => drop(hasher.update(&part[..many])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The BLAKE3 hash of parts that follow one another, in hexadecimal.
pub fn digest_of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_hashed_as_one() {
        let expected = blake3::hash(b"abc").to_hex().to_string();
        assert_eq!(digest_of([&b"abc"[..]].into_iter()), expected);
        assert_eq!(digest_of([&b"a"[..], b"", b"bc"].into_iter()), expected);
    }

    #[test]
    fn it_is_of_the_first_bytes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3 * PART + 7).map(|i| (i % 251) as u8).collect();
        let path = folder.path().join("a");
        std::fs::write(&path, &bytes).unwrap();
        for most in [0, 1, PART, PART + 1, bytes.len() - 1, bytes.len()] {
            let expected = blake3::hash(&bytes[..most]).to_hex().to_string();
            assert_eq!(digest(&path, most as u64).unwrap(), expected);
        }
        assert_eq!(digest(&path, u64::MAX).unwrap(), digest(&path, bytes.len() as u64).unwrap());
        // Of no bytes, as its authors give it.
        assert!(digest(&path, 0).unwrap().starts_with("af1349b9f5f9a1a6"));
    }
}
