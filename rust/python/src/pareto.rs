//! Hypervolume and IGD+ of points, and both over the queries of a search.

use nb101_core::pareto;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arrays::{collected, copied};
use crate::watch::watched;

/// The hypervolume of points, rows in one array, below a reference.
#[pyfunction]
pub fn hypervolume<'py>(
    py: Python<'py>,
    points: PyReadonlyArray1<'py, f64>,
    reference: PyReadonlyArray1<'py, f64>,
) -> PyResult<f64> {
    let (points, reference) = (copied(&points)?, copied(&reference)?);
    check(&[&points], reference.len())?;
    watched(py, None, |watch| pareto::hypervolume(&points, &reference, watch))
}

/// The IGD+ of points, rows of so many costs in one array, to a front.
#[pyfunction]
pub fn igd_plus<'py>(
    py: Python<'py>,
    points: PyReadonlyArray1<'py, f64>,
    front: PyReadonlyArray1<'py, f64>,
    costs: usize,
) -> PyResult<f64> {
    let (points, front) = (copied(&points)?, copied(&front)?);
    check(&[&points, &front], costs)?;
    watched(py, None, |_| Ok(pareto::igd_plus(&points, &front, costs)))
}

/// Hypervolume and IGD+ after each query, by what was told, what is true and the front.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn front_course<'py>(
    py: Python<'py>,
    told: PyReadonlyArray1<'py, f64>,
    truth: PyReadonlyArray1<'py, f64>,
    front: PyReadonlyArray1<'py, f64>,
    costs: usize,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)> {
    let (told, truth, front) = (copied(&told)?, copied(&truth)?, copied(&front)?);
    check(&[&told, &truth, &front], costs)?;
    if told.len() != truth.len() {
        return Err(PyTypeError::new_err("what was told and what is true differ in length"));
    }
    let (volumes, distances) =
        watched(py, None, |watch| pareto::course(&told, &truth, &front, costs, watch))?;
    Ok((collected(py, volumes.into_iter())?, collected(py, distances.into_iter())?))
}

/// Sees that arrays are rows of so many costs.
fn check(arrays: &[&[f64]], costs: usize) -> PyResult<()> {
    if costs == 0 || arrays.iter().any(|rows| !rows.len().is_multiple_of(costs)) {
        return Err(PyTypeError::new_err("these are no rows of costs"));
    }
    Ok(())
}
