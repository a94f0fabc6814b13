//! The one place where the core's errors become Python exceptions (`nb101.errors`).

use nb101_core::{Error, ErrorKind};
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The exception for `error`, with what a program needs of it as attributes.
pub fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    match class_name(error) {
        Class::Memory => PyMemoryError::new_err(error.to_string()),
        Class::Interrupted => PyKeyboardInterrupt::new_err(error.to_string()),
        Class::Of(name) => made(py, name, error).unwrap_or_else(|import_error| import_error),
    }
}

enum Class {
    /// One of `nb101.errors`.
    Of(&'static str),
    Memory,
    Interrupted,
}

fn class_name(error: &Error) -> Class {
    Class::Of(match error.kind() {
        ErrorKind::Cell => "InvalidCellError",
        ErrorKind::Disconnected => "DisconnectedError",
        ErrorKind::UnknownOp => "UnknownOpError",
        ErrorKind::OutOfSpace => "OutOfSpaceError",
        ErrorKind::Space => "SpaceError",
        ErrorKind::CellId => "CellIdError",
        ErrorKind::Argument => "ArgumentError",
        ErrorKind::UnknownName => "UnknownNameError",
        ErrorKind::Dataset => "DatasetError",
        ErrorKind::File if is_missing(error) => "MissingFileError",
        ErrorKind::File => "FileError",
        ErrorKind::Memory => return Class::Memory,
        ErrorKind::Interrupted => return Class::Interrupted,
    })
}

/// Whether the system says that there is no such file (`ENOENT`, the same number everywhere).
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::File { code: Some(2), .. })
}

fn made(py: Python<'_>, name: &str, error: &Error) -> PyResult<PyErr> {
    // Not kept: it is imported already, and a lock around the import could be held in a fork.
    let class = py.import("nb101.errors")?.getattr(name)?;
    if let Error::File { path, message, code: Some(code) } = error {
        return Ok(PyErr::from_value(class.call1((*code, message, path))?));
    }
    let attributes = PyDict::new(py);
    if let Some(path) = error.path() {
        attributes.set_item("path", path)?;
    } else {
        attributes.set_item("index", error.index())?;
        attributes.set_item("field", error.field())?;
    }
    let exception = class.call((error.to_string(),), Some(&attributes))?;
    if error.index().is_some() {
        exception.setattr("reason", error.reason().to_string())?;
    }
    if let Some(offset) = error.offset() {
        exception.setattr("offset", offset)?;
    }
    Ok(PyErr::from_value(exception))
}
