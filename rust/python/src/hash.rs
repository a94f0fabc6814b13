//! Fingerprints.

use nb101_core::hash::{self, Digest};
use nb101_core::memory;
use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arrays::{cells_from, check_order, rows};
use crate::modules::with_modules;
use crate::watch::watched;

/// Fingerprints of raw modules as rows of 32 ASCII digits; zeros for disconnected ones.
#[pyfunction]
#[pyo3(signature = (matrices, ops, keep_disconnected, progress=None))]
pub fn hash_modules<'py>(
    py: Python<'py>,
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let text = with_modules(matrices, ops, keep_disconnected, progress, |modules, watch| {
        hash::to_text(hash::hash_modules(&modules, watch)?.iter().map(Option::as_ref))
    })?;
    rows(py, text, 32)
}

/// The fingerprint of a graph as it stands: not pruned, any integer labels, any number of vertices.
/// `inputs[v]` are the in-neighbours of `v`.
#[pyfunction]
pub fn hash_graph(py: Python<'_>, inputs: Vec<Vec<usize>>, labels: Vec<i64>) -> PyResult<String> {
    watched(py, None, |watch| hash::hash_graph_watched(&inputs, &labels, watch)).map(hash::hex)
}

/// Fingerprints of cells, 16 bytes each.
#[pyfunction]
#[pyo3(signature = (edges, labels, progress=None))]
pub fn hash_cells<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let cells = cells_from(py, &edges, &labels)?;
    let digests = watched(py, progress, |watch| {
        let mut digests: Vec<Digest> = memory::filled([0; 16], cells.len())?;
        hash::hash_cells(&cells, &mut digests, watch)?;
        Ok(digests.into_flattened())
    })?;
    rows(py, digests, 16)
}

/// Digests as rows of 32 ASCII digits.
#[pyfunction]
pub fn to_hex<'py>(
    py: Python<'py>,
    digests: PyReadonlyArray2<'py, u8>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    check_order(&*digests)?;
    let bytes = digests.as_slice()?;
    if digests.shape()[1] != 16 {
        return Err(PyTypeError::new_err("digests have 16 bytes each"));
    }
    let text = watched(py, None, |_| hash::to_text(bytes.as_chunks().0.iter().map(Some)))?;
    rows(py, text, 32)
}
