//! Cells as vectors of fixed length, as predictors and optimisers take them.
//!
//! A cell of fewer vertices than its [`Frame`] has keeps its vertices at the front, but for output,
//! which is the last of the frame: the places between them are empty.

use crate::cell::{Cell, check_ops, column};
use crate::error::{Error, Result};
use crate::limits::{MAX_OPS, MAX_VERTICES};
use crate::parallel::{self, Monitor};

/// The largest cell that vectors are made for, and its ops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Vertices, input and output included.
    pub vertices: usize,
    /// Edges.
    pub edges: usize,
    /// Ops of an interior vertex.
    pub ops: usize,
}

/// Edges of the largest graph.
pub const MOST_EDGES: usize = MAX_VERTICES * (MAX_VERTICES - 1) / 2;

impl Frame {
    /// A frame; `None` where no cells are of its size.
    pub fn new(vertices: usize, edges: usize, ops: usize) -> Option<Self> {
        let can_be = (2..=MAX_VERTICES).contains(&vertices)
            && (1..=MOST_EDGES).contains(&edges)
            && (1..=MAX_OPS).contains(&ops);
        can_be.then_some(Self { vertices, edges, ops })
    }

    /// Checks that all cells fit into the frame.
    ///
    /// # Errors
    /// [`Error::InModule`] with the first that does not.
    pub fn check(self, cells: &[Cell]) -> Result<()> {
        cells.iter().enumerate().try_for_each(|(index, cell)| {
            let (vertices, edges) = (cell.vertices(), cell.num_edges());
            let limit = self.vertices;
            let fits = if vertices > limit {
                Err(Error::TooManyVertices { vertices, limit, pruned: true })
            } else if edges > self.edges {
                Err(Error::TooManyEdges { edges, limit: self.edges })
            } else {
                check_ops(cell.raw(), self.ops).map(drop)
            };
            fits.map_err(|wrong| wrong.in_module(index))
        })
    }

    /// Pairs of vertices that an edge can join.
    pub const fn pairs(self) -> usize {
        self.vertices * (self.vertices - 1) / 2
    }

    /// Interior vertices.
    pub const fn interior(self) -> usize {
        self.vertices - 2
    }

    /// Op sequences of paths from input to output: `1 + k + k^2 + ...`; `None` if it overflows.
    pub fn paths(self) -> Option<usize> {
        let mut total = 1usize;
        for _ in 0..self.interior() {
            total = total.checked_mul(self.ops)?.checked_add(1)?;
        }
        Some(total)
    }

    /// Where a vertex of a cell is in the frame.
    fn place(self, cell: Cell, vertex: usize) -> usize {
        if vertex + 1 == cell.vertices() { self.vertices - 1 } else { vertex }
    }

    /// The number of an edge of a cell among the pairs of the frame, row by row.
    fn pair(self, cell: Cell, x: usize, y: usize) -> usize {
        let (x, y) = (self.place(cell, x), self.place(cell, y));
        x * (2 * self.vertices - x - 1) / 2 + y - x - 1
    }

    /// The pairs of a cell's edges, ascending.
    fn edge_pairs(self, cell: Cell) -> impl Iterator<Item = usize> {
        let v = cell.vertices();
        let edge = move |x: usize, y: usize| column(cell.edges, y) >> x & 1 == 1;
        (0..v)
            .flat_map(move |x| (x + 1..v).filter(move |&y| edge(x, y)).map(move |y| (x, y)))
            .map(move |(x, y)| self.pair(cell, x, y))
    }
}

/// One-hot adjacency: a flag for each pair of vertices, and for each interior vertex and op.
/// Rows are [`Frame::pairs`] + [`Frame::interior`] * ops long.
pub fn one_hot(cells: &[Cell], frame: Frame, rows: &mut [u8], monitor: &dyn Monitor) -> Result<()> {
    let width = frame.pairs() + frame.interior() * frame.ops;
    let work = |&cell: &Cell, row: &mut [u8]| {
        frame.edge_pairs(cell).for_each(|pair| row[pair] = 1);
        for x in 1..cell.vertices() - 1 {
            row[frame.pairs() + (x - 1) * frame.ops + usize::from(cell.op(x))] = 1;
        }
    };
    parallel::map_rows(cells, rows, width, work, monitor)
}

/// Categorical adjacency: the pairs of the edges, ascending, the last one again where there are
/// fewer than the frame has; then the op of each interior vertex, -1 where there is none.
/// Rows are edges + [`Frame::interior`] long.
pub fn categorical(
    cells: &[Cell],
    frame: Frame,
    rows: &mut [i8],
    monitor: &dyn Monitor,
) -> Result<()> {
    let work = |&cell: &Cell, row: &mut [i8]| {
        let (edges, ops) = row.split_at_mut(frame.edges);
        let mut last = 0;
        let mut pairs = frame.edge_pairs(cell);
        for to in edges {
            last = pairs.next().map_or(last, |pair| pair as i8);
            *to = last;
        }
        ops.fill(-1);
        (1..cell.vertices() - 1).for_each(|x| ops[x - 1] = cell.op(x) as i8);
    };
    parallel::map_rows(cells, rows, frame.edges + frame.interior(), work, monitor)
}

/// Paths from input to output by the ops along them: how many there are of each sequence.
///
/// A sequence `o1 o2 ... ol` of k ops is number `(o1 + 1) + (o2 + 1) k + ... + (ol + 1) k^(l - 1)`:
/// shorter ones come first. Rows are as long as wanted; sequences past their end are left out.
pub fn paths(
    cells: &[Cell],
    frame: Frame,
    length: usize,
    rows: &mut [u8],
    monitor: &dyn Monitor,
) -> Result<()> {
    let work = |&cell: &Cell, row: &mut [u8]| count_paths(cell, frame.ops, 0, 0, 1, row);
    parallel::map_rows(cells, rows, length, work, monitor)
}

/// Follows all paths from `vertex` on; those before it have this number, and the next op this
/// weight.
fn count_paths(
    cell: Cell,
    ops: usize,
    vertex: usize,
    number: usize,
    weight: usize,
    row: &mut [u8],
) {
    for y in vertex + 1..cell.vertices() {
        if column(cell.edges, y) >> vertex & 1 == 0 {
            continue;
        }
        if y + 1 == cell.vertices() {
            if let Some(count) = row.get_mut(number) {
                *count = count.saturating_add(1);
            }
            continue;
        }
        let next = number.saturating_add((usize::from(cell.op(y)) + 1).saturating_mul(weight));
        // Longer paths have larger numbers still.
        if next < row.len() {
            count_paths(cell, ops, y, next, weight.saturating_mul(ops), row);
        }
    }
}
