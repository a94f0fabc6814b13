//! Answers to queries of a table, and runs drawn about its values.

use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nb101_core::memory;
use nb101_core::noise::{Kind, Noise};
use numpy::{
    Element, PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyStopIteration, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple};

use crate::arrays::{check_order, copied, in_python};

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
        value.ok_or_else(|| PyValueError::new_err("the table has no such row"))
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
        (here && alone).then_some((self.start.saturating_add(first as usize), self.runs))
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
        let row = first.saturating_add((draw * runs as f64) as usize);
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
        check_order(&*normals)?;
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

/// What a conversation has come to, as columns: cells, epochs and rows, time and accuracies.
type Heard<'py> = ([Bound<'py, PyArray1<i64>>; 3], [Bound<'py, PyArray1<f64>>; METRICS]);
/// What is asked next, `None` at the end; and what went wrong, if anything did.
type Left<'py> = (Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>);

/// Answers that have not been taken yet.
#[derive(Default)]
struct Answered {
    asked: [Vec<i64>; 3],
    columns: [Vec<f64>; METRICS],
    /// Whether one more is being found.
    busy: bool,
    taken: bool,
}

/// Answers to a generator of trials, which may be taken while it goes on: whoever is called in
/// between finds everything as if each trial had been asked for on its own. It ends with that.
#[pyclass(frozen, module = "nb101._core")]
pub struct Conversation {
    answered: Mutex<Answered>,
}

#[pymethods]
impl Conversation {
    /// `most` is how many answers there are at most.
    #[new]
    fn new(py: Python<'_>, most: usize) -> PyResult<Self> {
        let mut answered = Answered::default();
        for column in &mut answered.asked {
            *column = in_python(py, memory::with_capacity(most))?;
        }
        for column in &mut answered.columns {
            *column = in_python(py, memory::with_capacity(most))?;
        }
        Ok(Self { answered: Mutex::new(answered) })
    }

    /// Goes on: `send` takes the validation accuracy of a trial and returns the next one.
    ///
    /// It ends with the numbers, when what was answered is taken, after `pause` seconds, with the
    /// answer after which seconds or epochs, which begin at `spent`, are past `most`, and before
    /// what is no trial of the type of the first one, of an id and of epochs that `evaluations` has.
    /// There each has a function, too, that is called with the cell and the numbers where the
    /// evaluation itself has no answer.
    #[expect(clippy::too_many_arguments, reason = "one call in thousands of queries")]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        send: &Bound<'py, PyAny>,
        trial: Bound<'py, PyTuple>,
        evaluations: &Bound<'py, PyDict>,
        draws: PyReadonlyArray1<'py, f64>,
        normals: Option<PyReadonlyArray2<'py, f64>>,
        spent: (f64, f64),
        most: (f64, f64),
        pause: f64,
    ) -> PyResult<Left<'py>> {
        let (began, kind) = (Instant::now(), trial.get_type());
        // Copies: whoever is called in between may write to arrays.
        let draws = copied(&draws)?;
        let flat = match &normals {
            Some(normals) if normals.shape() == [draws.len(), 1 + METRICS] => {
                check_order(&**normals)?;
                Some(in_python(py, memory::collect(normals.as_slice()?.iter().copied()))?)
            }
            Some(_) => return Err(PyValueError::new_err("expected five numbers for each draw")),
            None => None,
        };
        let normals = flat.as_ref().map(|flat| flat.as_chunks::<{ 1 + METRICS }>().0);
        let (mut seconds, mut trained) = spent;
        let (mut next, mut error) = (Some(trial.into_any()), None);
        for (i, &draw) in draws.iter().enumerate() {
            let Some(trial) = next.as_ref().filter(|next| next.get_type().is(&kind)) else { break };
            let trial = trial.cast::<PyTuple>()?;
            // What is no trial after all is handed back: what was answered before it is not lost.
            let (Ok(cell), Ok(budget)) = (trial.get_item(0), trial.get_item(1)) else { break };
            let (Ok(cell_id), Ok(length)) = (cell.extract::<i64>(), budget.extract::<i64>()) else {
                break;
            };
            // A bool is no id, though it is a number.
            if cell.is_instance_of::<PyBool>() {
                break;
            }
            let Ok(Some(found)) = evaluations.get_item(&budget) else { break };
            let (evaluation, odd): (Bound<'py, Evaluation>, Bound<'py, PyAny>) = found.extract()?;
            let numbers = normals.map(|normals| normals[i]);
            if !self.begin() {
                break;
            }
            let answer = match evaluation.get().ask(py, cell_id, draw, numbers) {
                Ok(Some(found)) => Ok(found),
                Ok(None) => odd.call1((&cell, draw, numbers)).and_then(|found| found.extract()),
                Err(wrong) => Err(wrong),
            };
            let answer: PyResult<(usize, Answer)> = answer;
            self.end(cell_id, length, answer.as_ref().ok());
            let (_, answer) = match answer {
                Ok(found) => found,
                Err(wrong) => {
                    error = Some(wrong);
                    break;
                }
            };
            seconds += answer.0;
            trained += length as f64;
            if seconds > most.0 || trained > most.1 {
                break;
            }
            match send.call1((answer.2,)) {
                Ok(trial) => next = Some(trial),
                Err(ended) => {
                    next = None;
                    error = (!ended.is_instance_of::<PyStopIteration>(py)).then_some(ended);
                    break;
                }
            }
            if began.elapsed().as_secs_f64() >= pause {
                break;
            }
        }
        Ok((next, error.map(|error| error.into_value(py).into_bound(py).into_any())))
    }

    /// Take what has been answered: once, and not while an answer is being found, else `None`.
    fn take<'py>(&self, py: Python<'py>) -> Option<Heard<'py>> {
        let (asked, columns) = {
            let mut answered = self.locked();
            if answered.busy || answered.taken {
                return None;
            }
            answered.taken = true;
            (take(&mut answered.asked), take(&mut answered.columns))
        };
        let asked = asked.map(|column| PyArray1::from_vec(py, column));
        Some((asked, columns.map(|column| PyArray1::from_vec(py, column))))
    }
}

impl Conversation {
    /// Nothing that is done with it calls Python, or can fail.
    fn locked(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there may be one more answer, which is then being found.
    #[inline]
    fn begin(&self) -> bool {
        let mut answered = self.locked();
        let rows = &answered.asked[2];
        let may = !answered.taken && !answered.busy && rows.len() < rows.capacity();
        answered.busy |= may;
        may
    }

    #[inline]
    fn end(&self, cell_id: i64, epochs: i64, found: Option<&(usize, Answer)>) {
        let mut answered = self.locked();
        answered.busy = false;
        let Some((row, answer)) = found else { return };
        for (column, value) in answered.asked.iter_mut().zip([cell_id, epochs, *row as i64]) {
            column.push(value);
        }
        let values = [answer.0, answer.1, answer.2, answer.3];
        for (column, value) in answered.columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
}
