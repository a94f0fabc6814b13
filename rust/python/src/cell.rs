//! Cells from raw modules: parsed, pruned, in the reference form.

use nb101_core::{cell, space};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{Columns, cells_from, columns, in_python, raw_cells_from};
use crate::modules::{packed, with_modules};
use crate::watch::watched;

/// The reference form of raw modules as columns.
#[pyfunction]
pub fn canonical_modules<'py>(
    py: Python<'py>,
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
) -> PyResult<Columns<'py>> {
    let cells = with_modules(matrices, ops, false, None, |modules, watch| {
        let mut cells = modules.packed()?;
        space::representatives(&mut cells, watch)?;
        Ok(cells)
    })?;
    columns(py, &cells)
}

/// The reference form of one module given as lists of ints: the quick way for what people type.
#[pyfunction]
pub fn canonical_module(
    py: Python<'_>,
    matrix: Vec<Vec<i64>>,
    ops: Vec<i64>,
) -> PyResult<(u64, u64)> {
    let cell = in_python(py, cell::parse_rows(&matrix, &ops).map(space::representative))?;
    Ok((cell.edges(), cell.labels()))
}

/// The reference form of one module whose matrix is the bytes of a C-ordered array of integers or
/// bools: the quick way for arrays.
#[pyfunction]
pub fn canonical_bytes(py: Python<'_>, matrix: &[u8], ops: Vec<i64>) -> PyResult<(u64, u64)> {
    let cell = in_python(py, cell::parse_bytes(matrix, &ops).map(space::representative))?;
    Ok((cell.edges(), cell.labels()))
}

/// The vertices on a path from the first of `n` to the last, for any matrix of that kind; `None` if
/// it is not upper triangular.
#[pyfunction]
pub fn vertices_on_paths(py: Python<'_>, matrix: &[u8], n: usize) -> PyResult<Option<Vec<usize>>> {
    in_python(py, cell::vertices_on_paths(matrix, n))
}

/// Raw modules, pruned but in the order of vertices given, as columns.
#[pyfunction]
pub fn pruned_modules<'py>(
    py: Python<'py>,
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
) -> PyResult<Columns<'py>> {
    columns(py, &with_modules(matrices, ops, false, None, |modules, _| modules.packed())?)
}

/// One raw module of shape `(1, v, v)` as it stands, dangling vertices and all: its two words.
#[pyfunction]
pub fn packed_module(matrices: &Bound<'_, PyAny>, ops: &Bound<'_, PyAny>) -> PyResult<(u64, u64)> {
    match packed(matrices, ops)? {
        Some(cell) => Ok((cell.edges(), cell.labels())),
        None => Err(PyValueError::new_err("the module has too many vertices or too large codes")),
    }
}

/// Raises where a cell has an op that is not one of `num_ops`.
#[pyfunction]
pub fn check_ops<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    num_ops: usize,
) -> PyResult<()> {
    in_python(py, cell::check_all_ops(&cells_from(py, &edges, &labels)?, num_ops))
}

/// The reference form of modules, pruned first.
#[pyfunction]
pub fn canonical_cells<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<Columns<'py>> {
    let modules = raw_cells_from(py, &edges, &labels)?;
    let cells = watched(py, None, |watch| {
        let mut cells = cell::prune_all(&modules)?;
        space::representatives(&mut cells, watch)?;
        Ok(cells)
    })?;
    columns(py, &cells)
}
