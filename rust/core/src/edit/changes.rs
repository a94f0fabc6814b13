//! Single edits of a cell.

use crate::cell::{Cell, RawCell, edge_bit, label_shift, neighbours, prune};
use crate::limits::MAX_VERTICES;
use crate::space::Space;

/// Every interior op of `cell` changed to every other one: its op, the new one, and the cell that
/// comes out, with its vertices where they were.
#[inline]
pub fn op_changes(space: &Space, cell: Cell, mut visit: impl FnMut(u8, u8, Cell)) {
    for x in 1..cell.vertices() - 1 {
        for op in (0..space.num_ops() as u8).filter(|&op| op != cell.op(x)) {
            let labels = cell.labels & !(15 << label_shift(x)) | u64::from(op) << label_shift(x);
            visit(cell.op(x), op, cell.with_labels(labels));
        }
    }
}

/// Every edge of `cell` removed, where that leaves a cell; and, within the limits of the space,
/// an edge added between any two vertices where that makes no cycle. `visit` is told whether it
/// was added, and the cell that comes out, pruned and in no particular form.
#[inline]
pub fn edge_changes(space: &Space, cell: Cell, mut visit: impl FnMut(bool, Cell)) {
    let v = cell.vertices();
    let (into, out) = neighbours(v, cell.edges);
    for x in 0..v {
        for y in (0..v).filter(|&y| y != x) {
            if out[x] >> y & 1 == 1 {
                let fewer = RawCell { edges: cell.edges & !edge_bit(x, y), ..cell.raw() };
                if let Some(fewer) = prune(fewer) {
                    visit(false, fewer);
                }
            } else if cell.num_edges() < space.max_edges() && y != 0 && x != v - 1 {
                let more = if x < y {
                    Some(Cell::of(RawCell { edges: cell.edges | edge_bit(x, y), ..cell.raw() }))
                } else {
                    with_edge_down(cell, into, x, y)
                };
                if let Some(more) = more {
                    visit(true, more);
                }
            }
        }
    }
}

/// `cell` with one more edge that leads to a lower vertex; `None` for a cycle. `into` are its
/// in-neighbours.
fn with_edge_down(cell: Cell, mut into: [u16; MAX_VERTICES], x: usize, y: usize) -> Option<Cell> {
    into[y] |= 1 << x;
    in_order(cell.vertices(), into, |x| cell.op(x))
}

/// The cell of a graph of `v` vertices by their in-neighbours, all of them on paths from the one
/// without any to the one that leads nowhere, in a topological order; `None` for a cycle.
pub(super) fn in_order(
    v: usize,
    into: [u16; MAX_VERTICES],
    op: impl Fn(usize) -> u8,
) -> Option<Cell> {
    let (mut placed, mut place) = (0u16, [0; MAX_VERTICES]);
    let mut more = RawCell::new(v, 0, 0);
    for at in 0..v {
        let next = (0..v).find(|&u| placed >> u & 1 == 0 && into[u] & !placed == 0)?;
        placed |= 1 << next;
        place[next] = at;
        for from in (0..v).filter(|from| into[next] >> from & 1 == 1) {
            more.edges |= edge_bit(place[from], at);
        }
        if at > 0 && at + 1 < v {
            more.labels |= u64::from(op(next)) << label_shift(at);
        }
    }
    Some(Cell::of(more))
}

#[cfg(test)]
mod tests {
    use super::super::distance::forms;
    use super::super::testing::{cells, edits};
    use super::*;
    use crate::space::representative;

    /// Every labelled, upper-triangular form of a cell.
    fn all_forms(cell: Cell) -> Vec<Cell> {
        let v = cell.vertices();
        let full: Vec<Cell> = forms(cell, v)
            .into_iter()
            .filter_map(|form| {
                let mut mask = 0;
                for x in 0..v {
                    for y in 0..v {
                        if form.edges >> (MAX_VERTICES * x + y) & 1 == 1 {
                            if y < x {
                                return None;
                            }
                            mask |= edge_bit(x, y);
                        }
                    }
                }
                let labels =
                    (1..v - 1).fold(0, |w, x| w | (form.ops >> (4 * x) & 15) << label_shift(x));
                Some(Cell::new(v, mask, labels))
            })
            .collect();
        full
    }

    #[test]
    fn edits_are_those_of_all_forms() {
        let (space, cells) = cells(5, 7, 2);
        for &cell in &cells {
            let v = cell.vertices();
            let mut plain = Vec::new();
            for form in all_forms(cell) {
                for bit in 0..v * (v - 1) / 2 {
                    plain.push(RawCell { edges: form.edges ^ 1 << bit, ..form.raw() });
                }
                for x in 1..v - 1 {
                    plain.push(RawCell { labels: form.labels ^ 1 << label_shift(x), ..form.raw() });
                }
            }
            let mut plain: Vec<Cell> = (plain.into_iter())
                .filter_map(prune)
                .filter(|&edit| space.check(edit).is_ok())
                .map(representative)
                .filter(|&edit| edit != cell)
                .collect();
            plain.sort_unstable_by_key(|cell| cell.order_key());
            plain.dedup();
            assert_eq!(edits(&space, cell), plain);
        }
    }
}
