//! Files of official records: columns by name, in and out.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nb101_core::memory;
use nb101_core::release::{
    self, Floats, FloatsView, Layout, LeftOut, METRICS, Options, Unsorted, View, tfrecord,
};
use numpy::{Element, PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::{collected, copied, in_python};
use crate::watch::watched;

/// A row, and the bytes of its record.
type Raw<'py> = Vec<(usize, Bound<'py, PyBytes>)>;
/// Number and byte offset of a record, and what is wrong with it.
type Problems = Vec<(u64, u64, String)>;
/// Columns, bytes of records, the first problems, and how many records were left out.
type Read<'py> = (Bound<'py, PyDict>, Raw<'py>, Problems, u64);
/// The same, with columns that are not made yet.
type Scanned<'py> = (Runs, Raw<'py>, Problems, u64);

/// Reads a file of official records, packed by gzip or not: the columns, sorted by budget, cell and
/// repeat; the bytes of records that the columns do not give back; and, where that is wanted, what
/// was left out, the first thousand and their number. `progress` hears of bytes.
#[pyfunction]
#[pyo3(signature = (path, verify_hashes, keep_going, progress=None))]
pub fn read_release<'py>(
    py: Python<'py>,
    path: PathBuf,
    verify_hashes: bool,
    keep_going: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Read<'py>> {
    let options = Options { verify_hashes, keep_going };
    let (table, left_out) = watched(py, progress, |watch| release::read(&path, options, watch))?;
    let columns = PyDict::new(py);
    columns.set_item("cell_id", PyArray1::from_vec(py, table.cell_id))?;
    columns.set_item("epochs", PyArray1::from_vec(py, table.epochs))?;
    columns.set_item("repeat", PyArray1::from_vec(py, table.repeat))?;
    columns.set_item("record", PyArray1::from_vec(py, table.record))?;
    for (name, column) in METRICS.iter().zip(table.metrics) {
        columns.set_item(name, floats(py, column))?;
    }
    columns.set_item("trainable_parameters", PyArray1::from_vec(py, table.trainable_parameters))?;
    columns.set_item("total_time", PyArray1::from_vec(py, table.total_time))?;
    let (problems, records) = problems(left_out);
    Ok((columns, raw_of(py, table.raw)?, problems, records))
}

/// [`read_release`] with runs of which columns are made when they are asked for.
#[pyfunction]
#[pyo3(signature = (path, verify_hashes, keep_going, progress=None))]
pub fn scan_release(
    py: Python<'_>,
    path: PathBuf,
    verify_hashes: bool,
    keep_going: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Scanned<'_>> {
    let options = Options { verify_hashes, keep_going };
    let (found, left_out) = watched(py, progress, |watch| release::scan(&path, options, watch))?;
    let runs = Runs { layout: found.layout, unsorted: Mutex::new(found.unsorted.map(Some).into()) };
    let (problems, records) = problems(left_out);
    Ok((runs, raw_of(py, found.raw)?, problems, records))
}

/// The runs of a file of official records, as they came.
#[pyclass(frozen, module = "nb101._core")]
pub struct Runs {
    layout: Layout,
    /// Metrics and the total time, until each is taken. The lock is held with that of the
    /// interpreter and for a moment, so that no fork catches it held.
    unsorted: Mutex<Vec<Option<Unsorted>>>,
}

#[pymethods]
impl Runs {
    fn __len__(&self) -> usize {
        self.layout.rows()
    }

    /// All budgets, ascending.
    fn budgets(&self) -> Vec<i16> {
        self.layout.budgets().collect()
    }

    /// How many runs there are of each cell at a budget.
    fn counts<'py>(&self, py: Python<'py>, epochs: i16) -> PyResult<Bound<'py, PyArray1<u8>>> {
        let counts = watched(py, None, |_| self.layout.counts(epochs))?;
        Ok(PyArray1::from_vec(py, counts))
    }

    /// Trainable parameters of each cell, 0 where it has no run.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i32>>> {
        collected(py, self.layout.parameters_by_cell().iter().copied())
    }

    /// Writes a column of the table, in its own type, to an array of as many rows. Metrics and the
    /// total time are let go of then, and there once; where the array is another, they stay.
    fn take(&self, py: Python<'_>, name: &str, out: &Bound<'_, PyAny>) -> PyResult<()> {
        let rows = self.layout.rows();
        macro_rules! write {
            ($kind:ty, $fill:expr) => {{
                let mut out = out.extract::<PyReadwriteArray1<'_, $kind>>()?;
                let out = out.as_slice_mut()?;
                if out.len() != rows {
                    return Err(PyTypeError::new_err(format!("expected {rows} rows")));
                }
                let fill = $fill;
                watched(py, None, |_| {
                    fill(out);
                    Ok(())
                })
            }};
        }
        let layout = &self.layout;
        match name {
            "cell_id" => return write!(i32, |out: &mut [i32]| layout.cell_id(out)),
            "epochs" => return write!(i16, |out: &mut [i16]| layout.epochs(out)),
            "repeat" => return write!(i8, |out: &mut [i8]| layout.repeat(out)),
            "record" => return write!(i32, |out: &mut [i32]| layout.record(out)),
            "trainable_parameters" => {
                return write!(i32, |out: &mut [i32]| layout.trainable_parameters(out));
            }
            _ => {}
        }
        let none = || PyKeyError::new_err(format!("no column {name}"));
        let column = METRICS.iter().chain([&"total_time"]).position(|known| *known == name);
        let column = column.ok_or_else(none)?;
        let double = self.unsorted()[column].as_ref().map(Unsorted::is_double).ok_or_else(none)?;
        let taken = || self.unsorted()[column].take().ok_or_else(none);
        if double || name == "total_time" {
            write!(f64, {
                let taken = taken()?;
                move |out: &mut [f64]| layout.double(&taken, out)
            })
        } else {
            write!(f32, {
                let taken = taken()?;
                move |out: &mut [f32]| layout.single(&taken, out)
            })
        }
    }

    /// Whether a metric is in double precision.
    fn is_double(&self, name: &str) -> bool {
        let column = METRICS.iter().position(|known| *known == name);
        column.is_some_and(|i| self.unsorted()[i].as_ref().is_some_and(Unsorted::is_double))
    }
}

