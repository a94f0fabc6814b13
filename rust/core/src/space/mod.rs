//! A search space: its size, its cells by id, and the ids of cells.
//!
//! An id is the rank of a cell in the reference order: the cells of the structures before its own,
//! plus the rank of its labels among the orbits of its structure. Lookup finds the structure's
//! canonical form (from a table of all isomorphs where that is small), carries the labels over
//! and ranks them; no hash is involved.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::canon::{Canonical, Group, automorphisms, canonical};
use crate::cell::{self, Cell, MAX_OPS, MAX_VERTICES, label_shift};
use crate::count;
use crate::enumerate::{CellStream, FullDags};
use crate::error::{Error, Result};
use crate::hash::{self, Digest};
use crate::labels::Orbits;
use crate::landscape::EditGraph;
use crate::memory;
use crate::once::Once;
use crate::parallel::{self, Monitor, Pace};

/// Structures kept in memory for ids: at most 24 bytes each.
const MOST_STRUCTURES: i128 = 1 << 23;
/// Isomorphs kept in a table, which spares the search for the canonical form.
const MOST_ISOMORPHS: usize = 1 << 18;
/// Cells whose hashes are kept sorted, 20 bytes each.
const MOST_HASHES: i128 = 1 << 26;
/// Of these, cells that are sorted in one go, some 50 ms.
const RUN: usize = 1 << 19;
/// Cells of one parallel task.
const TASK: usize = 1 << 12;

