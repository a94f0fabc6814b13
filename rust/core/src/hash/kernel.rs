//! The kernel: full lanes of one structure together, and what is left a message a lane.

use nb101_lanes::{Kernel, Vector};

use super::digest::Digest;
use super::labelled::Runs;
use super::lanes::Lanes;
use super::mixed::Mixed;
use super::neighbours::Neighbours;
use crate::cell::Cell;
use crate::error::Result;

/// Cells of one structure from which on it is worth finding out what they share. With 6 in its place
/// raw modules of all structures took 5 % more.
const WORTH_SHARING: usize = 16;

/// Cells in strictly ascending order, and where their digests go.
pub(super) struct Sorted<'a> {
    pub(super) cells: &'a [Cell],
    pub(super) out: &'a mut [Digest],
}

impl Kernel for Sorted<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) -> Result<()> {
        let Self { cells, out } = self;
        let (mut lanes, mut mixed, mut runs) = (Lanes::<V>::new(token), Mixed::new(), Runs::new());
        let mut start = 0;
        while start < cells.len() {
            let structure = cells[start].structure();
            let length =
                cells[start..].iter().take_while(|cell| cell.structure() == structure).count();
            let run = &cells[start..start + length];
            if length >= WORTH_SHARING {
                runs.push(&mut lanes, &mut mixed, run, start, out)?;
            } else {
                let v = run[0].vertices();
                let neighbours = Neighbours::new(v, run[0].edges());
                let row = |i: usize, x: usize| neighbours.initial(run[i], x);
                let places = start..start + length;
                mixed.push(&mut lanes, (v, &neighbours), 0, row, places, out)?;
            }
            start += length;
        }
        runs.finish(&mut lanes, &mut mixed, out)?;
        mixed.finish(&mut lanes, out)
    }
}
