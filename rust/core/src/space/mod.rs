//! A search space: its size, its cells by id, and the ids of cells.
//!
//! The least isomorph of a graph is found ([`canonical`], [`representative`]), structures and
//! labelled cells are enumerated in the reference order ([`Structures`], [`CellStream`]) or counted
//! without that ([`count()`]), and labels of a structure are ranked, which gives cells their ids
//! ([`Catalog`]).

mod by_hash;
mod canon;
mod catalog;
mod count;
mod enumerate;
mod group;
mod isomorphs;
mod least;
mod orbits;

pub(crate) use canon::unique_representatives;
pub use canon::{Canonical, canonical, representative, representatives};
pub use catalog::Catalog;
pub use count::count;
pub use enumerate::{CellStream, FullDags, OutOfSteps, Structure, Structures};
pub use group::Group;

use by_hash::ByHash;

use crate::cell::{Cell, RawCell, check_ops, prune};
use crate::error::{Error, Result};
use crate::hash::Digest;
use crate::limits::{MAX_OPS, MAX_VERTICES};
use crate::memory;
use crate::once::Once;
use crate::parallel::{self, Monitor};

/// Structures kept in memory for ids: at most 24 bytes each.
const MOST_STRUCTURES: i128 = 1 << 23;
/// Cells of one parallel task.
const TASK: usize = 1 << 12;

/// All unique cells of 2 to `max_vertices` vertices, at most `max_edges` edges and `num_ops` ops.
///
/// ```
/// use nb101_core::{Space, parallel::Unwatched};
/// assert_eq!(Space::new(7, 9, 3)?.size(), 423_624); // counted, without enumerating
/// let space = Space::new(5, 7, 3)?;
/// let cells = space.all(&Unwatched)?; // in the reference order, canonical
/// let mut ids = vec![0; cells.len()];
/// space.ids(&cells, &mut ids, &Unwatched)?; // of cells in any isomorphic form
/// assert!(ids.into_iter().eq(0..1776));
/// # Ok::<(), nb101_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Space {
    max_vertices: usize,
    max_edges: usize,
    num_ops: usize,
    catalog: Once<Catalog>,
    by_hash: Once<ByHash>,
}

impl Space {
    /// Describes a space; nothing is enumerated yet.
    ///
    /// # Errors
    /// Where a limit is outside 2 to 11 vertices, 1 and more edges, 1 to 15 ops.
    pub fn new(max_vertices: usize, max_edges: usize, num_ops: usize) -> Result<Self> {
        if !(2..=MAX_VERTICES).contains(&max_vertices) {
            return Err(Error::SpaceVertices { given: max_vertices });
        }
        if max_edges == 0 {
            return Err(Error::SpaceEdges);
        }
        if !(1..=MAX_OPS).contains(&num_ops) {
            return Err(Error::SpaceOps { given: num_ops });
        }
        let max_edges = max_edges.min(max_vertices * (max_vertices - 1) / 2);
        let (catalog, by_hash) = (Once::new(), Once::new());
        Ok(Self { max_vertices, max_edges, num_ops, catalog, by_hash })
    }

    /// Most vertices of a cell.
    pub fn max_vertices(&self) -> usize {
        self.max_vertices
    }

    /// Most edges of a cell.
    pub fn max_edges(&self) -> usize {
        self.max_edges
    }

    /// Number of ops.
    pub fn num_ops(&self) -> usize {
        self.num_ops
    }

    /// Unique cells by vertices and edges: `count()[v][e]`.
    pub fn count(&self) -> Vec<Vec<i128>> {
        count(self.max_vertices, self.max_edges, self.num_ops)
    }

    /// Number of unique cells.
    pub fn size(&self) -> i128 {
        self.count().iter().flatten().sum()
    }

    /// All cells, one batch after another.
    pub fn stream(&self) -> CellStream {
        CellStream::new(self.max_vertices, self.max_edges, self.num_ops)
    }

    /// All cells in the reference order.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Memory`].
    pub fn all(&self, monitor: &dyn Monitor) -> Result<Vec<Cell>> {
        let total = usize::try_from(self.size()).unwrap_or(usize::MAX);
        let mut cells = memory::with_capacity(total)?;
        self.stream().extend(&mut cells, total, monitor)?;
        Ok(cells)
    }

    /// Checks that a pruned cell, in any form, belongs to the space.
    #[inline]
    pub fn check(&self, cell: Cell) -> Result<()> {
        let (vertices, edges) = (cell.vertices(), cell.num_edges());
        if vertices > self.max_vertices {
            return Err(Error::TooManyVertices {
                vertices,
                limit: self.max_vertices,
                pruned: true,
            });
        }
        if edges > self.max_edges {
            return Err(Error::TooManyEdges { edges, limit: self.max_edges });
        }
        check_ops(cell.raw(), self.num_ops).map(|_| ())
    }

    /// The cell of the space that a module is pruned to, where it is one.
    #[inline]
    pub fn pruned(&self, module: RawCell) -> Option<Cell> {
        prune(module).filter(|&cell| self.check(cell).is_ok())
    }

    /// The structures with their ids, made on first use.
    ///
    /// # Errors
    /// [`Error::TooLargeForIds`]; [`Error::Interrupted`] where `go_on`, asked now and then, says no.
    pub fn catalog(&self, go_on: &dyn Fn() -> bool) -> Result<&Catalog> {
        self.catalog.get_or_try(|| self.make_catalog(go_on))
    }

