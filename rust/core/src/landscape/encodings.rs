//! How far raw encodings are from those of some cells.

use std::collections::HashMap;

use super::LOOK;
use crate::cell::{Cell, RawCell, label_shift, prune};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor, Pace};
use crate::space::Space;

/// How far the raw encodings of a space are from those of some cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodingDistances {
    /// Encodings of each of the cells.
    pub encodings: Vec<u64>,
    /// Encodings of the space by the distance to the nearest of those: entries of the matrix and
    /// ops that differ.
    pub all: Vec<u64>,
    /// Of these, the ones that give a cell of the space.
    pub valid: Vec<u64>,
}

/// Encodings that are looked at one by one.
const MOST_ENCODINGS: u128 = 1 << 31;

/// The distance of every raw encoding of the space to the nearest encoding of one of `cells`.
///
/// For every choice of ops, a byte for each matrix holds the distance to the nearest encoding as
/// far as ops are concerned; then each entry of the matrix in turn may be flipped for one more.
///
/// # Errors
/// Where a cell is not in the space, or that has no ids; [`Error::TooManyEncodings`];
/// [`Error::Interrupted`].
pub fn encoding_distances(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
) -> Result<EncodingDistances> {
    let (v, k) = (space.max_vertices(), space.num_ops());
    let bits = v * (v - 1) / 2;
    let encodings = (k as u128).pow(v as u32 - 2) << bits;
    if encodings > MOST_ENCODINGS {
        return Err(Error::TooManyEncodings { encodings, limit: MOST_ENCODINGS });
    }
    let mut ids = memory::filled(0, cells.len())?;
    space.ids(cells, &mut ids, monitor)?;
    let ops = Choices { vertices: v, num_ops: k };
    let peaks = Peaks::new(space, &ids, ops, monitor)?;

    let longest = bits + v - 2;
    let histogram = |choice: usize| {
        let mut distances = memory::filled(FAR, 1 << bits)?;
        for &(edges, kind) in &peaks.matrices {
            distances[edges as usize] = peaks.by_ops[kind as usize][choice];
        }
        flip_all(&mut distances);
        let mut histogram = memory::filled([0u64; 2], longest + 1)?;
        for (pair, counts) in count_pairs(&distances, &peaks.is_valid).chunks(2).enumerate() {
            for (total, &count) in histogram[pair.min(longest)].iter_mut().zip(counts) {
                *total += count;
            }
        }
        Ok(histogram)
    };
    let histograms = parallel::try_map(ops.count(), encodings as usize, histogram, monitor)?;
    let by_distance = |kinds: &[usize]| {
        let one = |distance: usize| {
            let counts = histograms.iter().map(|histogram| histogram[distance]);
            counts.map(|counts| kinds.iter().map(|&kind| counts[kind]).sum::<u64>()).sum()
        };
        (0..=longest).map(one).collect()
    };
    Ok(EncodingDistances {
        encodings: peaks.counts,
        all: by_distance(&[0, 1]),
        valid: by_distance(&[1]),
    })
}

/// Further than anything is, and twice that fits a byte.
const FAR: u8 = u8::MAX / 2;

/// All choices of ops for the interior of the most vertices: numbers with a digit a vertex.
#[derive(Debug, Clone, Copy)]
struct Choices {
    vertices: usize,
    num_ops: usize,
}

impl Choices {
    fn count(self) -> usize {
        self.num_ops.pow(self.vertices as u32 - 2)
    }

    /// The op of a vertex.
    fn op(self, choice: usize, vertex: usize) -> u64 {
        (choice / self.num_ops.pow(vertex as u32 - 1) % self.num_ops) as u64
    }

    /// Lets each choice be reached from those that differ in one op.
    fn spread(self, distances: &mut [u8]) {
        for vertex in 1..self.vertices - 1 {
            let stride = self.num_ops.pow(vertex as u32 - 1);
            for first in (0..distances.len()).filter(|&choice| self.op(choice, vertex) == 0) {
                let alike = || (0..self.num_ops).map(|op| first + op * stride);
                let least = alike().map(|choice| distances[choice]).min().unwrap_or(FAR);
                alike().for_each(|choice| distances[choice] = distances[choice].min(least + 1));
            }
        }
    }
}

/// The raw encodings of some cells.
struct Peaks {
    /// Encodings of each cell.
    counts: Vec<u64>,
    /// Whether each matrix is that of a cell of the space.
    is_valid: Vec<u8>,
    /// Matrices that have the structure of one of the cells, each with its kind.
    matrices: Vec<(u32, u32)>,
    /// For each kind, and each choice of ops, how many of these differ from the nearest that makes
    /// it one of the cells.
    by_ops: Vec<Vec<u8>>,
}

