//! All neighbours of a cell.

use super::changes::{edge_changes, op_changes};
use super::grow::grow;
use crate::cell::Cell;
use crate::error::Result;
use crate::parallel::Monitor;
use crate::space::{Space, representative, unique_representatives};

/// The neighbours of `cell`: all other cells of `space` that one edit leads to, or that one edit
/// leads from to `cell`. An edit changes an interior op, removes an edge, or adds one between any
/// two vertices where that makes no cycle; what comes out is pruned. In the reference form and
/// order.
///
/// An edge that is removed may take vertices with it, and no single edit of the pruned cell brings
/// them back. That such pairs are neighbours from either side is what makes this symmetric. In
/// other words: two cells are neighbours where raw modules of `max_vertices` vertices, which are
/// pruned to the one and to the other, differ in one entry of the matrix or in one op.
///
/// ```
/// use nb101_core::{Space, edit::neighbors, parallel::Unwatched};
/// let space = Space::new(5, 7, 3)?;
/// let cell = space.all(&Unwatched)?[1000];
/// for other in neighbors(&space, cell, &Unwatched)? {
///     assert!(neighbors(&space, other, &Unwatched)?.contains(&cell));
/// }
/// # Ok::<(), nb101_core::Error>(())
/// ```
///
/// # Errors
/// Where `cell` is not in the space; [`TooManyNeighbours`](crate::Error::TooManyNeighbours) for
/// small cells of large spaces; [`Interrupted`](crate::Error::Interrupted).
pub fn neighbors(space: &Space, cell: Cell, monitor: &dyn Monitor) -> Result<Vec<Cell>> {
    space.check(cell)?;
    let mut found = Vec::new();
    op_changes(space, cell, |_, _, edit| found.push(edit));
    edge_changes(space, cell, |_, edit| found.push(edit));
    grow(space, cell, &mut found, monitor)?;
    unique_representatives(&mut found, monitor)?;
    let own = representative(cell);
    found.retain(|&other| other != own);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cells, edits};
    use super::*;
    use crate::error::Error;
    use crate::parallel::Unwatched;

    #[test]
    fn neighbours_are_those_that_an_edit_leads_to_or_from() {
        for (v, e, k) in [(5, 7, 2), (6, 7, 1), (6, 15, 1), (4, 9, 3), (3, 2, 1), (5, 4, 1)] {
            let (space, cells) = cells(v, e, k);
            let mut near = vec![Vec::new(); cells.len()];
            for (i, &cell) in cells.iter().enumerate() {
                for edit in edits(&space, cell) {
                    let j = cells.iter().position(|&cell| cell == edit).unwrap();
                    near[i].push(j);
                    near[j].push(i);
                }
            }
            for (i, near) in near.iter_mut().enumerate() {
                near.sort_unstable();
                near.dedup();
                let found = neighbors(&space, cells[i], &Unwatched).unwrap();
                assert!(found.iter().eq(near.iter().map(|&j| &cells[j])), "{:?}", cells[i]);
            }
        }
    }

    #[test]
    fn what_has_too_many_neighbours_says_so() {
        let large = Space::new(11, 55, 15).unwrap();
        let found = neighbors(&large, Cell::LEAST, &Unwatched);
        assert!(matches!(found, Err(Error::TooManyNeighbours { .. })));
        let stopped = neighbors(&large, Cell::LEAST, &Never);
        assert_eq!(stopped, Err(Error::Interrupted));
    }

    struct Never;

    impl Monitor for Never {
        fn tick(&self, _: usize, _: usize) -> bool {
            false
        }
    }
}
