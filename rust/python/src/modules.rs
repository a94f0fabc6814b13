//! Raw modules as arrays of any element types.

use nb101_core::cell::{self, Entry, Modules};
use nb101_core::{Error, RawCell};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::{WithEntries, in_python, with_entries};
use crate::errors::to_python;
use crate::watch::{Watch, watched};

/// Reads modules from arrays of shape `(n, v, v)` and `(n, v)`, and goes on with them.
pub fn with_modules<'py, R: Send>(
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
    then: impl FnOnce(Modules, &Watch) -> Result<R, Error> + Send,
) -> PyResult<R> {
    let py = matrices.py();
    with_entries(matrices, Matrices { ops, py, keep_disconnected, progress, then })?
}

struct Matrices<'a, 'py, F> {
    ops: &'a Bound<'py, PyAny>,
    py: Python<'py>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
    then: F,
}

impl<F, R> WithEntries for Matrices<'_, '_, F>
where
    F: FnOnce(Modules, &Watch) -> Result<R, Error> + Send,
    R: Send,
{
    type Output = PyResult<R>;

    fn call<T: Entry + Sync>(self, matrices: &[T], shape: &[usize]) -> PyResult<R> {
        let Self { ops, py, keep_disconnected, progress, then } = self;
        with_entries(ops, Both { matrices, shape, py, keep_disconnected, progress, then })?
    }
}

struct Both<'a, 'py, T, F> {
    matrices: &'a [T],
    shape: &'a [usize],
    py: Python<'py>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
    then: F,
}

impl<T, F, R> WithEntries for Both<'_, '_, T, F>
where
    T: Entry + Sync,
    F: FnOnce(Modules, &Watch) -> Result<R, Error> + Send,
    R: Send,
{
    type Output = PyResult<R>;

    fn call<L: Entry + Sync>(self, ops: &[L], shape: &[usize]) -> PyResult<R> {
        let (n, v) = match (self.shape, shape) {
            (&[n, rows, columns], &[m, labels]) => {
                if rows != columns {
                    return Err(to_python(self.py, &Error::NotSquare { rows, columns }));
                }
                if labels != rows {
                    let error = Error::OpsLength { ops: labels, vertices: rows };
                    return Err(to_python(self.py, &error));
                }
                if n != m {
                    let text = format!(
                        "{n} matrices but {m} rows of ops: one row for each matrix is needed"
                    );
                    return Err(PyValueError::new_err(text));
                }
                (n, rows)
            }
            _ => return Err(PyTypeError::new_err("expected arrays of shape (n, v, v) and (n, v)")),
        };
        if v == 0 && n > 0 {
            return Err(to_python(self.py, &Error::TooFewVertices { vertices: 0 }));
        }
        let (matrices, keep) = (self.matrices, self.keep_disconnected);
        watched(self.py, self.progress, |watch| {
            let modules = cell::parse_batch(matrices, ops, v, keep, watch)?;
            (self.then)(modules, watch)
        })
    }
}

/// One module of shape `(1, v, v)` as it stands; `None` where no words hold it.
pub fn packed<'py>(
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
) -> PyResult<Option<RawCell>> {
    struct Matrix<'a, 'py>(&'a Bound<'py, PyAny>);
    struct Ops<'a, T>(&'a [T]);
    impl WithEntries for Matrix<'_, '_> {
        type Output = PyResult<Result<Option<RawCell>, Error>>;
        fn call<T: Entry + Sync>(self, matrix: &[T], _: &[usize]) -> Self::Output {
            with_entries(self.0, Ops(matrix))
        }
    }
    impl<T: Entry + Sync> WithEntries for Ops<'_, T> {
        type Output = Result<Option<RawCell>, Error>;
        fn call<L: Entry + Sync>(self, ops: &[L], _: &[usize]) -> Self::Output {
            cell::pack(self.0, ops)
        }
    }
    in_python(matrices.py(), with_entries(matrices, Matrix(ops))??)
}
