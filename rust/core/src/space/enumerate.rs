//! Structures and labelled cells in the reference order, one after another, in bounded memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::canon::automorphisms;
use super::group::Group;
use super::orbits::Orbits;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::limits::MAX_VERTICES;
use crate::memory;
use crate::parallel::{Monitor, Pace};

/// The edge masks of all full DAGs (every vertex on an input-output path) of `v` vertices and at
/// most `max_edges` edges, ascending.
///
/// In an upper-triangular matrix a vertex is on a path exactly when it has an in- and an out-edge.
/// Masks ascend as the columns do, the last one first, so columns are chosen from the last down.
#[derive(Debug, Clone)]
pub struct FullDags {
    v: usize,
    /// The column that changes next; `v` when done.
    level: usize,
    columns: [u64; MAX_VERTICES],
    /// Over the columns above each one: the edges left to spend, and the vertices with an out-edge.
    budget: [usize; MAX_VERTICES],
    covered: [u64; MAX_VERTICES],
}

impl FullDags {
    /// All full DAGs of `v` vertices, 2 to 11.
    pub fn new(v: usize, max_edges: usize) -> Self {
        let mut dags = Self {
            v,
            level: v - 1,
            columns: [0; MAX_VERTICES],
            budget: [0; MAX_VERTICES],
            covered: [0; MAX_VERTICES],
        };
        dags.budget[v - 1] = max_edges;
        if max_edges + 1 < v {
            dags.level = v;
        }
        dags
    }

    /// The next set of in-neighbours of `level`: each column below still needs an edge, and
    /// `level - 1` has had its last chance of an out-edge here.
    fn next_column(&self) -> Option<u64> {
        let y = self.level;
        let most = (self.budget[y] + 1).checked_sub(y)?;
        let mut set = self.columns[y] + 1;
        if y > 1 && self.covered[y] >> (y - 1) & 1 == 0 {
            set = set.max(1 << (y - 1));
        }
        while set.count_ones() as usize > most {
            set += set & set.wrapping_neg();
        }
        (set < 1 << y).then_some(set)
    }
}

impl Iterator for FullDags {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while self.level < self.v {
            let y = self.level;
            let Some(set) = self.next_column() else {
                self.columns[y] = 0;
                self.level += 1;
                continue;
            };
            self.columns[y] = set;
            if y == 1 {
                return Some(
                    (1..self.v).fold(0, |mask, y| mask | self.columns[y] << (y * (y - 1) / 2)),
                );
            }
            self.level -= 1;
            self.budget[y - 1] = self.budget[y] - set.count_ones() as usize;
            self.covered[y - 1] = self.covered[y] | set;
        }
        None
    }
}

/// A canonical structure of a space.
#[derive(Debug, Clone)]
pub struct Structure {
    /// Number of vertices.
    pub vertices: usize,
    /// Canonical edge mask.
    pub edges: u64,
    /// Its automorphisms.
    pub group: Group,
}

/// The canonical structures of a space in the reference order.
#[derive(Debug, Clone)]
pub struct Structures {
    dags: FullDags,
    max_vertices: usize,
    max_edges: usize,
}

impl Structures {
    /// Structures of 2 to `max_vertices` vertices.
    pub fn new(max_vertices: usize, max_edges: usize) -> Self {
        Self { dags: FullDags::new(2, max_edges), max_vertices, max_edges }
    }

    /// The next structure. Looks at no more than `steps` graphs, and counts them off, so that
    /// a caller can look up from long stretches without one; `Ok(None)` is the end.
    pub fn advance(&mut self, steps: &mut usize) -> Result<Option<Structure>, OutOfSteps> {
        while *steps > 0 {
            *steps -= 1;
            let v = self.dags.v;
            match self.dags.next() {
                Some(edges) => {
                    if let Some(group) = automorphisms(v, edges) {
                        return Ok(Some(Structure { vertices: v, edges, group }));
                    }
                }
                None if v < self.max_vertices => self.dags = FullDags::new(v + 1, self.max_edges),
                None => return Ok(None),
            }
        }
        Err(OutOfSteps)
    }
}

/// [`Structures::advance`] looked at as many graphs as it was allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfSteps;

/// All unique cells of a space in the reference order, in batches.
#[derive(Debug)]
pub struct CellStream {
    structures: Structures,
    num_ops: usize,
    orbits: HashMap<Group, Arc<Orbits>>,
    /// Labels kept by `orbits`, to bound its memory.
    kept: usize,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    vertices: usize,
    edges: u64,
    orbits: Arc<Orbits>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Rank(usize),
    After(Option<u64>),
}

const MOST_KEPT: usize = 1 << 23;
/// Graphs looked at between two looks at the clock.
const STEPS: usize = 1 << 8;
/// Cells between two reports of how many there are.
const BATCH: usize = 1 << 20;
/// Cells emitted between two looks at the clock.
const CELLS: usize = 1 << 14;

impl CellStream {
    /// Streams the cells of 2 to `max_vertices` vertices with labels below `num_ops`.
    pub fn new(max_vertices: usize, max_edges: usize, num_ops: usize) -> Self {
        let structures = Structures::new(max_vertices, max_edges);
        Self { structures, num_ops, orbits: HashMap::new(), kept: 0, current: None }
    }

