//! The kernel: full lanes of one structure together, and what is left a message a lane.

use nb101_lanes::{Kernel, Vector};

use super::digest::Digest;
use super::labelled::Runs;
use super::mixed::Mixed;
use crate::cell::Cell;

/// Cells of 24 lanes from which on a group of its own is worth it: in `mixed` a cell costs
/// about twice as much as a full lane of `labelled`.
const WORTH_A_GROUP: usize = 12;

/// Cells in strictly ascending order, and where their digests go.
pub(super) struct Sorted<'a> {
    pub(super) cells: &'a [Cell],
    pub(super) out: &'a mut [Digest],
}

impl Kernel for Sorted<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) {
        let mut runs = Runs::<V>::new(token);
        let mut mixed = Mixed::<V>::new(token);
        let mut start = 0;
        while start < self.cells.len() {
            let structure = self.cells[start].structure();
            let length =
                self.cells[start..].iter().take_while(|cell| cell.structure() == structure).count();
            let end = start + length;
            // What does not fill the lanes of a last group is cheaper to hash among other cells.
            let rest = length % V::LANES;
            let mixed_from = if rest < WORTH_A_GROUP * V::LANES / 24 { end - rest } else { end };
            if mixed_from > start {
                runs.hash(&self.cells[start..mixed_from], &mut self.out[start..mixed_from]);
            }
            if mixed_from < end {
                mixed.push(&self.cells[mixed_from..end], mixed_from, self.out);
            }
            start = end;
        }
        mixed.finish(self.out);
    }
}