impl Runs {
    fn unsorted(&self) -> MutexGuard<'_, Vec<Option<Unsorted>>> {
        self.unsorted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn floats(py: Python<'_>, column: Floats) -> Bound<'_, PyAny> {
    match column {
        Floats::Single(column) => PyArray1::from_vec(py, column).into_any(),
        Floats::Double(column) => PyArray1::from_vec(py, column).into_any(),
    }
}

fn raw_of(py: Python<'_>, records: Vec<(usize, Vec<u8>)>) -> PyResult<Raw<'_>> {
    let mut raw = in_python(py, memory::with_capacity(records.len()))?;
    for (row, bytes) in records {
        raw.push((
            row,
            PyBytes::new_with(py, bytes.len(), |to| {
                to.copy_from_slice(&bytes);
                Ok(())
            })?,
        ));
    }
    Ok(raw)
}

fn problems(left_out: LeftOut) -> (Problems, u64) {
    let problem = |wrong: release::Problem| (wrong.record, wrong.offset, wrong.error.to_string());
    (left_out.problems.into_iter().map(problem).collect(), left_out.records)
}

/// Writes columns of the same names (`repeat` is not needed), in any order of rows, as a file of
/// official records in the order of `record`. `raw` has the bytes of some rows, ascending.
/// `progress` hears of rows.
#[pyfunction]
#[pyo3(signature = (path, columns, raw, progress=None))]
pub fn write_release(
    py: Python<'_>,
    path: PathBuf,
    columns: &Bound<'_, PyDict>,
    raw: Vec<(usize, PyBackedBytes)>,
    progress: Option<Py<PyAny>>,
) -> PyResult<()> {
    let cell_id = column::<i32>(columns, "cell_id")?;
    let epochs = column::<i16>(columns, "epochs")?;
    let record = column::<i32>(columns, "record")?;
    let parameters = column::<i32>(columns, "trainable_parameters")?;
    let total_time = column::<f64>(columns, "total_time")?;
    let metrics: Vec<Metric<'_>> = METRICS
        .iter()
        .map(|name| match column::<f32>(columns, name) {
            Ok(column) => Ok(Metric::Single(column)),
            Err(_) => column::<f64>(columns, name).map(Metric::Double),
        })
        .collect::<PyResult<_>>()?;
    let mut views = [FloatsView::Single(&[]); METRICS.len()];
    for (view, metric) in views.iter_mut().zip(&metrics) {
        *view = match metric {
            Metric::Single(column) => FloatsView::Single(column.as_slice()?),
            Metric::Double(column) => FloatsView::Double(column.as_slice()?),
        };
    }
    let rows = View {
        cell_id: &copied(&cell_id)?,
        epochs: epochs.as_slice()?,
        record: record.as_slice()?,
        metrics: views,
        trainable_parameters: parameters.as_slice()?,
        total_time: total_time.as_slice()?,
    };
    watched(py, progress, |watch| release::write(&path, &rows, &raw, watch))
}

/// The masked CRC32C of bytes, as frames of official records carry it.
#[pyfunction]
pub fn masked_crc32c(py: Python<'_>, data: PyReadonlyArray1<'_, u8>) -> PyResult<u32> {
    let data = data.as_slice()?;
    Ok(py.detach(|| tfrecord::masked_crc(data)))
}

enum Metric<'py> {
    Single(PyReadonlyArray1<'py, f32>),
    Double(PyReadonlyArray1<'py, f64>),
}

fn column<'py, T: Element>(
    columns: &Bound<'py, PyDict>,
    name: &str,
) -> PyResult<PyReadonlyArray1<'py, T>> {
    let found =
        columns.get_item(name)?.ok_or_else(|| PyKeyError::new_err(format!("no column {name}")))?;
    let array = found.cast_into::<PyArray1<T>>().map_err(|_| {
        PyTypeError::new_err(format!("column {name} is no array of the expected type"))
    })?;
    Ok(array.readonly())
}
