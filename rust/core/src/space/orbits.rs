//! Labellings of one structure up to its automorphisms: how many there are, the rank of one among
//! the least of each orbit, and the labels of a rank.
//!
//! Structures with equal groups share one [`Orbits`].

use super::group::Group;
use super::least::Rules;
use crate::cell::label_shift;

/// Labellings up to this number are ranked by a table with an entry for each.
const DENSE_LIMIT: u64 = 1 << 12;
/// Orbits up to this number are listed and searched; beyond, they are counted. A list is made in
/// some 20 ms.
const LISTED_LIMIT: u64 = 1 << 16;

/// The orbits of labellings with `k` ops under a group, ranked by their least member.
#[derive(Debug)]
pub(super) struct Orbits {
    group: Group,
    k: u64,
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
    pub(super) fn new(group: Group, k: usize) -> Option<Self> {
        let n = group.interior();
        let count = group.count_orbits(k as u128);
        let len = i64::try_from(count).ok()? as u64;
        let k = k as u64;
        let total = k.checked_pow(n as u32);
        let rules = Rules::new(&group, k);
        let ranks = if group.is_trivial() && total.is_none_or(|total| total > DENSE_LIMIT) {
            Ranks::Free
        } else if len <= LISTED_LIMIT {
            list(&group, k, &rules, len as usize, total.filter(|&total| total <= DENSE_LIMIT))
        } else {
            Ranks::Counted
        };
        Some(Self { group, k, ranks, rules })
    }

    /// The least members of all orbits, ascending, where they are kept as a list.
    pub(super) fn listed(&self) -> Option<&[u64]> {
        match &self.ranks {
            Ranks::Listed { least, .. } => Some(least),
            _ => None,
        }
    }

    /// The first least member after the least member `labels`, or the very first for `None`.
    pub(super) fn successor(&self, labels: Option<u64>) -> Option<u64> {
        self.rules.successor(labels)
    }

    /// The rank of the orbit of `labels`.
    #[inline]
    pub(super) fn rank(&self, labels: u64) -> u64 {
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

    /// The least member of the orbit of rank `rank`, which must be below their number.
    #[inline]
    pub(super) fn labels(&self, rank: u64) -> u64 {
        match &self.ranks {
            Ranks::Free => from_number(rank, self.group.interior(), self.k),
            Ranks::Listed { least, .. } => least[rank as usize],
            Ranks::Counted => self.rules.labels(rank),
        }
    }
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
fn list(group: &Group, k: u64, rules: &Rules, len: usize, total: Option<u64>) -> Ranks {
    let mut least = Vec::with_capacity(len);
    let mut next = rules.successor(None);
    while let Some(labels) = next {
        least.push(labels);
        next = rules.successor(next);
    }
    let dense = (0..total.unwrap_or(0)).map(|number| {
        let labels = group.least(from_number(number, group.interior(), k));
        least.partition_point(|&other| other < labels) as u16
    });
    Ranks::Listed { dense: dense.collect(), least }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{edge_bit, edge_bit as e};
    use crate::space::FullDags;
    use crate::space::canon::{automorphisms, canonical};

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
            assert_eq!(group.count_orbits(k as u128), all.len() as u128);
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
                automorphisms(v, canonical(v, edges).edges).unwrap()
            })
            .collect()
    }

    #[test]
    fn large_label_spaces_are_ranked() {
        for group in large() {
            assert!(group.cosets().len() <= 24);
            let orbits = Orbits::new(group.clone(), 15).unwrap();
            assert!(matches!(orbits.ranks, Ranks::Counted));
            let size = group.count_orbits(15) as u64;
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
        let canonical = canonical(10, edges).edges;
        let group = automorphisms(10, canonical).unwrap();
        assert!(Orbits::new(group.clone(), 15).is_some());
        assert_eq!(group.count_orbits(15), (15u128.pow(6) + 15u128.pow(3)) / 2 * 120);
    }
}
