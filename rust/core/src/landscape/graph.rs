//! The graph of single edits.

use super::LOOK;
use super::changes::gather;
use crate::cell::Cell;
use crate::edit;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{Monitor, Pace};
use crate::space::{Catalog, Space};

/// Cells whose graph is made as a whole: some 100 bytes each.
const MOST_CELLS: i128 = 1 << 22;

/// Checks that ids are ascending, and so few that rows fit into 31 bits.
///
/// # Errors
/// [`Error::BadIds`].
pub(super) fn check_ids(ids: &[u64]) -> Result<()> {
    let good = ids.is_sorted_by(|a, b| a < b) && ids.len() < 1 << 31;
    if good { Ok(()) } else { Err(Error::BadIds) }
}

/// The rows of cells by their ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    ids: &'a [u64],
    /// Whether all cells of the space are there, so that rows are ids.
    all: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(ids: &'a [u64], catalog: &Catalog) -> Self {
        Self { ids, all: ids.len() as u64 == catalog.size() }
    }

    #[inline]
    pub(super) fn of(self, id: u64) -> Option<u32> {
        if self.all {
            Some(id as u32)
        } else {
            self.ids.binary_search(&id).ok().map(|row| row as u32)
        }
    }
}

/// Which cells are one edit apart, as [`edit::neighbors`] has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditGraph {
    /// The neighbours of row `i` are `targets[offsets[i]..offsets[i + 1]]`, ascending.
    pub offsets: Vec<i64>,
    /// Rows.
    pub targets: Vec<u32>,
}

impl EditGraph {
    /// The graph of all cells of a space, whose rows are their ids.
    ///
    /// # Errors
    /// [`Error::TooLargeForDistances`]; [`Error::Interrupted`].
    pub fn of_all(space: &Space, monitor: &dyn Monitor) -> Result<Self> {
        let cells = space.size();
        if cells > MOST_CELLS {
            return Err(Error::TooLargeForDistances { cells, limit: MOST_CELLS });
        }
        Self::new(space, &memory::collect(0..cells as u64)?, monitor)
    }

    /// The graph on the cells with these ids, ascending; edits that lead elsewhere are left out.
    ///
    /// # Errors
    /// [`Error::BadIds`]; where an id is not in the space, or the space has none;
    /// [`Error::Interrupted`].
    pub fn new(space: &Space, ids: &[u64], monitor: &dyn Monitor) -> Result<Self> {
        check_ids(ids)?;
        let mut cells = memory::filled(Cell::LEAST, ids.len())?;
        space.cells(ids, &mut cells, monitor)?;
        let rows = Rows::new(ids, space.catalog(&|| monitor.tick(0, ids.len()))?);
        let pieces = gather(space, &cells, monitor, |catalog, own, cell, found: &mut Vec<u32>| {
            // The number of neighbours, then the neighbours.
            let start = found.len();
            found.push(0);
            let mut add = |edit| found.extend(rows.of(catalog.id(edit)).filter(|&row| row != own));
            edit::op_changes(space, cell, |_, _, edit| add(edit));
            edit::edge_changes(space, cell, |_, edit| add(edit));
            let near = &mut found[start + 1..];
            near.sort_unstable();
            let mut unique = 0;
            for i in 0..near.len() {
                if i == 0 || near[i] != near[unique - 1] {
                    near[unique] = near[i];
                    unique += 1;
                }
            }
            found[start] = unique as u32;
            found.truncate(start + 1 + unique);
        })?;
        let edges = pieces.iter().map(Vec::len).sum::<usize>() - ids.len();
        let (mut offsets, mut targets) =
            (memory::with_capacity(ids.len() + 1)?, memory::with_capacity(edges)?);
        offsets.push(0i64);
        for piece in pieces {
            let mut rest = &piece[..];
            while let Some((&count, tail)) = rest.split_first() {
                let (near, tail) = tail.split_at(count as usize);
                targets.extend_from_slice(near);
                offsets.push(targets.len() as i64);
                rest = tail;
            }
        }
        Self { offsets, targets }.symmetric(&|| monitor.tick(ids.len(), ids.len()))
    }

