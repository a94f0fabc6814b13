//! A module and a cell packed into two integers.
//!
//! A [`RawCell`] is a module as it stands, whose vertices may dangle; a [`Cell`] is pruned. Everything
//! above this module works on [`Cell`]s: 16 bytes, compared and sorted as integers in the
//! reference order. Arrays are read by [`parse()`], or [`parse_batch`] on all cores, and [`prune()`]
//! makes a cell of a module.

mod batch;
mod entry;
mod large;
mod parse;
mod prune;

pub use batch::{Modules, parse_batch, prune_all};
pub use entry::Entry;
pub use large::LargeModule;
pub use parse::{Module, pack, parse, parse_bytes, parse_rows};
pub use prune::{prune, vertices_on_paths};

use crate::error::{Error, Result};
use crate::limits::{INPUT, MAX_VERTICES, OUTPUT};

/// The bit of edge `(x, y)`, `x < y`, in an edge mask. It does not depend on the number of
/// vertices, so the mask of a small graph names the same edges in a larger one.
#[inline(always)]
pub const fn edge_bit(x: usize, y: usize) -> u64 {
    1 << (x + y * (y - 1) / 2)
}

/// The in-neighbours of vertex `y` as a bit set over the vertices below it.
#[inline(always)]
pub const fn column(edges: u64, y: usize) -> u64 {
    (edges >> (y * (y - 1) / 2)) & ((1 << y) - 1)
}

/// The in- and the out-neighbours of each vertex of a graph of `v`, as bit sets.
#[inline(always)]
pub fn neighbours(v: usize, edges: u64) -> ([u16; MAX_VERTICES], [u16; MAX_VERTICES]) {
    let (mut ins, mut outs) = ([0; MAX_VERTICES], [0; MAX_VERTICES]);
    for y in 1..v {
        ins[y] = column(edges, y) as u16;
        for x in 0..y {
            outs[x] |= (ins[y] >> x & 1) << y;
        }
    }
    (ins, outs)
}

/// The shift of an interior vertex's label. Vertex 1 is the most significant, so that labels of
/// graphs of one size compare as numbers in lexicographic order.
#[inline(always)]
pub const fn label_shift(vertex: usize) -> usize {
    4 * (MAX_VERTICES - 2 - vertex)
}

/// A module as it stands: the edge mask of its upper-triangular matrix; and its number of vertices
/// (top nibble) with the ops of its interior vertices (a nibble each). Vertices may lie on no path
/// from input to output; [`prune()`] makes a [`Cell`] of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawCell {
    /// Edge `(x, y)` is bit `x + y (y - 1) / 2`.
    pub(crate) edges: u64,
    /// Bits 60..64: vertices; bits `label_shift(v)..+4`: op of interior vertex `v`.
    pub(crate) labels: u64,
}

impl RawCell {
    /// A module of `vertices` vertices from packed parts that are known to be good.
    #[inline(always)]
    pub(crate) const fn new(vertices: usize, edges: u64, labels: u64) -> Self {
        Self { edges, labels: labels | (vertices as u64) << 60 }
    }

    /// Checks a pair of words that came from outside: every bit must mean something.
    ///
    /// # Errors
    /// [`Error::BadPacked`].
    #[inline]
    pub fn from_words(edges: u64, labels: u64) -> Result<Self> {
        let cell = Self { edges, labels };
        let v = cell.vertices();
        let bad = !(2..=MAX_VERTICES).contains(&v)
            || edges >> (v * (v - 1) / 2) != 0
            || (cell.interior() & !label_mask(v)) != 0;
        if bad { Err(Error::BadPacked { edges, labels }) } else { Ok(cell) }
    }

    /// The edge mask: edge `(x, y)` is bit `x + y (y - 1) / 2`.
    #[inline(always)]
    pub const fn edges(self) -> u64 {
        self.edges
    }

    /// The label word. Bits 60..64: vertices; bits `label_shift(v)..+4`: op of interior vertex `v`.
    #[inline(always)]
    pub const fn labels(self) -> u64 {
        self.labels
    }

    /// Whether every vertex lies on a path from input to output.
    ///
    /// In an upper-triangular matrix it does exactly when it has an edge in and an edge out, but for
    /// the two ends.
    #[inline(always)]
    pub fn is_pruned(self) -> bool {
        let v = self.vertices();
        let (mut into, mut out) = (1u64, 1u64 << (v - 1));
        for y in 1..v {
            let column = column(self.edges, y);
            into |= u64::from(column != 0) << y;
            out |= column;
        }
        into & out == (1 << v) - 1
    }

