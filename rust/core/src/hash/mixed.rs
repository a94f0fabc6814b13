//! Cells of any structures together, a message a lane.
//!
//! All messages of one round of a block of cells that are made alike, from as many in- and as many
//! out-neighbours, are digested together, whatever cells they belong to.

use std::ops::Range;

use nb101_lanes::{Row, Vector};

use super::digest::Digest;
use super::lanes::{Lanes, Messages};
use super::neighbours::Neighbours;
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::memory;

/// Cells hashed together. Each kind of message leaves lanes of its last group empty: the more cells
/// there are, the fewer. Their state stays in the second-level cache (230 kB for 7 vertices).
const BLOCK: usize = 512;

/// Collects cells and hashes them in blocks.
pub(super) struct Mixed {
    vertices: usize,
    /// By the number of rounds that their cells have behind them.
    blocks: Vec<Block>,
}

/// Cells of one size, all at the same round.
struct Block {
    messages: Messages,
    /// Where in the output the digests belong.
    places: Vec<usize>,
    now: Vec<Row>,
    next: Vec<Row>,
}

impl Mixed {
    pub(super) fn new() -> Self {
        Self { vertices: 0, blocks: Vec::new() }
    }

    /// Takes cells of `v` vertices and one structure whose digests belong at `places` of `out`;
    /// `row(i, x)` is the hash of vertex `x` of cell `i` after `rounds` rounds.
    pub(super) fn push<V: Vector>(
        &mut self,
        lanes: &mut Lanes<V>,
        (v, neighbours): (usize, &Neighbours),
        rounds: usize,
        row: impl Fn(usize, usize) -> Row,
        places: Range<usize>,
        out: &mut [Digest],
    ) -> Result<()> {
        if self.vertices != v {
            self.finish(lanes, out)?;
            self.vertices = v;
        }
        while self.blocks.len() <= rounds {
            let (now, next) = (Vec::new(), Vec::new());
            self.blocks.push(Block { messages: Messages::new(), places: Vec::new(), now, next });
        }
        let block = &mut self.blocks[rounds];
        let (first, count) = (block.now.len(), places.len());
        memory::reserve(&mut block.places, count)?;
        block.places.extend(places);
        memory::reserve(&mut block.now, count * v)?;
        block.now.extend((0..count * v).map(|at| row(at / v, at % v)));
        for x in 0..v {
            let rows = |y: usize| (first + y..first + y + count * v).step_by(v).map(|i| i as u32);
            block.messages.push(neighbours, x, count, rows, rows(x))?;
        }
        if block.places.len() >= BLOCK {
            block.hash(lanes, v, rounds, out)?;
        }
        Ok(())
    }

    /// Hashes what is left.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), as of [`push`](Self::push).
    pub(super) fn finish<V: Vector>(
        &mut self,
        lanes: &mut Lanes<V>,
        out: &mut [Digest],
    ) -> Result<()> {
        for (rounds, block) in self.blocks.iter_mut().enumerate() {
            if !block.places.is_empty() {
                block.hash(lanes, self.vertices, rounds, out)?;
            }
        }
        Ok(())
    }
}

impl Block {
    fn hash<V: Vector>(
        &mut self,
        lanes: &mut Lanes<V>,
        v: usize,
        rounds: usize,
        out: &mut [Digest],
    ) -> Result<()> {
        self.next.clear();
        memory::reserve(&mut self.next, self.now.len())?;
        self.next.resize(self.now.len(), Row([0; 8]));
        for _ in rounds..v {
            lanes.round(&mut self.messages, &self.now, &mut self.next);
            std::mem::swap(&mut self.now, &mut self.next);
        }
        let last = self.places.len() - 1;
        for (g, places) in self.places.chunks(V::LANES).enumerate() {
            let first = |lane: usize| (g * V::LANES + lane).min(last) * v;
            for (digest, &place) in lanes.fingerprints(v, &self.now, first).zip(places) {
                out[place] = digest;
            }
        }
        self.messages.clear();
        self.places.clear();
        self.now.clear();
        Ok(())
    }
}

const _: () = assert!(MAX_VERTICES <= 16, "sets of vertices are u16");
