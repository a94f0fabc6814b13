//! Pruning: drop every vertex that is not on a path from input to output.

use super::entry::entries;
use super::{Cell, RawCell, column, label_shift};
use crate::error::Result;

/// Drops the vertices of a module that lie on no input-output path, keeping the order of the rest.
/// `None` where input does not reach output.
#[inline]
pub fn prune(cell: RawCell) -> Option<Cell> {
    let v = cell.vertices();
    let (mut reached, mut reaching) = (1u64, 1u64 << (v - 1));
    for y in 1..v {
        reached |= u64::from(column(cell.edges, y) & reached != 0) << y;
    }
    if reached >> (v - 1) == 0 {
        return None;
    }
    for y in (1..v).rev() {
        let on = 0u64.wrapping_sub(reaching >> y & 1);
        reaching |= column(cell.edges, y) & on;
    }
    let keep = reached & reaching;
    if keep == (1 << v) - 1 {
        return Some(Cell::of(cell));
    }
    let (mut edges, mut labels, mut n) = (0u64, 0u64, 0usize);
    for y in 0..v {
        if keep >> y & 1 == 0 {
            continue;
        }
        if n > 0 {
            edges |= compress(column(cell.edges, y), keep) << (n * (n - 1) / 2);
            if y < v - 1 {
                labels |= u64::from(cell.op(y)) << label_shift(n);
            }
        }
        n += 1;
    }
    Some(Cell::new(n, edges, labels))
}

/// Gathers the bits of `bits` that stand where `keep` has ones.
#[inline]
fn compress(bits: u64, mut keep: u64) -> u64 {
    let (mut out, mut position) = (0, 0);
    while keep != 0 {
        out |= (bits >> keep.trailing_zeros() & 1) << position;
        position += 1;
        keep &= keep - 1;
    }
    out
}

/// The vertices on a path from 0 to `vertices - 1` of a graph of any size whose edges go upwards;
/// `None` where there is no such path.
pub(super) fn on_a_path(
    vertices: usize,
    edge: impl Fn(usize, usize) -> bool,
) -> Option<Vec<usize>> {
    let mut reached = vec![false; vertices];
    let mut reaching = vec![false; vertices];
    (reached[0], reaching[vertices - 1]) = (true, true);
    for y in 1..vertices {
        reached[y] = (0..y).any(|x| reached[x] && edge(x, y));
    }
    for x in (0..vertices - 1).rev() {
        reaching[x] = (x + 1..vertices).any(|y| reaching[y] && edge(x, y));
    }
    if !reached[vertices - 1] {
        return None;
    }
    Some((0..vertices).filter(|&x| reached[x] && reaching[x]).collect())
}

/// The vertices on a path from the first of `n` to the last, none where there is no such path, for a
/// matrix of any integer type by its bytes. `None` if it is not upper triangular.
///
/// # Errors
/// [`Error::OpsLength`](crate::Error::OpsLength) where so many bytes are no matrix of `n` vertices.
pub fn vertices_on_paths(matrix: &[u8], n: usize) -> Result<Option<Vec<usize>>> {
    let entries = entries(matrix, n)?;
    let edge = |x: usize, y: usize| entries[x * n + y] != 0;
    if (0..n).any(|x| (0..=x).any(|y| edge(x, y))) {
        return Ok(None);
    }
    Ok(Some(if n < 2 { Vec::new() } else { on_a_path(n, edge).unwrap_or_default() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::edge_bit;

    /// What pruning means, vertex by vertex, for every graph of five vertices.
    #[test]
    fn agrees_with_the_plain_search_on_all_graphs_of_five_vertices() {
        for edges in 0..1u64 << 10 {
            let cell = RawCell::new(5, edges, 0x123 << label_shift(3));
            let plain = on_a_path(5, |x, y| edges & edge_bit(x, y) != 0);
            match (prune(cell), plain) {
                (Some(got), Some(keep)) => {
                    assert_eq!(got.vertices(), keep.len());
                    for (j, &y) in keep.iter().enumerate().skip(1) {
                        for (i, &x) in keep.iter().enumerate().take(j) {
                            assert_eq!(
                                got.edges & edge_bit(i, j) != 0,
                                edges & edge_bit(x, y) != 0
                            );
                        }
                        assert_eq!(got.code(j), cell.code(y));
                    }
                    assert_eq!(prune(got.raw()), Some(got));
                    assert_eq!(cell.is_pruned(), got.raw() == cell);
                }
                (got, plain) => {
                    assert!(!cell.is_pruned());
                    assert_eq!((got, plain), (None, None));
                }
            }
        }
    }
}
