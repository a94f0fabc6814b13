//! Columns of cells as other programs have them: matrices, op codes, text.

use crate::cell::{Cell, RawCell, check_all_ops, column};
use crate::error::Result;
use crate::limits::PADDING;
use crate::memory;

/// Adjacency matrices of `size` vertices, at least as many as any module has, row by row.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn adjacency(modules: &[RawCell], size: usize) -> Result<Vec<i8>> {
    let entries = modules.len().saturating_mul(size).saturating_mul(size);
    let mut flat = memory::filled(0i8, entries)?;
    for (module, matrix) in modules.iter().zip(flat.chunks_exact_mut((size * size).max(1))) {
        for y in 1..module.vertices() {
            for x in 0..y {
                matrix[x * size + y] = (module.edges >> (x + y * (y - 1) / 2) & 1) as i8;
            }
        }
    }
    Ok(flat)
}

/// Op codes in rows of `size`, at least as many as the vertices of any module, the rest padding.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn op_codes(modules: &[RawCell], size: usize) -> Result<Vec<i8>> {
    let mut flat = memory::filled(PADDING as i8, modules.len().saturating_mul(size))?;
    for (module, codes) in modules.iter().zip(flat.chunks_exact_mut(size.max(1))) {
        codes.iter_mut().zip(0..module.vertices()).for_each(|(code, v)| *code = module.code(v));
    }
    Ok(flat)
}

/// A column of texts as Arrow keeps it: where each begins, and where the last ends, in the bytes of
/// all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// One more than there are texts.
    pub offsets: Vec<i64>,
    /// All texts, one after another.
    pub bytes: Vec<u8>,
}

/// The text columns of official records: adjacency as 0 and 1 row by row, ops joined by commas.
///
/// # Errors
/// [`Error::InModule`](crate::Error::InModule) with the first cell that has an op without a name;
/// [`Error::Memory`](crate::Error::Memory).
pub fn text_columns(cells: &[Cell], ops: &[String]) -> Result<[Text; 2]> {
    check_all_ops(cells, ops.len())?;
    let longest = ops.iter().map(String::len).max().unwrap_or(0) + 1;
    let empty = || Ok(Text { offsets: memory::with_capacity(cells.len() + 1)?, bytes: Vec::new() });
    let (mut adjacency, mut operations): (Text, Text) = (empty()?, empty()?);
    adjacency.offsets.push(0);
    operations.offsets.push(0);
    for cell in cells {
        let v = cell.vertices();
        memory::reserve(&mut adjacency.bytes, v * v)?;
        memory::reserve(&mut operations.bytes, "input,output".len() + (v - 2) * longest)?;
        for x in 0..v {
            let bit = |y: usize| y > x && column(cell.edges, y) >> x & 1 == 1;
            adjacency.bytes.extend((0..v).map(|y| b'0' + u8::from(bit(y))));
        }
        operations.bytes.extend(b"input,");
        for x in 1..v - 1 {
            operations.bytes.extend(ops[usize::from(cell.op(x))].as_bytes());
            operations.bytes.push(b',');
        }
        operations.bytes.extend(b"output");
        adjacency.offsets.push(adjacency.bytes.len() as i64);
        operations.offsets.push(operations.bytes.len() as i64);
    }
    Ok([adjacency, operations])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{edge_bit, label_shift};

    #[test]
    fn a_cell_as_matrix_codes_and_text() {
        let edges = edge_bit(0, 1) | edge_bit(1, 2) | edge_bit(0, 2);
        let cell = Cell::new(3, edges, 1 << label_shift(1));
        let matrix = adjacency(&[cell.raw()], 4).unwrap();
        assert_eq!(matrix, [0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(op_codes(&[cell.raw()], 4).unwrap(), [-1, 1, -2, -3]);
        let names = ["a".to_owned(), "b".to_owned()];
        let [adjacency, operations] = text_columns(&[cell, Cell::LEAST], &names).unwrap();
        assert_eq!(adjacency, Text { offsets: vec![0, 9, 13], bytes: b"0110010000100".to_vec() });
        assert_eq!(operations.bytes, b"input,b,outputinput,output");
        assert!(text_columns(&[cell], &names[..1]).is_err());
    }
}
