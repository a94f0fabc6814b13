//! Search spaces and their streams of cells.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nb101_core::parallel::{Monitor, Pace};
use nb101_core::walk::{self, Random};
use nb101_core::{Cell, Error, RawCell, cell, enumerate, hash, landscape, memory, prune};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arrays::{Columns, cells_from, columns, copied, in_python, room_for};
use crate::errors::to_python;
use crate::watch::{Watch, watched};

/// All unique cells within limits.
#[pyclass(frozen, module = "nb101._core")]
pub struct Space(pub nb101_core::Space);

#[pymethods]
impl Space {
    #[new]
    fn new(
        py: Python<'_>,
        max_vertices: usize,
        max_edges: usize,
        num_ops: usize,
    ) -> PyResult<Self> {
        let space = nb101_core::Space::new(max_vertices, max_edges, num_ops);
        space.map(Self).map_err(|error| to_python(py, &error))
    }

    /// Unique cells: a row for each number of vertices, a column for each number of edges.
    fn count(&self, py: Python<'_>) -> PyResult<Vec<Vec<i128>>> {
        watched(py, None, |_| Ok(self.0.count()))
    }

    /// All cells in the reference order.
    #[pyo3(signature = (progress=None))]
    fn enumerate<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Columns<'py>> {
        let total = usize::try_from(self.0.size()).unwrap_or(usize::MAX);
        // The cells and their columns.
        room_for::<Cell>(py, &[total, 2])?;
        let cells = watched(py, progress, |watch| {
            let mut cells = memory::with_capacity(total)?;
            let mut stream = self.0.stream();
            while cells.len() < total {
                let upto = (cells.len() + BATCH).min(total);
                stream.fill(&mut cells, upto, &|| watch.tick(0, total))?;
                if upto < total && !watch.tick(upto, total) {
                    return Err(Error::Interrupted);
                }
            }
            Ok(cells)
        })?;
        columns(py, &cells)
    }

    /// A stream of all cells.
    fn stream(&self) -> CellStream {
        CellStream::new(self.0.stream())
    }

    /// The ids of pruned cells in any form.
    fn ids<'py>(
        &self,
        py: Python<'py>,
        edges: PyReadonlyArray1<'py, u64>,
        labels: PyReadonlyArray1<'py, u64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let cells = cells_from(py, &edges, &labels)?;
        let ids = watched(py, None, |watch| {
            let mut ids = memory::filled(0, cells.len())?;
            self.0.ids(&cells, &mut ids, watch)?;
            memory::collect(ids.iter().map(|&id| id as i64))
        })?;
        Ok(PyArray1::from_vec(py, ids))
    }

    /// The id of one pruned cell in any form.
    fn id(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<u64> {
        let run = || {
            let cell = Cell::from_words(edges, labels)?;
            self.0.check(cell)?;
            Ok(cell)
        };
        let cell = run().map_err(|error| to_python(py, &error))?;
        Ok(self.catalog(py)?.id(cell))
    }

    /// The id of a raw module, whose vertices may dangle; -1 where it is no cell of the space.
    fn module_id(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<i64> {
        let module = RawCell::from_words(edges, labels).map_err(|error| to_python(py, &error))?;
        let pruned = prune::prune(module).ok().filter(|&cell| self.0.check(cell).is_ok());
        let Some(cell) = pruned else { return Ok(-1) };
        Ok(self.catalog(py)?.id(cell) as i64)
    }

    /// The cell of one id.
    fn cell(&self, py: Python<'_>, id: u64) -> PyResult<(u64, u64)> {
        let catalog = self.catalog(py)?;
        if id >= catalog.size() {
            return Err(to_python(
                py,
                &Error::IdOutOfRange { id: id.into(), size: catalog.size() },
            ));
        }
        let cell = catalog.cell(id);
        Ok((cell.edges(), cell.labels()))
    }

    /// The cells of ids.
    fn cells<'py>(
        &self,
        py: Python<'py>,
        ids: PyReadonlyArray1<'py, u64>,
    ) -> PyResult<Columns<'py>> {
        let ids = copied(&ids)?;
        let cells = watched(py, None, |watch| {
            let mut cells = memory::filled(Cell::LEAST, ids.len())?;
            self.0.cells(&ids, &mut cells, watch)?;
            Ok(cells)
        })?;
        columns(py, &cells)
    }

    /// Raises where a pruned cell does not belong to the space.
    fn check(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<()> {
        let cell = Cell::from_words(edges, labels).and_then(|cell| self.0.check(cell));
        cell.map_err(|error| to_python(py, &error))
    }

    /// The ids of the cells with this hash, 32 hexadecimal digits.
    fn find_hash(&self, py: Python<'_>, text: &str) -> PyResult<Vec<u64>> {
        let Some(digest) = hash::from_hex(text.as_bytes()) else {
            return Err(to_python(py, &Error::BadHash { text: text.to_owned() }));
        };
        watched(py, None, |watch| self.0.find_hash(&digest, watch))
    }

    /// All cells that one edit leads to or from.
    fn neighbors<'py>(&self, py: Python<'py>, edges: u64, labels: u64) -> PyResult<Columns<'py>> {
        let cell = Cell::from_words(edges, labels).map_err(|error| to_python(py, &error))?;
        let cells = watched(py, None, |watch| walk::neighbors(&self.0, cell, watch));
        columns(py, &cells?)
    }

    /// The least number of edits from each cell of the space, by ids, to one; 255 where none lead.
    fn edit_distances<'py>(
        &self,
        py: Python<'py>,
        target: u64,
    ) -> PyResult<Bound<'py, PyArray1<u8>>> {
        let distances =
            watched(py, None, |watch| landscape::edit_distances(&self.0, target, watch))?;
        Ok(PyArray1::from_vec(py, distances))
    }

    /// The least number of edits between the cells of two ids.
    fn edit_distance(&self, py: Python<'_>, a: u64, b: u64) -> PyResult<u32> {
        watched(py, None, |watch| {
            landscape::edit_distance(&self.0, a, b, watch)?.ok_or(Error::Unconnected)
        })
    }

    /// Mutates cells of the space, each embedded in a raw module of the largest size; the results
    /// are pruned, in no particular form.
    fn mutate_cells<'py>(
        &self,
        py: Python<'py>,
        edges: PyReadonlyArray1<'py, u64>,
        labels: PyReadonlyArray1<'py, u64>,
        rate: f64,
        seed: u64,
    ) -> PyResult<Columns<'py>> {
        let cells = cells_from(py, &edges, &labels)?;
        let mutants = self.mutate_each(py, &cells, rate, seed, |cell, random| {
            self.0.check(cell)?;
            Ok(walk::embed(&self.0, cell, random))
        })?;
        // Those that are no cell when pruned were not taken.
        let cells = memory::collect(mutants.into_iter().flat_map(prune::prune));
        let cells: Vec<Cell> = in_python(py, cells)?;
        columns(py, &cells)
    }

    /// Mutates a raw module of the largest size, not pruned: edge mask and label word.
    fn mutate_module(
        &self,
        py: Python<'_>,
        edges: u64,
        labels: u64,
        rate: f64,
        seed: u64,
    ) -> PyResult<(u64, u64)> {
        let module = RawCell::from_words(edges, labels).map_err(|error| to_python(py, &error))?;
        let mutants = self.mutate_each(py, &[module], rate, seed, |module, _| Ok(module))?;
        Ok((mutants[0].edges(), mutants[0].labels()))
    }
}

