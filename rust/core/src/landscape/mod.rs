//! A space as a landscape: what single edits lead to, walks along them, and where they lead uphill.
//!
//! Cells are given by ascending ids, those that something is known of, and are called by their
//! place in that list, their row. Section 3 of the paper looks at the space in two ways: as unique
//! cells, and as raw encodings, which are all matrices of the most vertices with all ops, whatever
//! they are pruned to.

mod ascent;
mod changes;
mod distances;
mod encodings;
mod graph;
mod walks;

pub use changes::{EdgeChange, OpChange, all_edge_changes, all_op_changes};
pub use distances::UNCONNECTED;
pub use encodings::{EncodingDistances, encoding_distances};
pub use graph::{EditGraph, Graph};
pub use walks::walk_encodings;

/// Rows between two looks at the clock.
const LOOK: usize = 1 << 10;

#[cfg(test)]
mod testing {
    use crate::cell::Cell;
    use crate::parallel::Unwatched;
    use crate::space::Space;

    /// A space, all its cells and their ids.
    pub fn all(v: usize, e: usize, k: usize) -> (Space, Vec<Cell>, Vec<u64>) {
        let space = Space::new(v, e, k).unwrap();
        let cells = space.all(&Unwatched).unwrap();
        let ids = (0..cells.len() as u64).collect();
        (space, cells, ids)
    }

    /// The id of a cell.
    pub fn id(space: &Space, cell: Cell) -> u64 {
        space.catalog(&|| true).unwrap().id(cell)
    }
}
