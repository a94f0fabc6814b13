//! Edit distance: steps to neighbours.

use super::LOOK;
use super::graph::{EditGraph, Graph};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{Monitor, Pace};

/// What [`EditGraph::distances`] has for rows that no edits within the graph lead to.
pub const UNCONNECTED: u8 = u8::MAX;

impl EditGraph {
    /// The least number of edits from each row to the row `target`: steps to neighbours, each a row
    /// too.
    ///
    /// # Errors
    /// [`Error::IdOutOfRange`]; [`Error::Interrupted`].
    pub fn distances(&self, target: u64, monitor: &dyn Monitor) -> Result<Vec<u8>> {
        let graph = self.view();
        let mut search = Search::new(graph, target)?;
        let mut pace = Pace::default();
        while !search.edge.is_empty() {
            search.step(|_| false, &mut || pace.ask(|| monitor.tick(graph.len(), graph.len())))?;
        }
        Ok(search.distances)
    }

    /// The least number of edits between two rows, as in [`distances`](Self::distances); `None` where
    /// there is no way.
    ///
    /// # Errors
    /// As there.
    pub fn distance(&self, a: u64, b: u64, monitor: &dyn Monitor) -> Result<Option<u32>> {
        let graph = self.view();
        let (mut near, mut far) = (Search::new(graph, a)?, Search::new(graph, b)?);
        if a == b {
            return Ok(Some(0));
        }
        let mut pace = Pace::default();
        let mut steps = 0;
        while !near.edge.is_empty() && !far.edge.is_empty() {
            if near.cost() > far.cost() {
                std::mem::swap(&mut near, &mut far);
            }
            steps += 1;
            // No cell is within reach of both so far: the first that is ends a shortest way.
            let met = |row: u32| far.distances[row as usize] != UNCONNECTED;
            if near.step(met, &mut || pace.ask(|| monitor.tick(0, 1)))? {
                return Ok(Some(steps));
            }
        }
        Ok(None)
    }
}

/// A search outwards from one row of a graph.
struct Search<'a> {
    graph: Graph<'a>,
    distances: Vec<u8>,
    /// The rows found last.
    edge: Vec<u32>,
    steps: u8,
}

impl<'a> Search<'a> {
    fn new(graph: Graph<'a>, start: u64) -> Result<Self> {
        if start >= graph.len() as u64 {
            return Err(Error::IdOutOfRange { id: start.into(), size: graph.len() as u64 });
        }
        let mut distances = memory::filled(UNCONNECTED, graph.len())?;
        distances[start as usize] = 0;
        Ok(Self { graph, distances, edge: vec![start as u32], steps: 0 })
    }

    /// Entries of the graph that the next step reads.
    fn cost(&self) -> usize {
        self.edge.iter().map(|&row| self.graph.neighbors(row as usize).len()).sum()
    }

    /// One step further; or whether a row was found that `wanted` is for.
    fn step(
        &mut self,
        wanted: impl Fn(u32) -> bool,
        ask: &mut dyn FnMut() -> Result<()>,
    ) -> Result<bool> {
        self.steps = (self.steps + 1).min(UNCONNECTED - 1);
        let mut next = Vec::new();
        for (i, &row) in self.edge.iter().enumerate() {
            if i % LOOK == 0 {
                ask()?;
            }
            let near = self.graph.neighbors(row as usize);
            memory::reserve(&mut next, near.len())?;
            for &row in near {
                if self.distances[row as usize] == UNCONNECTED {
                    if wanted(row) {
                        return Ok(true);
                    }
                    self.distances[row as usize] = self.steps;
                    next.push(row);
                }
            }
        }
        self.edge = next;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{all, id};
    use super::*;
    use crate::edit;
    use crate::parallel::Unwatched;
    use crate::space::Space;

    #[test]
    fn distances_are_those_of_shortest_ways() {
        // The last has two parts: its longest chains cannot be left.
        for (v, e, k) in [(5, 7, 2), (4, 6, 3), (4, 3, 2)] {
            let (space, cells, ids) = all(v, e, k);
            let n = cells.len();
            // Floyd and Warshall's.
            let mut least = vec![vec![u32::MAX / 2; n]; n];
            for i in 0..n {
                least[i][i] = 0;
                for cell in edit::neighbors(&space, cells[i], &Unwatched).unwrap() {
                    least[i][id(&space, cell) as usize] = 1;
                }
            }
            for k in 0..n {
                for i in 0..n {
                    for j in 0..n {
                        least[i][j] = least[i][j].min(least[i][k] + least[k][j]);
                    }
                }
            }
            let graph = EditGraph::of_all(&space, &Unwatched).unwrap();
            let mut apart = 0;
            for &target in &ids {
                let found = graph.distances(target, &Unwatched).unwrap();
                let mut aligned = vec![0; n];
                let cell = cells[target as usize];
                edit::alignment_distances(&cells, cell, &mut aligned, &Unwatched).unwrap();
                for i in 0..n {
                    let pair = graph.distance(i as u64, target, &Unwatched).unwrap();
                    match least[target as usize][i] {
                        0..=1000 => {
                            assert_eq!(u32::from(found[i]), least[target as usize][i]);
                            assert_eq!(pair, Some(u32::from(found[i])));
                            assert!(found[i] <= aligned[i]);
                        }
                        _ => {
                            assert_eq!((found[i], pair), (UNCONNECTED, None));
                            apart += 1;
                        }
                    }
                }
            }
            assert_eq!(apart > 0, e == 3);
            assert!(graph.distances(n as u64, &Unwatched).is_err());
        }
        let large = Space::new(8, 11, 3).unwrap();
        assert!(matches!(
            EditGraph::of_all(&large, &Unwatched),
            Err(Error::TooLargeForDistances { .. })
        ));
    }
}
