//! Random walks, along a graph of edits and through raw encodings.

use super::graph::{Graph, Rows, check_ids};
use crate::cell::label_shift;
use crate::edit;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{Monitor, Pace};
use crate::random::Random;
use crate::space::Space;

impl Graph<'_> {
    /// Walks of so many steps from every one of `starts`, each step to a neighbour drawn at random:
    /// their rows, one walk after another, the start first; -1 from where there is no neighbour on.
    ///
    /// # Errors
    /// [`Error::StartOutOfRange`]; [`Error::Memory`]; [`Error::Interrupted`].
    pub fn walk(
        self,
        starts: &[u32],
        steps: usize,
        random: &mut Random,
        monitor: &dyn Monitor,
    ) -> Result<Vec<i32>> {
        let mut rows = room(starts, self.len(), steps)?;
        let begin = |start: u32, _: &mut Random| {
            let mut at = start as usize;
            move |random: &mut Random| {
                let near = self.neighbors(at);
                if near.is_empty() {
                    return None;
                }
                let row = near[random.below(near.len() as u64) as usize];
                at = row as usize;
                Some(row)
            }
        };
        walks(starts, &mut rows, begin, random, monitor)?;
        Ok(rows)
    }
}

/// Room for walks from `starts`, which must be of so many rows.
fn room(starts: &[u32], rows: usize, steps: usize) -> Result<Vec<i32>> {
    match starts.iter().find(|&&start| start as usize >= rows) {
        Some(&start) => Err(Error::StartOutOfRange { start, rows }),
        None => memory::filled(0, starts.len().saturating_mul(steps.saturating_add(1))),
    }
}

/// Walks from each of `starts`; `begin` gives what takes the steps of one.
fn walks<S: FnMut(&mut Random) -> Option<u32>>(
    starts: &[u32],
    rows: &mut [i32],
    mut begin: impl FnMut(u32, &mut Random) -> S,
    random: &mut Random,
    monitor: &dyn Monitor,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let (mut done, total, mut pace) = (0usize, rows.len(), Pace::default());
    for (&start, walk) in starts.iter().zip(rows.chunks_exact_mut(total / starts.len())) {
        let mut step = begin(start, random);
        let mut at = Some(start);
        for slot in walk {
            done += 1;
            // A step is some nanoseconds, or 10,000 draws.
            if done.is_multiple_of(16) {
                pace.ask(|| monitor.tick(done, total))?;
            }
            *slot = at.map_or(-1, |row| row as i32);
            at = at.and_then(|_| step(random));
        }
    }
    Ok(())
}

/// Draws of a next encoding before a walk is given up: no one has as many neighbours by far.
const DRAWS: usize = 10_000;