impl Peaks {
    fn new(space: &Space, ids: &[u64], ops: Choices, monitor: &dyn Monitor) -> Result<Self> {
        let catalog = space.catalog(&|| monitor.tick(0, 1))?;
        let v = ops.vertices;
        let bits = v * (v - 1) / 2;
        let mut peaks = Self {
            counts: memory::filled(0, ids.len())?,
            is_valid: memory::filled(0, 1 << bits)?,
            matrices: Vec::new(),
            by_ops: Vec::new(),
        };
        let mut structures = memory::collect(ids.iter().map(|&id| catalog.structure_of(id)))?;
        structures.sort_unstable();
        // Pruned with vertices for labels: what is left, and where it was. Ops of the rest are free.
        let vertices = (1..v - 1).fold(0, |labels, x| labels | (x as u64) << label_shift(x));
        let mut kinds: HashMap<Cell, Option<(u32, Vec<u64>)>> = HashMap::new();
        let mut pace = Pace::default();
        for edges in 0..1u64 << bits {
            if edges % LOOK as u64 == 0 {
                pace.ask(|| monitor.tick(0, 1))?;
            }
            let Some(pruned) = prune(RawCell::new(v, edges, vertices)) else { continue };
            if pruned.num_edges() > space.max_edges() {
                continue;
            }
            peaks.is_valid[edges as usize] = 1;
            let new = !kinds.contains_key(&pruned);
            if new && structures.binary_search(&catalog.structure(pruned)).is_err() {
                kinds.insert(pruned, None);
            } else if new {
                let mut counts = memory::filled(0u64, ids.len())?;
                let mut distances = memory::filled(FAR, ops.count())?;
                for (choice, distance) in distances.iter_mut().enumerate() {
                    if choice % 16 == 0 {
                        pace.ask(|| monitor.tick(0, 1))?;
                    }
                    let label = |x: usize| ops.op(choice, usize::from(pruned.op(x)));
                    let labels = (1..pruned.vertices() - 1)
                        .fold(0, |labels, x| labels | label(x) << label_shift(x));
                    let id = catalog.id(Cell::new(pruned.vertices(), pruned.edges, labels));
                    for (count, _) in counts.iter_mut().zip(ids).filter(|(_, own)| **own == id) {
                        *count += 1;
                        *distance = 0;
                    }
                }
                ops.spread(&mut distances);
                peaks.by_ops.push(distances);
                kinds.insert(pruned, Some((peaks.by_ops.len() as u32 - 1, counts)));
            }
            if let Some(Some((kind, counts))) = kinds.get(&pruned) {
                memory::reserve(&mut peaks.matrices, 1)?;
                peaks.matrices.push((edges as u32, *kind));
                peaks.counts.iter_mut().zip(counts).for_each(|(total, count)| *total += *count);
            }
        }
        Ok(peaks)
    }
}

/// Lets each matrix be reached from those with one entry flipped. `distances` has an entry for each
/// edge mask.
fn flip_all(distances: &mut [u8]) {
    // The lower entries are flipped within pieces that stay in the nearest cache.
    let piece = distances.len().min(1 << 12);
    for distances in distances.chunks_exact_mut(piece) {
        let mut stride = 1;
        while stride < piece {
            flip(distances, stride);
            stride *= 2;
        }
    }
    let mut stride = piece;
    while stride < distances.len() {
        flip(distances, stride);
        stride *= 2;
    }
}

fn flip(distances: &mut [u8], stride: usize) {
    for pair in distances.chunks_exact_mut(2 * stride) {
        let (low, high) = pair.split_at_mut(stride);
        for (low, high) in low.iter_mut().zip(high) {
            (*low, *high) = ((*low).min(*high + 1), (*high).min(*low + 1));
        }
    }
}

/// Counts matrices by distance, below 128, and validity: at twice the distance those that are none
/// of the space, behind it those that are.
///
/// Most are at a few distances, and a count that was just written must be waited for: counts of four
/// kinds that take turns need not be (CPU of the whole, for the 12 best cells of NAS-Bench-101:
/// 1.17 s, was 1.39).
fn count_pairs(distances: &[u8], is_valid: &[u8]) -> [u64; 256] {
    const TURNS: usize = 4;
    let mut counts = [[0u64; 256]; TURNS];
    let place = |distance: u8, valid: u8| usize::from(distance << 1 | valid);
    let pieces = (distances.chunks_exact(TURNS), is_valid.chunks_exact(TURNS));
    let rest = pieces.0.remainder().iter().zip(pieces.1.remainder());
    rest.for_each(|(&distance, &valid)| counts[0][place(distance, valid)] += 1);
    for (distances, is_valid) in pieces.0.zip(pieces.1) {
        for turn in 0..TURNS {
            counts[turn][place(distances[turn], is_valid[turn])] += 1;
        }
    }
    std::array::from_fn(|at| counts.iter().map(|counts| counts[at]).sum())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{all, id};
    use super::*;
    use crate::parallel::Unwatched;

    #[test]
    fn distances_of_encodings_are_the_least_of_all() {
        let (space, cells, _) = all(4, 5, 3);
        let encodings: Vec<RawCell> = (0..64 * 9)
            .map(|code| {
                let (a, b) = ((code >> 6) % 3, (code >> 6) / 3);
                let labels = a << label_shift(1) | b << label_shift(2);
                RawCell::new(4, code & 63, labels)
            })
            .collect();
        let cell = |module: RawCell| space.pruned(module);
        for tops in [vec![cells[2]], vec![cells[40], cells[7]]] {
            let found = encoding_distances(&space, &tops, &Unwatched).unwrap();
            let own: Vec<u64> = tops.iter().map(|&top| id(&space, top)).collect();
            let is_top = |module: &&RawCell| {
                cell(**module).is_some_and(|cell| own.contains(&id(&space, cell)))
            };
            let peaks: Vec<&RawCell> = encodings.iter().filter(is_top).collect();
            assert_eq!(found.encodings.iter().sum::<u64>(), peaks.len() as u64);
            let mut expected = (vec![0; 9], vec![0; 9]);
            for module in &encodings {
                let distance = |peak: &&RawCell| {
                    let ops = (1..3).filter(|&x| peak.op(x) != module.op(x)).count();
                    (peak.edges ^ module.edges).count_ones() as usize + ops
                };
                let least = peaks.iter().map(distance).min().unwrap();
                expected.0[least] += 1;
                expected.1[least] += u64::from(cell(*module).is_some());
            }
            assert_eq!((found.all, found.valid), expected);
        }
        let larger = Space::new(8, 9, 3).unwrap();
        assert!(encoding_distances(&larger, &[cells[0]], &Unwatched).is_err());
    }
}
