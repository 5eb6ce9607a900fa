//! The one place where the engine's errors become Python's, and a callback's Python error passes through the engine.
use driftline_engine::Error;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// What an engine error is in Python.
pub fn to_py(py: Python<'_>, error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Argument(_) => PyValueError::new_err(message),
        Error::Input(_) => raise(py, "InputError", message),
        Error::Storage(_) => raise(py, "StorageError", message),
        Error::Interrupted(cause) => match cause.downcast::<PyErr>() {
            Ok(raised) => *raised,
            Err(other) => raise(py, "DriftlineError", other.to_string()),
        },
    }
}

fn raise(py: Python<'_>, name: &str, message: String) -> PyErr {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = ERRORS.get_or_try_init(py, || py.import("driftline.errors").map(Bound::unbind));
    let class = module
        .and_then(|module| module.bind(py).getattr(name).and_then(|class| Ok(class.cast_into::<PyType>()?)));
    match class {
        Ok(class) => PyErr::from_type(class, message),
        Err(error) => error,
    }
}

/// Carries a Python error through the engine.
pub fn through(error: PyErr) -> Error {
    Error::Interrupted(Box::new(error))
}

/// Bytes that are no image of the sketch asked for.
pub fn image_error(error: &driftline_sketches::ImageError) -> Error {
    Error::Input(error.to_string())
}
