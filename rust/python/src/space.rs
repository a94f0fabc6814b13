//! Search spaces.

use nb101_core::landscape::EditGraph;
use nb101_core::limits::{INPUT, MAX_VERTICES, OUTPUT};
use nb101_core::once::Once;
use nb101_core::parallel::Monitor;
use nb101_core::random::Random;
use nb101_core::{Cell, Error, RawCell, cell, edit, hash, memory};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::{Columns, cells_from, columns, copied, in_python, room_for};
use crate::draws::Draws;
use crate::errors::to_python;
use crate::stream::CellStream;
use crate::watch::watched;

/// All unique cells within limits.
#[pyclass(frozen, module = "nb101._core")]
pub struct Space {
    /// What the core knows of it.
    pub core: nb101_core::Space,
    /// The graph of all its cells, made on first use.
    edits: Once<EditGraph>,
}

#[pymethods]
impl Space {
    #[new]
    fn new(
        py: Python<'_>,
        max_vertices: usize,
        max_edges: usize,
        num_ops: usize,
    ) -> PyResult<Self> {
        let core = in_python(py, nb101_core::Space::new(max_vertices, max_edges, num_ops))?;
        Ok(Self { core, edits: Once::new() })
    }

    /// Unique cells: a row for each number of vertices, a column for each number of edges.
    fn count(&self, py: Python<'_>) -> PyResult<Vec<Vec<i128>>> {
        watched(py, None, |_| Ok(self.core.count()))
    }

