//! Labellings grouped by what they say about some vertices.

use std::cell::Cell as Slot;
use std::collections::HashMap;

use super::lanes::MOST_LANES;
use super::neighbours::members;
use crate::cell::{Cell, label_shift};
use crate::error::Result;
use crate::memory;

/// Labellings grouped by what they say about some vertices.
#[derive(Default)]
pub(super) struct Agreeing {
    /// The class of each labelling, and that of the last one again for the rest of a group of lanes.
    pub(super) of: Vec<u16>,
    /// The first labelling of each class.
    pub(super) first: Vec<u16>,
}

/// The classes of lists of labellings. A thread keeps them: most structures have no symmetry, and so
/// the same labellings, all of them.
#[derive(Default)]
pub(super) struct Classes {
    lists: Vec<List>,
    /// The lists that begin and end alike, by that.
    by_ends: HashMap<(usize, u64, u64), Vec<usize>>,
    labellings: usize,
}

/// Labellings, and their classes by sets of vertices.
struct List {
    labels: Vec<u64>,
    /// For each set of interior vertices where in `known` it is; 0 where it is not.
    places: Vec<u16>,
    known: Vec<Agreeing>,
}

/// Labellings that are kept from one group of structures to the next: some 2 MB with their classes
/// where cells have seven vertices.
const MOST_KEPT: usize = 1 << 14;

thread_local! {
    static KEPT: Slot<Option<Classes>> = const { Slot::new(None) };
}

impl Classes {
    /// Those that this thread has kept.
    pub(super) fn of_this_thread() -> Self {
        KEPT.take().unwrap_or_default()
    }

    /// Leaves them to this thread.
    pub(super) fn keep(self) {
        KEPT.set(Some(self));
    }

    /// Forgets all where it has become much; what [`list`](Self::list) gave means nothing then.
    pub(super) fn forget_many(&mut self) {
        if self.labellings >= MOST_KEPT {
            *self = Self::default();
        }
    }

    /// The labellings of `cells`, all of one structure: at most 65,536.
    pub(super) fn list(&mut self, cells: &[Cell]) -> usize {
        let (v, n) = (cells[0].vertices(), cells.len());
        let key = (n, cells[0].labels(), cells[n - 1].labels());
        let alike = self.by_ends.entry(key).or_default();
        let same = |&&list: &&usize| {
            self.lists[list].labels.iter().zip(cells).all(|(&labels, cell)| labels == cell.labels())
        };
        if let Some(&known) = alike.iter().find(same) {
            return known;
        }
        alike.push(self.lists.len());
        self.labellings += n;
        let (known, places) = (Vec::new(), vec![0; 1 << (v - 2)]);
        let labels = cells.iter().map(|cell| cell.labels()).collect();
        self.lists.push(List { labels, places, known });
        self.lists.len() - 1
    }

    /// The classes of a list by the labels of `vertices`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn find(&mut self, list: usize, vertices: u16) -> Result<usize> {
        let list = &mut self.lists[list];
        let place = &mut list.places[usize::from(vertices >> 1)];
        if *place == 0 {
            list.known.push(agreeing(&list.labels, vertices)?);
            *place = list.known.len() as u16;
        }
        Ok(usize::from(*place) - 1)
    }

    #[inline(always)]
    pub(super) fn get(&self, list: usize, found: usize) -> &Agreeing {
        &self.lists[list].known[found]
    }
}

