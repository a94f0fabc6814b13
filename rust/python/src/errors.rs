//! The one place where the core's errors become Python exceptions (`nb101.errors`).

use nb101_core::Error;
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The exception for `error`: an `OSError` where the system refuses a file, else a `ValueError`.
pub fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    if let Error::File { path, message, code } = error {
        // The class follows from the number; Python has its own words for that.
        return PyOSError::new_err((*code, message.clone(), path.clone()));
    }
    if let Error::Memory { .. } = error {
        return PyMemoryError::new_err(error.to_string());
    }
    match exception_class(py, class_name(error)) {
        Ok(class) => PyErr::from_type(class, error.to_string()),
        Err(import_error) => import_error,
    }
}

fn class_name(error: &Error) -> &'static str {
    match error {
        Error::InModule { source, .. } => class_name(source),
        Error::InRecord { .. } | Error::InRow { .. } => "DatasetError",
        Error::Disconnected => "DisconnectedError",
        Error::UnknownOp { .. } | Error::NoCost { .. } => "UnknownOpError",
        Error::TooManyVertices { .. } | Error::TooManyEdges { .. } => "OutOfSpaceError",
        Error::IdOutOfRange { .. } => "CellIdError",
        Error::SpaceVertices { .. }
        | Error::SpaceEdges
        | Error::SpaceOps { .. }
        | Error::TooLargeForIds { .. }
        | Error::TooLargeForHashes { .. }
        | Error::TooManyEncodings { .. } => "SpaceError",
        _ => "InvalidCellError",
    }
}

fn exception_class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    // Not kept: it is imported already, and a lock around the import could be held in a fork.
    Ok(py.import("nb101.errors")?.getattr(name)?.cast_into::<PyType>()?)
}
