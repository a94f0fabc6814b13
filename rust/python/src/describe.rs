//! What cells look like and cost: matrices, op codes, text, parameters, channels, depth and width.

use nb101_core::RawCell;
use nb101_core::describe::{self, Skeleton};
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{cells_from, raw_cells_from, rows};
use crate::watch::watched;

/// Adjacency matrices, zero-padded to `size` vertices.
#[pyfunction]
pub fn adjacency<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    size: usize,
) -> PyResult<Bound<'py, PyArray3<i8>>> {
    let cells = fitting(py, &edges, &labels, size)?;
    let flat = watched(py, None, |_| describe::adjacency(&cells, size))?;
    PyArray1::from_vec(py, flat).reshape([cells.len(), size, size])
}

/// Op codes, -1 input, -2 output, padded with -3 to `size` vertices.
#[pyfunction]
pub fn operations<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    size: usize,
) -> PyResult<Bound<'py, PyArray2<i8>>> {
    let cells = fitting(py, &edges, &labels, size)?;
    rows(py, watched(py, None, |_| describe::op_codes(&cells, size))?, size)
}

fn fitting(
    py: Python<'_>,
    edges: &PyReadonlyArray1<'_, u64>,
    labels: &PyReadonlyArray1<'_, u64>,
    size: usize,
) -> PyResult<Vec<RawCell>> {
    let cells = raw_cells_from(py, edges, labels)?;
    check_size(size, cells.iter().map(|cell| cell.vertices()).max())?;
    Ok(cells)
}

fn check_size(size: usize, most: Option<usize>) -> PyResult<()> {
    match most {
        Some(most) if most > size => Err(PyValueError::new_err(format!(
            "size {size} is too small: a cell has {most} vertices"
        ))),
        _ if size < 2 => {
            Err(PyValueError::new_err(format!("size {size} is too small: at least 2")))
        }
        _ => Ok(()),
    }
}

/// The official text columns: adjacency as 0 and 1 row by row, ops joined by commas. Each is an
/// Arrow string column: offsets, bytes.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn text_columns<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    ops: Vec<String>,
) -> PyResult<[(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u8>>); 2]> {
    let cells = cells_from(py, &edges, &labels)?;
    let texts = watched(py, None, |_| describe::text_columns(&cells, &ops))?;
    Ok(texts.map(|text| (PyArray1::from_vec(py, text.offsets), PyArray1::from_vec(py, text.bytes))))
}

/// Channels of the stem, stacks, cells in each, classes, channels and side of the image.
type Sizes = (u32, u8, u32, u32, u32, u32);

fn skeleton((stem, stacks, cells_per_stack, classes, channels, side): Sizes) -> Skeleton {
    Skeleton {
        stem_channels: stem.into(),
        stacks: stacks.into(),
        cells_per_stack,
        num_classes: classes.into(),
        image_channels: channels.into(),
        image_size: side.into(),
    }
}

/// Trainable parameters and multiply-accumulates of each cell's network, that of NAS-Bench-101 if no
/// sizes are given.
#[pyfunction]
#[pyo3(signature = (edges, labels, ops, sizes=None))]
#[allow(clippy::type_complexity)]
pub fn costs<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    ops: Vec<String>,
    sizes: Option<Sizes>,
) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>)> {
    let cells = cells_from(py, &edges, &labels)?;
    let skeleton = sizes.map_or_else(Skeleton::default, skeleton);
    let (parameters, flops) =
        watched(py, None, |watch| describe::costs(&cells, &ops, &skeleton, watch))?;
    Ok((PyArray1::from_vec(py, parameters), PyArray1::from_vec(py, flops)))
}

/// Channels of each vertex of each cell, padded with 0 to `size` vertices.
#[pyfunction]
pub fn vertex_channels<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    input: u64,
    output: u64,
    size: usize,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let cells = cells_from(py, &edges, &labels)?;
    check_size(size, cells.iter().map(|cell| cell.vertices()).max())?;
    rows(py, watched(py, None, |_| describe::channels(&cells, input, output, size))?, size)
}

/// Longest path and largest directed cut of each cell.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn depth_width<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<(Bound<'py, PyArray1<i8>>, Bound<'py, PyArray1<i8>>)> {
    let cells = cells_from(py, &edges, &labels)?;
    let (depths, widths) = watched(py, None, |watch| describe::depths_and_widths(&cells, watch))?;
    Ok((PyArray1::from_vec(py, depths), PyArray1::from_vec(py, widths)))
}
