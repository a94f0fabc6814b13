//! Hashes of vertices in lanes: as digits, compared, and sorted.

use nb101_lanes::Vector;

use crate::limits::MAX_VERTICES;

/// The hashes of one vertex in lanes: 32 hexadecimal digits each, as they go into messages.
#[derive(Clone, Copy)]
pub(super) struct Hashes<V>(pub(super) [V; 8]);

impl<V: Vector> Hashes<V> {
    #[inline(always)]
    pub(super) fn none(token: V::Token) -> Self {
        Self([V::splat(token, 0); 8])
    }

    /// Writes digests as digits.
    #[inline(always)]
    pub(super) fn set(&mut self, words: [V; 4]) {
        for (to, word) in self.0.as_chunks_mut().0.iter_mut().zip(words) {
            *to = word.hex();
        }
    }

    /// A mask of the lanes in which `self` stands after `other`; that of equal ones is of no
    /// consequence.
    #[inline(always)]
    pub(super) fn after(&self, other: &Self) -> V {
        // Digits are below 0x80: as big-endian words they compare as signed numbers.
        let (a, b) = (self.0[0].swap_bytes(), other.0[0].swap_bytes());
        let after = a.greater(b);
        let tied = a.equal(b);
        // Of two hashes one in 65,536 pairs is tied here, but those of twins are equal, often.
        if tied.any() && self.differs(other, tied) {
            return self.after_slowly(other);
        }
        after
    }

    /// Whether they differ in some lane of `among`.
    #[inline(always)]
    fn differs(&self, other: &Self, among: V) -> bool {
        let mut differ = self.0[1].xor(other.0[1]);
        for w in 2..8 {
            differ = differ.or(self.0[w].xor(other.0[w]));
        }
        differ.and(among).any()
    }

    #[inline(always)]
    fn after_slowly(&self, other: &Self) -> V {
        let token = self.0[0].token();
        let mut after = V::splat(token, 0);
        let mut tied = V::splat(token, u32::MAX);
        for w in 0..8 {
            let (a, b) = (self.0[w].swap_bytes(), other.0[w].swap_bytes());
            after = after.or(tied.and(a.greater(b)));
            tied = tied.and(a.equal(b));
        }
        after
    }
}

/// Sorts, lane by lane.
#[inline(always)]
pub(super) fn sort<V: Vector>(hashes: &mut [Hashes<V>]) {
    let (pairs, n) = &NETWORKS[hashes.len()];
    for &(i, j) in &pairs[..*n] {
        let Ok([a, b]) = hashes.get_disjoint_mut([usize::from(i), usize::from(j)]) else {
            unreachable!("a network of other size");
        };
        let swap = a.after(b);
        for (a, b) in a.0.iter_mut().zip(&mut b.0) {
            (*a, *b) = (swap.select(*b, *a), swap.select(*a, *b));
        }
    }
}

/// For each number of hashes the pairs that a network compares, and how many there are.
static NETWORKS: [([(u8, u8); 40], usize); MAX_VERTICES + 1] = networks();

/// Batcher's odd-even merge networks.
const fn networks() -> [([(u8, u8); 40], usize); MAX_VERTICES + 1] {
    let mut networks = [([(0, 0); 40], 0); MAX_VERTICES + 1];
    let mut n = 0;
    while n <= MAX_VERTICES {
        let (pairs, count) = &mut networks[n];
        let mut p = 1;
        while p < n {
            let mut k = p;
            while k >= 1 {
                let mut j = k % p;
                while j + k < n {
                    let mut i = j;
                    while i < j + k && i < n - k {
                        if i / (2 * p) == (i + k) / (2 * p) {
                            pairs[*count] = (i as u8, (i + k) as u8);
                            *count += 1;
                        }
                        i += 1;
                    }
                    j += 2 * k;
                }
                k /= 2;
            }
            p *= 2;
        }
        n += 1;
    }
    networks
}
