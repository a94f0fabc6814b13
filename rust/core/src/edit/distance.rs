//! How far apart cells are by alignment.

use crate::cell::{Cell, column};
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::parallel::{self, Monitor};

/// The alignment distance from every one of `cells` to `target`, written to `distances`.
///
/// It is the least number of edges that differ plus interior ops that differ, over all ways to
/// align the interior vertices of the two; the smaller cell is filled up with vertices that have no
/// edges and any op. It knows no pruning, so that it tells how alike two cells look, not how few
/// edits lead from one to the other; and by way of a smaller cell, whose filling fits any op,
/// there may be less than the direct distance.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn alignment_distances(
    cells: &[Cell],
    target: Cell,
    distances: &mut [u8],
    monitor: &dyn Monitor,
) -> Result<()> {
    // The alignments with each size that occurs; those of smaller cells are all alike.
    let size = |cell: Cell| cell.vertices().max(target.vertices());
    let mut all: [Vec<Form>; MAX_VERTICES + 1] = Default::default();
    for &cell in cells {
        if all[size(cell)].is_empty() {
            all[size(cell)] = forms(target, size(cell));
        }
    }
    let work = |_: usize, cells: &[Cell], distances: &mut [u8]| {
        let mut order: Vec<(u32, u32)> = Vec::new();
        let mut structure = (0, 0);
        for (&cell, distance) in cells.iter().zip(distances) {
            let forms = &all[size(cell)];
            let own = Form::new(cell, size(cell), &IDENTITY);
            if structure != cell.structure() {
                structure = cell.structure();
                order.clear();
                let edges = |form: &Form| (form.edges ^ own.edges).count_ones();
                order.extend(forms.iter().enumerate().map(|(i, form)| (edges(form), i as u32)));
                order.sort_unstable();
            }
            let mut least = u32::MAX;
            for &(edges, i) in &order {
                if edges >= least {
                    break;
                }
                least = least.min(edges + own.different_ops(&forms[i as usize]));
            }
            *distance = least as u8;
        }
    };
    // Some 2^20 alignments a task, a few milliseconds.
    let most = all.iter().map(Vec::len).max().unwrap_or(0);
    let task = ((1 << 20) / most.max(1)).clamp(1, 1 << 12);
    parallel::map_chunks(cells, distances, task, work, monitor)
}

const IDENTITY: [usize; MAX_VERTICES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// A cell under one alignment of its vertices; edges may point down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    /// Edge `(x, y)` is bit `11 x + y`.
    pub(super) edges: u128,
    /// A nibble a vertex.
    pub(super) ops: u64,
    /// All ones in the nibbles of vertices that exist.
    present: u64,
}

impl Form {
    /// `cell` among `v` vertices, vertex `x` standing at `place[x]`, output at the end.
    fn new(cell: Cell, v: usize, place: &[usize; MAX_VERTICES]) -> Self {
        let own = cell.vertices();
        let place = |x: usize| if x == own - 1 { v - 1 } else { place[x] };
        let mut form = Self { edges: 0, ops: 0, present: 0 };
        for y in 1..own {
            for x in (0..y).filter(|x| column(cell.edges, y) >> x & 1 == 1) {
                form.edges |= 1 << (MAX_VERTICES * place(x) + place(y));
            }
            if y + 1 < own {
                form.ops |= u64::from(cell.op(y)) << (4 * place(y));
                form.present |= 15 << (4 * place(y));
            }
        }
        form
    }

    #[inline]
    fn different_ops(&self, other: &Self) -> u32 {
        let bits = (self.ops ^ other.ops) & self.present & other.present;
        let any = bits | bits >> 1;
        ((any | any >> 2) & 0x1111_1111_1111_1111).count_ones()
    }
}

/// `target` under all alignments with the interior of a graph of `v` vertices.
pub(super) fn forms(target: Cell, v: usize) -> Vec<Form> {
    fn assign(
        target: Cell,
        v: usize,
        x: usize,
        used: u16,
        place: &mut [usize; MAX_VERTICES],
        all: &mut Vec<Form>,
    ) {
        if x + 1 >= target.vertices() {
            all.push(Form::new(target, v, place));
            return;
        }
        for at in (1..v - 1).filter(|at| used >> at & 1 == 0) {
            place[x] = at;
            assign(target, v, x + 1, used | 1 << at, place, all);
        }
    }
    let mut all = Vec::new();
    assign(target, v, 1, 0, &mut IDENTITY.clone(), &mut all);
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cells, edits};
    use super::*;
    use crate::parallel::Unwatched;

    #[test]
    fn alignment_distance_has_single_edits_at_one() {
        let (space, cells) = cells(5, 7, 2);
        let n = cells.len();
        let mut table = vec![vec![0; n]; n];
        for (row, &target) in table.iter_mut().zip(&cells) {
            alignment_distances(&cells, target, row, &Unwatched).unwrap();
        }
        for i in (0..n).step_by(7) {
            for j in 0..n {
                assert_eq!(table[i][j], table[j][i]);
                assert_eq!(table[i][j] == 0, i == j);
                for k in (0..n).step_by(13) {
                    let same = cells[j].vertices() >= cells[i].vertices().min(cells[k].vertices());
                    assert!(!same || table[i][k] <= table[i][j] + table[j][k]);
                }
            }
            for near in edits(&space, cells[i]) {
                let j = cells.iter().position(|&cell| cell == near).unwrap();
                if near.vertices() == cells[i].vertices() {
                    assert_eq!(table[i][j], 1);
                }
            }
        }
    }
}
