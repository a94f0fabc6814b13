//! Modules that no packed cell holds, and how they are pruned.

use crate::error::Error;
use crate::limits::{MAX_OPS, MAX_VERTICES};

/// A pruned module that no [`Cell`](super::Cell) holds, and not too large to be hashed, which is
/// all that can be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LargeModule {
    /// In-neighbours of each vertex, ascending.
    pub inputs: Vec<Vec<usize>>,
    /// Label of each vertex, -1 and -2 at the ends.
    pub labels: Vec<i64>,
}

impl LargeModule {
    /// What keeps the module from being a cell.
    pub fn why_not_packed(&self) -> Error {
        let vertices = self.labels.len();
        if vertices > MAX_VERTICES {
            return Error::TooManyVertices { vertices, limit: MAX_VERTICES, pruned: true };
        }
        let is_large = |&code: &i64| code >= MAX_OPS as i64;
        let vertex = self.labels.iter().position(is_large).unwrap_or_default();
        Error::UnknownOp { vertex, code: self.labels[vertex].to_string(), num_ops: MAX_OPS }
    }
}

/// A square matrix of bits: a row has those of the vertices that one leads to.
pub(super) struct Bits {
    words: Vec<u64>,
    words_a_row: usize,
}

impl Bits {
    pub(super) fn new(n: usize) -> Self {
        let words_a_row = n.div_ceil(64);
        Self { words: vec![0; n * words_a_row], words_a_row }
    }

    /// Sets the bit of an edge where `bit` is 1.
    pub(super) fn add(&mut self, x: usize, y: usize, bit: u64) {
        self.words[x * self.words_a_row + y / 64] |= bit << (y % 64);
    }

    pub(super) fn row(&self, x: usize) -> &[u64] {
        &self.words[x * self.words_a_row..][..self.words_a_row]
    }

    /// The vertices on a path from the first to the last, as a row of bits; `None` where there is no
    /// such path.
    pub(super) fn on_a_path(&self, n: usize) -> Option<Vec<u64>> {
        let (mut reached, mut reaching) = (vec![0; self.words_a_row], vec![0; self.words_a_row]);
        reached[0] = 1;
        for x in 0..n {
            if has(&reached, x) {
                reached.iter_mut().zip(self.row(x)).for_each(|(all, more)| *all |= more);
            }
        }
        if !has(&reached, n - 1) {
            return None;
        }
        for x in (0..n).rev() {
            let leads = self.row(x).iter().zip(&reaching).any(|(to, reaching)| to & reaching != 0);
            reaching[x / 64] |= u64::from(leads || x == n - 1) << (x % 64);
        }
        Some(reached.iter().zip(reaching).map(|(a, b)| a & b).collect())
    }
}

pub(super) fn has(row: &[u64], y: usize) -> bool {
    row[y / 64] >> (y % 64) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::prune::on_a_path;

    #[test]
    fn rows_of_bits_are_pruned_as_the_plain_search_prunes() {
        let mut word = 1u64;
        let mut next = move || {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (word >> 33) as usize
        };
        let mut connected = 0;
        for n in (2..200).chain([256, 257]) {
            let mut bits = Bits::new(n);
            // About two edges a vertex, some of them to the last one.
            for _ in 0..2 * n {
                let (a, b) = (next() % n, if next() % 16 == 0 { n - 1 } else { next() % n });
                let (x, y) = (a.min(b), a.max(b));
                if x < y {
                    bits.add(x, y, 1);
                }
            }
            let found = bits
                .on_a_path(n)
                .map(|kept| (0..n).filter(|&x| has(&kept, x)).collect::<Vec<usize>>());
            assert_eq!(found, on_a_path(n, |x, y| has(bits.row(x), y)));
            connected += usize::from(found.is_some());
        }
        assert!(connected > 50);
    }
}
