//! Which cells of a batch are hashed: one of those that are surely isomorphic.
//!
//! Of a million random modules as the original notebook draws them, 930,000 are connected and
//! 190,000 are different cells: finding those costs a fifth of the time that hashing the others takes.

use std::hash::{BuildHasher, RandomState};

use super::neighbours::members;
use crate::cell::{Cell, edge_bit, label_shift, neighbours};
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::memory;
use crate::parallel::{self, Monitor};

/// Cells of one parallel task.
const TASK: usize = 1 << 12;

/// Cells that differ, and which of them each of a batch is.
pub(super) struct Unique {
    pub(super) cells: Vec<Cell>,
    pub(super) which: Vec<u32>,
}

/// Replaces `cells` by isomorphic ones, of which equal ones are kept once: isomorphic cells have the
/// same hash. Some that are isomorphic are missed. At most 2^31 cells.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted); [`Error::Memory`](crate::Error::Memory).
pub(super) fn unique(cells: &[Cell], monitor: &dyn Monitor) -> Result<Unique> {
    let mut forms = memory::copied(cells)?;
    let work = |_: usize, cells: &[Cell], forms: &mut [Cell]| {
        forms.iter_mut().zip(cells).for_each(|(form, &cell)| *form = in_order(cell));
    };
    parallel::map_chunks(cells, &mut forms, TASK, work, monitor)?;
    const NONE: u32 = u32::MAX;
    let mut found = Unique { cells: Vec::new(), which: memory::with_capacity(cells.len())? };
    // An open table, half full at most.
    let key = Key::new();
    let mut table: Vec<u32> = memory::filled(NONE, 1 << 10)?;
    for form in forms {
        if 2 * found.cells.len() >= table.len() {
            let size = 4 * table.len();
            table = memory::filled(NONE, size)?;
            for (&known, which) in found.cells.iter().zip(0..) {
                let place = key.places(known, size).find(|&place| table[place] == NONE);
                place.into_iter().for_each(|place| table[place] = which);
            }
        }
        for place in key.places(form, table.len()) {
            let which = table[place];
            if which == NONE {
                table[place] = found.cells.len() as u32;
                found.which.push(table[place]);
                memory::reserve(&mut found.cells, 1)?;
                found.cells.push(form);
                break;
            }
            if found.cells[which as usize] == form {
                found.which.push(which);
                break;
            }
        }
    }
    Ok(found)
}

/// Two random words, so that nobody can choose cells that all begin at one place.
#[derive(Clone, Copy)]
struct Key([u64; 2]);

impl Key {
    fn new() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(0), random.hash_one(1)])
    }

    /// Where in a table of `size`, a power of two, a cell may be.
    fn places(self, cell: Cell, size: usize) -> impl Iterator<Item = usize> {
        let Self([edges, labels]) = self;
        let product = u128::from(cell.edges() ^ edges) * u128::from(cell.labels() ^ labels);
        let start = (product as u64 ^ (product >> 64) as u64) as usize;
        (0..size).map(move |i| start.wrapping_add(i) & (size - 1))
    }
}