    /// Number of vertices, input and output included.
    #[inline(always)]
    pub const fn vertices(self) -> usize {
        (self.labels >> 60) as usize
    }

    /// Number of edges.
    #[inline(always)]
    pub const fn num_edges(self) -> usize {
        self.edges.count_ones() as usize
    }

    /// The label word without the number of vertices.
    #[inline(always)]
    pub const fn interior(self) -> u64 {
        self.labels & (u64::MAX >> 4)
    }

    /// The op of interior vertex `vertex`.
    #[inline(always)]
    pub const fn op(self, vertex: usize) -> u8 {
        ((self.labels >> label_shift(vertex)) & 15) as u8
    }

    /// The code of any vertex: -1 for input, -2 for output, else the op.
    #[inline]
    pub const fn code(self, vertex: usize) -> i8 {
        if vertex == 0 {
            INPUT as i8
        } else if vertex + 1 == self.vertices() {
            OUTPUT as i8
        } else {
            self.op(vertex) as i8
        }
    }

    /// A number that sorts cells in the reference order: vertices, edge mask, labels.
    #[inline(always)]
    pub const fn order_key(self) -> (u64, u64, u64) {
        (self.labels >> 60, self.edges, self.labels)
    }

    /// The graph alone: two cells with equal structures differ at most in their ops.
    #[inline(always)]
    pub const fn structure(self) -> (u64, u64) {
        (self.labels >> 60, self.edges)
    }
}

/// A cell: a module of which every vertex lies on a path from input to output.
///
/// Only pruning and checks make one, so that what works on cells need not look again: hashing
/// a vertex that lies on no path would wait for ever for labels that never reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Cell(RawCell);

impl Cell {
    /// The least cell: input leads to output.
    pub const LEAST: Self = Self(RawCell::new(2, 1, 0));

    /// A cell of `vertices` vertices from packed parts that are known to be pruned.
    #[inline(always)]
    pub(crate) fn new(vertices: usize, edges: u64, labels: u64) -> Self {
        Self::of(RawCell::new(vertices, edges, labels))
    }

    /// A module that is known to be pruned.
    #[inline(always)]
    pub(crate) fn of(raw: RawCell) -> Self {
        debug_assert!(raw.is_pruned(), "{raw:?} is not pruned");
        Self(raw)
    }

    /// The same structure with other ops. They must be within the bits of its interior vertices.
    #[inline(always)]
    pub(crate) fn with_labels(self, labels: u64) -> Self {
        Self::of(RawCell { labels, ..self.0 })
    }

    /// Checks a pair of words that came from outside.
    ///
    /// # Errors
    /// [`Error::BadPacked`] where a bit means nothing; [`Error::NotPruned`] where a vertex lies on no
    /// path from input to output.
    #[inline]
    pub fn from_words(edges: u64, labels: u64) -> Result<Self> {
        let raw = RawCell::from_words(edges, labels)?;
        if raw.is_pruned() { Ok(Self(raw)) } else { Err(Error::NotPruned { edges, labels }) }
    }

    /// The module that it is.
    #[inline(always)]
    pub const fn raw(self) -> RawCell {
        self.0
    }
}

impl std::ops::Deref for Cell {
    type Target = RawCell;

    #[inline(always)]
    fn deref(&self) -> &RawCell {
        &self.0
    }
}

/// The bits that labels of a graph of `vertices` vertices may use.
pub const fn label_mask(vertices: usize) -> u64 {
    let n = vertices - 2;
    if n == 0 { 0 } else { (u64::MAX >> (64 - 4 * n)) << label_shift(n) }
}

/// Checks that every op of a module is one of `num_ops`.
pub fn check_ops(cell: RawCell, num_ops: usize) -> Result<RawCell> {
    for v in 1..cell.vertices() - 1 {
        if usize::from(cell.op(v)) >= num_ops {
            return Err(Error::UnknownOp { vertex: v, code: cell.op(v).to_string(), num_ops });
        }
    }
    Ok(cell)
}

/// Checks that every op of every one of `cells` is one of `num_ops`.
///
/// # Errors
/// [`Error::InModule`] with the first cell that has another.
pub fn check_all_ops(cells: &[Cell], num_ops: usize) -> Result<()> {
    cells.iter().enumerate().try_for_each(|(index, cell)| {
        check_ops(cell.raw(), num_ops).map(drop).map_err(|wrong| wrong.in_module(index))
    })
}
