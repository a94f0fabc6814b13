//! Answers to queries of a table, and runs drawn about its values.

use nb101_core::memory;
use nb101_core::noise::{Kind, Noise};
use numpy::{
    Element, PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
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
            return Ok(Self::Single(whole(column)?));
        }
        Ok(Self::Double(whole(column.cast::<PyArray1<f64>>()?)?))
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

/// An array whose items may be read one by one: they are aligned.
fn whole<T: Element>(array: &Bound<'_, PyArray1<T>>) -> PyResult<Py<PyArray1<T>>> {
    array.try_readonly()?.as_slice()?;
    Ok(array.clone().unbind())
}

fn columns(given: Vec<Option<Bound<'_, PyAny>>>) -> PyResult<[Option<Column>; METRICS]> {
    let columns: PyResult<Vec<_>> =
        given.iter().map(|column| column.as_ref().map(Column::new).transpose()).collect();
    columns?.try_into().map_err(|_| PyTypeError::new_err("expected four columns"))
}

/// The rows of a budget, as `python/nb101/table/budget.py` guesses where they lie.
struct Rows {
    ids: Py<PyArray1<i32>>,
    length: i64,
    start: usize,
    first: i64,
    runs: i64,
}

impl Rows {
    /// The first row of a cell and how many it has, if they lie where they are guessed.
    #[inline]
    fn find(&self, py: Python<'_>, cell_id: i64) -> Option<(usize, i64)> {
        let first = cell_id.checked_sub(self.first)?.checked_mul(self.runs)?;
        let last = first.checked_add(self.runs)?;
        if first < 0 || last > self.length {
            return None;
        }
        let ids = self.ids.bind(py);
        let is_its =
            |row: i64| ids.get_owned(row as usize).is_some_and(|id| i64::from(id) == cell_id);
        let here = is_its(first) && (self.runs == 1 || is_its(last - 1));
        let alone = (first == 0 || !is_its(first - 1)) && (last == self.length || !is_its(last));
        (here && alone).then_some((self.start + first as usize, self.runs))
    }
}

/// Training time, and accuracies in the order of the columns.
type Answer = (f64, f64, f64, f64);
/// Columns of them, and places whose runs may collapse.
type Answers<'py> = (Vec<Option<Bound<'py, PyArray1<f32>>>>, Vec<usize>);

/// One evaluation of the runs of a budget, final or halfway: answers to queries, with noise where
/// there are spreads.
#[pyclass(frozen, module = "nb101._core")]
pub struct Evaluation {
    rows: Rows,
    values: [Option<Column>; METRICS],
    noise: Noise,
    spreads: Option<[Option<Column>; METRICS]>,
}

#[pymethods]
impl Evaluation {
    /// `layout` is the first row of the budget, its first cell, and how many runs that has; the
    /// constants of the noise are in the order of the core's.
    #[new]
    fn new(
        ids: &Bound<'_, PyArray1<i32>>,
        layout: (usize, i64, i64),
        values: Vec<Option<Bound<'_, PyAny>>>,
        constants: [f64; 10],
        spreads: Option<Vec<Option<Bound<'_, PyAny>>>>,
    ) -> PyResult<Self> {
        let (start, first, runs) = layout;
        let length = ids.len() as i64;
        let rows = Rows { ids: whole(ids)?, length, start, first, runs };
        let [images, sampling, chance, safe, flat, top, widest, surplus, furthest, narrow] =
            constants;
        let noise =
            Noise { images, sampling, chance, safe, flat, top, widest, surplus, furthest, narrow };
        Ok(Self {
            rows,
            values: columns(values)?,
            noise,
            spreads: spreads.map(columns).transpose()?,
        })
    }

