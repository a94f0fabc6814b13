//! NumPy arrays to slices and back.

use nb101_core::cell::Entry;
use nb101_core::{Cell, Error, RawCell, memory};
use numpy::{
    Element, PyArray1, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray1,
    PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors::to_python;

/// Two columns that hold cells.
pub type Columns<'py> = (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u64>>);

/// Cells from their columns, each checked to be one. Every word is read once, so that what is
/// checked is what is used, whoever else writes to the arrays.
pub fn cells_from(
    py: Python<'_>,
    edges: &PyReadonlyArray1<'_, u64>,
    labels: &PyReadonlyArray1<'_, u64>,
) -> PyResult<Vec<Cell>> {
    words_to(py, edges, labels, Cell::from_words)
}

/// Modules from their columns, whose vertices may dangle.
pub fn raw_cells_from(
    py: Python<'_>,
    edges: &PyReadonlyArray1<'_, u64>,
    labels: &PyReadonlyArray1<'_, u64>,
) -> PyResult<Vec<RawCell>> {
    words_to(py, edges, labels, RawCell::from_words)
}

fn words_to<T>(
    py: Python<'_>,
    edges: &PyReadonlyArray1<'_, u64>,
    labels: &PyReadonlyArray1<'_, u64>,
    check: impl Fn(u64, u64) -> Result<T, Error>,
) -> PyResult<Vec<T>> {
    let (edges, labels) = (edges.as_slice()?, labels.as_slice()?);
    if edges.len() != labels.len() {
        return Err(PyTypeError::new_err("edges and labels differ in length"));
    }
    let mut cells = in_python(py, memory::with_capacity(edges.len()))?;
    for (index, (&edges, &labels)) in edges.iter().zip(labels).enumerate() {
        cells.push(
            check(edges, labels).map_err(|wrong: Error| to_python(py, &wrong.in_module(index)))?,
        );
    }
    Ok(cells)
}

/// The columns of cells.
pub fn columns<'py>(py: Python<'py>, cells: &[Cell]) -> PyResult<Columns<'py>> {
    let edges = collected(py, cells.iter().map(|cell| cell.edges()))?;
    Ok((edges, collected(py, cells.iter().map(|cell| cell.labels()))?))
}

/// An array of all that `items` gives.
pub fn collected<'py, T: Element>(
    py: Python<'py>,
    items: impl Iterator<Item = T>,
) -> PyResult<Bound<'py, PyArray1<T>>> {
    Ok(PyArray1::from_vec(py, in_python(py, memory::collect(items))?))
}

/// An array of rows of `width`.
pub fn rows<T: Element>(
    py: Python<'_>,
    flat: Vec<T>,
    width: usize,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let n = flat.len() / width;
    PyArray1::from_vec(py, flat).reshape([n, width])
}

/// An outcome of the core as one of Python.
pub fn in_python<T>(py: Python<'_>, outcome: Result<T, Error>) -> PyResult<T> {
    outcome.map_err(|error| to_python(py, &error))
}

/// Raises `MemoryError` where there is no room for `factors` multiplied of `T`, before work begins
/// that ends in them.
pub fn room_for<T>(py: Python<'_>, factors: &[usize]) -> PyResult<()> {
    let bytes = factors.iter().fold(size_of::<T>(), |bytes, &factor| bytes.saturating_mul(factor));
    in_python(py, memory::check_for(bytes))
}

/// The items of an array as they are now: what is checked is what is used, whoever else writes to
/// the array meanwhile.
pub fn copied<T: Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> PyResult<Vec<T>> {
    in_python(array.py(), memory::collect(array.as_slice()?.iter().copied()))
}

/// Something to do with a slice of any supported element type.
pub trait WithEntries {
    /// The result.
    type Output;
    /// Called with the elements in row-major order and the shape.
    fn call<T: Entry + Sync>(self, entries: &[T], shape: &[usize]) -> Self::Output;
}

/// Raises where the elements of an array of several dimensions do not lie in row-major order: those
/// of a column-major one are contiguous too.
pub fn check_order<'py>(array: &impl PyUntypedArrayMethods<'py>) -> PyResult<()> {
    if array.is_c_contiguous() {
        return Ok(());
    }
    Err(PyTypeError::new_err("expected an array in row-major order (numpy.ascontiguousarray)"))
}

/// Calls `f` with the elements of a contiguous array of any integer, bool or float type.
pub fn with_entries<F: WithEntries>(array: &Bound<'_, PyAny>, f: F) -> PyResult<F::Output> {
    let untyped = array.cast::<PyUntypedArray>()?;
    check_order(untyped)?;
    let dtype = untyped.dtype();
    if dtype.kind() == b'b' {
        // Bytes of a bool array may be any, those of a `bool` may not.
        return with_entries(&array.call_method1(intern!(array.py(), "view"), ("u1",))?, f);
    }
    macro_rules! by_type {
        ($($kind:literal $size:literal $t:ty),*) => {
            match (dtype.kind(), dtype.itemsize()) {
                $(($kind, $size) => {
                    let array = array.extract::<PyReadonlyArrayDyn<'_, $t>>()?;
                    Ok(f.call(array.as_slice()?, array.shape()))
                })*
                _ => {
                    let text = format!("expected an array of an integer, bool or float type, not {dtype}");
                    Err(PyTypeError::new_err(text))
                }
            }
        };
    }
    by_type!(b'i' 1 i8, b'i' 2 i16, b'i' 4 i32, b'i' 8 i64, b'u' 1 u8, b'u' 2 u16, b'u' 4 u32,
        b'u' 8 u64, b'f' 4 f32, b'f' 8 f64)
}
