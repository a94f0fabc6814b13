//! Labellings of one structure up to its automorphisms: how many there are, the rank of one among
//! the least of each orbit, and the labels of a rank.
//!
//! Structures with equal groups share one [`Orbits`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;

use crate::canon::Group;
use crate::cell::{MAX_VERTICES, label_shift};

/// Labellings up to this number are ranked by a table with an entry for each.
const DENSE_LIMIT: u64 = 1 << 12;
/// Orbits up to this number are listed and searched; beyond, they are counted. A list is made in
/// some 20 ms.
const LISTED_LIMIT: u64 = 1 << 16;

/// The orbits of labellings with `k` ops under a group, ranked by their least member.
#[derive(Debug)]
pub struct Orbits {
    group: Group,
    k: u64,
    len: u64,
    ranks: Ranks,
    rules: Rules,
}

#[derive(Debug)]
enum Ranks {
    /// No symmetry: the rank is the labels read as a number in base `k`.
    Free,
    /// `least[rank]`, ascending; and `dense[number]` where there are few labellings.
    Listed { least: Vec<u64>, dense: Vec<u16> },
    /// The least members with a given start are counted.
    Counted,
}

impl Orbits {
    /// Prepares the orbits of labellings with `k` ops; `None` where they outnumber 2^63.
    pub fn new(group: Group, k: usize) -> Option<Self> {
        let n = group.interior();
        let count = group.count_orbits(k as u128);
        let len = i64::try_from(count).ok()? as u64;
        let k = k as u64;
        let total = k.checked_pow(n as u32);
        let rules = Rules::new(&group, k);
        let ranks = if group.is_trivial() && total.is_none_or(|total| total > DENSE_LIMIT) {
            Ranks::Free
        } else if len <= LISTED_LIMIT {
            list(&group, &rules, len as usize, total.filter(|&total| total <= DENSE_LIMIT))
        } else {
            Ranks::Counted
        };
        Some(Self { group, k, len, ranks, rules })
    }

    /// Number of orbits.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no orbit; never so, since there is at least one op.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The least members of all orbits, ascending, where they are kept as a list.
    pub fn listed(&self) -> Option<&[u64]> {
        match &self.ranks {
            Ranks::Listed { least, .. } => Some(least),
            _ => None,
        }
    }

    /// The first least member after the least member `labels`, or the very first for `None`.
    pub fn successor(&self, labels: Option<u64>) -> Option<u64> {
        self.rules.successor(labels)
    }

    /// The rank of the orbit of `labels`.
    #[inline]
    pub fn rank(&self, labels: u64) -> u64 {
        match &self.ranks {
            Ranks::Free => number(labels, self.group.interior(), self.k),
            Ranks::Listed { dense, .. } if !dense.is_empty() => {
                u64::from(dense[number(labels, self.group.interior(), self.k) as usize])
            }
            Ranks::Listed { least, .. } => {
                let labels = self.group.least(labels);
                least.partition_point(|&other| other < labels) as u64
            }
            Ranks::Counted => self.rules.rank(self.group.least(labels)),
        }
    }

    /// The least member of the orbit of rank `rank`, which must be below [`len`](Self::len).
    #[inline]
    pub fn labels(&self, rank: u64) -> u64 {
        match &self.ranks {
            Ranks::Free => from_number(rank, self.group.interior(), self.k),
            Ranks::Listed { least, .. } => least[rank as usize],
            Ranks::Counted => self.rules.labels(rank),
        }
    }
}

