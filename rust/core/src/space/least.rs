//! Which labels are the least of their orbit, and the rank of one among these, by counting.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;

use super::group::Group;
use crate::cell::label_shift;
use crate::limits::MAX_VERTICES;

/// What makes labels the least of their orbit: in each twin class they ascend, and no relabelling
/// that keeps twins in order (one of the group's cosets) makes them less. Given a start that breaks
/// none of this, there always is a way to go on: the highest op everywhere.
#[derive(Debug)]
pub(super) struct Rules {
    n: usize,
    k: usize,
    /// The twin before each position and the one after it, or [`NONE`].
    before: [u8; MAX_VERTICES],
    after: [u8; MAX_VERTICES],
    /// Position `i` takes the label of position `from[i]`.
    cosets: Vec<[u8; MAX_VERTICES]>,
    /// What has been counted. Nobody waits for it: who comes while it is in use counts anew.
    counted: Mutex<Memo>,
}

const NONE: u8 = u8::MAX;

/// Labels by position, some of them not chosen yet.
type Chosen = [u8; MAX_VERTICES];

/// What is left to count, as a number (see [`Rules::key`]), and in how many ways it can be.
type Memo = HashMap<u128, u64, BuildHasherDefault<Mix>>;
/// Counts that are kept; a few groups need more for one rank.
const MOST_COUNTED: usize = 1 << 14;