    /// The row that a number in [0, 1) draws of a cell, and its answer; with normal numbers, one
    /// common to its accuracies and its metrics', a run about that. `None` where more is to be said:
    /// of cells whose rows lie elsewhere, of times that are not known, of runs that may collapse.
    fn ask(
        &self,
        py: Python<'_>,
        cell_id: i64,
        draw: f64,
        normals: Option<[f64; 5]>,
    ) -> PyResult<Option<(usize, Answer)>> {
        let Some((first, runs)) = self.rows.find(py, cell_id) else { return Ok(None) };
        let row = first + (draw * runs as f64) as usize;
        if self.mean(py, 0, row)?.is_nan() {
            return Ok(None);
        }
        let answer = match normals {
            Some(normals) => self.noisy(py, row, normals)?,
            None => Some(self.answer(|metric| self.mean(py, metric, row))?),
        };
        Ok(answer.map(|answer| (row, answer)))
    }

    /// A run about a row; `None` where the cell is one whose runs may collapse.
    fn noisy(&self, py: Python<'_>, row: usize, normals: [f64; 5]) -> PyResult<Option<Answer>> {
        if self.may_collapse(py, row)? {
            return Ok(None);
        }
        let kind = Kind::Usual;
        self.answer(|metric| self.value(py, metric, row, &normals, kind)).map(Some)
    }

    /// A run about a row of which a share collapses, and which has collapsed or is whole.
    fn noisy_kind(
        &self,
        py: Python<'_>,
        row: usize,
        normals: [f64; 5],
        collapse: f64,
        collapsed: bool,
    ) -> PyResult<Answer> {
        let kind = if collapsed { Kind::Collapsed } else { Kind::Whole { collapse } };
        self.answer(|metric| self.value(py, metric, row, &normals, kind))
    }

    /// Runs about many rows, of a row of normal numbers each, as columns, `None` where there is no
    /// spread; and the places of those that may collapse, whose answers are not to be used.
    fn noisy_many<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, i64>,
        normals: PyReadonlyArray2<'py, f64>,
    ) -> PyResult<Answers<'py>> {
        let rows = rows.as_slice()?;
        if normals.shape() != [rows.len(), 1 + METRICS] {
            return Err(PyValueError::new_err("expected five numbers a row"));
        }
        let (normals, _) = normals.as_slice()?.as_chunks::<{ 1 + METRICS }>();
        let mut places = in_python(py, memory::with_capacity(rows.len()))?;
        for (place, &row) in rows.iter().enumerate() {
            if self.may_collapse(py, row as usize)? {
                places.push(place);
            }
        }
        let mut found = Vec::with_capacity(METRICS);
        for metric in 0..METRICS {
            if self.spread(metric).is_none() {
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

impl Evaluation {
    #[inline]
    fn spread(&self, metric: usize) -> Option<&Column> {
        self.spreads.as_ref().and_then(|spreads| spreads[metric].as_ref())
    }

    #[inline]
    fn mean(&self, py: Python<'_>, metric: usize, row: usize) -> PyResult<f64> {
        self.values[metric].as_ref().map_or(Ok(f64::NAN), |column| column.get(py, row))
    }

    #[inline]
    fn may_collapse(&self, py: Python<'_>, row: usize) -> PyResult<bool> {
        let Some(spread) = self.spread(VALIDATION) else { return Ok(false) };
        let mean = self.mean(py, VALIDATION, row)?;
        Ok(self.noise.may_collapse(mean, spread.get(py, row)?))
    }

    #[inline]
    fn answer(&self, value: impl Fn(usize) -> PyResult<f64>) -> PyResult<Answer> {
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
        let Some(spread) = self.spread(metric) else { return Ok(mean) };
        // Where it is not known there is no noise.
        let spread = spread.get(py, row)?;
        let spread = if spread.is_nan() { 0.0 } else { spread };
        Ok(f64::from(match metric {
            0 => self.noise.time(mean, spread, normals[1]),
            _ => self.noise.accuracy(mean, spread, kind, normals[0], normals[metric + 1]),
        }))
    }
}