impl Space {
    /// The catalog. Single cells are asked for millions of times: only the first call, which makes
    /// it, is watched.
    fn catalog(&self, py: Python<'_>) -> PyResult<&nb101_core::space::Catalog> {
        match self.0.known_catalog() {
            Some(catalog) => Ok(catalog),
            None => watched(py, None, |watch| self.0.catalog(&|| watch.tick(0, 1))),
        }
    }

    fn mutate_each<T: Copy + Sync>(
        &self,
        py: Python<'_>,
        cells: &[T],
        rate: f64,
        seed: u64,
        embed: impl Fn(T, &mut Random) -> Result<RawCell, Error> + Sync,
    ) -> PyResult<Vec<RawCell>> {
        if !(0.0..=1e3).contains(&rate) {
            return Err(to_python(py, &Error::BadRate { rate: rate.to_string() }));
        }
        let total = cells.len();
        let found = watched(py, None, |watch: &Watch| {
            let (mut random, mut pace) = (Random::new(seed), Pace::default());
            let mut mutants = memory::with_capacity(total)?;
            for (i, &cell) in cells.iter().enumerate() {
                if i % 64 == 63 {
                    pace.ask(|| watch.tick(i, total))?;
                }
                let wrong = |source| Error::InModule { index: i, source: Box::new(source) };
                let module = embed(cell, &mut random).map_err(wrong)?;
                match walk::mutate_raw(&self.0, module, rate, &mut random, &|| {
                    watch.tick(i, total)
                })? {
                    Some(mutant) => mutants.push(mutant),
                    None => return Ok(None),
                }
            }
            Ok(Some(mutants))
        })?;
        found.ok_or_else(|| to_python(py, &Error::NoMutant { rate: rate.to_string() }))
    }
}

/// Cells between two looks outside.
const BATCH: usize = 1 << 20;

/// The cells of a space, batch by batch.
#[pyclass(frozen, module = "nb101._core")]
pub struct CellStream(Mutex<State>);

/// Where a stream is. The lock around this is held for no longer than it takes to read it, and with
/// the interpreter lock, so that no fork catches it held.
enum State {
    Idle(Box<enumerate::CellStream>),
    /// A thread of this process takes cells.
    Busy(u32),
}

/// Puts a stream back when its user is done, whatever happened.
struct Taken<'a>(&'a Mutex<State>, Option<Box<enumerate::CellStream>>);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.1.take() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Idle(stream);
        }
    }
}

impl CellStream {
    fn new(stream: enumerate::CellStream) -> Self {
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
        let cells = watched(py, None, |watch| {
            let mut cells = memory::with_capacity(n.min(BATCH))?;
            let Some(stream) = taken.1.as_mut() else { return Ok(cells) };
            while cells.len() < n {
                let upto = n.min(cells.len() + BATCH);
                stream.fill(&mut cells, upto, &|| watch.tick(0, n))?;
                if cells.len() < upto {
                    break;
                }
                if upto < n && !watch.tick(upto, n) {
                    return Err(Error::Interrupted);
                }
            }
            Ok(cells)
        })?;
        drop(taken);
        columns(py, &cells)
    }
}

const _: () = assert!(cell::MAX_VERTICES <= 15, "sizes fit a nibble");