/// All unique cells of 2 to `max_vertices` vertices, at most `max_edges` edges and `num_ops` ops.
#[derive(Debug)]
pub struct Space {
    max_vertices: usize,
    max_edges: usize,
    num_ops: usize,
    catalog: Once<Catalog>,
    by_hash: Once<Vec<Vec<(Digest, u32)>>>,
    pub(crate) edits: Once<EditGraph>,
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
        let (catalog, by_hash, edits) = (Once::new(), Once::new(), Once::new());
        Ok(Self { max_vertices, max_edges, num_ops, catalog, by_hash, edits })
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
        count::count(self.max_vertices, self.max_edges, self.num_ops)
    }

    /// Number of unique cells.
    pub fn size(&self) -> i128 {
        self.count().iter().flatten().sum()
    }

    /// All cells, one batch after another.
    pub fn stream(&self) -> CellStream {
        CellStream::new(self.max_vertices, self.max_edges, self.num_ops)
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
        cell::check_ops(cell.raw(), self.num_ops).map(|_| ())
    }

    /// The structures with their ids, made on first use.
    ///
    /// # Errors
    /// [`Error::TooLargeForIds`]; [`Error::Interrupted`] where `go_on`, asked now and then, says no.
    pub fn catalog(&self, go_on: &dyn Fn() -> bool) -> Result<&Catalog> {
        self.catalog.get_or_try(|| self.make_catalog(go_on))
    }

    fn make_catalog(&self, go_on: &dyn Fn() -> bool) -> Result<Catalog> {
        let total = |k| count::count(self.max_vertices, self.max_edges, k).iter().flatten().sum();
        let (structures, cells): (i128, i128) = (total(1), total(self.num_ops));
        if structures > MOST_STRUCTURES || cells > i128::from(i64::MAX) {
            return Err(Error::TooLargeForIds { structures, cells, limit: MOST_STRUCTURES });
        }
        let catalog = Catalog::new(self, go_on)?;
        debug_assert_eq!(i128::from(catalog.size), cells);
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
        let wrong: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let work = |start: usize, cells: &[Cell], ids: &mut [u64]| {
            for (i, (&cell, id)) in cells.iter().zip(ids).enumerate() {
                match self.check(cell) {
                    Ok(()) => *id = catalog.id(cell),
                    Err(error) => {
                        let mut first = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                        if first.as_ref().is_none_or(|(j, _)| start + i < *j) {
                            *first = Some((start + i, error));
                        }
                        return;
                    }
                }
            }
        };
        parallel::map_chunks(cells, ids, TASK, work, monitor)?;
        match wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some((index, source)) => Err(Error::InModule { index, source: Box::new(source) }),
        }
    }

    /// The cells of `ids`, written to `cells`.
    ///
    /// # Errors
    /// [`Error::IdOutOfRange`], and those of [`catalog`](Self::catalog).
    pub fn cells(&self, ids: &[u64], cells: &mut [Cell], monitor: &dyn Monitor) -> Result<()> {
        let catalog = self.catalog(&|| monitor.tick(0, ids.len()))?;
        if let Some(&id) = ids.iter().find(|&&id| id >= catalog.size) {
            return Err(Error::IdOutOfRange { id: id.into(), size: catalog.size });
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
    /// [`Error::TooLargeForIds`] over 2^26 cells; [`Error::Interrupted`].
    pub fn find_hash(&self, digest: &Digest, monitor: &dyn Monitor) -> Result<Vec<u64>> {
        let runs = self.by_hash.get_or_try(|| self.hash_all(monitor))?;
        let mut found = Vec::new();
        for run in runs {
            let start = run.partition_point(|(other, _)| other < digest);
            let same = run[start..].iter().take_while(|(other, _)| other == digest);
            found.extend(same.map(|&(_, id)| u64::from(id)));
        }
        Ok(found)
    }

    /// The hashes of all cells with their ids, in runs of [`RUN`], each sorted by hash. Finding a
    /// hash in every run takes less than merging them would ever save.
    fn hash_all(&self, monitor: &dyn Monitor) -> Result<Vec<Vec<(Digest, u32)>>> {
        let size = self.size();
        if size > MOST_HASHES {
            return Err(Error::TooLargeForHashes { cells: size, limit: MOST_HASHES });
        }
        let size = size as usize;
        let (mut stream, mut runs, mut done) = (self.stream(), Vec::new(), 0);
        let mut cells = memory::with_capacity(size.min(RUN))?;
        let mut digests = memory::with_capacity(size.min(RUN))?;
        while done < size {
            cells.clear();
            stream.fill(&mut cells, RUN.min(size - done), &|| monitor.tick(done, size))?;
            digests.clear();
            digests.resize(cells.len(), [0; 16]);
            hash::hash_cells(&cells, &mut digests, &From { done, size, monitor })?;
            let ids = done as u32..;
            let mut run: Vec<(Digest, u32)> = memory::collect(digests.iter().copied().zip(ids))?;
            run.sort_unstable();
            runs.push(run);
            done += cells.len();
            if done < size && !monitor.tick(done, size) {
                return Err(Error::Interrupted);
            }
        }
        Ok(runs)
    }
}

/// Tells a monitor of a part of the work that comes after others.
struct From<'a> {
    done: usize,
    size: usize,
    monitor: &'a dyn Monitor,
}

impl Monitor for From<'_> {
    fn tick(&self, done: usize, _: usize) -> bool {
        self.monitor.tick(self.done + done, self.size)
    }
}

/// The structures of a space, and how to get from a cell to its id and back.
#[derive(Debug)]
pub struct Catalog {
    /// In the reference order, and so sorted by offset too.
    structures: Vec<Entry>,
    groups: Vec<Lazy>,
    isomorphs: Option<Isomorphs>,
    num_ops: usize,
    size: u64,
}

#[derive(Debug)]
struct Entry {
    edges: u64,
    /// Cells of all structures before.
    offset: u64,
    group: u32,
    vertices: u8,
}

/// Orbits are ranked only for groups that are asked for.
#[derive(Debug)]
struct Lazy {
    group: Group,
    orbits: Once<Orbits>,
}

