//! What hashes in lanes: a message at a time for the same vertex of a group of cells, or for any
//! vertices whose messages are made alike.

use nb101_lanes::{Part, Row, Vector, words_to_bytes};

use super::digest::Digest;
use super::hashes::{Hashes, sort};
use super::message::Message;
use super::neighbours::{Neighbours, members};
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::memory;

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
    pub(super) fn round(&mut self, messages: &mut Messages, now: &[Row], next: &mut [Row]) {
        messages.fill_groups(V::LANES);
        V::apart(self.token, Round { lanes: self, messages, now, next });
    }

    /// The digests of [`Vector::LANES`] cells of one structure: `hashes(x)` are the hashes of vertex
    /// `x`, and which of them each lane has. `rounds` are left.
    pub(super) fn group<'a>(
        &mut self,
        v: usize,
        neighbours: &Neighbours,
        rounds: usize,
        hashes: impl Fn(usize) -> (&'a [Row], &'a [u16]),
    ) -> impl Iterator<Item = Digest> {
        V::apart(self.token, Group { lanes: self, v, neighbours, rounds, hashes });
        digests(&self.digests)
    }

    /// The digests of [`Vector::LANES`] cells of `v` vertices. The final hashes of a cell's vertices
    /// are one after another in `rows`; `first(lane)` is the first of them.
    pub(super) fn fingerprints(
        &mut self,
        v: usize,
        rows: &[Row],
        first: impl Fn(usize) -> usize,
    ) -> impl Iterator<Item = Digest> {
        let firsts: [usize; MOST_LANES] = std::array::from_fn(first);
        V::apart(self.token, Fingerprints { lanes: self, v, rows, firsts: &firsts });
        digests(&self.digests)
    }

    /// Leaves the digests of cells, from the final hashes of their vertices in `now` or `next`.
    #[inline(always)]
    fn end(&mut self, v: usize, in_now: bool) {
        let hashes = if in_now { &mut self.now[..v] } else { &mut self.next[..v] };
        sort(hashes);
        let [a, b, c, d] = self.message.fingerprint(hashes);
        V::scatter(&[a, b, c, d, a, b, c, d], &mut self.digests, |lane| lane);
    }
}

fn digests(rows: &[Row]) -> impl Iterator<Item = Digest> {
    rows.iter().map(|&Row([a, b, c, d, ..])| words_to_bytes([a, b, c, d]))
}

// Each is compiled once, however many places it is called from.

struct Round<'a, V: Vector> {
    lanes: &'a mut Lanes<V>,
    messages: &'a Messages,
    now: &'a [Row],
    next: &'a mut [Row],
}

impl<V: Vector> Part for Round<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, messages, now, next } = self;
        for &kind in &messages.used {
            let (ins, outs) = (usize::from(kind) / KINDS, usize::from(kind) % KINDS);
            let (in_set, out_set) = ((1u16 << ins) - 1, ((1u16 << outs) - 1) << ins);
            let columns = &messages.lists[usize::from(kind)];
            let own = ins + outs;
            for start in (0..columns[0].len()).step_by(V::LANES) {
                for (hash, column) in lanes.now.iter_mut().zip(&columns[..=own]) {
                    let rows = &column[start..start + V::LANES];
                    *hash = Hashes(V::gather(lanes.token, now, |lane| rows[lane] as usize));
                }
                let hash = &mut lanes.next[0];
                lanes.message.neighbourhood(&lanes.now, (in_set, out_set, own), hash);
                let rows = &columns[own + 1][start..start + V::LANES];
                V::scatter(&hash.0, next, |lane| rows[lane] as usize);
            }
        }
    }
}

struct Group<'a, V: Vector, F> {
    lanes: &'a mut Lanes<V>,
    v: usize,
    neighbours: &'a Neighbours,
    rounds: usize,
    hashes: F,
}

impl<'r, V: Vector, F: Fn(usize) -> (&'r [Row], &'r [u16])> Part for Group<'_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, v, neighbours, rounds, hashes } = self;
        for (x, hash) in lanes.now.iter_mut().enumerate().take(v) {
            let (rows, which) = hashes(x);
            let which = &which[..V::LANES];
            *hash = Hashes(V::gather(lanes.token, rows, |lane| usize::from(which[lane])));
        }
        let (mut now, mut next) = (&mut lanes.now, &mut lanes.next);
        for _ in 0..rounds {
            for (x, hash) in next.iter_mut().enumerate().take(v) {
                lanes.message.neighbourhood(now, (neighbours.ins[x], neighbours.outs[x], x), hash);
            }
            std::mem::swap(&mut now, &mut next);
        }
        lanes.end(v, rounds % 2 == 0);
    }
}

struct Fingerprints<'a, V: Vector> {
    lanes: &'a mut Lanes<V>,
    v: usize,
    rows: &'a [Row],
    firsts: &'a [usize; MOST_LANES],
}

impl<V: Vector> Part for Fingerprints<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, v, rows, firsts } = self;
        for (x, hash) in lanes.now.iter_mut().enumerate().take(v) {
            *hash = Hashes(V::gather(lanes.token, rows, |lane| firsts[lane] + x));
        }
        lanes.end(v, true);
    }
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

    /// The messages of vertex `x` of `cells` cells of one structure: `rows(y)` are where the hashes of
    /// `y` are, for each cell, and `to` where the next ones of `x` go.
    #[inline(always)]
    pub(super) fn push<R: Iterator<Item = u32>>(
        &mut self,
        neighbours: &Neighbours,
        x: usize,
        cells: usize,
        rows: impl Fn(usize) -> R,
        to: impl Iterator<Item = u32>,
    ) -> Result<()> {
        let (ins, outs) = (neighbours.ins[x], neighbours.outs[x]);
        let kind = ins.count_ones() as usize * KINDS + outs.count_ones() as usize;
        let columns = &mut self.lists[kind];
        if columns[0].is_empty() {
            self.used.push(kind as u8);
        }
        let all = members(ins).chain(members(outs)).chain([x]);
        let mut columns = columns.iter_mut();
        for (y, column) in all.zip(&mut columns) {
            memory::reserve(column, cells + MOST_LANES)?;
            column.extend(rows(y));
        }
        if let Some(column) = columns.next() {
            memory::reserve(column, cells + MOST_LANES)?;
            column.extend(to);
        }
        Ok(())
    }

    /// Repeats the last message of each kind until groups of `lanes` are full. There is room for it.
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
