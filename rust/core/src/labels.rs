//! Labellings of one structure up to its automorphisms: how many there are, the rank of one among
//! the least of each orbit, and the labels of a rank.
//!
//! Structures with equal groups share one [`Orbits`].

use crate::canon::Group;
use crate::cell::{MAX_VERTICES, label_shift};

/// Labellings up to this number are ranked by a table with an entry for each.
const DENSE_LIMIT: u64 = 1 << 12;
/// Orbits up to this number are listed and searched; beyond, ranks are counted by order pattern.
const LISTED_LIMIT: u128 = 1 << 22;

/// The orbits of labellings with `k` ops under a group, ranked by their least member.
#[derive(Debug)]
pub struct Orbits {
    group: Group,
    k: u64,
    len: u64,
    ranks: Ranks,
}

#[derive(Debug)]
enum Ranks {
    /// No symmetry: the rank is the labels read as a number in base `k`.
    Free,
    /// `least[rank]`, ascending; and `dense[number]` where there are few labellings.
    Listed { least: Vec<u64>, dense: Vec<u16> },
    /// The least members as weak orderings of the positions.
    Patterns(Vec<u64>),
}

impl Orbits {
    /// Prepares the orbits of labellings with `k` ops; `None` where they outnumber 2^63.
    pub fn new(group: Group, k: usize) -> Option<Self> {
        let n = group.interior();
        let count = group.count_orbits(k as u128);
        let len = i64::try_from(count).ok()? as u64;
        let k = k as u64;
        let total = k.checked_pow(n as u32);
        let ranks = if group.is_trivial() && total.is_none_or(|total| total > DENSE_LIMIT) {
            Ranks::Free
        } else if count <= LISTED_LIMIT && total.is_some_and(|total| total <= 1 << 26) {
            list(&group, n, k)
        } else {
            Ranks::Patterns(patterns(&group, n, k))
        };
        Some(Self { group, k, len, ranks })
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

    /// The first least member after `labels`, or the very first for `None`.
    pub fn successor(&self, labels: Option<u64>) -> Option<u64> {
        let n = self.group.interior();
        let mut labels = match labels {
            None => return Some(0),
            Some(labels) => increment(labels, n, self.k)?,
        };
        while self.group.least(labels) != labels {
            labels = increment(labels, n, self.k)?;
        }
        Some(labels)
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
            Ranks::Patterns(patterns) => {
                let labels = self.group.least(labels);
                patterns.iter().map(|&p| self.count_below(p, labels)).sum()
            }
        }
    }

    /// The least member of the orbit of rank `rank`, which must be below [`len`](Self::len).
    #[inline]
    pub fn labels(&self, rank: u64) -> u64 {
        match &self.ranks {
            Ranks::Free => from_number(rank, self.group.interior(), self.k),
            Ranks::Listed { least, .. } => least[rank as usize],
            Ranks::Patterns(patterns) => {
                // The last labels with at most `rank` orbits below them are those of the rank.
                let below = |number: u64| -> u64 {
                    let labels = from_number(number, self.group.interior(), self.k);
                    patterns.iter().map(|&p| self.count_below(p, labels)).sum()
                };
                let (mut low, mut high) = (0, self.k.pow(self.group.interior() as u32));
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if below(middle) <= rank { low = middle } else { high = middle }
                }
                from_number(low, self.group.interior(), self.k)
            }
        }
    }

    /// How many labellings of weak ordering `pattern` are lexicographically below `labels`.
    fn count_below(&self, pattern: u64, labels: u64) -> u64 {
        let n = self.group.interior();
        let k = self.k as usize;
        let blocks = (1..=n).map(|v| digit(pattern, v) + 1).max().unwrap_or(0);
        let mut value = [usize::MAX; MAX_VERTICES];
        let mut below = 0;
        for v in 1..=n {
            let (block, limit) = (digit(pattern, v), digit(labels, v));
            if value[block] == usize::MAX {
                // First touched here: smaller values end the comparison, an equal one goes on.
                for x in 0..limit {
                    value[block] = x;
                    below += gaps(&value[..blocks], k);
                }
                value[block] = limit;
                if gaps(&value[..blocks], k) == 0 {
                    return below;
                }
            } else if value[block] < limit {
                return below + gaps(&value[..blocks], k);
            } else if value[block] > limit {
                return below;
            }
        }
        below
    }
}

/// In how many ways the unset blocks can be given values so that all ascend within `0..k`.
fn gaps(value: &[usize], k: usize) -> u64 {
    let (mut ways, mut start, mut unset) = (1, 0, 0);
    for &x in value {
        if x == usize::MAX {
            unset += 1;
        } else if x < start {
            return 0;
        } else {
            ways *= choose(x - start, unset);
            (start, unset) = (x + 1, 0);
        }
    }
    ways * if start > k { 0 } else { choose(k - start, unset) }
}

