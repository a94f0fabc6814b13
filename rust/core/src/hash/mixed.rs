//! Cells of any structures together, a message a lane.
//!
//! The messages of one round of a block of cells are written one after another into buckets by
//! their number of MD5 blocks; a bucket with a message for every lane is digested at once.

use nb101_lanes::{Vector, absorb, words_to_bytes};

use super::digest::{Digest, hex_bytes};
use super::message::LONGEST;
use super::neighbours::{Neighbours, members};
use crate::cell::Cell;
use crate::limits::MAX_VERTICES;

/// Cells hashed together; their state stays in the second-level cache (43 kB for 7 vertices), and
/// the buckets that are not full at the end of a round are few against those that were.
const BLOCK: usize = 64;
/// A neighbourhood message of an 11-vertex cell has at most 6 blocks, a fingerprint 7.
const MOST_BLOCKS: usize = LONGEST / 16;

/// Collects cells and hashes them in blocks.
pub(super) struct Mixed<V: Vector> {
    cells: Vec<Cell>,
    /// Where in the output the digests belong.
    places: Vec<usize>,
    neighbours: Vec<Neighbours>,
    now: Vec<Hash>,
    next: Vec<Hash>,
    buckets: [Bucket<V>; MOST_BLOCKS],
}

/// The hash of one vertex: as a number to compare, and as text.
#[derive(Clone, Copy)]
struct Hash {
    order: u128,
    hex: [u8; 32],
}

impl Hash {
    const NONE: Self = Self { order: 0, hex: [0; 32] };

    #[inline(always)]
    fn new(digest: Digest) -> Self {
        Self { order: u128::from_be_bytes(digest), hex: hex_bytes(&digest) }
    }
}

impl<V: Vector> Mixed<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token) -> Self {
        Self {
            cells: Vec::with_capacity(BLOCK),
            places: Vec::with_capacity(BLOCK),
            neighbours: Vec::with_capacity(BLOCK),
            now: Vec::new(),
            next: Vec::new(),
            buckets: std::array::from_fn(|i| Bucket::new(token, i + 1)),
        }
    }

    /// Takes cells whose digests belong at `start` of `out` and on.
    #[inline(always)]
    pub(super) fn push(&mut self, cells: &[Cell], start: usize, out: &mut [Digest]) {
        for (i, &cell) in cells.iter().enumerate() {
            let other_size =
                self.cells.last().is_some_and(|last| last.vertices() != cell.vertices());
            if self.cells.len() == BLOCK || other_size {
                self.hash(out);
            }
            self.cells.push(cell);
            self.places.push(start + i);
        }
    }

    /// Hashes what is left.
    #[inline(always)]
    pub(super) fn finish(&mut self, out: &mut [Digest]) {
        if !self.cells.is_empty() {
            self.hash(out);
        }
    }

    /// Hashes the cells at hand, all of one size.
    #[inline(always)]
    fn hash(&mut self, out: &mut [Digest]) {
        let v = self.cells[0].vertices();
        self.neighbours.clear();
        self.now.clear();
        for &cell in &self.cells {
            let neighbours = Neighbours::new(v, cell.edges);
            self.now.extend((0..v).map(|x| Hash::new(words_to_bytes(neighbours.initial(cell, x)))));
            self.neighbours.push(neighbours);
        }
        self.next.clear();
        self.next.resize(self.now.len(), Hash::NONE);
        for _ in 0..v {
            for (c, neighbours) in self.neighbours.iter().enumerate() {
                let hashes = &self.now[c * v..(c + 1) * v];
                for (x, own) in hashes.iter().enumerate() {
                    let (ins, outs) = (neighbours.ins[x], neighbours.outs[x]);
                    let degree = (ins.count_ones() + outs.count_ones()) as usize;
                    let length = 32 * (degree + 1) + 2;
                    let bucket = &mut self.buckets[(length + 8) / 64];
                    let text = bucket.start(length);
                    let at = write_sorted(text, 0, ins, hashes);
                    text[at] = b'|';
                    let at = write_sorted(text, at + 1, outs, hashes);
                    text[at] = b'|';
                    text[at + 1..at + 33].copy_from_slice(&own.hex);
                    bucket.end(c * v + x, |place, digest| self.next[place] = Hash::new(digest));
                }
            }
            for bucket in &mut self.buckets {
                bucket.flush(|place, digest| self.next[place] = Hash::new(digest));
            }
            std::mem::swap(&mut self.now, &mut self.next);
        }
        let length = 34 * v + 2 * (v - 1) + 2;
        let bucket = &mut self.buckets[(length + 8) / 64];
        for (c, &place) in self.places.iter().enumerate() {
            let hashes = &mut self.now[c * v..(c + 1) * v];
            hashes.sort_unstable_by_key(|hash| hash.order);
            let text = bucket.start(length);
            text[..2].copy_from_slice(b"['");
            for (i, hash) in hashes.iter().enumerate() {
                let at = 2 + 36 * i;
                text[at..at + 32].copy_from_slice(&hash.hex);
                text[at + 32..at + 36].copy_from_slice(b"', '");
            }
            text[length - 2..length + 2].copy_from_slice(b"']\x80\0");
            bucket.end(place, |place, digest| out[place] = digest);
        }
        bucket.flush(|place, digest| out[place] = digest);
        self.cells.clear();
        self.places.clear();
    }
}