fn agreeing(labels: &[u64], vertices: u16) -> Result<Agreeing> {
    let shifts: Vec<usize> = members(vertices).map(label_shift).collect();
    let most = labels.iter().fold(0, |all, &labels| all | labels);
    let bits = shifts.iter().map(|&shift| 64 - (most >> shift & 15).leading_zeros()).max();
    let bits = bits.unwrap_or(0) as usize;
    let of = memory::with_capacity(labels.len() + MOST_LANES - 1)?;
    let mut found = Agreeing { of, first: Vec::new() };
    let mut number = |known: &mut u16, labelling: usize| {
        if *known == NONE {
            *known = found.first.len() as u16;
            found.first.push(labelling as u16);
        }
        found.of.push(*known);
    };
    // The labels of the vertices side by side are a place in a table, unless they are too long.
    if bits * shifts.len() <= 12 {
        let mut table = vec![NONE; 1 << (bits * shifts.len())];
        for (i, labels) in labels.iter().enumerate() {
            let place = shifts.iter().fold(0, |at, &shift| at << bits | labels >> shift & 15);
            number(&mut table[place as usize], i);
        }
    } else {
        let mask = shifts.iter().fold(0u64, |mask, &shift| mask | 15 << shift);
        let mut table = HashMap::new();
        for (i, labels) in labels.iter().enumerate() {
            number(table.entry(labels & mask).or_insert(NONE), i);
        }
    }
    if let Some(&last) = found.of.last() {
        found.of.resize(labels.len() + MOST_LANES - 1, last);
    }
    Ok(found)
}

const NONE: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{RawCell, edge_bit};
    use crate::limits::MAX_VERTICES;

    /// Labellings of a chain of `v` vertices.
    fn chain(v: usize, labels: impl Iterator<Item = u64>) -> Vec<Cell> {
        let edges = (1..v).fold(0, |edges, y| edges | edge_bit(y - 1, y));
        labels.map(|labels| crate::cell::prune(RawCell::new(v, edges, labels)).unwrap()).collect()
    }

    #[test]
    fn classes_are_of_labellings_that_agree() {
        for v in [2, 3, 7, MAX_VERTICES] {
            let used = (1..v - 1).fold(0, |used, x| used | 15 << label_shift(x));
            let mut random = crate::random::Random::new(v as u64);
            // A bit, all bits: a table, and a map.
            for bits in [0x1111_1111_1111_1111, u64::MAX] {
                let labels = std::iter::repeat_with(|| random.below(1 << 63) & bits & used);
                let cells = chain(v, labels.take(if v == 2 { 1 } else { 300 }));
                let mut classes = Classes::default();
                let list = classes.list(&cells);
                for vertices in (0..1u16 << (v - 1)).step_by(2) {
                    let found = classes.find(list, vertices).unwrap();
                    assert_eq!(classes.find(list, vertices), Ok(found));
                    let Agreeing { of, first } = classes.get(list, found);
                    let seen =
                        |cell: Cell| members(vertices).map(|x| cell.op(x)).collect::<Vec<_>>();
                    assert_eq!(of.len(), cells.len() + MOST_LANES - 1);
                    for (i, &cell) in cells.iter().enumerate() {
                        let same = cells.iter().position(|&other| seen(other) == seen(cell));
                        assert_eq!(Some(usize::from(first[usize::from(of[i])])), same);
                    }
                }
            }
        }
    }

    #[test]
    fn equal_lists_are_known_and_others_are_not() {
        let mut classes = Classes::default();
        let of = |v: usize, middle: u64| {
            chain(v, [0, middle << label_shift(2), 1 << label_shift(1)].into_iter())
        };
        let lists: Vec<usize> =
            [(5, 1), (5, 2), (6, 1), (5, 1)].map(|(v, m)| classes.list(&of(v, m))).to_vec();
        assert_eq!(lists, [0, 1, 2, 0]);
        classes.forget_many();
        assert_eq!(classes.list(&of(5, 2)), 1);
    }

    #[test]
    fn what_has_become_much_is_forgotten() {
        let mut classes = Classes::default();
        for i in 0..MOST_KEPT as u64 {
            assert_eq!(classes.list(&chain(7, [i << label_shift(4)].into_iter())), i as usize);
        }
        classes.forget_many();
        assert_eq!(classes.list(&chain(7, [0].into_iter())), 0);
    }
}