    fn make_catalog(&self, go_on: &dyn Fn() -> bool) -> Result<Catalog> {
        let total = |k| count(self.max_vertices, self.max_edges, k).iter().flatten().sum();
        let (structures, cells): (i128, i128) = (total(1), total(self.num_ops));
        if structures > MOST_STRUCTURES || cells > i128::from(i64::MAX) {
            return Err(Error::TooLargeForIds { structures, cells, limit: MOST_STRUCTURES });
        }
        let catalog = Catalog::new(self.max_vertices, self.max_edges, self.num_ops, go_on)?;
        debug_assert_eq!(i128::from(catalog.size()), cells);
        Ok(catalog)
    }

    /// The structures with their ids, where they have been made.
    pub fn known_catalog(&self) -> Option<&Catalog> {
        self.catalog.get()
    }

    /// The ids of pruned cells in any isomorphic form, written to `ids`.
    ///
    /// # Errors
    /// [`Error::InModule`] with the first cell that is not in the space, and those of
    /// [`catalog`](Self::catalog).
    pub fn ids(&self, cells: &[Cell], ids: &mut [u64], monitor: &dyn Monitor) -> Result<()> {
        let catalog = self.catalog(&|| monitor.tick(0, cells.len()))?;
        let work = |start: usize, cells: &[Cell], ids: &mut [u64]| {
            for ((&cell, id), index) in cells.iter().zip(ids).zip(start..) {
                self.check(cell).map_err(|wrong| wrong.in_module(index))?;
                *id = catalog.id(cell);
            }
            Ok(())
        };
        parallel::try_map_chunks(cells, ids, TASK, work, monitor).map(drop)
    }

    /// The cells of `ids`, written to `cells`.
    ///
    /// # Errors
    /// [`Error::IdOutOfRange`], and those of [`catalog`](Self::catalog).
    pub fn cells(&self, ids: &[u64], cells: &mut [Cell], monitor: &dyn Monitor) -> Result<()> {
        let catalog = self.catalog(&|| monitor.tick(0, ids.len()))?;
        if let Some(&id) = ids.iter().find(|&&id| id >= catalog.size()) {
            return Err(Error::IdOutOfRange { id: id.into(), size: catalog.size() });
        }
        let work = |_: usize, ids: &[u64], cells: &mut [Cell]| {
            cells.iter_mut().zip(ids).for_each(|(cell, &id)| *cell = catalog.cell(id));
        };
        parallel::map_chunks(ids, cells, TASK, work, monitor)
    }

    /// The ids of the cells with this hash: none or one in the original space; in larger ones the
    /// hash may fail to tell cells apart. All hashes are computed on first use.
    ///
    /// # Errors
    /// [`Error::TooLargeForHashes`] over 2^26 cells; [`Error::Interrupted`].
    pub fn find_hash(&self, digest: &Digest, monitor: &dyn Monitor) -> Result<Vec<u64>> {
        let hashes =
            self.by_hash.get_or_try(|| ByHash::new(self.stream(), self.size(), monitor))?;
        Ok(hashes.find(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::label_shift;
    use crate::parallel::Unwatched;

    #[test]
    fn ids_and_cells_are_inverse_over_whole_spaces() {
        for (v, e, k) in [(7, 9, 3), (2, 1, 1), (5, 10, 4), (6, 15, 2), (8, 9, 2), (6, 9, 15)] {
            let space = Space::new(v, e, k).unwrap();
            let cells = space.all(&Unwatched).unwrap();
            let mut ids = vec![0; cells.len()];
            space.ids(&cells, &mut ids, &Unwatched).unwrap();
            assert!(ids.iter().copied().eq(0..cells.len() as u64), "{v} {e} {k}");
            let mut back = vec![Cell::new(2, 1, 0); cells.len()];
            space.cells(&ids, &mut back, &Unwatched).unwrap();
            assert_eq!(back, cells);
        }
    }

    #[test]
    fn what_is_outside_is_refused() {
        let space = Space::new(4, 4, 2).unwrap();
        let mut ids = [0];
        let outside =
            |cell: Cell, ids: &mut [u64]| space.ids(&[cell], ids, &Unwatched).unwrap_err();
        let error = outside(Cell::new(5, 0b10_0010_0101, 0), &mut ids);
        assert!(
            error.to_string().contains("too many vertices: 5 after pruning, at most 4"),
            "{error}"
        );
        let error = outside(Cell::new(4, 0b111_111, 0), &mut ids);
        assert!(
            error.to_string().contains("too many edges: 6 after pruning, at most 4"),
            "{error}"
        );
        let error = outside(Cell::new(3, 0b101, 2 << label_shift(1)), &mut ids);
        assert!(error.to_string().contains("unknown op code 2 at vertex 1"), "{error}");
        let size = space.catalog(&|| true).unwrap().size();
        assert!(space.cells(&[size], &mut [Cell::new(2, 1, 0)], &Unwatched).is_err());
        assert!(Space::new(1, 9, 3).is_err() && Space::new(12, 9, 3).is_err());
        assert!(Space::new(7, 0, 3).is_err() && Space::new(7, 9, 16).is_err());
        let huge = Space::new(11, 55, 15).unwrap();
        assert!(matches!(huge.catalog(&|| true), Err(Error::TooLargeForIds { .. })));
    }
}
