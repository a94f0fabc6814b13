//! All single edits of many cells, by the ids of what they lead to.

use crate::cell::Cell;
use crate::edit;
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, Monitor};
use crate::space::{Catalog, Space};

/// Cells of one parallel task.
const TASK: usize = 1 << 10;

/// More edits than any cell has, and one: 14 ops for 9 vertices, and an edge from each of 11
/// vertices to each other.
const MOST_EDITS: usize = 9 * 14 + 11 * 10 + 1;

/// One op of one cell changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpChange {
    /// Which of the cells given.
    pub source: u32,
    /// The op that it had.
    pub from: u8,
    /// The op that it has now.
    pub to: u8,
    /// The id of what comes out.
    pub target: u64,
}

/// Every change of one op of every one of `cells`, vertex by vertex, in pieces.
///
/// # Errors
/// Where a cell is not in the space, or that has no ids;
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn all_op_changes(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<OpChange>>> {
    gather(space, cells, monitor, |catalog, source, cell, found| {
        edit::op_changes(space, cell, |from, to, edit| {
            found.push(OpChange { source, from, to, target: catalog.id(edit) });
        });
    })
}

/// One edge of one cell removed, or one added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeChange {
    /// Which of the cells given.
    pub source: u32,
    /// Whether the edge was added.
    pub added: bool,
    /// The id of what comes out, pruned.
    pub target: u64,
}

/// Every change of one edge of every one of `cells`, as in [`edit::edge_changes`], in pieces.
///
/// # Errors
/// As for [`all_op_changes`].
pub fn all_edge_changes(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<EdgeChange>>> {
    gather(space, cells, monitor, |catalog, source, cell, found| {
        edit::edge_changes(space, cell, |added, edit| {
            found.push(EdgeChange { source, added, target: catalog.id(edit) });
        });
    })
}

/// What `work` finds for each cell, in the order of the cells, a piece for each [`TASK`] of them.
pub(super) fn gather<T: Send>(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
    work: impl Fn(&Catalog, u32, Cell, &mut Vec<T>) + Sync,
) -> Result<Vec<Vec<T>>> {
    for (index, &cell) in cells.iter().enumerate() {
        space.check(cell).map_err(|wrong| wrong.in_module(index))?;
    }
    let catalog = space.catalog(&|| monitor.tick(0, cells.len()))?;
    let piece = |i: usize| {
        let mut piece = Vec::new();
        for (&cell, source) in cells.iter().zip(0u32..).skip(i * TASK).take(TASK) {
            memory::reserve(&mut piece, MOST_EDITS)?;
            work(catalog, source, cell, &mut piece);
        }
        Ok(piece)
    };
    parallel::try_map(cells.len().div_ceil(TASK), cells.len(), piece, monitor)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::all;
    use super::*;
    use crate::parallel::Unwatched;

    #[test]
    fn changes_are_those_of_each_cell() {
        let (space, cells, _) = all(5, 6, 3);
        let ops = all_op_changes(&space, &cells, &Unwatched).unwrap().concat();
        let interior: usize = cells.iter().map(|cell| cell.vertices() - 2).sum();
        assert_eq!(ops.len(), 2 * interior);
        for change in &ops {
            let (old, new) = (cells[change.source as usize], cells[change.target as usize]);
            let count = |cell: Cell, op| {
                (1..cell.vertices() - 1).filter(|&x| cell.op(x) == op).count() as i64
            };
            assert_eq!(old.num_edges(), new.num_edges());
            for op in 0..3 {
                let shift = i64::from(op == change.to) - i64::from(op == change.from);
                assert_eq!(count(new, op), count(old, op) + shift);
            }
        }
        // An edge added can be removed again; and removed without loss, added again.
        let edges = all_edge_changes(&space, &cells, &Unwatched).unwrap().concat();
        let pairs = |added: bool, same_size: bool| -> BTreeSet<(u64, u64)> {
            let size = |i: u64| cells[i as usize].vertices();
            (edges.iter())
                .map(|change| (change.added, u64::from(change.source), change.target))
                .filter(|&(a, from, to)| a == added && (!same_size || size(from) == size(to)))
                .map(|(_, from, to)| if added { (to, from) } else { (from, to) })
                .collect()
        };
        assert_eq!(pairs(true, false), pairs(false, true));
        assert!(pairs(false, false).len() > pairs(false, true).len());
    }
}
