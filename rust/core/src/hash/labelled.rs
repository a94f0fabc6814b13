//! Many labellings of one structure, a lane each.
//!
//! All lanes have the same degrees, so the same message lengths; only the order of neighbours
//! differs, which a sorting network settles. After round r a vertex's hash depends on the labels
//! within distance r alone: early rounds are computed once for each labelling of that ball and
//! shared by all labellings that agree on it.

use nb101_lanes::{Vector, words_to_bytes};

use super::digest::{Digest, hex_bytes};
use super::hashes::{Hashes, Spare, sort};
use super::message::Message;
use super::neighbours::{Neighbours, members};
use crate::cell::{Cell, label_shift};
use crate::limits::MAX_VERTICES;

/// Labellings hashed at a time; their state stays in the second-level cache (460 kB for 7 vertices).
const MOST: usize = 1024;

/// Hashes runs of cells of one structure.
pub(super) struct Runs<V: Vector> {
    token: V::Token,
    message: Message<V>,
    spare: Spare<V>,
    /// One group of lanes: the hashes of all vertices.
    group: Spare<V>,
    next_group: Spare<V>,
    now: [State<V>; MAX_VERTICES],
    next: [State<V>; MAX_VERTICES],
    classes: ClassCache,
}

/// The hashes of one vertex for all labellings at hand.
struct State<V> {
    /// Where labellings share hashes: one row for each class.
    rows: Vec<[u32; 8]>,
    /// Where each has its own: groups of lanes.
    groups: Vec<Hashes<V>>,
}

impl<V: Vector> State<V> {
    #[inline(always)]
    fn new() -> Self {
        Self { rows: Vec::new(), groups: Vec::new() }
    }

    /// The hashes of the labellings `g * V::LANES` and on; `class` is that of a labelling.
    #[inline(always)]
    fn group(
        &self,
        token: V::Token,
        shared: bool,
        g: usize,
        class: impl FnMut(usize) -> usize,
    ) -> Hashes<V> {
        if shared { Hashes(V::transpose(token, &self.rows, class)) } else { self.groups[g] }
    }
}

impl<V: Vector> Runs<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token) -> Self {
        let none = [Hashes::none(token); MAX_VERTICES];
        Self {
            token,
            message: Message::new(token),
            spare: none,
            group: none,
            next_group: none,
            now: std::array::from_fn(|_| State::new()),
            next: std::array::from_fn(|_| State::new()),
            classes: ClassCache::default(),
        }
    }

    /// Hashes `cells`, all of one structure.
    #[inline(always)]
    pub(super) fn hash(&mut self, cells: &[Cell], out: &mut [Digest]) {
        for (cells, out) in cells.chunks(MOST).zip(out.chunks_mut(MOST)) {
            self.hash_some(cells, out);
        }
    }

    #[inline(always)]
    fn hash_some(&mut self, cells: &[Cell], out: &mut [Digest]) {
        let v = cells[0].vertices();
        let neighbours = Neighbours::new(v, cells[0].edges);
        self.classes.start(cells);

        // The interior vertices whose labels the hash of each vertex depends on so far.
        let full = (1u16 << (v - 1)) - 2;
        let mut ball = [0u16; MAX_VERTICES];
        for x in 0..v {
            ball[x] = 1 << x & full;
            self.start(x, cells, &neighbours, ball[x], ball[x] == full);
        }
        let mut round = 0;
        while ball[..v].iter().any(|&b| b != full) {
            let before = ball;
            for x in 0..v {
                for y in members(neighbours.ins[x] | neighbours.outs[x]) {
                    ball[x] |= before[y];
                }
                self.shared_round(x, &neighbours, &before, ball[x], full);
            }
            std::mem::swap(&mut self.now, &mut self.next);
            round += 1;
        }

        // From here on every labelling has its own hash of every vertex: stay with one group of
        // lanes to the end, within the first-level cache.
        let (message, spare) = (&mut self.message, &mut self.spare);
        let (mut now, mut next) = (&mut self.group, &mut self.next_group);
        for (g, out) in out.chunks_mut(V::LANES).enumerate() {
            for x in 0..v {
                now[x] = self.now[x].groups[g];
            }
            for _ in round..v {
                for x in 0..v {
                    next[x] = message.neighbourhood(now, x, &neighbours, spare);
                }
                std::mem::swap(&mut now, &mut next);
            }
            sort(&mut now[..v]);
            let words = message.fingerprint(&now[..v]);
            for (lane, digest) in out.iter_mut().enumerate() {
                *digest = words_to_bytes([
                    words[0].lane(lane),
                    words[1].lane(lane),
                    words[2].lane(lane),
                    words[3].lane(lane),
                ]);
            }
        }
    }

    /// The initial hashes of vertex `x`: one for each label that it has.
    #[inline(always)]
    fn start(&mut self, x: usize, cells: &[Cell], neighbours: &Neighbours, ball: u16, full: bool) {
        let classes = self.classes.find(ball, full);
        let state = &mut self.now[x];
        state.rows.clear();
        for &first in &self.classes.get(classes).first {
            let digest = words_to_bytes(neighbours.initial(cells[first as usize], x));
            state.rows.push(row(&hex_bytes(&digest)));
        }
        state.groups.clear();
        if full {
            let last = state.rows.len() - 1;
            for g in 0..state.rows.len().div_ceil(V::LANES) {
                let group =
                    V::transpose(self.token, &state.rows, |lane| (g * V::LANES + lane).min(last));
                state.groups.push(Hashes(group));
            }
        }
    }

    /// Computes the next hash of vertex `x` for each class of labellings that agree on its ball.
    #[inline(always)]
    fn shared_round(
        &mut self,
        x: usize,
        neighbours: &Neighbours,
        before: &[u16; MAX_VERTICES],
        ball: u16,
        full: u16,
    ) {
        let involved = neighbours.ins[x] | neighbours.outs[x] | 1 << x;
        let mine = self.classes.find(ball, ball == full);
        let mut theirs = [0; MAX_VERTICES];
        for y in members(involved) {
            theirs[y] = self.classes.find(before[y], before[y] == full);
        }
        let next = &mut self.next[x];
        next.rows.clear();
        next.groups.clear();
        let first = &self.classes.get(mine).first;
        for g in 0..first.len().div_ceil(V::LANES) {
            let start = g * V::LANES;
            let last = first.len() - 1;
            for y in members(involved) {
                let of = &self.classes.get(theirs[y]).of;
                let class = |lane: usize| of[first[(start + lane).min(last)] as usize] as usize;
                self.group[y] = self.now[y].group(self.token, before[y] != full, g, class);
            }
            let hash = self.message.neighbourhood(&self.group, x, neighbours, &mut self.spare);
            if ball == full {
                next.groups.push(hash);
            } else {
                for lane in 0..V::LANES.min(first.len() - start) {
                    let mut row = [0; 8];
                    for (to, word) in row.iter_mut().zip(&hash.0) {
                        *to = word.lane(lane);
                    }
                    next.rows.push(row);
                }
            }
        }
    }
}

