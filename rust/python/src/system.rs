//! Memory, threads and the instruction set.

use nb101_core::hash::isa;
use nb101_core::{Error, memory, parallel};
use pyo3::prelude::*;

use crate::errors::to_python;

/// Whether there is memory for more than a few small things.
#[pyfunction]
pub fn has_room() -> bool {
    memory::check().is_ok()
}

/// More threads than any machine of today has cores.
const MOST_THREADS: usize = 1 << 10;

/// Sets the number of threads; 0 is one for each core.
#[pyfunction]
pub fn set_threads(threads: usize) {
    parallel::set_threads(threads.min(MOST_THREADS));
}

/// The number of threads in use.
#[pyfunction]
pub fn get_threads() -> usize {
    parallel::threads()
}

/// The instruction set in use, and all that this machine has.
#[pyfunction]
pub fn cpu() -> (&'static str, Vec<&'static str>) {
    (isa::current().name(), isa::available().iter().map(|isa| isa.name()).collect())
}

/// Chooses an instruction set by name; `None` is the fastest.
#[pyfunction]
#[pyo3(signature = (name=None))]
pub fn set_cpu(py: Python<'_>, name: Option<&str>) -> PyResult<()> {
    let chosen = match name {
        None => None,
        Some(name) => match isa::available().into_iter().find(|isa| isa.name() == name) {
            Some(isa) => Some(isa),
            None => {
                let known: Vec<_> = isa::available().iter().map(|isa| isa.name()).collect();
                let error = Error::NoCpu { name: name.to_owned(), known: known.join(", ") };
                return Err(to_python(py, &error));
            }
        },
    };
    isa::set(chosen);
    Ok(())
}

/// MD5 blocks a second of the bare kernel on one core.
#[pyfunction]
pub fn kernel_peak(py: Python<'_>) -> f64 {
    py.detach(|| isa::kernel_peak(isa::current()))
}
