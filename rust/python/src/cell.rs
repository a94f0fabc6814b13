//! Cells from raw modules: parsed, pruned, in the reference form.

use nb101_core::limits::MAX_VERTICES;
use nb101_core::{RawCell, cell, space};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList, PyTuple};

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

/// Edges, and the labels of all vertices.
type Labelled<'py> = (u64, Bound<'py, PyTuple>);

/// One module given as nested lists of the ints 0 and 1 and a list of labels of any kind: as it
/// stands, and pruned, which is `None` where no path leads from input to output. `None` where it is
/// no such module, or has too many vertices for words.
#[pyfunction]
pub fn read_lists<'py>(
    matrix: &Bound<'py, PyList>,
    ops: &Bound<'py, PyList>,
) -> PyResult<Option<(Labelled<'py>, Option<Labelled<'py>>)>> {
    let Some(module) = module_of_lists(matrix, ops.len()) else { return Ok(None) };
    let given = ops.to_tuple();
    if given.len() != module.vertices() {
        return Ok(None);
    }
    let pruned = match cell::prune(module) {
        None => None,
        Some(cell) if cell.raw() == module => Some((cell.edges(), given.clone())),
        Some(cell) => {
            let n = cell.vertices();
            let kept = (0..n).map(|i| match i {
                0 => given.get_item(0),
                _ if i + 1 == n => given.get_item(given.len() - 1),
                _ => given.get_item(usize::from(cell.op(i))),
            });
            let kept = kept.collect::<PyResult<Vec<_>>>()?;
            Some((cell.edges(), PyTuple::new(ops.py(), kept)?))
        }
    };
    Ok(Some(((module.edges(), given), pruned)))
}

/// A module whose ops are the numbers of its vertices, so that those are known that pruning keeps.
fn module_of_lists(matrix: &Bound<'_, PyList>, v: usize) -> Option<RawCell> {
    if !(2..=MAX_VERTICES).contains(&v) || matrix.len() != v {
        return None;
    }
    let (zero, one) = (PyInt::new(matrix.py(), 0u8), PyInt::new(matrix.py(), 1u8));
    let (mut edges, mut labels) = (0, (v as u64) << 60);
    for (x, row) in matrix.iter().enumerate() {
        let row = row.cast_exact::<PyList>().ok()?;
        if row.len() != v {
            return None;
        }
        for (y, entry) in row.iter().enumerate() {
            // These two ints are one object each: to know them by that spares a quarter of the time.
            let value = if entry.is(&zero) {
                0
            } else if entry.is(&one) {
                1
            } else {
                // Not a bool, which would make another array.
                entry.cast_exact::<PyInt>().ok()?.extract::<u8>().ok()?
            };
            match value {
                0 => {}
                1 if x < y && y < v => edges |= cell::edge_bit(x, y),
                _ => return None,
            }
        }
    }
    (1..v - 1).for_each(|x| labels |= (x as u64) << cell::label_shift(x));
    RawCell::from_words(edges, labels).ok()
}

/// The entries of the matrix of a module of `vertices` vertices, a byte each, row by row.
#[pyfunction]
pub fn matrix_bytes(py: Python<'_>, edges: u64, vertices: usize) -> PyResult<Bound<'_, PyBytes>> {
    if vertices > MAX_VERTICES {
        return Err(PyValueError::new_err("the module has too many vertices"));
    }
    let mut entries = [0; MAX_VERTICES * MAX_VERTICES];
    for y in 1..vertices {
        let sources = cell::column(edges, y);
        (0..y).for_each(|x| entries[x * vertices + y] = (sources >> x & 1) as u8);
    }
    Ok(PyBytes::new(py, &entries[..vertices * vertices]))
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
