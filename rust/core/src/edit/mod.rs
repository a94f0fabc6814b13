//! Steps from cell to cell: single edits, all neighbours of a cell, mutation; cells drawn at random,
//! and proposals of searchers; and how far apart two are by alignment. The distance in steps is that
//! of the [`landscape`](crate::landscape).

mod changes;
mod distance;
mod grow;
mod mutate;
mod neighbours;
mod propose;
mod sample;

pub use changes::{edge_changes, op_changes};
pub use distance::alignment_distances;
pub(crate) use mutate::embed;
pub use mutate::{mutate_cells, mutate_module};
pub use neighbours::neighbors;
pub use propose::{Draw, propose_change, propose_changes, propose_random};
pub use sample::random_cells;

#[cfg(test)]
mod testing {
    use super::{edge_changes, op_changes};
    use crate::cell::Cell;
    use crate::parallel::Unwatched;
    use crate::space::{Space, representative, unique_representatives};

    /// A space and all its cells.
    pub fn cells(v: usize, e: usize, k: usize) -> (Space, Vec<Cell>) {
        let space = Space::new(v, e, k).unwrap();
        let cells = space.all(&Unwatched).unwrap();
        (space, cells)
    }

    /// What one edit of a cell leads to.
    pub fn edits(space: &Space, cell: Cell) -> Vec<Cell> {
        let mut found = Vec::new();
        op_changes(space, cell, |_, _, edit| found.push(edit));
        edge_changes(space, cell, |_, edit| found.push(edit));
        unique_representatives(&mut found, &Unwatched).unwrap();
        found.retain(|&other| other != representative(cell));
        found
    }
}
