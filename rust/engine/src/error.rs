//! One error type: what happened, where, what to do; whose fault it is decides the exit code.
use std::fmt;

/// Why the engine refuses or gives up.
#[derive(Debug)]
pub enum Error {
    /// An argument is out of range or contradicts another: the caller's mistake.
    Argument(String),
    /// Data that cannot be read or does not fit together: what, where, what to do.
    Input(String),
    /// Something outside failed (disk, network) and can be tried again.
    Storage(String),
    /// The caller's own code stopped the work: a producer or a progress callback failed.
    Interrupted(Box<dyn std::error::Error + Send + Sync>),
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Argument(message) | Error::Input(message) | Error::Storage(message) => {
                f.write_str(message)
            }
            Error::Interrupted(cause) => write!(f, "{cause}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<driftline_sketches::ArgumentError> for Error {
    fn from(error: driftline_sketches::ArgumentError) -> Self {
        Error::Argument(error.to_string())
    }
}

impl Error {
    /// A failed read or write of `path`; a path that is not there is the caller's mistake.
    pub fn from_io(path: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound => Error::Input(format!("{path}: no such file or folder")),
            ErrorKind::PermissionDenied => Error::Input(format!("{path}: permission denied")),
            ErrorKind::InvalidFilename => Error::Input(format!("{path}: file name too long")),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
                Error::Input(format!("{path}: {error}"))
            }
            _ => Error::Storage(format!("{path}: {error}")),
        }
    }
}