fn choose(n: usize, r: usize) -> u64 {
    if r > n { 0 } else { (0..r).fold(1, |c, i| c * (n - i) as u64 / (i + 1) as u64) }
}

#[inline]
fn digit(word: u64, vertex: usize) -> usize {
    (word >> label_shift(vertex) & 15) as usize
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

/// The next labelling in lexicographic order.
#[inline]
fn increment(mut labels: u64, n: usize, k: u64) -> Option<u64> {
    for v in (1..=n).rev() {
        if labels >> label_shift(v) & 15 < k - 1 {
            return Some(labels + (1 << label_shift(v)));
        }
        labels &= !(15 << label_shift(v));
    }
    None
}

fn list(group: &Group, n: usize, k: u64) -> Ranks {
    let total = k.pow(n as u32);
    let (mut least, mut dense) = (Vec::new(), Vec::new());
    let mut labels = Some(0);
    while let Some(word) = labels {
        let smallest = group.least(word);
        if smallest == word {
            least.push(word);
        }
        if total <= DENSE_LIMIT {
            let rank = match smallest == word {
                true => least.len() as u16 - 1,
                false => dense[number(smallest, n, k) as usize],
            };
            dense.push(rank);
        }
        labels = increment(word, n, k);
    }
    Ranks::Listed { least, dense }
}

/// The weak orderings of `n` positions, of at most `k` blocks, that are least in their orbit. A
/// labelling is least exactly where its weak ordering is.
fn patterns(group: &Group, n: usize, k: u64) -> Vec<u64> {
    fn extend(
        word: u64,
        used: u16,
        v: usize,
        n: usize,
        blocks: usize,
        found: &mut impl FnMut(u64),
    ) {
        if v > n {
            if used.count_ones() as usize == blocks {
                found(word);
            }
            return;
        }
        if (blocks - used.count_ones() as usize) > n + 1 - v {
            return;
        }
        for block in 0..blocks {
            extend(
                word | (block as u64) << label_shift(v),
                used | 1 << block,
                v + 1,
                n,
                blocks,
                found,
            );
        }
    }
    let mut all = Vec::new();
    for blocks in 1..=n.min(k as usize) {
        extend(0, 0, 1, n, blocks, &mut |word| {
            if group.least(word) == word {
                all.push(word);
            }
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::automorphisms;
    use crate::enumerate::FullDags;

    fn with_patterns(group: &Group, k: usize) -> Orbits {
        let ranks = Ranks::Patterns(patterns(group, group.interior(), k as u64));
        Orbits {
            len: group.count_orbits(k as u128) as u64,
            group: group.clone(),
            k: k as u64,
            ranks,
        }
    }

    /// Listed ranks against counting by pattern and against stepping through, for every group of
    /// up to five interior vertices.
    #[test]
    fn all_ways_of_ranking_agree() {
        let mut seen = std::collections::HashSet::new();
        for v in 2..=7 {
            for edges in FullDags::new(v, if v == 7 { 9 } else { 15 }) {
                let Some(group) = automorphisms(v, edges) else {
                    continue;
                };
                if !seen.insert(group.clone()) {
                    continue;
                }
                let orbits = Orbits::new(group.clone(), 4).unwrap();
                let counted = with_patterns(&group, 4);
                let (mut labels, mut rank) = (orbits.successor(None), 0);
                while let Some(word) = labels {
                    assert_eq!(orbits.rank(word), rank);
                    assert_eq!(orbits.labels(rank), word);
                    if v < 7 || rank % 37 == 0 {
                        assert_eq!(counted.rank(word), rank);
                        assert_eq!(counted.labels(rank), word);
                    }
                    labels = orbits.successor(Some(word));
                    rank += 1;
                }
                assert_eq!((orbits.len(), counted.len()), (rank, rank));
            }
        }
        assert!(seen.len() > 20);
    }

    #[test]
    fn large_label_spaces_are_ranked() {
        // Two parallel chains of three, and a twin pair: 15^8 labellings.
        use crate::cell::edge_bit as e;
        let edges = e(0, 1) | e(1, 2) | e(2, 3) | e(0, 4) | e(4, 5) | e(5, 6) | e(0, 7) | e(0, 8);
        let edges = edges | e(3, 9) | e(6, 9) | e(7, 9) | e(8, 9);
        let canonical = crate::canon::canonical(10, edges).edges;
        let orbits = Orbits::new(automorphisms(10, canonical).unwrap(), 15).unwrap();
        assert!(matches!(orbits.ranks, Ranks::Patterns(_)));
        assert_eq!(u128::from(orbits.len()), (15u128.pow(6) + 15u128.pow(3)) / 2 * 120);
        for rank in [0, 1, 12_345, 98_765_432, orbits.len() / 2, orbits.len() - 1] {
            let labels = orbits.labels(rank);
            assert_eq!(orbits.group.least(labels), labels);
            assert_eq!(orbits.rank(labels), rank);
        }
    }
}