impl Catalog {
    fn new(space: &Space, go_on: &dyn Fn() -> bool) -> Result<Self> {
        let mut catalog = Self {
            structures: Vec::new(),
            groups: Vec::new(),
            isomorphs: Some(Isomorphs::default()),
            num_ops: space.num_ops,
            size: 0,
        };
        let mut known: HashMap<Group, (u32, u64)> = HashMap::new();
        let (mut seen, mut pace) = (0usize, Pace::default());
        for v in 2..=space.max_vertices {
            for edges in FullDags::new(v, space.max_edges) {
                seen += 1;
                if seen.is_multiple_of(1 << 8) {
                    pace.ask(go_on)?;
                }
                if seen > MOST_ISOMORPHS {
                    catalog.isomorphs = None;
                }
                let Some(group) = automorphisms(v, edges) else {
                    if let Some(isomorphs) = &mut catalog.isomorphs {
                        let form = canonical(v, edges);
                        let target = isomorphs.get(v, form.edges).expect("the least comes first").0;
                        isomorphs.insert(v, edges, target, &form)?;
                    }
                    continue;
                };
                memory::reserve(&mut catalog.structures, 1)?;
                memory::reserve(&mut catalog.groups, 1)?;
                let next = catalog.groups.len() as u32;
                let &mut (group, orbits) = known.entry(group).or_insert_with_key(|group| {
                    let lazy = Lazy { group: group.clone(), orbits: Once::new() };
                    catalog.groups.push(lazy);
                    (next, group.count_orbits(space.num_ops as u128) as u64)
                });
                if let Some(isomorphs) = &mut catalog.isomorphs {
                    let order = std::array::from_fn(|i| i as u8);
                    let target = catalog.structures.len() as u32;
                    isomorphs.insert(v, edges, target, &Canonical { edges, order })?;
                }
                let entry = Entry { edges, offset: catalog.size, group, vertices: v as u8 };
                catalog.structures.push(entry);
                catalog.size += orbits;
            }
        }
        catalog.structures.shrink_to_fit();
        Ok(catalog)
    }

    /// Number of cells.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The id of a pruned cell of the space, in any isomorphic form.
    #[inline]
    pub fn id(&self, cell: Cell) -> u64 {
        let (structure, labels) = self.find(cell);
        let entry = &self.structures[structure];
        entry.offset + self.orbits(entry).rank(labels)
    }

    /// Which structure, counted in the reference order, a pruned cell of the space has.
    #[inline]
    pub fn structure(&self, cell: Cell) -> usize {
        self.find(cell).0
    }

    /// Which structure the cell of an id below [`size`](Self::size) has.
    #[inline]
    pub fn structure_of(&self, id: u64) -> usize {
        self.structures.partition_point(|entry| entry.offset <= id) - 1
    }

    /// The structure of a cell, and its labels in the order of that.
    #[inline]
    fn find(&self, cell: Cell) -> (usize, u64) {
        let v = cell.vertices();
        match &self.isomorphs {
            Some(isomorphs) => {
                let (target, order) =
                    isomorphs.get(v, cell.edges).expect("all full DAGs of the space are there");
                let mut labels = 0;
                for i in 1..v - 1 {
                    let from = (order >> (4 * i) & 15) as usize;
                    labels |= u64::from(cell.op(from)) << label_shift(i);
                }
                (target as usize, labels)
            }
            None => {
                let form = canonical(v, cell.edges);
                let key = (v as u8, form.edges);
                let found = self.structures.partition_point(|e| (e.vertices, e.edges) < key);
                (found, form.relabel(cell).interior())
            }
        }
    }

    /// The cell of an id below [`size`](Self::size), in the reference form.
    #[inline]
    pub fn cell(&self, id: u64) -> Cell {
        let entry = &self.structures[self.structure_of(id)];
        let labels = self.orbits(entry).labels(id - entry.offset);
        Cell::new(usize::from(entry.vertices), entry.edges, labels)
    }

    #[inline]
    fn orbits(&self, entry: &Entry) -> &Orbits {
        let lazy = &self.groups[entry.group as usize];
        lazy.orbits.get_or(|| {
            Orbits::new(lazy.group.clone(), self.num_ops)
                .expect("the space has fewer than 2^63 cells")
        })
    }
}

/// Every full DAG of a space: its structure, and which vertex goes where in the canonical form.
#[derive(Debug, Default)]
struct Isomorphs {
    /// Open addressing, at most half full; 0 is empty. The key holds size and mask.
    slots: Vec<(u64, u64)>,
    orders: Vec<u32>,
    used: usize,
}