/// A hash as words.
#[inline(always)]
fn row(hex: &[u8; 32]) -> [u32; 8] {
    let mut row = [0; 8];
    for (to, bytes) in row.iter_mut().zip(hex.as_chunks().0) {
        *to = u32::from_le_bytes(*bytes);
    }
    row
}

/// Labellings grouped by what they say about some vertices.
#[derive(Default)]
struct Classes {
    vertices: u16,
    /// The class of each labelling.
    of: Vec<u32>,
    /// The first labelling of each class.
    first: Vec<u32>,
}

/// The classes of the labellings at hand, kept from run to run: most structures have no symmetry
/// and so the same labellings, all of them.
#[derive(Default)]
struct ClassCache {
    lists: Vec<(Vec<u64>, Vec<Classes>)>,
    current: usize,
}

impl ClassCache {
    fn start(&mut self, cells: &[Cell]) {
        let same = |list: &[u64]| {
            list.len() == cells.len()
                && list.iter().zip(cells).all(|(&labels, cell)| labels == cell.labels)
        };
        if let Some(known) = self.lists.iter().position(|(list, _)| same(list)) {
            self.current = known;
            return;
        }
        if self.lists.len() == 8 {
            self.lists.remove(0);
        }
        self.lists.push((cells.iter().map(|cell| cell.labels).collect(), Vec::new()));
        self.current = self.lists.len() - 1;
    }

    /// The classes by the labels of `ball`; each labelling is its own where that is all of them.
    fn find(&mut self, ball: u16, all: bool) -> usize {
        let (labels, known) = &mut self.lists[self.current];
        let vertices = if all { u16::MAX } else { ball };
        if let Some(found) = known.iter().position(|classes| classes.vertices == vertices) {
            return found;
        }
        let mut classes = Classes { vertices, ..Classes::default() };
        let mask = members(ball).fold(0u64, |mask, x| mask | 15 << label_shift(x));
        let mut class_of = std::collections::HashMap::new();
        for (i, labels) in labels.iter().enumerate() {
            let next = classes.first.len() as u32;
            let class = if all { next } else { *class_of.entry(labels & mask).or_insert(next) };
            if class == next {
                classes.first.push(i as u32);
            }
            classes.of.push(class);
        }
        known.push(classes);
        known.len() - 1
    }

    #[inline(always)]
    fn get(&self, found: usize) -> &Classes {
        &self.lists[self.current].1[found]
    }
}
