//! Encodings of columns of cells: arrays with a row for each.

use nb101_core::describe::encode::{self, Frame, MOST_EDGES};
use nb101_core::describe::{self, FeatureOps};
use nb101_core::limits::{MAX_OPS, MAX_VERTICES};
use nb101_core::parallel::Monitor;
use nb101_core::{Cell, Result, memory};
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{cells_from, in_python};
use crate::watch::watched;

/// Columns of cells that the Python side has checked against the frame.
type Words<'py> = PyReadonlyArray1<'py, u64>;

/// One-hot adjacency: pairs of vertices, then ops of interior vertices.
#[pyfunction]
pub fn encode_one_hot<'py>(
    py: Python<'py>,
    edges: Words<'py>,
    labels: Words<'py>,
    frame: (usize, usize, usize),
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let frame = frame_of(frame)?;
    let width = frame.pairs() + frame.interior() * frame.ops;
    encoded(py, &edges, &labels, width, frame, |cells, rows, monitor| {
        encode::one_hot(cells, frame, rows, monitor)
    })
}

/// Categorical adjacency: the pairs of edges, then ops of interior vertices.
#[pyfunction]
pub fn encode_categorical<'py>(
    py: Python<'py>,
    edges: Words<'py>,
    labels: Words<'py>,
    frame: (usize, usize, usize),
) -> PyResult<Bound<'py, PyArray2<i8>>> {
    let frame = frame_of(frame)?;
    encoded(py, &edges, &labels, frame.edges + frame.interior(), frame, |cells, rows, monitor| {
        encode::categorical(cells, frame, rows, monitor)
    })
}

/// Numbers of paths by the ops along them.
#[pyfunction]
pub fn encode_paths<'py>(
    py: Python<'py>,
    edges: Words<'py>,
    labels: Words<'py>,
    frame: (usize, usize, usize),
    length: usize,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let frame = frame_of(frame)?;
    encoded(py, &edges, &labels, length, frame, |cells, rows, monitor| {
        encode::paths(cells, frame, length, rows, monitor)
    })
}

/// Structural features of cells of up to `max_vertices` vertices, by the names of their ops.
#[pyfunction]
pub fn structural_features<'py>(
    py: Python<'py>,
    edges: Words<'py>,
    labels: Words<'py>,
    ops: Vec<String>,
    max_vertices: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    // Every cell has at most as many edges as its vertices have pairs.
    let frame = frame_of((max_vertices, MOST_EDGES, ops.len()))?;
    let ops = in_python(py, FeatureOps::new(&ops))?;
    encoded(
        py,
        &edges,
        &labels,
        describe::feature_names(&ops).len(),
        frame,
        |cells, rows, monitor| describe::features(cells, &ops, max_vertices, rows, monitor),
    )
}

/// The names of the features, in their order.
#[pyfunction]
pub fn structural_feature_names(py: Python<'_>, ops: Vec<String>) -> PyResult<Vec<String>> {
    frame_of((2, 1, ops.len()))?;
    let ops = in_python(py, FeatureOps::new(&ops))?;
    Ok(describe::feature_names(&ops))
}

fn frame_of((vertices, edges, ops): (usize, usize, usize)) -> PyResult<Frame> {
    Frame::new(vertices, edges, ops).ok_or_else(|| {
        PyValueError::new_err(format!(
            "no cells have up to {vertices} vertices, {edges} edges and {ops} ops: 2 to \
             {MAX_VERTICES} vertices, 1 to {MOST_EDGES} edges and 1 to {MAX_OPS} ops are possible"
        ))
    })
}

fn encoded<'py, T: Element + Default + Clone + Send>(
    py: Python<'py>,
    edges: &Words<'py>,
    labels: &Words<'py>,
    width: usize,
    frame: Frame,
    encode: impl FnOnce(&[Cell], &mut [T], &dyn Monitor) -> Result<()> + Send,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let cells = cells_from(py, edges, labels)?;
    in_python(py, frame.check(&cells))?;
    let flat = watched(py, None, |watch| {
        let mut flat = memory::filled(T::default(), cells.len().saturating_mul(width))?;
        encode(&cells, &mut flat, watch)?;
        Ok(flat)
    })?;
    PyArray1::from_vec(py, flat).reshape([cells.len(), width])
}
