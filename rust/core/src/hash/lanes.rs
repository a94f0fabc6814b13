//! What hashes in lanes: a message at a time for the same vertex of a group of cells, or for any
//! vertices whose messages are made alike.

use nb101_lanes::{Row, Vector, words_to_bytes};

use super::digest::Digest;
use super::hashes::{Hashes, sort};
use super::message::Message;
use super::neighbours::{Neighbours, members};
use crate::limits::MAX_VERTICES;

/// Room for a message in lanes, and for the hashes that it is made from.
pub(super) struct Lanes<V: Vector> {
    token: V::Token,
    message: Message<V>,
    now: [Hashes<V>; MAX_VERTICES],
    next: [Hashes<V>; MAX_VERTICES],
    digests: [Row; 48],
}

impl<V: Vector> Lanes<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token) -> Self {
        const { assert!(V::LANES <= 48) };
        let none = [Hashes::none(token); MAX_VERTICES];
        let digests = [Row([0; 8]); 48];
        Self { token, message: Message::new(token), now: none, next: none, digests }
    }

    /// One round of messages of any vertices: the hashes in `now` that each is made from, and where
    /// in `next` its hash goes, are listed.
    #[inline(always)]
    pub(super) fn round(&mut self, messages: &Messages, now: &[Row], next: &mut [Row]) {
        for &kind in &messages.used {
            let list = &messages.lists[usize::from(kind)];
            let (ins, outs) = (usize::from(kind) / KINDS, usize::from(kind) % KINDS);
            let (hashes, width) = (ins + outs + 1, ins + outs + 2);
            let (in_set, out_set) = ((1u16 << ins) - 1, ((1u16 << outs) - 1) << ins);
            let count = list.len() / width;
            for start in (0..count).step_by(V::LANES) {
                let item = |lane: usize| (start + lane).min(count - 1) * width;
                for i in 0..hashes {
                    let row = |lane: usize| list[item(lane) + i] as usize;
                    self.now[i] = Hashes(V::gather(self.token, now, row));
                }
                let hash = &mut self.next[0];
                self.message.neighbourhood(&self.now, (in_set, out_set, hashes - 1), hash);
                V::scatter(&hash.0, next, |lane| list[item(lane) + hashes] as usize);
            }
        }
    }

    /// The digests of up to [`Vector::LANES`] cells of `v` vertices: `hash(lane, x)` is where in `rows`
    /// the final hash of vertex `x` is.
    #[inline(always)]
    pub(super) fn fingerprints(
        &mut self,
        v: usize,
        rows: &[Row],
        hash: impl Fn(usize, usize) -> usize,
    ) -> impl Iterator<Item = Digest> {
        for x in 0..v {
            self.now[x] = Hashes(V::gather(self.token, rows, |lane| hash(lane, x)));
        }
        self.end(v)
    }

    /// The digests of up to [`Vector::LANES`] cells of one structure: `hash(lane, x)` is where in
    /// `rows` the hash of vertex `x` is, of which `rounds` are left.
    #[inline(always)]
    pub(super) fn group(
        &mut self,
        v: usize,
        neighbours: &Neighbours,
        rounds: usize,
        rows: &[Row],
        hash: impl Fn(usize, usize) -> usize,
    ) -> impl Iterator<Item = Digest> {
        for x in 0..v {
            self.now[x] = Hashes(V::gather(self.token, rows, |lane| hash(lane, x)));
        }
        let (mut now, mut next) = (&mut self.now, &mut self.next);
        for _ in 0..rounds {
            for (x, hash) in next.iter_mut().enumerate().take(v) {
                self.message.neighbourhood(now, (neighbours.ins[x], neighbours.outs[x], x), hash);
            }
            std::mem::swap(&mut now, &mut next);
        }
        if rounds % 2 == 1 {
            self.now = *now;
        }
        self.end(v)
    }

    /// The digests of cells whose final hashes are in `now`.
    #[inline(always)]
    fn end(&mut self, v: usize) -> impl Iterator<Item = Digest> {
        sort(&mut self.now[..v]);
        let [a, b, c, d] = self.message.fingerprint(&self.now[..v]);
        V::scatter(&[a, b, c, d, a, b, c, d], &mut self.digests, |lane| lane);
        self.digests.iter().map(|&Row([a, b, c, d, ..])| words_to_bytes([a, b, c, d]))
    }
}

/// Numbers of in- or out-neighbours of a vertex: 0 to 10.
const KINDS: usize = MAX_VERTICES;

/// The messages of one round, listed by their kind: how many in- and how many out-neighbours there
/// are. All of a kind are of one length, and are sorted alike.
pub(super) struct Messages {
    /// For each kind: the rows of the in-neighbours' hashes, of the out-neighbours', of the vertex's
    /// own, and where the next one goes.
    lists: Vec<Vec<u32>>,
    used: Vec<u8>,
    count: usize,
}

impl Messages {
    pub(super) fn new() -> Self {
        Self { lists: vec![Vec::new(); KINDS * KINDS], used: Vec::new(), count: 0 }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        for kind in self.used.drain(..) {
            self.lists[usize::from(kind)].clear();
        }
    }

    /// The message of vertex `x`; `row(y)` is where the hash of `y` is.
    #[inline(always)]
    pub(super) fn push(
        &mut self,
        neighbours: &Neighbours,
        x: usize,
        row: impl Fn(usize) -> u32,
        to: u32,
    ) {
        let (ins, outs) = (neighbours.ins[x], neighbours.outs[x]);
        let kind = ins.count_ones() as usize * KINDS + outs.count_ones() as usize;
        let list = &mut self.lists[kind];
        if list.is_empty() {
            self.used.push(kind as u8);
        }
        list.extend(members(ins).map(&row));
        list.extend(members(outs).map(&row));
        list.extend([row(x), to]);
        self.count += 1;
    }
}
