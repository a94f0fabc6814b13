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

    #[inline(always)]
    pub(super) fn new(words: [V; 4]) -> Self {
        let mut hex = [words[0]; 8];
        for (to, word) in hex.as_chunks_mut().0.iter_mut().zip(words) {
            *to = word.hex();
        }
        Self(hex)
    }

    /// A mask of the lanes in which `self` stands after `other`.
    #[inline(always)]
    pub(super) fn after(&self, other: &Self) -> V {
        // Digits are below 0x80: as big-endian words they compare as signed numbers.
        let (a, b) = (self.0[0].swap_bytes(), other.0[0].swap_bytes());
        let mut after = a.greater(b);
        let mut tied = a.equal(b);
        if tied.any() {
            for w in 1..8 {
                let (a, b) = (self.0[w].swap_bytes(), other.0[w].swap_bytes());
                after = after.or(tied.and(a.greater(b)));
                tied = tied.and(a.equal(b));
            }
        }
        after
    }
}

/// Sorts, lane by lane: Batcher's odd-even merge network.
#[inline(always)]
pub(super) fn sort<V: Vector>(hashes: &mut [Hashes<V>]) {
    let n = hashes.len();
    let mut p = 1;
    while p < n {
        let mut k = p;
        while k >= 1 {
            let mut j = k % p;
            while j + k < n {
                for i in j..(j + k).min(n - k) {
                    if i / (2 * p) == (i + k) / (2 * p) {
                        let swap = hashes[i].after(&hashes[i + k]);
                        for w in 0..8 {
                            let (a, b) = (hashes[i].0[w], hashes[i + k].0[w]);
                            hashes[i].0[w] = swap.select(b, a);
                            hashes[i + k].0[w] = swap.select(a, b);
                        }
                    }
                }
                j += 2 * k;
            }
            k /= 2;
        }
        p *= 2;
    }
}

/// Room to sort in.
pub(super) type Spare<V> = [Hashes<V>; MAX_VERTICES];
