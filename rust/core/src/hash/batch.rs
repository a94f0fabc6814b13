//! Batches of cells in any order, on all threads.

use nb101_lanes::{Isa, dispatch};

use super::digest::Digest;
use super::kernel::Sorted;
use super::{isa, neighbours};
use crate::cell::Cell;
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, Monitor};

/// Cells of one task; a run of one structure is not cut where it can be helped.
const TASK: usize = 1 << 13;
/// Cells of one task where equal ones are looked for.
const UNSORTED_TASK: usize = 1 << 16;

/// Hashes pruned cells in any order; equal cells are hashed once (within tasks of 65,536).
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted) where the monitor says so;
/// [`Error::Memory`](crate::Error::Memory).
pub fn hash_cells(cells: &[Cell], out: &mut [Digest], monitor: &dyn Monitor) -> Result<()> {
    assert_eq!(cells.len(), out.len());
    let isa = isa::current();
    let sorted = cells.is_sorted_by(|a, b| a.order_key() < b.order_key());
    let (mut rest, mut out_rest) = (cells, out);
    let next = || {
        if rest.is_empty() {
            return None;
        }
        let mut n = rest.len().min(if sorted { TASK } else { UNSORTED_TASK });
        if sorted && n < rest.len() {
            let cut = rest[n].structure();
            let start = rest[..n].partition_point(|cell| (cell.structure()) < cut);
            n = if start > 0 { start } else { n };
        }
        Some((rest.split_off(..n)?, out_rest.split_off_mut(..n)?))
    };
    parallel::run(
        next,
        cells.len(),
        |(cells, out)| {
            if sorted {
                dispatch(isa, Sorted { cells, out })?;
            } else {
                hash_unsorted(isa, cells, out)?;
            }
            Ok(cells.len())
        },
        monitor,
    )
}

/// Sorts, hashes what is unique, and hands the digests back in the order given.
fn hash_unsorted(isa: Isa, cells: &[Cell], out: &mut [Digest]) -> Result<()> {
    // Vertices (4 bits), edges (55), labels (36), position (32): one integer to sort.
    let mut order: Vec<u128> = memory::collect((cells.iter().enumerate()).map(|(i, cell)| {
        let key = u128::from(cell.labels >> 60) << 91 | u128::from(cell.edges) << 36;
        (key | u128::from(cell.interior())) << 32 | i as u128
    }))?;
    order.sort_unstable();
    let mut unique: Vec<Cell> = memory::with_capacity(cells.len())?;
    for &item in &order {
        let cell = cells[item as u32 as usize];
        if unique.last() != Some(&cell) {
            unique.push(cell);
        }
    }
    let mut digests = memory::filled([0; 16], unique.len())?;
    dispatch(isa, Sorted { cells: &unique, out: &mut digests })?;
    let mut at = 0;
    for &item in &order {
        let i = item as u32 as usize;
        at += usize::from(unique[at] != cells[i]);
        out[i] = digests[at];
    }
    Ok(())
}

/// Does what hashing does once: tries the instruction sets, and computes the initial hashes. Where
/// processes fork, it is best done before: a child could wait in vain for a thread that was at it.
pub fn prepare() {
    isa::current();
    neighbours::initial(0, 0, 0);
}
