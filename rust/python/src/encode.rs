//! Encodings of columns of cells: arrays with a row for each.

use nb101_core::cell::{MAX_OPS, MAX_VERTICES, check_ops};
use nb101_core::encode::{self, Frame};
use nb101_core::features::{self, Ops};
use nb101_core::parallel::Monitor;
use nb101_core::{Cell, Error, Result, memory};
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::cells_from;
use crate::errors::to_python;
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
    let ops = Ops::new(&ops).map_err(|error| to_python(py, &error))?;
    encoded(py, &edges, &labels, features::names(&ops).len(), frame, |cells, rows, monitor| {
        features::features(cells, &ops, max_vertices, rows, monitor)
    })
}

/// The names of the features, in their order.
#[pyfunction]
pub fn structural_feature_names(py: Python<'_>, ops: Vec<String>) -> PyResult<Vec<String>> {
    frame_of((2, 1, ops.len()))?;
    let ops = Ops::new(&ops).map_err(|error| to_python(py, &error))?;
    Ok(features::names(&ops))
}

/// Edges of the largest graph.
const MOST_EDGES: usize = MAX_VERTICES * (MAX_VERTICES - 1) / 2;

fn frame_of((vertices, edges, ops): (usize, usize, usize)) -> PyResult<Frame> {
    if !(2..=MAX_VERTICES).contains(&vertices)
        || !(1..=MOST_EDGES).contains(&edges)
        || !(1..=MAX_OPS).contains(&ops)
    {
        return Err(PyValueError::new_err(format!(
            "no cells have up to {vertices} vertices, {edges} edges and {ops} ops: 2 to \
             {MAX_VERTICES} vertices, 1 to {MOST_EDGES} edges and 1 to {MAX_OPS} ops are possible"
        )));
    }
    Ok(Frame { vertices, edges, ops })
}

/// Checks that all cells fit into a frame.
fn check_frame(py: Python<'_>, cells: &[Cell], frame: Frame) -> PyResult<()> {
    for (index, cell) in cells.iter().enumerate() {
        let (vertices, edges) = (cell.vertices(), cell.num_edges());
        let limit = frame.vertices;
        let fits = if vertices > limit {
            Err(Error::TooManyVertices { vertices, limit, pruned: true })
        } else if edges > frame.edges {
            Err(Error::TooManyEdges { edges, limit: frame.edges })
        } else {
            check_ops(cell.raw(), frame.ops).map(|_| ())
        };
        fits.map_err(|source| to_python(py, &Error::InModule { index, source: Box::new(source) }))?;
    }
    Ok(())
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
    check_frame(py, &cells, frame)?;
    let flat = watched(py, None, |watch| {
        let mut flat = memory::filled(T::default(), cells.len().saturating_mul(width))?;
        encode(&cells, &mut flat, watch)?;
        Ok(flat)
    })?;
    PyArray1::from_vec(py, flat).reshape([cells.len(), width])
}
