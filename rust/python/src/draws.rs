//! Random numbers of a NumPy generator, drawn many at a time.

use nb101_core::memory;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::arrays::in_python;

/// Numbers that are drawn at a time.
const PIECE: usize = 1 << 10;

/// The numbers of ``rng.random()``, one after the other, drawn many at a time: several times faster.
///
/// What has been drawn ahead is gone from the generator: whoever makes this leaves that alone.
/// Domains take it in place of a generator, and then make a proposal in one call to the core.
#[pyclass(module = "nb101._core")]
pub struct Draws {
    generator: Py<PyAny>,
    numbers: Vec<f64>,
    next: usize,
}

impl Draws {
    /// The next number, in [0, 1).
    #[inline]
    pub fn unit(&mut self, py: Python<'_>) -> PyResult<f64> {
        if self.next == self.numbers.len() {
            self.refill(py)?;
        }
        self.next += 1;
        Ok(self.numbers[self.next - 1])
    }

    fn refill(&mut self, py: Python<'_>) -> PyResult<()> {
        let drawn = self.generator.call_method1(py, intern!(py, "random"), (PIECE,))?;
        let drawn = drawn.bind(py).cast::<PyArray1<f64>>()?.try_readonly()?;
        let numbers = memory::collect(drawn.as_slice()?.iter().copied());
        self.numbers = in_python(py, numbers)?;
        self.next = 0;
        if self.numbers.is_empty() {
            return Err(PyValueError::new_err("the generator drew no numbers"));
        }
        Ok(())
    }
}

#[pymethods]
impl Draws {
    #[new]
    fn new(rng: Py<PyAny>) -> Self {
        Self { generator: rng, numbers: Vec::new(), next: 0 }
    }

    /// Draw a number in [0, 1).
    fn random(&mut self, py: Python<'_>) -> PyResult<f64> {
        self.unit(py)
    }

    /// Draw whole numbers below a limit, each as likely and with replacement: as many as ``count``.
    fn places(&mut self, py: Python<'_>, count: usize, below: u64) -> PyResult<Vec<u64>> {
        let below = below as f64;
        let mut places = in_python(py, memory::with_capacity(count))?;
        for _ in 0..count {
            places.push((self.unit(py)? * below) as u64);
        }
        Ok(places)
    }
}