#[inline(always)]
fn mixed(x: u64) -> u64 {
    let x = (x ^ x >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^ x >> 29
}

/// An isomorphic cell whose vertices stand in an order that does not depend on that in which they
/// are given, where what a vertex sees of its neighbours tells all of them apart.
fn in_order(cell: Cell) -> Cell {
    let v = cell.vertices();
    let (ins, outs) = neighbours(v, cell.edges());
    // The longest way from input comes first: it puts the sources of all edges before their ends.
    let mut depth = [0u64; MAX_VERTICES];
    let mut colour = [0u64; MAX_VERTICES];
    for y in 0..v {
        depth[y] = members(ins[y]).map(|x| depth[x] + 1).max().unwrap_or(0);
        let degrees = u64::from(ins[y].count_ones() << 4 | outs[y].count_ones());
        colour[y] = mixed((depth[y] << 16) + (degrees << 8) + (cell.code(y) + 3) as u64);
    }
    // One look at the neighbours is enough: a second one finds no more of half a million.
    let seen = colour;
    for x in 0..v {
        let before = members(ins[x]).fold(0u64, |sum, y| sum.wrapping_add(seen[y]));
        let after = members(outs[x]).fold(0u64, |sum, y| sum.wrapping_add(seen[y] >> 7));
        colour[x] = mixed(seen[x].wrapping_add(before.rotate_left(21)).wrapping_add(after));
    }
    // The depth, the colour, the vertex itself: in ascending order.
    let mut keys = [0u64; MAX_VERTICES];
    for x in 0..v {
        let key = depth[x] << 60 | colour[x] >> 8 << 4 | x as u64;
        let mut at = x;
        while at > 0 && keys[at - 1] > key {
            keys[at] = keys[at - 1];
            at -= 1;
        }
        keys[at] = key;
    }
    let mut place = [0; MAX_VERTICES];
    for (at, key) in keys.iter().enumerate().take(v) {
        place[(key & 15) as usize] = at;
    }
    let (mut edges, mut labels) = (0, 0);
    for y in 1..v {
        for x in members(ins[y]) {
            edges |= edge_bit(place[x], place[y]);
        }
        if y + 1 < v {
            labels |= u64::from(cell.op(y)) << label_shift(place[y]);
        }
    }
    Cell::new(v, edges, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{RawCell, parse};
    use crate::hash::hash_cell_plainly;
    use crate::parallel::Unwatched;
    use crate::random::Random;

    /// A connected cell with vertices and edges drawn.
    fn drawn(random: &mut Random) -> Cell {
        loop {
            let v = 2 + random.below(MAX_VERTICES as u64 - 1) as usize;
            let edges = random.below(1 << (v * (v - 1) / 2));
            let labels = (1..v - 1).fold(0, |word, x| word | random.below(3) << label_shift(x));
            if let Some(cell) = crate::cell::prune(RawCell::new(v, edges, labels)) {
                return cell;
            }
        }
    }

    #[test]
    fn forms_are_isomorphic() {
        let mut random = Random::new(5);
        for _ in 0..300 {
            let cell = drawn(&mut random);
            let form = in_order(cell);
            assert!(form.raw().is_pruned());
            assert_eq!(hash_cell_plainly(form), hash_cell_plainly(cell));
            assert_eq!((in_order(form), form.num_edges()), (form, cell.num_edges()));
        }
    }

    #[test]
    fn cells_that_meet_by_one_key_do_not_by_another() {
        const SIZE: usize = 1 << 10;
        let first = |key: Key, cell: Cell| key.places(cell, SIZE).next().unwrap();
        let (one, other) = (Key::new(), Key::new());
        let mut random = Random::new(7);
        let mut chosen: Vec<Cell> = std::iter::repeat_with(|| drawn(&mut random))
            .filter(|&cell| cell.vertices() > 6 && first(one, cell) < 8)
            .take(300)
            .collect();
        chosen.sort_unstable_by_key(|cell| cell.order_key());
        chosen.dedup();
        let mut met = vec![0; SIZE];
        chosen.iter().for_each(|&cell| met[first(other, cell)] += 1);
        assert!(met.iter().all(|&cells| cells < 12), "{met:?}");
    }

    #[test]
    fn few_places_are_looked_at() {
        // Edges that count up above a chain, of one labelling and of many: as regular as can be.
        let chain = (1..MAX_VERTICES).fold(0u64, |edges, y| edges | edge_bit(y - 1, y));
        let free: Vec<u64> = (0..55).filter(|bit| chain >> bit & 1 == 0).collect();
        for step in [0, 1] {
            let cells = (0..1u64 << 14).map(|i| {
                let edges = (0..14).fold(chain, |edges, j| edges | (i >> j & 1) << free[3 * j]);
                Cell::new(MAX_VERTICES, edges, ((i * step) & 7) << label_shift(2))
            });
            let (key, mut table) = (Key::new(), vec![false; 1 << 15]);
            let mut looked_at = 0;
            for cell in cells {
                let mut places = key.places(cell, table.len());
                looked_at += 1 + places.position(|place| !table[place]).unwrap();
                let place = key.places(cell, table.len()).find(|&place| !table[place]).unwrap();
                table[place] = true;
            }
            // One and a half on average, where places are as good as drawn.
            assert!(looked_at < 3 << 14, "{looked_at}");
        }
    }

    #[test]
    fn each_cell_is_told_which_it_is_of_those_that_differ() {
        let mut random = Random::new(6);
        let mut cells: Vec<Cell> = (0..3000).map(|_| drawn(&mut random)).collect();
        cells.extend_from_within(..2000);
        let Unique { cells: found, which } = unique(&cells, &Unwatched).unwrap();
        assert_eq!(which.len(), cells.len());
        assert!(cells.iter().zip(&which).all(|(&cell, &i)| found[i as usize] == in_order(cell)));
        let mut sorted = found.clone();
        sorted.sort_unstable_by_key(|cell| cell.order_key());
        sorted.dedup();
        assert_eq!(sorted.len(), found.len());
    }

    #[test]
    fn isomorphic_cells_mostly_have_one_form() {
        // Two orders of one cell whose vertices all differ.
        let matrix = |edges: &[(usize, usize)]| {
            let mut matrix = [0i8; 25];
            edges.iter().for_each(|&(x, y)| matrix[5 * x + y] = 1);
            matrix
        };
        let one = matrix(&[(0, 1), (1, 3), (0, 2), (2, 4), (3, 4)]);
        let other = matrix(&[(0, 2), (2, 3), (0, 1), (1, 4), (3, 4)]);
        let cell = |matrix: &[i8], ops: [i8; 5]| parse(matrix, &ops).unwrap().packed().unwrap();
        let (a, b) = (cell(&one, [-1, 0, 1, 2, -2]), cell(&other, [-1, 1, 0, 2, -2]));
        assert!(a != b && in_order(a) == in_order(b));
    }
}
