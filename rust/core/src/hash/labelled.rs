//! Many labellings of one structure, a lane each.
//!
//! All lanes have the same degrees, so the same message lengths; only the order of neighbours
//! differs, which a sorting network settles. After round r a vertex's hash depends on the labels
//! within distance r alone: early rounds are computed once for each labelling of that ball and
//! shared by all labellings that agree on it.

use super::{Digest, Hashes, Message, Neighbours, Spare, members, sort};
use crate::cell::{Cell, MAX_VERTICES, label_shift};
use crate::md5::{Vector, words_to_bytes};

/// Labellings hashed at a time; their state stays in the second-level cache.
const MOST: usize = 1024;

/// Hashes runs of cells of one structure.
pub(super) struct Runs<V> {
    message: Message<V>,
    spare: Spare<V>,
    /// One group of lanes: the hashes of all vertices.
    group: Spare<V>,
    next_group: Spare<V>,
    /// The rounds computed for the whole run: by vertex, groups of lanes.
    now: [Vec<Hashes<V>>; MAX_VERTICES],
    next: [Vec<Hashes<V>>; MAX_VERTICES],
    /// The state of a vertex spread out to all labellings, where it is needed so.
    spread: [Vec<Hashes<V>>; MAX_VERTICES],
    classes: ClassCache,
}

impl<V: Vector> Runs<V> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            message: Message::new(),
            spare: [Hashes::none(); MAX_VERTICES],
            group: [Hashes::none(); MAX_VERTICES],
            next_group: [Hashes::none(); MAX_VERTICES],
            now: std::array::from_fn(|_| Vec::new()),
            next: std::array::from_fn(|_| Vec::new()),
            spread: std::array::from_fn(|_| Vec::new()),
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

        // Which interior vertices' labels a vertex's hash depends on so far.
        let mut ball: [u16; MAX_VERTICES] =
            std::array::from_fn(|x| if x > 0 && x + 1 < v { 1 << x } else { 0 });
        let full = (1u16 << (v - 1)) - 2;
        for x in 0..v {
            let classes = self.classes.of_ball(ball[x], full);
            self.now[x].clear();
            for first in classes.first.chunks(V::LANES) {
                let words: [[u32; 4]; 64] = std::array::from_fn(|lane| match first.get(lane) {
                    Some(&i) => neighbours.initial(cells[i as usize], x),
                    None => [0; 4],
                });
                self.now[x].push(Hashes::new(std::array::from_fn(|w| {
                    V::from_lanes(|lane| words[lane][w])
                })));
            }
        }

        let mut round = 0;
        while round < v && ball[..v].iter().any(|&b| b != full) {
            let before = ball;
            for x in 0..v {
                for y in members(neighbours.ins[x] | neighbours.outs[x]) {
                    ball[x] |= before[y];
                }
            }
            self.spread.iter_mut().for_each(Vec::clear);
            for x in 0..v {
                self.shared_round(x, v, &neighbours, &before, ball[x], full, cells.len());
            }
            std::mem::swap(&mut self.now, &mut self.next);
            round += 1;
        }

        // From here on every labelling has its own hash of every vertex: stay with one group of
        // lanes to the end, within the first-level cache.
        debug_assert!(
            ball[..v].iter().all(|&b| b == full),
            "a full DAG of v vertices is connected"
        );
        let (message, spare) = (&mut self.message, &mut self.spare);
        let (mut now, mut next) = (&mut self.group, &mut self.next_group);
        for (g, out) in out.chunks_mut(V::LANES).enumerate() {
            for x in 0..v {
                now[x] = self.now[x][g];
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
                *digest = words_to_bytes(words.map(|word| word.lane(lane)));
            }
        }
    }

    /// Computes the next hash of vertex `x` for each class of labellings that agree on its ball.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    fn shared_round(
        &mut self,
        x: usize,
        v: usize,
        neighbours: &Neighbours,
        before: &[u16; MAX_VERTICES],
        ball: u16,
        full: u16,
        labellings: usize,
    ) {
        let (ins, outs) = (neighbours.ins[x], neighbours.outs[x]);
        let involved = ins | outs | 1 << x;
        debug_assert!(involved >> v == 0);
        if ball == full {
            // All labellings differ here: spread what the neighbours share, once for all readers.
            for y in members(involved) {
                if before[y] != full && self.spread[y].is_empty() {
                    let classes = self.classes.of_ball(before[y], full);
                    for group in classes.of[..labellings].chunks(V::LANES) {
                        let gathered =
                            gather(&self.now[y], |lane| group.get(lane).copied().unwrap_or(0));
                        self.spread[y].push(gathered);
                    }
                }
            }
        }
        self.next[x].clear();
        let first = self.classes.of_ball(ball, full).first.clone();
        for (g, group) in first.chunks(V::LANES).enumerate() {
            for y in members(involved) {
                self.group[y] = if before[y] == full {
                    self.now[y][g]
                } else if ball == full {
                    self.spread[y][g]
                } else {
                    let of = &self.classes.of_ball(before[y], full).of;
                    gather(&self.now[y], |lane| {
                        group.get(lane).map_or(0, |&i| of[i as usize])
                    })
                };
            }
            let hash = self
                .message
                .neighbourhood(&self.group, x, neighbours, &mut self.spare);
            self.next[x].push(hash);
        }
    }
}

/// Lanes picked from anywhere in a vertex's groups.
#[inline(always)]
fn gather<V: Vector>(groups: &[Hashes<V>], index: impl Fn(usize) -> u32) -> Hashes<V> {
    let mut at = [(0, 0); 64];
    for (lane, at) in at.iter_mut().enumerate().take(V::LANES) {
        let i = index(lane) as usize;
        *at = (i / V::LANES, i % V::LANES);
    }
    Hashes {
        key: V::from_lanes(|lane| groups[at[lane].0].key.lane(at[lane].1)),
        hex: std::array::from_fn(|w| {
            V::from_lanes(|lane| groups[at[lane].0].hex[w].lane(at[lane].1))
        }),
    }
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
                && list
                    .iter()
                    .zip(cells)
                    .all(|(&labels, cell)| labels == cell.labels)
        };
        if let Some(known) = self.lists.iter().position(|(list, _)| same(list)) {
            self.current = known;
            return;
        }
        if self.lists.len() == 8 {
            self.lists.remove(0);
        }
        self.lists
            .push((cells.iter().map(|cell| cell.labels).collect(), Vec::new()));
        self.current = self.lists.len() - 1;
    }

    /// The classes by the labels of `ball`; each labelling is its own where that is all (`full`).
    fn of_ball(&mut self, ball: u16, full: u16) -> &Classes {
        let (labels, known) = &mut self.lists[self.current];
        if let Some(i) = known.iter().position(|classes| classes.vertices == ball) {
            return &known[i];
        }
        let mut classes = Classes {
            vertices: ball,
            ..Classes::default()
        };
        if ball == full {
            classes.of = (0..labels.len() as u32).collect();
            classes.first = classes.of.clone();
        } else {
            let mask = members(ball).fold(0u64, |mask, x| mask | 15 << label_shift(x));
            let mut class_of = std::collections::HashMap::new();
            for (i, labels) in labels.iter().enumerate() {
                let next = class_of.len() as u32;
                let class = *class_of.entry(labels & mask).or_insert(next);
                if class == next {
                    classes.first.push(i as u32);
                }
                classes.of.push(class);
            }
        }
        known.push(classes);
        &known[known.len() - 1]
    }
}