impl Isomorphs {
    fn key(v: usize, edges: u64) -> u64 {
        (v as u64) << 55 | edges
    }

    #[inline(always)]
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut i = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.slots[i].0 != key && self.slots[i].0 != 0 {
            i = (i + 1) & mask;
        }
        i
    }

    /// The structure, and four bits for each position: the vertex that goes there.
    #[inline(always)]
    fn get(&self, v: usize, edges: u64) -> Option<(u32, u64)> {
        let key = Self::key(v, edges);
        let i = self.slot(key);
        (self.slots[i].0 == key).then(|| (self.orders[i], self.slots[i].1))
    }

    fn insert(&mut self, v: usize, edges: u64, target: u32, form: &Canonical) -> Result<()> {
        if 2 * self.used >= self.slots.len() {
            let size = (2 * self.slots.len()).max(64);
            let (slots, orders) = (memory::filled((0, 0), size)?, memory::filled(0, size)?);
            let used = self.used;
            let old = std::mem::replace(self, Self { slots, orders, used });
            for ((key, order), target) in old.slots.into_iter().zip(old.orders) {
                if key != 0 {
                    let i = self.slot(key);
                    (self.slots[i], self.orders[i]) = ((key, order), target);
                }
            }
        }
        let order = (0..v).fold(0, |word, i| word | u64::from(form.order[i]) << (4 * i));
        let key = Self::key(v, edges);
        let i = self.slot(key);
        (self.slots[i], self.orders[i]) = ((key, order), target);
        self.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Unwatched;

    fn all(space: &Space) -> Vec<Cell> {
        let mut cells = Vec::new();
        space.stream().fill(&mut cells, usize::MAX, &|| true).unwrap();
        cells
    }

    #[test]
    fn ids_and_cells_are_inverse_over_whole_spaces() {
        for (v, e, k) in [(7, 9, 3), (2, 1, 1), (5, 10, 4), (6, 15, 2), (8, 9, 2), (6, 9, 15)] {
            let space = Space::new(v, e, k).unwrap();
            let cells = all(&space);
            let mut ids = vec![0; cells.len()];
            space.ids(&cells, &mut ids, &Unwatched).unwrap();
            assert!(ids.iter().copied().eq(0..cells.len() as u64), "{v} {e} {k}");
            let mut back = vec![Cell::new(2, 1, 0); cells.len()];
            space.cells(&ids, &mut back, &Unwatched).unwrap();
            assert_eq!(back, cells);
        }
    }

    #[test]
    fn the_table_of_isomorphs_and_the_search_agree() {
        let space = Space::new(7, 9, 3).unwrap();
        let mut searching = Catalog::new(&space, &|| true).unwrap();
        searching.isomorphs = None;
        let table = space.catalog(&|| true).unwrap();
        for (i, edges) in FullDags::new(7, 9).enumerate() {
            let labels = ((i as u64).wrapping_mul(0x9e37_79b9) % 3) << 32 | 0x0_2010_0000;
            let cell = Cell::new(7, edges, labels & cell::label_mask(7));
            assert_eq!(table.id(cell), searching.id(cell));
            let back = table.cell(table.id(cell));
            assert_eq!(back, crate::canon::representative(cell));
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

    #[test]
    fn hashes_are_found() {
        let space = Space::new(5, 9, 3).unwrap();
        for (id, cell) in all(&space).into_iter().enumerate() {
            let found = space.find_hash(&hash::hash_cell_plainly(cell), &Unwatched).unwrap();
            assert_eq!(found, [id as u64]);
        }
        // More cells than are sorted in one go.
        let large = Space::new(7, 10, 3).unwrap();
        for id in [0, 1, RUN as u64 - 1, RUN as u64, large.size() as u64 - 1] {
            let cell = large.catalog(&|| true).unwrap().cell(id);
            let found = large.find_hash(&hash::hash_cell_plainly(cell), &Unwatched).unwrap();
            assert!(found.contains(&id), "{id} {found:?}");
        }
        assert!(space.find_hash(&[7; 16], &Unwatched).unwrap().is_empty());
    }
}
