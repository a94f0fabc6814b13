//! The neighbours of each vertex, and the initial hashes, which follow from their number.

use std::sync::OnceLock;

use nb101_lanes::{Row, digest};

use super::digest::hex_bytes;
use super::spec::initial_text;
use crate::cell::{Cell, neighbours};
use crate::limits::MAX_VERTICES;

/// The neighbours of each vertex of a structure.
pub(super) struct Neighbours {
    pub(super) ins: [u16; MAX_VERTICES],
    pub(super) outs: [u16; MAX_VERTICES],
}

impl Neighbours {
    #[inline(always)]
    pub(super) fn new(v: usize, edges: u64) -> Self {
        let (ins, outs) = neighbours(v, edges);
        Self { ins, outs }
    }

    /// The initial hash of a vertex, as digits.
    #[inline(always)]
    pub(super) fn initial(&self, cell: Cell, vertex: usize) -> Row {
        let (outs, ins) = (self.outs[vertex].count_ones(), self.ins[vertex].count_ones());
        initial(outs as usize, ins as usize, i64::from(cell.code(vertex)))
    }
}

/// The members of a bit set, ascending.
#[inline(always)]
pub(super) fn members(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let next = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (next < 16).then_some(next)
    })
}

/// The initial hashes as digits, by out-degree, in-degree and label (-2 to 15).
pub(super) fn initial(out_degree: usize, in_degree: usize, label: i64) -> Row {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    const LABELS: usize = 18;
    let table = TABLE.get_or_init(|| {
        let entry = |i: usize| {
            let (degrees, label) = (i / LABELS, (i % LABELS) as i64 - 2);
            let text = initial_text(degrees / MAX_VERTICES, degrees % MAX_VERTICES, label);
            let digits = hex_bytes(&digest(text.as_bytes()));
            let word = |w: usize| u32::from_le_bytes(std::array::from_fn(|b| digits[4 * w + b]));
            Row(std::array::from_fn(word))
        };
        (0..MAX_VERTICES * MAX_VERTICES * LABELS).map(entry).collect()
    });
    table[(out_degree * MAX_VERTICES + in_degree) * LABELS + (label + 2) as usize]
}
