//! Runs drawn about the values of a table.

use nb101_core::noise::{Kind, Noise};
use nb101_core::memory;
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::in_python;

/// Training time, and three accuracies of which validation is the middle one.
const METRICS: usize = 4;
const VALIDATION: usize = 2;

/// A column of a table, as it lies there.
enum Column {
    Single(Py<PyArray1<f32>>),
    Double(Py<PyArray1<f64>>),
}

impl Column {
    fn new(column: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(column) = column.cast::<PyArray1<f32>>() {
            return Ok(Self::Single(column.clone().unbind()));
        }
        Ok(Self::Double(column.cast::<PyArray1<f64>>()?.clone().unbind()))
    }

    #[inline]
    fn get(&self, py: Python<'_>, row: usize) -> PyResult<f64> {
        let value = match self {
            Self::Single(column) => column.bind(py).get_owned(row).map(f64::from),
            Self::Double(column) => column.bind(py).get_owned(row),
        };
        value.ok_or_else(|| PyIndexError::new_err("the table has no such row"))
    }
}

/// Draws runs of rows: answers are training time and accuracies, in the order of the columns.
#[pyclass(frozen, module = "nb101._core")]
pub struct NoisyRuns {
    noise: Noise,
    values: [Option<Column>; METRICS],
    spreads: [Option<Column>; METRICS],
}

fn columns(given: Vec<Option<Bound<'_, PyAny>>>) -> PyResult<[Option<Column>; METRICS]> {
    let columns: PyResult<Vec<_>> =
        given.iter().map(|column| column.as_ref().map(Column::new).transpose()).collect();
    columns?.try_into().map_err(|_| PyTypeError::new_err("expected four columns"))
}

type Answer = (f64, f64, f64, f64);
type Answers<'py> = (Vec<Option<Bound<'py, PyArray1<f32>>>>, Vec<usize>);

#[pymethods]
impl NoisyRuns {
    /// Constants are in the order of the core's.
    #[new]
    fn new(
        constants: [f64; 10],
        values: Vec<Option<Bound<'_, PyAny>>>,
        spreads: Vec<Option<Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        let [images, sampling, chance, safe, flat, top, widest, surplus, furthest, narrow] = constants;
        let noise = Noise {
            images,
            sampling,
            chance,
            safe,
            flat,
            top,
            widest,
            surplus,
            furthest,
            narrow,
        };
        Ok(Self { noise, values: columns(values)?, spreads: columns(spreads)? })
    }

    /// A run of a row, of normal numbers: one common to its accuracies, and its metrics'. `None`
    /// where the cell is one whose runs may collapse: then it is `kind_of` that draws it.
    fn one(&self, py: Python<'_>, row: usize, normals: [f64; 5]) -> PyResult<Option<Answer>> {
        if self.may_collapse(py, row)? {
            return Ok(None);
        }
        self.run(py, row, normals, Kind::Usual).map(Some)
    }

    /// A run of a row of which a share collapses, and which has collapsed or is whole.
    fn kind_of(
        &self,
        py: Python<'_>,
        row: usize,
        normals: [f64; 5],
        collapse: f64,
        collapsed: bool,
    ) -> PyResult<Answer> {
        let kind = if collapsed { Kind::Collapsed } else { Kind::Whole { collapse } };
        self.run(py, row, normals, kind)
    }

    /// Runs of many rows, of a row of normal numbers each, as columns, `None` where there is no
    /// spread; and the places of those whose runs may collapse, whose answers are not to be used.
    fn many<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, i64>,
        normals: PyReadonlyArray2<'py, f64>,
    ) -> PyResult<Answers<'py>> {
        let rows = rows.as_slice()?;
        if normals.shape() != [rows.len(), 1 + METRICS] {
            return Err(PyValueError::new_err("expected five numbers a row"));
        }
        let (normals, []) = normals.as_slice()?.as_chunks::<{ 1 + METRICS }>() else {
            unreachable!("rows of five")
        };
        let mut places = in_python(py, memory::with_capacity(rows.len()))?;
        for (place, &row) in rows.iter().enumerate() {
            if self.may_collapse(py, row as usize)? {
                places.push(place);
            }
        }
        let mut found = Vec::with_capacity(METRICS);
        for metric in 0..METRICS {
            if self.spreads[metric].is_none() {
                found.push(None);
                continue;
            }
            let mut column = in_python(py, memory::with_capacity(rows.len()))?;
            for (&row, normals) in rows.iter().zip(normals) {
                column.push(self.value(py, metric, row as usize, normals, Kind::Usual)? as f32);
            }
            found.push(Some(PyArray1::from_vec(py, column)));
        }
        Ok((found, places))
    }
}

impl NoisyRuns {
    #[inline]
    fn mean(&self, py: Python<'_>, metric: usize, row: usize) -> PyResult<f64> {
        self.values[metric].as_ref().map_or(Ok(f64::NAN), |column| column.get(py, row))
    }

    #[inline]
    fn may_collapse(&self, py: Python<'_>, row: usize) -> PyResult<bool> {
        let Some(spread) = &self.spreads[VALIDATION] else { return Ok(false) };
        let mean = self.mean(py, VALIDATION, row)?;
        Ok(self.noise.may_collapse(mean, spread.get(py, row)?))
    }

    fn run(&self, py: Python<'_>, row: usize, normals: [f64; 5], kind: Kind) -> PyResult<Answer> {
        let value = |metric| self.value(py, metric, row, &normals, kind);
        Ok((value(0)?, value(1)?, value(2)?, value(3)?))
    }

    #[inline]
    fn value(
        &self,
        py: Python<'_>,
        metric: usize,
        row: usize,
        normals: &[f64; 5],
        kind: Kind,
    ) -> PyResult<f64> {
        let mean = self.mean(py, metric, row)?;
        let Some(spread) = &self.spreads[metric] else { return Ok(mean) };
        // Where it is not known there is no noise.
        let spread = spread.get(py, row)?;
        let spread = if spread.is_nan() { 0.0 } else { spread };
        Ok(f64::from(match metric {
            0 => self.noise.time(mean, spread, normals[1]),
            _ => self.noise.accuracy(mean, spread, kind, normals[0], normals[metric + 1]),
        }))
    }
}
