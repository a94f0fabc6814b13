//! How far apart cells are, and cells drawn at random.

use nb101_core::random::Random;
use nb101_core::{Cell, edit, memory};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arrays::{Columns, cells_from, columns, in_python, room_for};
use crate::space::Space;
use crate::watch::watched;

/// Alignment distance of each cell to one.
#[pyfunction]
pub fn alignment_distances<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    target_edges: u64,
    target_labels: u64,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let cells = cells_from(py, &edges, &labels)?;
    let target = in_python(py, Cell::from_words(target_edges, target_labels))?;
    let distances = watched(py, None, |watch| {
        let mut distances = memory::filled(0, cells.len())?;
        edit::alignment_distances(&cells, target, &mut distances, watch)?;
        Ok(distances)
    })?;
    Ok(PyArray1::from_vec(py, distances))
}

/// `n` cells of a space, drawn by raw encodings.
#[pyfunction]
pub fn random_cells<'py>(
    py: Python<'py>,
    space: &Space,
    n: usize,
    seed: u64,
) -> PyResult<Columns<'py>> {
    room_for::<Cell>(py, &[n, 3])?;
    let mut random = Random::new(seed);
    columns(py, &watched(py, None, |watch| edit::random_cells(&space.core, n, &mut random, watch))?)
}