/// Mixes the bits of a key.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u128(byte.into()));
    }

    fn write_u128(&mut self, key: u128) {
        let mixed = (self.0 ^ key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let product = u128::from(mixed ^ (key >> 64) as u64) * 0xd6e8_feb8_6659_fd93;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The relabellings that still may make labels less, a bit each.
type Undecided = u64;

impl Rules {
    pub(super) fn new(group: &Group, k: u64) -> Self {
        let n = group.interior();
        let (mut before, mut after) = ([NONE; MAX_VERTICES], [NONE; MAX_VERTICES]);
        for &class in group.twins() {
            let mut last = None;
            for i in (0..n).filter(|i| class >> i & 1 == 1) {
                if let Some(last) = last.replace(i) {
                    (before[i], after[last]) = (last as u8, i as u8);
                }
            }
        }
        let cosets: Vec<_> = (group.cosets()[1..].iter())
            .map(|coset| std::array::from_fn(|i| coset.get(i).copied().unwrap_or(i as u8)))
            .collect();
        // The most are 23: of four chains of two vertices.
        assert!(cosets.len() <= Undecided::BITS as usize, "a word has a bit for each coset");
        Self { n, k: k as usize, before, after, cosets, counted: Mutex::default() }
    }

    /// Whether the labels up to position `last`, right so far, stay so with the one at `last`.
    #[inline]
    fn allows(&self, chosen: &Chosen, last: usize) -> bool {
        let before = usize::from(self.before[last]);
        if before < self.n && chosen[before] > chosen[last] {
            return false;
        }
        self.cosets.iter().all(|from| {
            for i in 0..=last {
                let other = usize::from(from[i]);
                if other > last || chosen[i] < chosen[other] {
                    return true;
                }
                if chosen[i] > chosen[other] {
                    return false;
                }
            }
            true
        })
    }

    pub(super) fn successor(&self, labels: Option<u64>) -> Option<u64> {
        let Some(labels) = labels else { return Some(0) };
        let mut chosen = spread(labels, self.n);
        for i in (0..self.n).rev() {
            while usize::from(chosen[i]) + 1 < self.k {
                chosen[i] += 1;
                if self.allows(&chosen, i) {
                    for j in i + 1..self.n {
                        let before = usize::from(self.before[j]);
                        chosen[j] = if before < self.n { chosen[before] } else { 0 };
                        while !self.allows(&chosen, j) {
                            chosen[j] += 1;
                        }
                    }
                    return Some(gathered(&chosen, self.n));
                }
            }
        }
        None
    }

    /// Gives `work` the counts that are known, to add to.
    fn with_counts(&self, work: impl FnOnce(&mut Memo) -> u64) -> u64 {
        match self.counted.try_lock() {
            Ok(mut counted) => {
                let found = work(&mut counted);
                if counted.len() > MOST_COUNTED {
                    *counted = Memo::default();
                }
                found
            }
            Err(_) => work(&mut Memo::default()),
        }
    }

    pub(super) fn rank(&self, least: u64) -> u64 {
        self.with_counts(|memo| self.rank_by(least, memo))
    }

    pub(super) fn labels(&self, rank: u64) -> u64 {
        self.with_counts(|memo| self.labels_by(rank, memo))
    }

    fn rank_by(&self, least: u64, memo: &mut Memo) -> u64 {
        let end = spread(least, self.n);
        let mut chosen = [NONE; MAX_VERTICES];
        let mut below = 0;
        for i in 0..self.n {
            for op in 0..end[i] {
                chosen[i] = op;
                below += self.count(&mut chosen, self.all(), memo);
            }
            chosen[i] = end[i];
        }
        below
    }

    fn labels_by(&self, mut rank: u64, memo: &mut Memo) -> u64 {
        let mut chosen = [NONE; MAX_VERTICES];
        for i in 0..self.n {
            for op in 0..self.k as u8 {
                chosen[i] = op;
                // The last op needs no counting.
                if usize::from(op) + 1 == self.k {
                    break;
                }
                let count = self.count(&mut chosen, self.all(), memo);
                if rank < count {
                    break;
                }
                rank -= count;
            }
        }
        gathered(&chosen, self.n)
    }

    fn all(&self) -> Undecided {
        Undecided::MAX.checked_shr(Undecided::BITS - self.cosets.len() as u32).unwrap_or(0)
    }

    /// In how many ways the labels that are not chosen can be, for all to be least.
    ///
    /// Labels are chosen until every coset has been decided; the rest is then free but for twins.
    fn count(&self, chosen: &mut Chosen, mut undecided: Undecided, memo: &mut Memo) -> u64 {
        for i in 0..self.n {
            let before = usize::from(self.before[i]);
            let both = before < self.n && chosen[i] != NONE && chosen[before] != NONE;
            if both && chosen[before] > chosen[i] {
                return 0;
            }
        }
        // The first pair that is not chosen whole, of the first coset that waits for it.
        let mut next = None;
        let mut rest = undecided;
        'cosets: while rest != 0 {
            let c = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            for i in 0..self.n {
                let other = usize::from(self.cosets[c][i]);
                if other == i {
                    continue;
                }
                if chosen[i] == NONE || chosen[other] == NONE {
                    next = next.or(Some(if chosen[i] == NONE { i } else { other }));
                    continue 'cosets;
                }
                if chosen[i] > chosen[other] {
                    return 0;
                }
                if chosen[i] < chosen[other] {
                    break;
                }
            }
            undecided &= !(1 << c);
        }
        let Some(next) = next else { return self.count_twins(chosen) };
        let key = self.key(chosen, undecided);
        if let Some(&known) = memo.get(&key) {
            return known;
        }
        let (low, high) = self.range(chosen, next);
        let mut total = 0;
        for op in low..=high {
            chosen[next] = op;
            total += self.count(chosen, undecided, memo);
        }
        chosen[next] = NONE;
        memo.insert(key, total);
        total
    }

    /// The lowest and the highest label of a position that its twins leave.
    fn range(&self, chosen: &Chosen, position: usize) -> (u8, u8) {
        let nearest = |links: &[u8; MAX_VERTICES]| {
            let mut at = links[position];
            while at != NONE && chosen[usize::from(at)] == NONE {
                at = links[usize::from(at)];
            }
            (at != NONE).then(|| chosen[usize::from(at)])
        };
        (nearest(&self.before).unwrap_or(0), nearest(&self.after).unwrap_or(self.k as u8 - 1))
    }

    /// In how many ways labels can be chosen that only twins restrict.
    fn count_twins(&self, chosen: &Chosen) -> u64 {
        let mut ways = 1;
        for start in (0..self.n).filter(|&i| chosen[i] == NONE) {
            // A run of twins that are not chosen is counted where it starts.
            let before = usize::from(self.before[start]);
            if before < self.n && chosen[before] == NONE {
                continue;
            }
            let (low, high) = self.range(chosen, start);
            let (mut length, mut at) = (1, self.after[start]);
            while at != NONE && chosen[usize::from(at)] == NONE {
                (length, at) = (length + 1, self.after[usize::from(at)]);
            }
            ways *= choose(usize::from(high - low) + length, length);
        }
        ways
    }

    /// All that [`count`](Self::count) depends on: which labels are chosen, which cosets undecided,
    /// and the labels that either still ask for.
    fn key(&self, chosen: &Chosen, undecided: Undecided) -> u128 {
        let is_open = |i: u8| i != NONE && chosen[usize::from(i)] == NONE;
        let mut asked = 0u16;
        for i in (0..self.n).filter(|&i| chosen[i] != NONE) {
            asked |= u16::from(is_open(self.before[i]) || is_open(self.after[i])) << i;
        }
        let mut rest = undecided;
        while rest != 0 {
            let from = &self.cosets[rest.trailing_zeros() as usize];
            rest &= rest - 1;
            for i in 0..self.n {
                let other = usize::from(from[i]);
                match (chosen[i] == NONE, chosen[other] == NONE) {
                    // Up to the first open pair all are equal, and are not asked for again.
                    (false, true) => asked |= 1 << i,
                    (true, false) => asked |= 1 << other,
                    (false, false) if other != i && chosen[i] != chosen[other] => {
                        asked |= 1 << i | 1 << other;
                    }
                    _ => {}
                }
            }
        }
        let (mut words, mut open) = (0u128, 0u128);
        for i in 0..self.n {
            let label = if asked >> i & 1 == 1 { chosen[i] & 15 } else { 15 };
            words = words << 4 | u128::from(label);
            open = open << 1 | u128::from(chosen[i] == NONE);
        }
        (open << 36 | words) << Undecided::BITS | u128::from(undecided)
    }
}

/// A nibble a position to a byte a position.
fn spread(labels: u64, n: usize) -> Chosen {
    std::array::from_fn(|i| if i < n { (labels >> label_shift(i + 1) & 15) as u8 } else { NONE })
}

fn gathered(chosen: &Chosen, n: usize) -> u64 {
    (0..n).fold(0, |labels, i| labels | u64::from(chosen[i]) << label_shift(i + 1))
}

fn choose(n: usize, r: usize) -> u64 {
    if r > n { 0 } else { (0..r).fold(1, |c, i| c * (n - i) as u64 / (i + 1) as u64) }
}