    /// Appends the next cells to `out` until it holds `n`, or the space ends.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where `go_on` says no. It is asked now and then.
    pub fn fill(&mut self, out: &mut Vec<Cell>, n: usize, go_on: &dyn Fn() -> bool) -> Result<()> {
        let (mut steps, mut pace) = (STEPS, Pace::default());
        while out.len() < n {
            if self.current.is_none() {
                match self.structures.advance(&mut steps) {
                    Ok(None) => return Ok(()),
                    Ok(Some(structure)) => self.current = Some(self.start(structure)),
                    Err(OutOfSteps) => {
                        steps = STEPS;
                        pace.ask(go_on)?;
                    }
                }
            } else if self.emit(out, n)? {
                self.current = None;
            } else {
                pace.ask(go_on)?;
            }
        }
        Ok(())
    }

    /// The next `n` cells; fewer where the space ends. A monitor hears of them.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Memory`].
    pub fn take(&mut self, n: usize, monitor: &dyn Monitor) -> Result<Vec<Cell>> {
        let mut cells = memory::with_capacity(n.min(BATCH))?;
        self.extend(&mut cells, n, monitor)?;
        Ok(cells)
    }

    /// [`fill`](Self::fill) for a monitor, which hears of every cell.
    pub(super) fn extend(
        &mut self,
        cells: &mut Vec<Cell>,
        n: usize,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        while cells.len() < n {
            let upto = n.min(cells.len() + BATCH);
            self.fill(cells, upto, &|| monitor.tick(0, n))?;
            if cells.len() < upto {
                break;
            }
            if upto < n && !monitor.tick(upto, n) {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }

    fn start(&mut self, structure: Structure) -> Current {
        let Structure { vertices, edges, group } = structure;
        if self.kept > MOST_KEPT {
            self.orbits.clear();
            self.kept = 0;
        }
        let orbits = match self.orbits.get(&group) {
            Some(orbits) => orbits.clone(),
            None => {
                let orbits = Orbits::new(group.clone(), self.num_ops);
                let orbits = Arc::new(orbits.expect("15^9 labellings are fewer than 2^63"));
                self.kept += orbits.listed().map_or(0, <[u64]>::len);
                self.orbits.insert(group, orbits.clone());
                orbits
            }
        };
        let next = if orbits.listed().is_some() { Next::Rank(0) } else { Next::After(None) };
        Current { vertices, edges, orbits, next }
    }

    /// Emits cells of the current structure; true when it is done. Returns now and then before.
    fn emit(&mut self, out: &mut Vec<Cell>, n: usize) -> Result<bool> {
        let Some(current) = &mut self.current else {
            return Ok(true);
        };
        let (vertices, edges) = (current.vertices, current.edges);
        match (&mut current.next, current.orbits.listed()) {
            (Next::Rank(rank), Some(listed)) => {
                let count = (listed.len() - *rank).min(n - out.len());
                memory::reserve(out, count)?;
                let labels = &listed[*rank..*rank + count];
                out.extend(labels.iter().map(|&labels| Cell::new(vertices, edges, labels)));
                *rank += count;
                Ok(*rank == listed.len())
            }
            (Next::After(last), _) => {
                let count = (n - out.len()).min(CELLS);
                memory::reserve(out, count)?;
                for _ in 0..count {
                    match current.orbits.successor(*last) {
                        None => return Ok(true),
                        next => *last = next,
                    }
                    out.extend(last.map(|labels| Cell::new(vertices, edges, labels)));
                }
                Ok(false)
            }
            (Next::Rank(_), None) => unreachable!("ranks are used only with a list"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::edge_bit;

    #[test]
    fn full_dags_are_those_that_a_plain_search_finds() {
        for v in 2..=6 {
            for max_edges in [1, v - 1, v, 9, 15] {
                let full = |mask: u64| {
                    let edge = |x, y| x < y && mask & edge_bit(x, y) != 0;
                    (0..v - 1).all(|x| (0..v).any(|y| edge(x, y)))
                        && (1..v).all(|y| (0..v).any(|x| edge(x, y)))
                        && mask.count_ones() as usize <= max_edges
                };
                let plain: Vec<u64> = (0..1 << (v * (v - 1) / 2)).filter(|&m| full(m)).collect();
                assert_eq!(FullDags::new(v, max_edges).collect::<Vec<_>>(), plain);
            }
        }
    }

    #[test]
    fn published_counts() {
        let labelled: usize = (2..=7).map(|v| FullDags::new(v, 9).count()).sum();
        assert_eq!(labelled, 6_472);
        let mut cells = Vec::new();
        CellStream::new(7, 9, 3).fill(&mut cells, usize::MAX, &|| true).unwrap();
        assert_eq!(cells.len(), 423_624);
        assert!(cells.is_sorted_by_key(|cell| cell.order_key()));
        let by_vertices = |v| cells.iter().filter(|cell| cell.vertices() == v).count();
        assert_eq!([2, 3, 4, 5, 6, 7].map(by_vertices), [1, 6, 84, 2_441, 62_010, 359_082]);
    }

    #[test]
    fn stopping_is_heard() {
        let mut cells = Vec::new();
        let mut stream = CellStream::new(11, 55, 2);
        assert_eq!(stream.fill(&mut cells, 1 << 30, &|| false), Err(Error::Interrupted));
    }
}
