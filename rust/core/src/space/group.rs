//! The relabellings that keep a canonical graph, and what they do to its labels.

use crate::cell::label_shift;
use crate::limits::MAX_VERTICES;

pub(super) const MAX_INTERIOR: usize = MAX_VERTICES - 2;

/// The automorphisms of a canonical graph of `n` interior vertices.
///
/// Every one is a product of swaps inside the twin classes and one of `cosets`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Group {
    n: usize,
    /// Twin classes of two or more, as bit sets: bit `i` is interior vertex `i + 1`.
    twins: Vec<u16>,
    /// Relabellings that keep twins in order, the identity first: position `i` takes the label
    /// of interior index `coset[i]`.
    cosets: Vec<[u8; MAX_INTERIOR]>,
}

impl Group {
    /// The group of a graph with `n` interior vertices, from its twin classes and cosets.
    pub(super) fn new(n: usize, twins: Vec<u16>, cosets: Vec<[u8; MAX_INTERIOR]>) -> Self {
        Self { n, twins, cosets }
    }

    /// Number of interior vertices.
    pub fn interior(&self) -> usize {
        self.n
    }

    /// The twin classes of two or more, as bit sets of interior indices.
    pub(super) fn twins(&self) -> &[u16] {
        &self.twins
    }

    /// The relabellings that keep twins in order, the identity first: position `i` takes the label
    /// of interior index `coset[i]`.
    pub(super) fn cosets(&self) -> &[[u8; MAX_INTERIOR]] {
        &self.cosets
    }

    /// Whether the identity is the only automorphism.
    pub fn is_trivial(&self) -> bool {
        self.twins.is_empty() && self.cosets.len() == 1
    }

    /// The lexicographically least labels in the orbit of `labels` (a label word without size).
    #[inline]
    pub fn least(&self, labels: u64) -> u64 {
        let mut least = self.sort_twins(labels);
        for coset in &self.cosets[1..] {
            let mut permuted = 0;
            for (i, &from) in coset.iter().take(self.n).enumerate() {
                permuted |=
                    (labels >> label_shift(usize::from(from) + 1) & 15) << label_shift(i + 1);
            }
            least = least.min(self.sort_twins(permuted));
        }
        least
    }

    #[inline]
    fn sort_twins(&self, mut labels: u64) -> u64 {
        for &class in &self.twins {
            // Selection sort over the positions of the class: classes are tiny.
            let mut rest = class;
            while rest != 0 {
                let i = label_shift(rest.trailing_zeros() as usize + 1);
                rest &= rest - 1;
                let mut others = rest;
                while others != 0 {
                    let j = label_shift(others.trailing_zeros() as usize + 1);
                    others &= others - 1;
                    let (a, b) = (labels >> i & 15, labels >> j & 15);
                    let swap = if b < a { a ^ b } else { 0 };
                    labels ^= swap << i | swap << j;
                }
            }
        }
        labels
    }

    /// Number of orbits of labellings with `k` ops, by Burnside's lemma.
    pub fn count_orbits(&self, k: u128) -> u128 {
        if self.cosets.len() == 1 {
            // Twins alone: what counts is how often each op is in a class.
            let choose = |n: u128, r: u128| (0..r).fold(1, |c, i| c * (n - i) / (i + 1));
            let (mut orbits, mut others) = (1, self.n as u32);
            for class in &self.twins {
                let size = class.count_ones();
                orbits *= choose(k + u128::from(size) - 1, size.into());
                others -= size;
            }
            return orbits * k.pow(others);
        }
        let (mut fixed, mut order) = (0u128, 0u128);
        for coset in &self.cosets {
            let mut element = *coset;
            self.each_twin_swap(&mut element, 0, &mut |element| {
                fixed += k.pow(cycles(&element[..self.n]));
                order += 1;
            });
        }
        fixed / order
    }

    fn each_twin_swap(
        &self,
        element: &mut [u8; MAX_INTERIOR],
        class: usize,
        visit: &mut impl FnMut(&[u8; MAX_INTERIOR]),
    ) {
        match self.twins.get(class) {
            None => visit(element),
            Some(&members) => self.permute_class(element, class, members, visit),
        }
    }

    fn permute_class(
        &self,
        element: &mut [u8; MAX_INTERIOR],
        class: usize,
        rest: u16,
        visit: &mut impl FnMut(&[u8; MAX_INTERIOR]),
    ) {
        if rest == 0 {
            return self.each_twin_swap(element, class + 1, visit);
        }
        let i = rest.trailing_zeros() as usize;
        let mut choices = rest;
        while choices != 0 {
            let j = choices.trailing_zeros() as usize;
            choices &= choices - 1;
            element.swap(i, j);
            self.permute_class(element, class, rest & (rest - 1), visit);
            element.swap(i, j);
        }
    }
}

fn cycles(permutation: &[u8]) -> u32 {
    let (mut seen, mut count) = (0u16, 0);
    for start in 0..permutation.len() {
        if seen >> start & 1 == 0 {
            count += 1;
            let mut i = start;
            while seen >> i & 1 == 0 {
                seen |= 1 << i;
                i = usize::from(permutation[i]);
            }
        }
    }
    count
}