/// What makes labels the least of their orbit: in each twin class they ascend, and no relabelling
/// that keeps twins in order (one of the group's cosets) makes them less. Given a start that breaks
/// none of this, there always is a way to go on: the highest op everywhere.
#[derive(Debug)]
struct Rules {
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
    fn new(group: &Group, k: u64) -> Self {
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

    fn successor(&self, labels: Option<u64>) -> Option<u64> {
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

    fn rank(&self, least: u64) -> u64 {
        self.with_counts(|memo| self.rank_by(least, memo))
    }

    fn labels(&self, rank: u64) -> u64 {
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

/// The labels read as a number in base `k`, vertex 1 first.
#[inline]
fn number(labels: u64, n: usize, k: u64) -> u64 {
    (1..=n).fold(0, |number, v| number * k + (labels >> label_shift(v) & 15))
}

#[inline]
fn from_number(mut number: u64, n: usize, k: u64) -> u64 {
    let mut labels = 0;
    for v in (1..=n).rev() {
        labels |= (number % k) << label_shift(v);
        number /= k;
    }
    labels
}

/// All `len` orbits; and the rank of each labelling, where there are few enough of them.
fn list(group: &Group, rules: &Rules, len: usize, total: Option<u64>) -> Ranks {
    let mut least = Vec::with_capacity(len);
    let mut next = rules.successor(None);
    while let Some(labels) = next {
        least.push(labels);
        next = rules.successor(next);
    }
    let dense = (0..total.unwrap_or(0)).map(|number| {
        let labels = group.least(from_number(number, rules.n, rules.k as u64));
        least.partition_point(|&other| other < labels) as u16
    });
    Ranks::Listed { dense: dense.collect(), least }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::automorphisms;
    use crate::cell::{edge_bit, edge_bit as e};
    use crate::enumerate::FullDags;

    /// Those that are least, one after another.
    fn plain(group: &Group, k: u64) -> Vec<u64> {
        let n = group.interior();
        let all = (0..k.pow(n as u32)).map(|number| from_number(number, n, k));
        all.filter(|&labels| group.least(labels) == labels).collect()
    }

    /// All groups of up to five interior vertices, and some of the larger ones.
    fn groups(mut visit: impl FnMut(&Group)) {
        let mut seen = std::collections::HashSet::new();
        for v in 2..=9 {
            for edges in FullDags::new(v, [15, 9, 9, 9][v.max(6) - 6]) {
                let Some(group) = automorphisms(v, edges) else { continue };
                if seen.insert(group.clone()) && (v < 9 || seen.len() % 16 == 0) {
                    visit(&group);
                }
            }
        }
        assert!(seen.len() > 40);
    }

    #[test]
    fn ranks_are_places_in_the_list_of_all_that_are_least() {
        groups(|group| {
            let k = [5, 5, 5, 5, 4, 4, 3, 3][group.interior()];
            let orbits = Orbits::new(group.clone(), k).unwrap();
            let all = plain(group, k as u64);
            assert_eq!(orbits.len(), all.len() as u64);
            let mut labels = orbits.successor(None);
            for (rank, &least) in all.iter().enumerate() {
                assert_eq!(labels, Some(least));
                labels = orbits.successor(labels);
                assert_eq!((orbits.rank(least), orbits.labels(rank as u64)), (rank as u64, least));
                if rank % 37 == 0 || all.len() < 300 {
                    assert_eq!(orbits.rules.rank(least), rank as u64);
                    assert_eq!(orbits.rules.labels(rank as u64), least);
                }
            }
            assert_eq!(labels, None);
        });
    }

    /// Four chains of two, whose group has the most cosets; chains of three and of four; two of two
    /// with twins; nine twins.
    fn large() -> Vec<Group> {
        let chains = |lengths: &[usize]| {
            let (n, mut at, mut edges) = (lengths.iter().sum::<usize>(), 1, 0);
            for &length in lengths {
                edges |= edge_bit(0, at) | edge_bit(at + length - 1, n + 1);
                (at + 1..at + length).for_each(|x| edges |= edge_bit(x - 1, x));
                at += length;
            }
            (n + 2, edges)
        };
        [&[2, 2, 2, 2, 1][..], &[3, 3, 3], &[4, 4], &[2, 2, 2, 1, 1, 1], &[1; 9], &[2, 2, 4, 1]]
            .into_iter()
            .map(|lengths| {
                let (v, edges) = chains(lengths);
                automorphisms(v, crate::canon::canonical(v, edges).edges).unwrap()
            })
            .collect()
    }

    #[test]
    fn large_label_spaces_are_ranked() {
        for group in large() {
            assert!(group.cosets().len() <= 24);
            let orbits = Orbits::new(group.clone(), 15).unwrap();
            assert!(matches!(orbits.ranks, Ranks::Counted));
            let size = orbits.len();
            for rank in [0, 1, 12_345, 456_789, size / 2, size / 7 * 3, size - 2, size - 1] {
                let labels = orbits.labels(rank);
                assert_eq!(orbits.group.least(labels), labels);
                assert_eq!(orbits.rank(labels), rank);
                if let Some(next) = orbits.successor(Some(labels)) {
                    assert_eq!(orbits.rank(next), rank + 1);
                } else {
                    assert_eq!(rank, size - 1);
                }
            }
        }
        // Two parallel chains of three, and a twin pair: 15^8 labellings.
        let edges = e(0, 1) | e(1, 2) | e(2, 3) | e(0, 4) | e(4, 5) | e(5, 6) | e(0, 7) | e(0, 8);
        let edges = edges | e(3, 9) | e(6, 9) | e(7, 9) | e(8, 9);
        let canonical = crate::canon::canonical(10, edges).edges;
        let orbits = Orbits::new(automorphisms(10, canonical).unwrap(), 15).unwrap();
        assert_eq!(u128::from(orbits.len()), (15u128.pow(6) + 15u128.pow(3)) / 2 * 120);
    }
}
