//! What hashes in lanes: a message at a time for the same vertex of a group of cells, or for any
//! vertices whose messages are made alike.

use nb101_lanes::{Row, Vector, words_to_bytes};

use super::digest::Digest;
use super::hashes::{Hashes, sort};
use super::message::Message;
use super::neighbours::{Neighbours, members};
use crate::limits::MAX_VERTICES;

/// The most lanes that there are: of AVX-512, 16 in each of two vectors.
pub(super) const MOST_LANES: usize = 32;

/// Room for a message in lanes, and for the hashes that it is made from.
pub(super) struct Lanes<V: Vector> {
    token: V::Token,
    message: Message<V>,
    now: [Hashes<V>; MAX_VERTICES],
    next: [Hashes<V>; MAX_VERTICES],
    digests: [Row; MOST_LANES],
}

impl<V: Vector> Lanes<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token) -> Self {
        const { assert!(V::LANES <= MOST_LANES) };
        let none = [Hashes::none(token); MAX_VERTICES];
        let digests = [Row([0; 8]); MOST_LANES];
        Self { token, message: Message::new(token), now: none, next: none, digests }
    }

    /// One round of messages of any vertices: the hashes in `now` that each is made from, and where
    /// in `next` its hash goes, are listed.
    #[inline(always)]
    pub(super) fn round(&mut self, messages: &mut Messages, now: &[Row], next: &mut [Row]) {
        messages.fill_groups(V::LANES);
        for &kind in &messages.used {
            let (ins, outs) = (usize::from(kind) / KINDS, usize::from(kind) % KINDS);
            let (in_set, out_set) = ((1u16 << ins) - 1, ((1u16 << outs) - 1) << ins);
            let columns = &messages.lists[usize::from(kind)];
            let own = ins + outs;
            for start in (0..columns[0].len()).step_by(V::LANES) {
                for (hash, column) in self.now.iter_mut().zip(&columns[..=own]) {
                    let rows = &column[start..start + V::LANES];
                    *hash = Hashes(V::gather(self.token, now, |lane| rows[lane] as usize));
                }
                let hash = &mut self.next[0];
                self.message.neighbourhood(&self.now, (in_set, out_set, own), hash);
                let rows = &columns[own + 1][start..start + V::LANES];
                V::scatter(&hash.0, next, |lane| rows[lane] as usize);
            }
        }
    }

    /// The digests of [`Vector::LANES`] cells of `v` vertices. The final hashes of a cell's vertices
    /// are one after another in `rows`; `first(lane)` is the first of them.
    #[inline(always)]
    pub(super) fn fingerprints(
        &mut self,
        v: usize,
        rows: &[Row],
        first: impl Fn(usize) -> usize,
    ) -> impl Iterator<Item = Digest> {
        let firsts: [usize; MOST_LANES] = std::array::from_fn(first);
        for (x, hash) in self.now.iter_mut().enumerate().take(v) {
            *hash = Hashes(V::gather(self.token, rows, |lane| firsts[lane] + x));
        }
        end(&mut self.message, &mut self.now[..v], &mut self.digests)
    }

    /// The digests of [`Vector::LANES`] cells of one structure: `hashes(x)` are the hashes of vertex
    /// `x`, and which of them each lane has. `rounds` are left.
    #[inline(always)]
    pub(super) fn group<'a>(
        &mut self,
        v: usize,
        neighbours: &Neighbours,
        rounds: usize,
        hashes: impl Fn(usize) -> (&'a [Row], &'a [u16]),
    ) -> impl Iterator<Item = Digest> {
        for (x, hash) in self.now.iter_mut().enumerate().take(v) {
            let (rows, which) = hashes(x);
            let which = &which[..V::LANES];
            *hash = Hashes(V::gather(self.token, rows, |lane| usize::from(which[lane])));
        }
        let (mut now, mut next) = (&mut self.now, &mut self.next);
        for _ in 0..rounds {
            for (x, hash) in next.iter_mut().enumerate().take(v) {
                self.message.neighbourhood(now, (neighbours.ins[x], neighbours.outs[x], x), hash);
            }
            std::mem::swap(&mut now, &mut next);
        }
        end(&mut self.message, &mut now[..v], &mut self.digests)
    }
}

/// The digests of cells from the final hashes of their vertices.
#[inline(always)]
fn end<V: Vector>(
    message: &mut Message<V>,
    hashes: &mut [Hashes<V>],
    digests: &mut [Row; MOST_LANES],
) -> impl Iterator<Item = Digest> {
    sort(hashes);
    let [a, b, c, d] = message.fingerprint(hashes);
    V::scatter(&[a, b, c, d, a, b, c, d], digests, |lane| lane);
    digests.iter().map(|&Row([a, b, c, d, ..])| words_to_bytes([a, b, c, d]))
}

/// Numbers of in- or out-neighbours of a vertex: 0 to 10.
const KINDS: usize = MAX_VERTICES;

/// The messages of one round, listed by their kind: how many in- and how many out-neighbours there
/// are. All of a kind are of one length, and are sorted alike.
pub(super) struct Messages {
    /// For each kind a column for each in-neighbour, for each out-neighbour and for the vertex
    /// itself, of the rows of their hashes, and one of where the next hash goes.
    lists: Vec<[Vec<u32>; MAX_VERTICES + 1]>,
    used: Vec<u8>,
}

impl Messages {
    pub(super) fn new() -> Self {
        Self { lists: vec![Default::default(); KINDS * KINDS], used: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        for kind in self.used.drain(..) {
            self.lists[usize::from(kind)].iter_mut().for_each(Vec::clear);
        }
    }

    /// The messages of vertex `x` of some cells of one structure: `rows(y)` are where the hashes of
    /// `y` are, for each cell, and `to` where the next ones of `x` go.
    #[inline(always)]
    pub(super) fn push<R: Iterator<Item = u32>>(
        &mut self,
        neighbours: &Neighbours,
        x: usize,
        rows: impl Fn(usize) -> R,
        to: impl Iterator<Item = u32>,
    ) {
        let (ins, outs) = (neighbours.ins[x], neighbours.outs[x]);
        let kind = ins.count_ones() as usize * KINDS + outs.count_ones() as usize;
        let columns = &mut self.lists[kind];
        if columns[0].is_empty() {
            self.used.push(kind as u8);
        }
        let all = members(ins).chain(members(outs)).chain([x]);
        let mut columns = columns.iter_mut();
        for (y, column) in all.zip(&mut columns) {
            column.extend(rows(y));
        }
        if let Some(column) = columns.next() {
            column.extend(to);
        }
    }

    /// Repeats the last message of each kind until groups of `lanes` are full.
    #[inline(always)]
    fn fill_groups(&mut self, lanes: usize) {
        for &kind in &self.used {
            for column in &mut self.lists[usize::from(kind)] {
                if let Some(&last) = column.last() {
                    column.resize(column.len().next_multiple_of(lanes), last);
                }
            }
        }
    }
}