/// Walks through raw encodings: each step flips one entry of the matrix of the most vertices or
/// changes one op, dangling or not, drawn at random among those that give a cell with a row. Rows
/// are those of ascending `ids`, and come as from [`Graph::walk`]; a walk begins at an encoding of its start that has no dangling
/// edges.
///
/// # Errors
/// [`Error::BadIds`]; [`Error::StartOutOfRange`]; where an id is not in the space, or the space has
/// none; [`Error::Memory`]; [`Error::Interrupted`].
pub fn walk_encodings(
    space: &Space,
    ids: &[u64],
    starts: &[u32],
    steps: usize,
    random: &mut Random,
    monitor: &dyn Monitor,
) -> Result<Vec<i32>> {
    check_ids(ids)?;
    let mut rows = room(starts, ids.len(), steps)?;
    let catalog = space.catalog(&|| monitor.tick(0, rows.len()))?;
    if let Some(&id) = ids.iter().find(|&&id| id >= catalog.size()) {
        return Err(Error::IdOutOfRange { id: id.into(), size: catalog.size() });
    }
    let known = Rows::new(ids, catalog);
    let v = space.max_vertices();
    let (bits, others) = ((v * (v - 1) / 2) as u64, space.num_ops() as u64 - 1);
    let edits = bits + (v as u64 - 2) * others;
    let begin = |start: u32, random: &mut Random| {
        let mut module = edit::embed(space, catalog.cell(ids[start as usize]), random);
        move |random: &mut Random| {
            (0..DRAWS).find_map(|_| {
                let drawn = random.below(edits);
                let mut next = module;
                if drawn < bits {
                    next.edges ^= 1 << drawn;
                } else {
                    let (x, other) = ((drawn - bits) / others, (drawn - bits) % others);
                    let shift = label_shift(x as usize + 1);
                    let op = other + u64::from(other >= module.labels >> shift & 15);
                    next.labels = module.labels & !(15 << shift) | op << shift;
                }
                let cell = space.pruned(next)?;
                let row = known.of(catalog.id(cell))?;
                module = next;
                Some(row)
            })
        }
    };
    walks(starts, &mut rows, begin, random, monitor)?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::graph::EditGraph;
    use super::super::testing::{all, id};
    use super::*;
    use crate::cell::RawCell;
    use crate::parallel::Unwatched;

    #[test]
    fn walks_step_to_neighbours_and_end_where_there_are_none() {
        let (space, _, mut ids) = all(5, 10, 2);
        // Without the cells around the first one, input to output.
        let whole = EditGraph::new(&space, &ids, &Unwatched).unwrap();
        ids.retain(|&id| !whole.view().neighbors(0).contains(&(id as u32)));
        let graph = EditGraph::new(&space, &ids, &Unwatched).unwrap();
        let starts = [0, 5, 100];
        let rows = graph.view().walk(&starts, 999, &mut Random::new(3), &Unwatched).unwrap();
        assert_eq!(rows.len(), 3 * 1000);
        for (walk, start) in rows.chunks(1000).zip(starts) {
            assert_eq!(walk[0], start as i32);
            for pair in walk.windows(2) {
                match pair[0] {
                    -1 => assert_eq!(pair[1], -1),
                    row => {
                        let near = graph.view().neighbors(row as usize);
                        assert!(
                            near.is_empty() && pair[1] == -1 || near.contains(&(pair[1] as u32))
                        )
                    }
                }
            }
        }
        assert_eq!(rows[1], -1);
        assert!(rows[1000..].iter().all(|&row| row > 0));
    }

    #[test]
    fn walks_from_nowhere_are_refused() {
        let (space, _, ids) = all(4, 4, 2);
        let (graph, random) =
            (EditGraph::new(&space, &ids, &Unwatched).unwrap(), &mut Random::new(1));
        let start = ids.len() as u32;
        let wrong = Err(Error::StartOutOfRange { start, rows: ids.len() });
        assert_eq!(graph.view().walk(&[0, start], 9, random, &Unwatched), wrong);
        assert_eq!(walk_encodings(&space, &ids, &[0, start], 9, random, &Unwatched), wrong);
        let found = walk_encodings(&space, &[3, 2], &[0], 9, random, &Unwatched);
        assert_eq!(found, Err(Error::BadIds));
    }

    #[test]
    fn walks_through_encodings_visit_each_as_often_as_it_has_neighbours() {
        let (space, _, ids) = all(4, 4, 2);
        let steps = 2_000_000;
        let rows =
            walk_encodings(&space, &ids, &[3], steps, &mut Random::new(5), &Unwatched).unwrap();
        let valid = |module: RawCell| space.pruned(module).map(|cell| id(&space, cell));
        let (mut expected, mut total) = (HashMap::new(), 0);
        for code in 0..1u64 << 8 {
            let labels = (code >> 6 & 1) << label_shift(1) | (code >> 7) << label_shift(2);
            let module = RawCell::new(4, code & 63, labels);
            let Some(own) = valid(module) else { continue };
            let flips = (0..6).map(|bit| RawCell { edges: module.edges ^ 1 << bit, ..module });
            let ops =
                (1..3).map(|x| RawCell { labels: module.labels ^ 1 << label_shift(x), ..module });
            let degree = flips.chain(ops).filter(|&next| valid(next).is_some()).count();
            *expected.entry(own as i32).or_insert(0) += degree;
            total += degree;
        }
        let mut visits = HashMap::new();
        rows.iter().for_each(|&row| *visits.entry(row).or_insert(0) += 1);
        for (row, degree) in expected {
            let (share, seen) = (degree as f64 / total as f64, visits[&row] as f64 / steps as f64);
            assert!((share - seen).abs() < 0.003, "row {row}: {seen} of {share}");
        }
    }
}
