//! Labellings grouped by what they say about some vertices.

use std::cell::Cell as Slot;
use std::collections::HashMap;

use super::lanes::MOST_LANES;
use super::neighbours::members;
use crate::cell::{Cell, label_shift};

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

/// Labellings that a thread keeps: some 2 MB with their classes.
const MOST_KEPT: usize = 1 << 14;

thread_local! {
    static KEPT: Slot<Option<Classes>> = const { Slot::new(None) };
}

impl Classes {
    /// Those that this thread has kept.
    pub(super) fn of_this_thread() -> Self {
        KEPT.take().filter(|kept| kept.labellings < MOST_KEPT).unwrap_or_default()
    }

    /// Leaves them to this thread.
    pub(super) fn keep(self) {
        KEPT.set(Some(self));
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
    pub(super) fn find(&mut self, list: usize, vertices: u16) -> usize {
        let list = &mut self.lists[list];
        let place = &mut list.places[usize::from(vertices >> 1)];
        if *place == 0 {
            list.known.push(agreeing(&list.labels, vertices));
            *place = list.known.len() as u16;
        }
        usize::from(*place) - 1
    }

    #[inline(always)]
    pub(super) fn get(&self, list: usize, found: usize) -> &Agreeing {
        &self.lists[list].known[found]
    }
}

fn agreeing(labels: &[u64], vertices: u16) -> Agreeing {
    let shifts: Vec<usize> = members(vertices).map(label_shift).collect();
    let most = labels.iter().fold(0, |all, &labels| all | labels);
    let bits = shifts.iter().map(|&shift| 64 - (most >> shift & 15).leading_zeros()).max();
    let bits = bits.unwrap_or(0) as usize;
    let mut found = Agreeing::default();
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
    found
}

const NONE: u16 = u16::MAX;