/// Writes the hashes of `set` in order at `at`; returns where they end.
#[inline(always)]
fn write_sorted(text: &mut [u8], at: usize, set: u16, hashes: &[Hash]) -> usize {
    // The place of each is the number of those before it: no branch depends on the hashes.
    for x in members(set) {
        let order = hashes[x].order;
        let before: usize = members(set)
            .map(|y| usize::from(hashes[y].order < order || (hashes[y].order == order && y < x)))
            .sum();
        let place = at + 32 * before;
        text[place..place + 32].copy_from_slice(&hashes[x].hex);
    }
    at + 32 * set.count_ones() as usize
}

/// Messages of one number of blocks, a row each, waiting for all lanes to be filled.
struct Bucket<V: Vector> {
    token: V::Token,
    blocks: usize,
    bytes: Vec<u8>,
    /// The same as words, half a block a row.
    rows: Vec<[u32; 8]>,
    places: Vec<usize>,
}

impl<V: Vector> Bucket<V> {
    #[inline(always)]
    fn new(token: V::Token, blocks: usize) -> Self {
        let halves = V::LANES * blocks * 2;
        Self {
            token,
            blocks,
            bytes: vec![0; 32 * halves],
            rows: vec![[0; 8]; halves],
            places: Vec::with_capacity(V::LANES),
        }
    }

    /// Room for a message of `length` bytes, which are to be written all; its end is written.
    #[inline(always)]
    fn start(&mut self, length: usize) -> &mut [u8] {
        let size = 64 * self.blocks;
        let row = &mut self.bytes[self.places.len() * size..][..size];
        // What was here before may have been longer.
        row[length..].fill(0);
        row[length] = 0x80;
        row[size - 8..].copy_from_slice(&(8 * length as u64).to_le_bytes());
        row
    }

    /// The message is written; its digest goes to `place`.
    #[inline(always)]
    fn end(&mut self, place: usize, write: impl FnMut(usize, Digest)) {
        self.places.push(place);
        if self.places.len() == V::LANES {
            self.flush(write);
        }
    }

    /// Digests the messages at hand.
    #[inline(always)]
    fn flush(&mut self, mut write: impl FnMut(usize, Digest)) {
        if self.places.is_empty() {
            return;
        }
        for (row, bytes) in self.rows.iter_mut().zip(self.bytes.as_chunks::<32>().0) {
            for (word, bytes) in row.iter_mut().zip(bytes.as_chunks().0) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
        let halves = 2 * self.blocks;
        let mut message = [V::splat(self.token, 0); LONGEST];
        for (half, words) in message.as_chunks_mut::<8>().0.iter_mut().enumerate().take(halves) {
            *words = V::transpose(self.token, &self.rows, |lane| lane * halves + half);
        }
        let words = absorb(self.token, &message[..8 * halves]);
        for (lane, &place) in self.places.iter().enumerate() {
            let words = [
                words[0].lane(lane),
                words[1].lane(lane),
                words[2].lane(lane),
                words[3].lane(lane),
            ];
            write(place, words_to_bytes(words));
        }
        self.places.clear();
    }
}

const _: () = assert!(MAX_VERTICES <= 11, "message lengths above are for 11 vertices");
