//! A module and a cell packed into two integers, and the parser that makes one from arrays.
//!
//! A [`RawCell`] is a module as it stands, whose vertices may dangle; a [`Cell`] is pruned. Everything
//! after this module works on [`Cell`]s: 16 bytes, compared and sorted as integers in the
//! reference order.

use crate::error::{Error, Result};
use crate::{hash, prune};

/// Most vertices of a packed cell: 11 * 10 / 2 = 55 edges and 9 interior labels fit two words.
pub const MAX_VERTICES: usize = 11;
/// Most ops of a space; a label is one nibble.
pub const MAX_OPS: usize = 15;
/// Op code of the input vertex.
pub const INPUT: i64 = -1;
/// Op code of the output vertex.
pub const OUTPUT: i64 = -2;
/// Op code that fills the rest of a module smaller than its array.
pub const PADDING: i64 = -3;

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
/// from input to output; [`prune`](crate::prune::prune) makes a [`Cell`] of it.
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

    /// The largest op in the cell, 0 where there is none.
    pub fn max_op(self) -> u8 {
        (1..self.vertices() - 1).map(|v| self.op(v)).max().unwrap_or(0)
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

/// An array element that should be a small integer. Whatever is none reads as `i64::MIN`, which
/// no rule accepts.
pub trait Entry: Copy + std::fmt::Debug {
    /// The value.
    fn value(self) -> i64;
}

macro_rules! integer_entry {
    ($($t:ty)*) => { $(impl Entry for $t {
        #[inline(always)]
        fn value(self) -> i64 { i64::try_from(self).unwrap_or(i64::MIN) }
    })* };
}
integer_entry!(i8 i16 i32 i64 u8 u16 u32 u64);

impl Entry for bool {
    #[inline(always)]
    fn value(self) -> i64 {
        i64::from(self)
    }
}

impl Entry for f64 {
    #[inline(always)]
    fn value(self) -> i64 {
        // NaN, infinities, fractions and what no i64 holds exactly all fail the comparison.
        if self.fract() == 0.0 && self.abs() < 9e15 { self as i64 } else { i64::MIN }
    }
}

impl Entry for f32 {
    #[inline(always)]
    fn value(self) -> i64 {
        f64::from(self).value()
    }
}

/// A module as given: checked, but not pruned, of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// Small enough to be packed; pruned.
    Packed(Cell),
    /// Over [`MAX_VERTICES`] vertices after pruning, or with labels over 15.
    Large(LargeModule),
}

/// A pruned module that no [`Cell`] holds, and not too large to be hashed, which is all that can be
/// done with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LargeModule {
    /// In-neighbours of each vertex, ascending.
    pub inputs: Vec<Vec<usize>>,
    /// Label of each vertex, -1 and -2 at the ends.
    pub labels: Vec<i64>,
}

impl LargeModule {
    /// What keeps the module from being a cell.
    pub fn why_not_packed(&self) -> Error {
        let vertices = self.labels.len();
        if vertices > MAX_VERTICES {
            return Error::TooManyVertices { vertices, limit: MAX_VERTICES, pruned: true };
        }
        let is_large = |&code: &i64| code >= MAX_OPS as i64;
        let vertex = self.labels.iter().position(is_large).unwrap_or_default();
        Error::UnknownOp { vertex, code: self.labels[vertex].to_string(), num_ops: MAX_OPS }
    }
}

/// The size of a module in an array that may be larger: trailing padding labels do not count.
fn unpadded<L: Entry>(ops: &[L]) -> usize {
    ops.len() - ops.iter().rev().take_while(|op| op.value() == PADDING).count()
}

/// Reads a raw module: `matrix` holds `ops.len()` squared entries row by row. Checks everything,
/// prunes, and packs. Labels are not limited to a space's ops here: see [`check_ops`].
pub fn parse<T: Entry, L: Entry>(matrix: &[T], ops: &[L]) -> Result<Module> {
    match pack(matrix, ops)? {
        Some(cell) => prune::prune(cell).map(Module::Packed),
        None => parse_large(matrix, ops),
    }
}