    /// The graph with every edge in both directions.
    fn symmetric(&self, go_on: &dyn Fn() -> bool) -> Result<Self> {
        let n = self.offsets.len() - 1;
        // Sources by target, by counting: ascending for each target.
        let mut pace = Pace::default();
        let mut starts = memory::filled(0usize, n + 1)?;
        self.targets.iter().for_each(|&row| starts[row as usize + 1] += 1);
        (0..n).for_each(|row| starts[row + 1] += starts[row]);
        let mut free = memory::copied(&starts)?;
        let mut sources = memory::filled(0u32, self.targets.len())?;
        for row in 0..n {
            if row % LOOK == 0 {
                pace.ask(go_on)?;
            }
            for &near in self.view().neighbors(row) {
                sources[free[near as usize]] = row as u32;
                free[near as usize] += 1;
            }
        }
        let (offsets, targets) =
            (memory::with_capacity(n + 1)?, memory::with_capacity(sources.len())?);
        let mut both = Self { offsets, targets };
        both.offsets.push(0);
        for row in 0..n {
            if row % LOOK == 0 {
                pace.ask(go_on)?;
            }
            let (to, from) = (self.view().neighbors(row), &sources[starts[row]..starts[row + 1]]);
            memory::reserve(&mut both.targets, to.len() + from.len())?;
            let (mut i, mut j) = (0, 0);
            while i < to.len() || j < from.len() {
                let next = to.get(i).into_iter().chain(from.get(j)).min().copied();
                i += usize::from(to.get(i).copied() == next);
                j += usize::from(from.get(j).copied() == next);
                both.targets.extend(next);
            }
            both.offsets.push(both.targets.len() as i64);
        }
        Ok(both)
    }

    /// A view of what this is made of.
    pub fn view(&self) -> Graph<'_> {
        Graph { offsets: &self.offsets, targets: &self.targets }
    }
}

/// A graph by its arrays, as [`EditGraph`] has them.
#[derive(Debug, Clone, Copy)]
pub struct Graph<'a> {
    offsets: &'a [i64],
    targets: &'a [u32],
}

impl<'a> Graph<'a> {
    /// Arrays that came from outside; `None` where they are no graph.
    pub fn new(offsets: &'a [i64], targets: &'a [u32]) -> Option<Self> {
        let n = offsets.len().checked_sub(1)?;
        let good = offsets[0] == 0
            && offsets[n] == targets.len() as i64
            && offsets.is_sorted()
            && targets.iter().all(|&row| (row as usize) < n);
        good.then_some(Self { offsets, targets })
    }

    /// Number of rows.
    pub fn len(self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The neighbours of a row, ascending.
    #[inline]
    pub fn neighbors(self, row: usize) -> &'a [u32] {
        &self.targets[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::{all, id};
    use super::*;
    use crate::parallel::Unwatched;

    #[test]
    fn the_graph_is_that_of_neighbours() {
        for (v, e, k) in [(5, 7, 2), (6, 8, 1), (4, 9, 3)] {
            let (space, cells, ids) = all(v, e, k);
            // Some of the cells only, and all.
            let some: Vec<u64> = ids.iter().copied().filter(|id| id % 3 != 1).collect();
            for ids in [ids, some] {
                let graph = EditGraph::new(&space, &ids, &Unwatched).unwrap();
                let mut near = vec![BTreeSet::new(); ids.len()];
                for (row, &own) in ids.iter().enumerate() {
                    for cell in edit::neighbors(&space, cells[own as usize], &Unwatched).unwrap() {
                        near[row].extend(ids.binary_search(&id(&space, cell)).map(|i| i as u32));
                    }
                }
                for (row, near) in near.iter().enumerate() {
                    assert!(graph.view().neighbors(row).iter().eq(near));
                }
            }
        }
    }

    #[test]
    fn ids_that_do_not_ascend_are_refused() {
        let space = Space::new(5, 9, 3).unwrap();
        for ids in [[1, 0, 2], [0, 1, 1]] {
            assert_eq!(EditGraph::new(&space, &ids, &Unwatched), Err(Error::BadIds));
        }
    }

    #[test]
    fn broken_graphs_are_refused() {
        assert!(Graph::new(&[0, 1, 2], &[1, 0]).is_some());
        for (offsets, targets) in [
            (&[][..], &[][..]),
            (&[0, 2], &[0]),
            (&[0, 2, 1], &[0]),
            (&[1, 1], &[0]),
            (&[0, 1], &[1]),
        ] {
            assert!(Graph::new(offsets, targets).is_none());
        }
    }
}
