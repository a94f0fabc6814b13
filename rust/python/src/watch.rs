//! Long work without the interpreter lock, stopped by signals, with progress.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use nb101_core::parallel::Monitor;
use nb101_core::{Result, memory};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arrays::in_python;

/// Looks after one call: every tick takes the lock for a moment, lets signal handlers run, and
/// calls `progress(done, total)` where there is one. An exception in either stops the work.
pub struct Watch {
    progress: Option<Py<PyAny>>,
    raised: Mutex<Option<PyErr>>,
}

impl Monitor for Watch {
    fn tick(&self, done: usize, total: usize) -> bool {
        let outcome = Python::attach(|py| {
            py.check_signals()?;
            match &self.progress {
                Some(progress) => progress.call1(py, (done, total)).map(drop),
                None => Ok(()),
            }
        });
        match outcome {
            Ok(()) => true,
            Err(error) => {
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                false
            }
        }
    }
}

/// Runs `work` without the interpreter lock.
pub fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Watch) -> Result<T> + Send,
) -> PyResult<T> {
    let watch = Watch { progress, raised: Mutex::new(None) };
    // Nothing should panic. Should something, its caller gets an exception that programs catch.
    // Whatever was in the making is dropped, and locks are taken whether or not they are poisoned.
    let outcome = py.detach(|| {
        // Room for small things, before there are any.
        catch_unwind(AssertUnwindSafe(|| memory::check_before_work().and_then(|()| work(&watch))))
    });
    let Ok(outcome) = outcome else {
        return Err(PyRuntimeError::new_err(
            "nb101 failed in a way that it should not: please report it, with the lines above",
        ));
    };
    // No Ctrl-C is lost to an error of the work that comes at the same time.
    match watch.raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(raised) => Err(raised),
        None => in_python(py, outcome),
    }
}
