//! The parser that makes a module of arrays: all checks of content are here.

use super::entry::{Entry, entries};
use super::large::{Bits, LargeModule, has};
use super::prune::prune;
use super::{Cell, RawCell, edge_bit, label_shift};
use crate::error::{Error, Result};
use crate::limits::{INPUT, MAX_VERTICES, OUTPUT, PADDING, is_hashable};

/// A module as given: checked and pruned, of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// Small enough to be packed; pruned.
    Packed(Cell),
    /// Over [`MAX_VERTICES`] vertices after pruning, or with labels over 15.
    Large(LargeModule),
}

impl Module {
    /// The cell that it is.
    ///
    /// # Errors
    /// What keeps it from being one.
    pub fn packed(self) -> Result<Cell> {
        match self {
            Self::Packed(cell) => Ok(cell),
            Self::Large(module) => Err(module.why_not_packed()),
        }
    }
}

/// The size of a module in an array that may be larger: trailing padding labels do not count.
fn unpadded<L: Entry>(ops: &[L]) -> usize {
    ops.len() - ops.iter().rev().take_while(|op| op.value() == PADDING).count()
}

/// Reads a raw module: `matrix` holds `ops.len()` squared entries row by row. Checks everything,
/// prunes, and packs. Labels are not limited to a space's ops here: see
/// [`check_ops`](super::check_ops).
pub fn parse<T: Entry, L: Entry>(matrix: &[T], ops: &[L]) -> Result<Module> {
    match pack(matrix, ops)? {
        Some(cell) => prune(cell).map(Module::Packed).ok_or(Error::Disconnected),
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

/// Reads one module given as rows, and packs it.
///
/// ```
/// use nb101_core::{cell::parse_rows, describe, hash};
/// // Input, two ops, a vertex on no path, output: -1 and -2 are the ends, ops count from 0.
/// let rows = [[0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0; 5], [0; 5]];
/// let cell = parse_rows(&rows.map(Vec::from), &[-1, 0, 0, 2, -2])?;
/// assert_eq!((cell.vertices(), describe::depth(cell), describe::width(cell)), (4, 3, 2));
/// assert_eq!(hash::hex(hash::hash_cell_plainly(cell)).len(), 32);
/// # Ok::<(), nb101_core::Error>(())
/// ```
///
/// # Errors
/// What [`parse`] says; why no packed cell holds it.
pub fn parse_rows(matrix: &[Vec<i64>], ops: &[i64]) -> Result<Cell> {
    let rows = matrix.len();
    if let Some(row) = matrix.iter().find(|row| row.len() != rows) {
        return Err(Error::NotSquare { rows, columns: row.len() });
    }
    if ops.len() != rows {
        return Err(Error::OpsLength { ops: ops.len(), vertices: rows });
    }
    parse(&matrix.concat(), ops)?.packed()
}

/// Reads one module whose matrix is the bytes of an array of any integer type, row by row, and
/// packs it.
///
/// # Errors
/// As for [`parse_rows`].
pub fn parse_bytes(matrix: &[u8], ops: &[i64]) -> Result<Cell> {
    parse(&entries(matrix, ops.len())?, ops)?.packed()
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
                edges.add(x, y, value as u64 & 1);
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
    let kept = edges.on_a_path(v).ok_or(Error::Disconnected)?;
    let keep: Vec<usize> = (0..v).filter(|&x| has(&kept, x)).collect();
    let n = keep.len();
    let common = |x: usize| edges.row(x).iter().zip(&kept).map(|(a, b)| a & b);
    let degree = |x: usize| common(x).map(|word| word.count_ones() as usize).sum::<usize>();
    // Before there are lists of them.
    let total = keep.iter().map(|&x| degree(x)).sum();
    if !is_hashable(n, total) {
        return Err(Error::TooLargeToHash { vertices: n, edges: total });
    }
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
}
