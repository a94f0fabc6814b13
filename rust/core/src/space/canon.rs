//! The least isomorph of a graph, and the group of relabellings that keep it.
//!
//! Both matrices of an isomorphism are upper triangular, so a relabelling is a topological order.
//! The search places vertices from the last position down: placing one fixes its out-edges, and
//! the most significant bits of the mask are the in-edges of `output`, whose prefix prunes.
//! Twins (equal in- and out-neighbours) are only ever placed in their own order; the relabellings
//! that swap them are kept as classes instead of one by one.

use super::group::{Group, MAX_INTERIOR};
use crate::cell::{Cell, edge_bit, label_mask, label_shift, neighbours};
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::memory;
use crate::parallel::{self, Monitor};

/// The least isomorph of a graph: its mask, and which old vertex stands at each new position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canonical {
    /// The least edge mask of all isomorphs.
    pub edges: u64,
    /// `order[new position]` is the old vertex.
    pub order: [u8; MAX_VERTICES],
}

impl Canonical {
    /// Relabels `cell`, whose structure this is the canonical form of.
    #[inline]
    pub fn relabel(&self, cell: Cell) -> Cell {
        let v = cell.vertices();
        let mut labels = 0;
        for i in 1..v - 1 {
            labels |= u64::from(cell.op(usize::from(self.order[i]))) << label_shift(i);
        }
        Cell::new(v, self.edges, labels)
    }
}

/// The canonical form of the graph with `vertices` vertices and no vertex off every path.
pub fn canonical(vertices: usize, edges: u64) -> Canonical {
    let mut search = Search::new(vertices, edges);
    search.best = u64::MAX;
    search.run();
    let mut order = [0; MAX_VERTICES];
    order.copy_from_slice(&search.orders[0]);
    Canonical { edges: search.best, order }
}

/// The automorphism group, or `None` where the graph is not its own canonical form.
pub(crate) fn automorphisms(vertices: usize, edges: u64) -> Option<Group> {
    let mut search = Search::new(vertices, edges);
    search.best = edges;
    search.stop_when_less = true;
    search.run();
    if search.best != edges {
        return None;
    }
    let n = vertices - 2;
    let cosets = (search.orders.iter())
        .map(|order| {
            std::array::from_fn::<_, MAX_INTERIOR, _>(|i| {
                if i < n { order[i + 1] - 1 } else { i as u8 }
            })
        })
        .collect();
    let twins = (1..=n)
        .filter(|&u| {
            search.twins[u].trailing_zeros() as usize == u && search.twins[u].count_ones() > 1
        })
        .map(|u| search.twins[u] >> 1)
        .collect();
    Some(Group::new(n, twins, cosets))
}

struct Search {
    v: usize,
    out: [u16; MAX_VERTICES],
    /// The vertices with the same neighbours as this one, itself included.
    twins: [u16; MAX_VERTICES],
    position: [usize; MAX_VERTICES],
    order: [u8; MAX_VERTICES],
    best: u64,
    /// Every order that gives `best`.
    orders: Vec<[u8; MAX_VERTICES]>,
    stop_when_less: bool,
}

impl Search {
    fn new(v: usize, edges: u64) -> Self {
        let (into, out) = neighbours(v, edges);
        let mut twins = [0u16; MAX_VERTICES];
        for u in 1..v - 1 {
            for w in 1..v - 1 {
                twins[u] |= u16::from(into[u] == into[w] && out[u] == out[w]) << w;
            }
        }
        let mut position = [0; MAX_VERTICES];
        let mut order = [0; MAX_VERTICES];
        position[v - 1] = v - 1;
        order[v - 1] = (v - 1) as u8;
        Self { v, out, twins, position, order, best: 0, orders: Vec::new(), stop_when_less: false }
    }

    fn run(&mut self) {
        let _ = self.place(self.v - 2, 1 << (self.v - 1), 0);
    }

    /// Fills position `p` and those below it. `Err` ends the whole search.
    fn place(&mut self, p: usize, placed: u16, mask: u64) -> Result<(), ()> {
        if p == 0 {
            let mask = mask | self.row_bits(0, 0);
            if mask > self.best {
                return Ok(());
            }
            if mask < self.best {
                if self.stop_when_less {
                    self.best = mask;
                    return Err(());
                }
                self.best = mask;
                self.orders.clear();
            }
            if self.orders.is_empty() || self.stop_when_less {
                self.orders.push(self.order);
            }
            return Ok(());
        }
        // From high to low: the identity comes first.
        for u in (1..self.v - 1).rev() {
            let later_twins = self.twins[u] & (u16::MAX << u << 1);
            if placed >> u & 1 == 1 || (self.out[u] | later_twins) & !placed != 0 {
                continue;
            }
            let next = mask | self.row_bits(p, u);
            // Known so far: the in-edges of `output` from positions p and up.
            let known = (self.v - 1) * (self.v - 2) / 2 + p;
            let (ours, theirs) = (next >> known, self.best >> known);
            if ours > theirs {
                continue;
            }
            if ours < theirs && self.stop_when_less {
                self.best = 0;
                return Err(());
            }
            self.order[p] = u as u8;
            self.position[u] = p;
            self.place(p - 1, placed | 1 << u, next)?;
        }
        Ok(())
    }

