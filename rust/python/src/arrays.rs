//! NumPy arrays to slices and back.

use nb101_core::cell::Entry;
use nb101_core::{Cell, Error};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::errors::to_python;

/// Two columns that hold cells.
pub type Columns<'py> = (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u64>>);

/// Cells from their columns, each checked to be one.
pub fn cells_from(
    py: Python<'_>,
    edges: &PyReadonlyArray1<'_, u64>,
    labels: &PyReadonlyArray1<'_, u64>,
) -> PyResult<Vec<Cell>> {
    let (edges, labels) = (edges.as_slice()?, labels.as_slice()?);
    if edges.len() != labels.len() {
        return Err(PyTypeError::new_err("edges and labels differ in length"));
    }
    let cell = |(&edges, &labels)| Cell::from_words(edges, labels);
    let cells: Result<Vec<Cell>, Error> = edges.iter().zip(labels).map(cell).collect();
    cells.map_err(|error| to_python(py, &error))
}

/// The columns of cells.
pub fn columns<'py>(py: Python<'py>, cells: &[Cell]) -> Columns<'py> {
    let column = |part: fn(&Cell) -> u64| PyArray1::from_iter(py, cells.iter().map(part));
    (column(|cell| cell.edges), column(|cell| cell.labels))
}

/// Something to do with a slice of any supported element type.
pub trait WithEntries {
    /// The result.
    type Output;
    /// Called with the elements in row-major order and the shape.
    fn call<T: Entry + Sync>(self, entries: &[T], shape: &[usize]) -> Self::Output;
}

/// Calls `f` with the elements of a contiguous array of any integer, bool or float type.
pub fn with_entries<F: WithEntries>(array: &Bound<'_, PyAny>, f: F) -> PyResult<F::Output> {
    macro_rules! try_types {
        ($($t:ty)*) => { $(
            if let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, $t>>() {
                return Ok(f.call(array.as_slice()?, array.shape()));
            }
        )* };
    }
    try_types!(i8 i64 bool u8 i32 f64 f32 i16 u16 u32 u64);
    Err(PyTypeError::new_err("expected an array of an integer, bool or float type"))
}
