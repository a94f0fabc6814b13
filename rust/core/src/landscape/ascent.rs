//! Where steepest ascent leads.

use super::LOOK;
use super::graph::Graph;
use crate::error::Result;
use crate::memory;
use crate::parallel::{Monitor, Pace};

impl Graph<'_> {
    /// Where steepest ascent leads from every row: the neighbour with the highest of `values`, the
    /// first of several, or the row itself where none is higher; and the row where the ascent ends.
    /// NaN is never higher; rows with it lead nowhere.
    ///
    /// # Panics
    /// Where there is not a value for each row.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted), [`Error::Memory`](crate::Error::Memory).
    pub fn ascend(self, values: &[f64], monitor: &dyn Monitor) -> Result<(Vec<u32>, Vec<u32>)> {
        assert_eq!(values.len(), self.len());
        let (n, mut pace) = (self.len(), Pace::default());
        let mut next = memory::with_capacity(n)?;
        for row in 0..n as u32 {
            if (row as usize).is_multiple_of(LOOK) {
                pace.ask(|| monitor.tick(row as usize, n))?;
            }
            let mut best = row;
            if !values[row as usize].is_nan() {
                for &near in self.neighbors(row as usize) {
                    if values[near as usize] > values[best as usize] {
                        best = near;
                    }
                }
            }
            next.push(best);
        }
        // Along the steps until an end that is known: values rise, so that none comes back.
        let mut ends = memory::filled(u32::MAX, n)?;
        for row in 0..n as u32 {
            if (row as usize).is_multiple_of(LOOK) {
                pace.ask(|| monitor.tick(n, n))?;
            }
            let mut end = row;
            // Bounded all the same: `values` may be memory that somebody else writes to.
            for _ in 0..n {
                if ends[end as usize] != u32::MAX || next[end as usize] == end {
                    break;
                }
                end = next[end as usize];
            }
            if ends[end as usize] != u32::MAX {
                end = ends[end as usize];
            }
            let mut at = row;
            while ends[at as usize] == u32::MAX {
                ends[at as usize] = end;
                at = next[at as usize];
            }
        }
        Ok((next, ends))
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::EditGraph;
    use super::super::testing::all;
    use crate::parallel::Unwatched;
    use crate::random::Random;

    #[test]
    fn ascent_goes_to_the_best_neighbour_until_there_is_none() {
        let (space, _, ids) = all(5, 9, 2);
        let graph = EditGraph::new(&space, &ids, &Unwatched).unwrap();
        let mut random = Random::new(7);
        let values: Vec<f64> = (0..ids.len())
            .map(|i| if i % 17 == 4 { f64::NAN } else { random.below(40) as f64 })
            .collect();
        let (next, ends) = graph.view().ascend(&values, &Unwatched).unwrap();
        for row in 0..ids.len() {
            let mut at = row;
            loop {
                let best = (graph.view().neighbors(at).iter().map(|&near| near as usize))
                    .filter(|&near| values[near] > values[at])
                    .max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a)));
                assert_eq!(next[at] as usize, best.unwrap_or(at));
                let Some(best) = best else { break };
                at = best;
            }
            assert_eq!(ends[row] as usize, at);
        }
    }
}