    /// The mask bits of the out-edges of `u`, standing at position `p`.
    fn row_bits(&self, p: usize, u: usize) -> u64 {
        let (mut bits, mut targets) = (0, self.out[u]);
        while targets != 0 {
            bits |= edge_bit(p, self.position[targets.trailing_zeros() as usize]);
            targets &= targets - 1;
        }
        bits
    }
}

/// The representative of a cell's isomorphism class in the reference order: least mask, then
/// least labels.
pub fn representative(cell: Cell) -> Cell {
    let canonical = canonical(cell.vertices(), cell.edges);
    let relabelled = canonical.relabel(cell);
    match automorphisms(cell.vertices(), canonical.edges) {
        Some(group) => {
            let labels = group.least(relabelled.interior());
            debug_assert_eq!(labels & !label_mask(cell.vertices()), 0);
            Cell::new(cell.vertices(), canonical.edges, labels)
        }
        None => unreachable!("a canonical form is its own canonical form"),
    }
}

/// Replaces every cell by its [`representative`].
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn representatives(cells: &mut [Cell], monitor: &dyn Monitor) -> Result<()> {
    let given = memory::copied(cells)?;
    let work = |_: usize, given: &[Cell], cells: &mut [Cell]| {
        cells.iter_mut().zip(given).for_each(|(cell, &given)| *cell = representative(given));
    };
    parallel::map_chunks(&given, cells, 256, work, monitor)
}

/// Makes cells [`representative`]s in the reference order, each once.
pub(crate) fn unique_representatives(cells: &mut Vec<Cell>, monitor: &dyn Monitor) -> Result<()> {
    representatives(cells, monitor)?;
    cells.sort_unstable_by_key(|cell| cell.order_key());
    cells.dedup();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::FullDags;

    /// Every relabelling of the interior that keeps the matrix upper triangular.
    fn isomorphs(v: usize, edges: u64) -> Vec<(u64, Vec<usize>)> {
        let mut all = Vec::new();
        let mut order: Vec<usize> = (0..v).collect();
        permutations(&mut order, 1, v - 1, &mut |order| {
            let mut mask = 0;
            for (j, &y) in order.iter().enumerate() {
                for (i, &x) in order.iter().enumerate() {
                    if x < y && edges & edge_bit(x, y) != 0 {
                        if i > j {
                            return;
                        }
                        mask |= edge_bit(i, j);
                    }
                }
            }
            all.push((mask, order.to_vec()));
        });
        all
    }

    fn permutations(
        order: &mut Vec<usize>,
        from: usize,
        to: usize,
        visit: &mut impl FnMut(&[usize]),
    ) {
        if from >= to {
            return visit(order);
        }
        for i in from..to {
            order.swap(from, i);
            permutations(order, from + 1, to, visit);
            order.swap(from, i);
        }
    }

    #[test]
    fn agrees_with_all_permutations_up_to_six_vertices() {
        for v in 2..=6 {
            for edges in FullDags::new(v, 15) {
                let all = isomorphs(v, edges);
                let least = all.iter().map(|(mask, _)| *mask).min().unwrap();
                let found = canonical(v, edges);
                assert_eq!(found.edges, least);
                let order: Vec<usize> = found.order[..v].iter().map(|&u| usize::from(u)).collect();
                assert!(all.contains(&(least, order)));
                match automorphisms(v, edges) {
                    None => assert!(least < edges),
                    Some(group) => {
                        assert_eq!(least, edges);
                        check_group(v, &group, &all, edges);
                    }
                }
            }
        }
    }

    fn check_group(v: usize, group: &Group, all: &[(u64, Vec<usize>)], edges: u64) {
        let elements: Vec<&Vec<usize>> =
            all.iter().filter(|(mask, _)| *mask == edges).map(|(_, order)| order).collect();
        let n = v - 2;
        let mut orbits = 0;
        for code in 0..3u64.pow(n as u32) {
            let digits: Vec<u64> = (0..n).rev().map(|i| code / 3u64.pow(i as u32) % 3).collect();
            let word = |digits: &mut dyn Iterator<Item = u64>| {
                digits.enumerate().fold(0, |word, (i, d)| word | d << label_shift(i + 1))
            };
            let labels = word(&mut digits.iter().copied());
            let least = (elements.iter())
                .map(|order| word(&mut (0..n).map(|i| digits[order[i + 1] - 1])))
                .min()
                .unwrap();
            assert_eq!(group.least(labels), least);
            orbits += u128::from(labels == least);
        }
        assert_eq!(group.count_orbits(3), orbits);
    }

    #[test]
    fn worst_cases_end() {
        // Nine parallel vertices; and a full graph.
        let mut star = 0;
        (1..10).for_each(|x| star |= edge_bit(0, x) | edge_bit(x, 10));
        assert_eq!(automorphisms(11, star).unwrap().count_orbits(3), 55);
        assert_eq!(canonical(11, (1 << 55) - 1).edges, (1 << 55) - 1);
    }
}