    /// All cells in the reference order.
    #[pyo3(signature = (progress=None))]
    fn enumerate<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Columns<'py>> {
        let total = usize::try_from(self.core.size()).unwrap_or(usize::MAX);
        // The cells and their columns.
        room_for::<Cell>(py, &[total, 2])?;
        columns(py, &watched(py, progress, |watch| self.core.all(watch))?)
    }

    /// A stream of all cells.
    fn stream(&self) -> CellStream {
        CellStream::new(self.core.stream())
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
            self.core.ids(&cells, &mut ids, watch)?;
            memory::collect(ids.iter().map(|&id| id as i64))
        })?;
        Ok(PyArray1::from_vec(py, ids))
    }

    /// The id of one pruned cell in any form.
    fn id(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<u64> {
        let cell = Cell::from_words(edges, labels).and_then(|cell| {
            self.core.check(cell)?;
            Ok(cell)
        });
        let cell = in_python(py, cell)?;
        Ok(self.catalog(py)?.id(cell))
    }

    /// The id of a raw module, whose vertices may dangle; -1 where it is no cell of the space.
    fn module_id(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<i64> {
        let module = in_python(py, RawCell::from_words(edges, labels))?;
        let Some(cell) = self.core.pruned(module) else { return Ok(-1) };
        Ok(self.catalog(py)?.id(cell) as i64)
    }

    /// The id and the reference form of one module whose matrix is the bytes of a C-ordered array of
    /// integers or bools.
    fn place_bytes(
        &self,
        py: Python<'_>,
        matrix: &[u8],
        ops: Vec<i64>,
    ) -> PyResult<(u64, u64, u64)> {
        let cell = cell::parse_bytes(matrix, &ops).and_then(|cell| {
            self.core.check(cell)?;
            Ok(cell)
        });
        let cell = in_python(py, cell)?;
        let (id, cell) = self.catalog(py)?.place(cell);
        Ok((id, cell.edges(), cell.labels()))
    }

    /// The id and the reference form of a pruned cell whose ops are named, by the code of each name;
    /// `None` where it is no cell of the space.
    fn place_named(
        &self,
        py: Python<'_>,
        edges: u64,
        ops: &Bound<'_, PyTuple>,
        codes: &Bound<'_, PyDict>,
    ) -> PyResult<Option<(u64, u64, u64)>> {
        let Some(labels) = label_word(ops, codes) else { return Ok(None) };
        match Cell::from_words(edges, labels) {
            Ok(cell) if self.core.check(cell).is_ok() => {
                let (id, cell) = self.catalog(py)?.place(cell);
                Ok(Some((id, cell.edges(), cell.labels())))
            }
            _ => Ok(None),
        }
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
            self.core.cells(&ids, &mut cells, watch)?;
            Ok(cells)
        })?;
        columns(py, &cells)
    }

    /// Raises where a pruned cell does not belong to the space.
    fn check(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<()> {
        let cell = Cell::from_words(edges, labels).and_then(|cell| self.core.check(cell));
        in_python(py, cell)
    }

    /// The ids of the cells with this hash, 32 hexadecimal digits.
    fn find_hash(&self, py: Python<'_>, text: &str) -> PyResult<Vec<u64>> {
        let Some(digest) = hash::from_hex(text.as_bytes()) else {
            return Err(to_python(py, &Error::BadHash { text: text.to_owned() }));
        };
        watched(py, None, |watch| self.core.find_hash(&digest, watch))
    }

    /// All cells that one edit leads to or from.
    fn neighbors<'py>(&self, py: Python<'py>, edges: u64, labels: u64) -> PyResult<Columns<'py>> {
        let cell = in_python(py, Cell::from_words(edges, labels))?;
        let cells = watched(py, None, |watch| edit::neighbors(&self.core, cell, watch));
        columns(py, &cells?)
    }

    /// The least number of edits from each cell of the space, by ids, to one; 255 where none lead.
    fn edit_distances<'py>(
        &self,
        py: Python<'py>,
        target: u64,
    ) -> PyResult<Bound<'py, PyArray1<u8>>> {
        let distances =
            watched(py, None, |watch| self.edit_graph(watch)?.distances(target, watch))?;
        Ok(PyArray1::from_vec(py, distances))
    }

    /// The least number of edits between the cells of two ids.
    fn edit_distance(&self, py: Python<'_>, a: u64, b: u64) -> PyResult<u32> {
        watched(py, None, |watch| {
            self.edit_graph(watch)?.distance(a, b, watch)?.ok_or(Error::Unconnected)
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
        let random = &mut Random::new(seed);
        let cells =
            watched(py, None, |watch| edit::mutate_cells(&self.core, &cells, rate, random, watch))?;
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
        let module = in_python(py, RawCell::from_words(edges, labels))?;
        let random = &mut Random::new(seed);
        let mutant = watched(py, None, |watch| {
            edit::mutate_module(&self.core, module, rate, random, watch)
        })?;
        Ok((mutant.edges(), mutant.labels()))
    }

    /// A module drawn at random, and the id of its cell; `None` where so many attempts make none.
    fn propose_random(
        &self,
        py: Python<'_>,
        attempts: u16,
        draws: &mut Draws,
    ) -> PyResult<Option<(u64, u64, u64)>> {
        let catalog = self.catalog(py)?;
        let draw = &mut || draws.unit(py);
        Ok(words(edit::propose_random(&self.core, catalog, attempts, draw)?))
    }

    /// A module of which one edge or one op is changed.
    fn propose_change(
        &self,
        py: Python<'_>,
        edges: u64,
        labels: u64,
        attempts: u16,
        draws: &mut Draws,
    ) -> PyResult<Option<(u64, u64, u64)>> {
        let (module, catalog) = (self.largest(py, edges, labels)?, self.catalog(py)?);
        let draw = &mut || draws.unit(py);
        Ok(words(edit::propose_change(&self.core, catalog, module, attempts, draw)?))
    }

    /// A module of which edges and ops are changed as in the original's notebook.
    fn propose_changes(
        &self,
        py: Python<'_>,
        edges: u64,
        labels: u64,
        attempts: u16,
        draws: &mut Draws,
    ) -> PyResult<Option<(u64, u64, u64)>> {
        let (module, catalog) = (self.largest(py, edges, labels)?, self.catalog(py)?);
        let draw = &mut || draws.unit(py);
        Ok(words(edit::propose_changes(&self.core, catalog, module, attempts, draw)?))
    }
}

/// Edge mask, label word and id of a proposal.
fn words(found: Option<(RawCell, u64)>) -> Option<(u64, u64, u64)> {
    found.map(|(module, id)| (module.edges(), module.labels(), id))
}

/// The label word of a cell, `None` where a label has no code or the wrong one for its place.
fn label_word(ops: &Bound<'_, PyTuple>, codes: &Bound<'_, PyDict>) -> Option<u64> {
    let v = ops.len();
    if !(2..=MAX_VERTICES).contains(&v) {
        return None;
    }
    let mut labels = (v as u64) << 60;
    for (x, op) in ops.iter().enumerate() {
        let code: i64 = codes.get_item(op).ok()??.extract().ok()?;
        match code {
            INPUT if x == 0 => {}
            OUTPUT if x + 1 == v => {}
            0..=15 if x > 0 && x + 1 < v => labels |= (code as u64) << cell::label_shift(x),
            _ => return None,
        }
    }
    Some(labels)
}

impl Space {
    /// A raw module of the most vertices.
    fn largest(&self, py: Python<'_>, edges: u64, labels: u64) -> PyResult<RawCell> {
        let module = in_python(py, RawCell::from_words(edges, labels))?;
        if module.vertices() != self.core.max_vertices() {
            return Err(to_python(py, &Error::BadPacked { edges, labels }));
        }
        Ok(module)
    }

    /// The catalog. Single cells are asked for millions of times: only the first call, which makes
    /// it, is watched.
    fn catalog(&self, py: Python<'_>) -> PyResult<&nb101_core::space::Catalog> {
        match self.core.known_catalog() {
            Some(catalog) => Ok(catalog),
            None => watched(py, None, |watch| self.core.catalog(&|| watch.tick(0, 1))),
        }
    }

    fn edit_graph(&self, monitor: &dyn Monitor) -> nb101_core::Result<&EditGraph> {
        self.edits.get_or_try(|| EditGraph::of_all(&self.core, monitor))
    }
}
