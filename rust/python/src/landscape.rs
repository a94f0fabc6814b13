//! A space as a landscape: single edits, walks, ascents, distances; and rank correlation.

use nb101_core::landscape::{self, EditGraph, Graph};
use nb101_core::random::Random;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::{cells_from, collected, copied, room_for};
use crate::space::Space;
use crate::watch::watched;

/// Every change of one op of every cell: which cell, the old and the new op, the id of the result.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn op_changes<'py>(
    py: Python<'py>,
    space: &Space,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<(
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i8>>,
    Bound<'py, PyArray1<i8>>,
    Bound<'py, PyArray1<i64>>,
)> {
    let cells = cells_from(py, &edges, &labels)?;
    let found = watched(py, None, |watch| landscape::all_op_changes(&space.core, &cells, watch))?;
    let all = || found.iter().flatten();
    Ok((
        collected(py, all().map(|change| change.source as i32))?,
        collected(py, all().map(|change| change.from as i8))?,
        collected(py, all().map(|change| change.to as i8))?,
        collected(py, all().map(|change| change.target as i64))?,
    ))
}

/// Every change of one edge of every cell: which cell, whether it was added, the id of the result.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn edge_changes<'py>(
    py: Python<'py>,
    space: &Space,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<(Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<bool>>, Bound<'py, PyArray1<i64>>)> {
    let cells = cells_from(py, &edges, &labels)?;
    let found = watched(py, None, |watch| landscape::all_edge_changes(&space.core, &cells, watch))?;
    let all = || found.iter().flatten();
    Ok((
        collected(py, all().map(|change| change.source as i32))?,
        collected(py, all().map(|change| change.added))?,
        collected(py, all().map(|change| change.target as i64))?,
    ))
}

/// The graph of single edits on cells by their ids, ascending: offsets and targets, as rows.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn edit_graph<'py>(
    py: Python<'py>,
    space: &Space,
    ids: PyReadonlyArray1<'py, u64>,
) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>)> {
    let ids = copied(&ids)?;
    let graph = watched(py, None, |watch| EditGraph::new(&space.core, &ids, watch))?;
    Ok((PyArray1::from_vec(py, graph.offsets), PyArray1::from_vec(py, graph.targets)))
}

/// Walks along a graph, a row each: its start, then where its steps lead, -1 after its end.
#[pyfunction]
pub fn walk_graph<'py>(
    py: Python<'py>,
    offsets: PyReadonlyArray1<'py, i64>,
    targets: PyReadonlyArray1<'py, u32>,
    starts: PyReadonlyArray1<'py, u32>,
    steps: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let (offsets, targets) = (copied(&offsets)?, copied(&targets)?);
    let graph = graph_of(&offsets, &targets)?;
    let starts = copied(&starts)?;
    let random = &mut Random::new(seed);
    let rows = watched(py, None, |watch| graph.walk(&starts, steps, random, watch))?;
    PyArray1::from_vec(py, rows).reshape([starts.len(), steps + 1])
}

/// Walks through raw encodings, as `walk_graph` gives them.
#[pyfunction]
pub fn walk_encodings<'py>(
    py: Python<'py>,
    space: &Space,
    ids: PyReadonlyArray1<'py, u64>,
    starts: PyReadonlyArray1<'py, u32>,
    steps: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let (ids, starts) = (copied(&ids)?, copied(&starts)?);
    let random = &mut Random::new(seed);
    let rows = watched(py, None, |watch| {
        landscape::walk_encodings(&space.core, &ids, &starts, steps, random, watch)
    })?;
    PyArray1::from_vec(py, rows).reshape([starts.len(), steps + 1])
}

fn graph_of<'a>(offsets: &'a [i64], targets: &'a [u32]) -> PyResult<Graph<'a>> {
    Graph::new(offsets, targets)
        .ok_or_else(|| PyValueError::new_err("offsets and targets are not those of a graph"))
}

/// The best neighbour of each row of a graph, or itself; and where steepest ascent from it ends.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn ascend<'py>(
    py: Python<'py>,
    offsets: PyReadonlyArray1<'py, i64>,
    targets: PyReadonlyArray1<'py, u32>,
    values: PyReadonlyArray1<'py, f64>,
) -> PyResult<(Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>)> {
    let (offsets, targets, values) = (copied(&offsets)?, copied(&targets)?, copied(&values)?);
    let graph = graph_of(&offsets, &targets)?;
    if values.len() != graph.len() {
        return Err(PyTypeError::new_err("values and rows of the graph differ in number"));
    }
    let (next, ends) = watched(py, None, |watch| graph.ascend(&values, watch))?;
    Ok((PyArray1::from_vec(py, next), PyArray1::from_vec(py, ends)))
}

/// Raw encodings of each cell; encodings of the space by their distance to the nearest of those;
/// and how many of these are valid.
#[pyfunction]
pub fn encoding_distances<'py>(
    py: Python<'py>,
    space: &Space,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<[Bound<'py, PyArray1<u64>>; 3]> {
    let cells = cells_from(py, &edges, &labels)?;
    let found =
        watched(py, None, |watch| landscape::encoding_distances(&space.core, &cells, watch))?;
    Ok([found.encodings, found.all, found.valid].map(|column| PyArray1::from_vec(py, column)))
}

/// Kendall's tau-b of two columns.
#[pyfunction]
pub fn kendall<'py>(
    py: Python<'py>,
    x: PyReadonlyArray1<'py, f64>,
    y: PyReadonlyArray1<'py, f64>,
) -> PyResult<f64> {
    let (x, y) = (copied(&x)?, copied(&y)?);
    if x.len() != y.len() {
        return Err(PyTypeError::new_err("the columns differ in length"));
    }
    room_for::<f64>(py, &[x.len(), 4])?;
    Ok(py.detach(|| nb101_core::kendall::kendall(&x, &y)))
}