/// Reads and checks a raw module as it stands, without pruning.
/// `None` where it has too many vertices or too large labels for one.
pub fn pack<T: Entry, L: Entry>(matrix: &[T], ops: &[L]) -> Result<Option<RawCell>> {
    let stride = ops.len();
    if matrix.len() != stride * stride {
        return Err(Error::OpsLength { ops: stride, vertices: matrix.len().isqrt() });
    }
    let v = unpadded(ops);
    if v < 2 {
        return Err(Error::TooFewVertices { vertices: v });
    }
    if v > MAX_VERTICES {
        return Ok(None);
    }
    // One pass with no branch on the entries; whatever is wrong sets a bit of `bad`.
    let (mut edges, mut bad) = (0u64, 0i64);
    for (x, row) in matrix.chunks_exact(stride).take(v).enumerate() {
        for (y, entry) in row.iter().enumerate() {
            let value = entry.value();
            if y > x && y < v {
                bad |= value & !1;
                edges |= (value as u64 & 1) << (x + y * (y - 1) / 2);
            } else {
                bad |= value;
            }
        }
    }
    for entry in &matrix[v * stride..] {
        bad |= entry.value();
    }
    if bad != 0 {
        return Err(find_bad_entry(matrix, stride, v));
    }
    check_ends(ops, v)?;
    let mut labels = 0u64;
    for (i, op) in ops[1..v - 1].iter().enumerate() {
        let code = op.value();
        match code {
            0..=15 => labels |= (code as u64) << label_shift(i + 1),
            16.. => return Ok(None),
            _ => return Err(bad_label(i + 1, op)),
        }
    }
    Ok(Some(RawCell::new(v, edges, labels)))
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

fn check_ends<L: Entry>(ops: &[L], v: usize) -> Result<()> {
    if ops[0].value() != INPUT {
        return Err(Error::FirstOp { code: show(ops[0]) });
    }
    if ops[v - 1].value() != OUTPUT {
        return Err(Error::LastOp { vertex: v - 1, code: show(ops[v - 1]) });
    }
    Ok(())
}

fn bad_label<L: Entry>(vertex: usize, op: &L) -> Error {
    match op.value() {
        code @ PADDING..=INPUT => Error::MisplacedOp { vertex, code },
        _ => Error::BadOpCode { vertex, code: show(*op) },
    }
}

fn show<T: Entry>(value: T) -> String {
    format!("{value:?}")
}

#[cold]
fn find_bad_entry<T: Entry>(matrix: &[T], stride: usize, v: usize) -> Error {
    for (i, entry) in matrix.iter().enumerate() {
        let (row, column, value) = (i / stride, i % stride, entry.value());
        if value == 0 {
            continue;
        }
        let shown = show(*entry);
        if row.max(column) >= v {
            let vertex = if row >= v { row } else { column };
            return Error::PaddingEdge { vertex, row, column, value: shown };
        }
        if column <= row {
            return Error::NotUpperTriangular { row, column, value: shown };
        }
        if value != 1 {
            return Error::NotBinary { row, column, value: shown };
        }
    }
    // Somebody writes to the array while it is read.
    Error::NotBinary { row: 0, column: 0, value: "changed while it was read".into() }
}

/// A square matrix of bits: a row has those of the vertices that one leads to.
struct Bits {
    words: Vec<u64>,
    words_a_row: usize,
}

impl Bits {
    fn new(n: usize) -> Self {
        let words_a_row = n.div_ceil(64);
        Self { words: vec![0; n * words_a_row], words_a_row }
    }

    fn row(&self, x: usize) -> &[u64] {
        &self.words[x * self.words_a_row..][..self.words_a_row]
    }

    /// The vertices on a path from the first to the last, as a row of bits.
    fn on_a_path(&self, n: usize) -> Result<Vec<u64>> {
        let (mut reached, mut reaching) = (vec![0; self.words_a_row], vec![0; self.words_a_row]);
        reached[0] = 1;
        for x in 0..n {
            if has(&reached, x) {
                reached.iter_mut().zip(self.row(x)).for_each(|(all, more)| *all |= more);
            }
        }
        if !has(&reached, n - 1) {
            return Err(Error::Disconnected);
        }
        for x in (0..n).rev() {
            let leads = self.row(x).iter().zip(&reaching).any(|(to, reaching)| to & reaching != 0);
            reaching[x / 64] |= u64::from(leads || x == n - 1) << (x % 64);
        }
        Ok(reached.iter().zip(reaching).map(|(a, b)| a & b).collect())
    }
}

fn has(row: &[u64], y: usize) -> bool {
    row[y / 64] >> (y % 64) & 1 == 1
}

/// Every entry is read once, so that what is checked is what is used, whoever else writes to the
/// arrays.
fn parse_large<T: Entry, L: Entry>(matrix: &[T], ops: &[L]) -> Result<Module> {
    let (stride, ops) = (ops.len(), ops.to_vec());
    let v = unpadded(&ops);
    if v < 2 {
        return Err(Error::TooFewVertices { vertices: v });
    }
    let mut edges = Bits::new(v);
    let mut bad = 0;
    for (x, row) in matrix.chunks_exact(stride).enumerate() {
        for (y, entry) in row.iter().enumerate() {
            let value = entry.value();
            if x < y && y < v {
                bad |= value & !1;
                edges.words[x * edges.words_a_row + y / 64] |= (value as u64 & 1) << (y % 64);
            } else {
                bad |= value;
            }
        }
    }
    if bad != 0 {
        return Err(find_bad_entry(matrix, stride, v));
    }
    check_ends(&ops, v)?;
    for (i, op) in ops[1..v - 1].iter().enumerate() {
        if op.value() < 0 {
            return Err(bad_label(i + 1, op));
        }
    }
    let kept = edges.on_a_path(v)?;
    let keep: Vec<usize> = (0..v).filter(|&x| has(&kept, x)).collect();
    let n = keep.len();
    let common = |x: usize| edges.row(x).iter().zip(&kept).map(|(a, b)| a & b);
    let degree = |x: usize| common(x).map(|word| word.count_ones() as usize).sum::<usize>();
    // Before there are lists of them.
    hash::check_size(n, keep.iter().map(|&x| degree(x)).sum())?;
    let labels: Vec<i64> = keep.iter().map(|&x| ops[x].value()).collect();
    let inputs: Vec<Vec<usize>> = (keep.iter().enumerate())
        .map(|(j, &y)| (0..j).filter(|&i| has(edges.row(keep[i]), y)).collect())
        .collect();
    if n > MAX_VERTICES || labels.iter().any(|&label| label > 15) {
        return Ok(Module::Large(LargeModule { inputs, labels }));
    }
    let mut cell = RawCell::new(n, 0, 0);
    for (y, sources) in inputs.iter().enumerate() {
        sources.iter().for_each(|&x| cell.edges |= edge_bit(x, y));
        if y > 0 && y + 1 < n {
            cell.labels |= (labels[y] as u64) << label_shift(y);
        }
    }
    Ok(Module::Packed(Cell::of(cell)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: [i8; 9] = [0, 1, 0, 0, 0, 1, 0, 0, 0];

    #[test]
    fn packs_and_unpacks() {
        let Module::Packed(cell) = parse(&CHAIN, &[-1i64, 2, -2]).unwrap() else { panic!() };
        assert_eq!((cell.vertices(), cell.num_edges(), cell.op(1)), (3, 2, 2));
        assert_eq!(cell.edges, edge_bit(0, 1) | edge_bit(1, 2));
        assert_eq!((0..3).map(|v| cell.code(v)).collect::<Vec<_>>(), [-1, 2, -2]);
        assert_eq!(Cell::from_words(cell.edges, cell.labels), Ok(cell));
    }

    #[test]
    fn every_fault_is_named() {
        let ops = [-1i64, 2, -2];
        let with = |i: usize, value: f64| {
            let mut m = CHAIN.map(f64::from);
            m[i] = value;
            parse(&m, &ops).unwrap_err().to_string()
        };
        assert!(with(1, f64::NAN).contains("entry (0, 1) is NaN"));
        assert!(with(1, 0.5).contains("entry (0, 1) is 0.5"));
        assert!(with(1, 2.0).contains("must be 0 or 1"));
        assert!(with(0, 1.0).contains("upper triangular: entry (0, 0)"));
        assert!(with(3, f64::INFINITY).contains("upper triangular: entry (1, 0)"));
        assert!(with(1, 0.0).contains("disconnected"));
        let label = |ops: [i64; 3]| parse(&CHAIN, &ops).unwrap_err().to_string();
        assert!(label([0, 0, -2]).contains("first op must be 'input'"));
        assert!(label([-1, 0, 0]).contains("last op must be 'output'"));
        assert!(label([-1, -2, -2]).contains("vertex 1 cannot be 'output'"));
        assert!(label([-1, -9, -2]).contains("op code -9 at vertex 1"));
        assert!(matches!(parse(&CHAIN, &[-1i64, -2]), Err(Error::OpsLength { .. })));
        assert!(matches!(parse::<i8, i8>(&[], &[]), Err(Error::TooFewVertices { vertices: 0 })));
    }

    #[test]
    fn padding_is_dropped_and_must_be_empty() {
        let mut matrix = [0i8; 16];
        (matrix[1], matrix[6]) = (1, 1);
        let padded = parse(&matrix, &[-1i8, 2, -2, -3]).unwrap();
        assert_eq!(padded, parse(&CHAIN, &[-1i8, 2, -2]).unwrap());
        matrix[3] = 1;
        assert!(matches!(
            parse(&matrix, &[-1i8, 2, -2, -3]),
            Err(Error::PaddingEdge { vertex: 3, .. })
        ));
    }

    #[test]
    fn large_modules_are_packed_once_pruned() {
        let n = 13;
        let mut matrix = vec![0u8; n * n];
        let mut ops = vec![0i64; n];
        (ops[0], ops[n - 1]) = (-1, -2);
        matrix[7] = 1; // 0 -> 7 -> 12
        matrix[7 * n + 12] = 1;
        ops[7] = 1;
        assert_eq!(parse(&matrix, &ops).unwrap(), parse(&CHAIN, &[-1i64, 1, -2]).unwrap());
        ops[7] = 99;
        assert!(
            matches!(parse(&matrix, &ops).unwrap(), Module::Large(m) if m.labels == [-1, 99, -2])
        );
    }

    #[test]
    fn rows_of_bits_are_pruned_as_the_plain_search_prunes() {
        let mut word = 1u64;
        let mut next = move || {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (word >> 33) as usize
        };
        let mut connected = 0;
        for n in (2..200).chain([256, 257]) {
            let mut bits = Bits::new(n);
            // About two edges a vertex, some of them to the last one.
            for _ in 0..2 * n {
                let (a, b) = (next() % n, if next() % 16 == 0 { n - 1 } else { next() % n });
                let (x, y) = (a.min(b), a.max(b));
                if x < y {
                    bits.words[x * bits.words_a_row + y / 64] |= 1 << (y % 64);
                }
            }
            let found = bits
                .on_a_path(n)
                .map(|kept| (0..n).filter(|&x| has(&kept, x)).collect::<Vec<usize>>());
            assert_eq!(found, prune::on_a_path(n, |x, y| has(bits.row(x), y)));
            connected += usize::from(found.is_ok());
        }
        assert!(connected > 50);
    }
}
