//! How deep and how wide the graph of a cell is.

use crate::cell::{Cell, column};
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::memory;
use crate::parallel::{Monitor, Pace};

/// Edges on the longest path from input to output.
pub fn depth(cell: Cell) -> u8 {
    let mut longest = [0; MAX_VERTICES];
    for y in 1..cell.vertices() {
        let sources = (0..y).filter(|&x| column(cell.edges, y) >> x & 1 == 1);
        longest[y] = sources.map(|x| longest[x] + 1).max().unwrap_or(0);
    }
    longest[cell.vertices() - 1]
}

/// The largest directed cut: the most edges that lead from a set of vertices with `input` to the
/// rest with `output`, where none leads back.
pub fn width(cell: Cell) -> u8 {
    let v = cell.vertices();
    let columns: [u64; MAX_VERTICES] =
        std::array::from_fn(|y| if y > 0 && y < v { column(cell.edges, y) } else { 0 });
    let mut widest = 0;
    for set in (1..1u64 << (v - 1)).step_by(2) {
        let closed = (1..v - 1).all(|y| set >> y & 1 == 0 || columns[y] & !set == 0);
        if closed {
            let cut = (1..v).filter(|y| set >> y & 1 == 0).map(|y| (columns[y] & set).count_ones());
            widest = widest.max(cut.sum());
        }
    }
    widest as u8
}

/// [`depth`] and [`width`] of each cell: quickest where cells of one structure stand together.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn depths_and_widths(cells: &[Cell], monitor: &dyn Monitor) -> Result<(Vec<i8>, Vec<i8>)> {
    let (mut depths, mut widths) =
        (memory::with_capacity(cells.len())?, memory::with_capacity(cells.len())?);
    let (mut known, mut pace) = (((0, 0), (0, 0)), Pace::default());
    for (i, &cell) in cells.iter().enumerate() {
        if i % 64 == 0 {
            pace.ask(|| monitor.tick(i, cells.len()))?;
        }
        if known.0 != cell.structure() {
            known = (cell.structure(), (depth(cell) as i8, width(cell) as i8));
        }
        depths.push(known.1.0);
        widths.push(known.1.1);
    }
    Ok((depths, widths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::edge_bit;

    fn cell(v: usize, edges: &[(usize, usize)]) -> Cell {
        let mask = edges.iter().fold(0, |mask, &(x, y)| mask | edge_bit(x, y));
        Cell::new(v, mask, 0)
    }

    #[test]
    fn depth_and_width() {
        let chain: Vec<_> = (0..6).map(|x| (x, x + 1)).collect();
        assert_eq!((depth(cell(7, &chain)), width(cell(7, &chain))), (6, 1));
        let inception = [(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)];
        let inception = cell(7, &inception);
        assert_eq!((depth(inception), width(inception)), (3, 4));
        let direct = cell(2, &[(0, 1)]);
        assert_eq!((depth(direct), width(direct)), (1, 1));
    }
}
