//! The cells of a space, batch by batch.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nb101_core::{Cell, space};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arrays::{Columns, columns, room_for};
use crate::watch::watched;

/// The cells of a space, batch by batch.
#[pyclass(frozen, module = "nb101._core")]
pub struct CellStream(Mutex<State>);

/// Where a stream is. The lock around this is held for no longer than it takes to read it, by a thread
/// that is attached to the interpreter, which a fork waits for, so that none catches it held.
enum State {
    Idle(Box<space::CellStream>),
    /// A thread of this process takes cells.
    Busy(u32),
}

/// Puts a stream back when its user is done, whatever happened.
struct Taken<'a>(&'a Mutex<State>, Option<Box<space::CellStream>>);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.1.take() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Idle(stream);
        }
    }
}

impl CellStream {
    pub fn new(stream: space::CellStream) -> Self {
        Self(Mutex::new(State::Idle(Box::new(stream))))
    }

    /// The stream, once no other thread has it.
    fn take(&self, py: Python<'_>) -> PyResult<Taken<'_>> {
        let own = std::process::id();
        loop {
            {
                let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                match std::mem::replace(&mut *state, State::Busy(own)) {
                    State::Idle(stream) => return Ok(Taken(&self.0, Some(stream))),
                    State::Busy(owner) if owner != own => {
                        *state = State::Busy(owner);
                        let text =
                            "this stream was in use when the process was forked: make one anew";
                        return Err(PyRuntimeError::new_err(text));
                    }
                    State::Busy(_) => {}
                }
            }
            py.check_signals()?;
            py.detach(|| std::thread::sleep(Duration::from_millis(1)));
        }
    }
}

#[pymethods]
impl CellStream {
    /// The next `n` cells; fewer at the end, none after it.
    fn next<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Columns<'py>> {
        room_for::<Cell>(py, &[n, 3])?;
        let mut taken = self.take(py)?;
        let cells = watched(py, None, |watch| match &mut taken.1 {
            Some(stream) => stream.take(n, watch),
            None => Ok(Vec::new()),
        })?;
        drop(taken);
        columns(py, &cells)
    }
}
