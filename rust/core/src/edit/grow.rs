//! The larger cells that one edit makes a cell of, by taking vertices away.

use super::changes::in_order;
use crate::cell::{Cell, label_shift, neighbours};
use crate::error::{Error, Result};
use crate::limits::{MAX_OPS, MAX_VERTICES};
use crate::memory;
use crate::parallel::{Monitor, Pace};
use crate::space::{Space, unique_representatives};

/// Edits looked at for the neighbours of one cell.
const MOST_EDITS: usize = 1 << 22;

/// Adds every cell of the space that an edge removed makes `cell` of, with vertices pruned.
///
/// Those vertices had all their paths through the edge. The ones before it are reached from `cell`
/// and lead to the edge's tail alone; the ones after it are reached from its head alone and lead
/// to `cell`. Either may be none, and the edge then begins or ends in `cell` itself.
pub(super) fn grow(
    space: &Space,
    cell: Cell,
    found: &mut Vec<Cell>,
    monitor: &dyn Monitor,
) -> Result<()> {
    let v = cell.vertices();
    let (room, spare) = (space.max_vertices() - v, space.max_edges() - cell.num_edges());
    if room == 0 || spare < 2 {
        return Ok(());
    }
    let mut pace = Pace::default();
    let mut ask = || pace.ask(|| monitor.tick(0, 1));
    let (into, out) = neighbours(v, cell.edges);
    let mut below = [0u16; MAX_VERTICES];
    for x in (0..v).rev() {
        let further = (0..v).filter(|y| out[x] >> y & 1 == 1).fold(0, |all, y| all | below[y]);
        below[x] = 1 << x | further;
    }
    let all = (1u16 << v) - 1;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for n in 0..=room {
        before.push(Bunch::all(n, all >> 1, spare - 1, &mut ask)?);
        after.push(Bunch::all(n, all & !1, spare - 1, &mut ask)?);
    }
    // First with all new vertices alike: their ops are given to what is left of that.
    let mut marked = Vec::new();
    for (p, q) in (0..=room).flat_map(|p| (0..=room - p).map(move |q| (p, q))).skip(1) {
        for first in &before[p] {
            ask()?;
            for second in &after[q] {
                let back = (0..v).any(|t| second.ends >> t & 1 == 1 && below[t] & first.ends != 0);
                if back || first.edges + second.edges + 1 > spare {
                    continue;
                }
                memory::reserve(&mut marked, 1)?;
                marked.push(grown(cell, into, first, second));
                if marked.len() > MOST_EDITS {
                    return Err(Error::TooManyNeighbours { limit: MOST_EDITS });
                }
            }
        }
    }
    unique_representatives(&mut marked, monitor)?;
    for cell in marked {
        let new = (1..cell.vertices() - 1).filter(|&x| cell.op(x) == NEW);
        let new: Vec<usize> = new.map(label_shift).collect();
        let blank = new.iter().fold(cell.labels, |labels, shift| labels & !(15 << shift));
        let choices = space.num_ops().saturating_pow(new.len() as u32);
        if found.len().saturating_add(choices) > MOST_EDITS {
            return Err(Error::TooManyNeighbours { limit: MOST_EDITS });
        }
        ask()?;
        memory::reserve(found, choices)?;
        for choice in 0..choices {
            let (mut rest, mut labels) = (choice, blank);
            for shift in &new {
                labels |= ((rest % space.num_ops()) as u64) << shift;
                rest /= space.num_ops();
            }
            found.push(cell.with_labels(labels));
        }
    }
    Ok(())
}

/// The label of a vertex whose op is not chosen yet: none that an op has.
const NEW: u8 = MAX_OPS as u8;

/// New vertices on one side of an edge to be: before it, with edges from old ones and from each
/// other, all of which lead to the last one; or after it, the same with edges the other way.
#[derive(Debug, Clone, Copy)]
struct Bunch {
    n: usize,
    /// Old vertices that each has an edge from.
    old: [u16; MAX_VERTICES],
    /// Vertices of the bunch, before it in this order, that each has an edge from.
    own: [u16; MAX_VERTICES],
    edges: usize,
    /// All old vertices that have an edge to the bunch; where it is empty, the end of the edge.
    ends: u16,
}

impl Bunch {
    /// All bunches of `n` vertices and at most `most` edges from the `allowed` old vertices.
    fn all(
        n: usize,
        allowed: u16,
        most: usize,
        ask: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Self>> {
        let none = [0; MAX_VERTICES];
        let empty = Self { n: 0, old: none, own: none, edges: 0, ends: 0 };
        let mut all = Vec::new();
        if n == 0 {
            for x in (0..MAX_VERTICES).filter(|x| allowed >> x & 1 == 1) {
                let mut end = empty;
                end.ends = 1 << x;
                all.push(end);
            }
        } else {
            empty.extend(n, allowed, most, &mut all, ask)?;
        }
        Ok(all)
    }

    fn extend(
        &self,
        n: usize,
        allowed: u16,
        most: usize,
        all: &mut Vec<Self>,
        ask: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let i = self.n;
        if i == n {
            let lead_on = self.own.iter().fold(0, |lead, own| lead | own);
            if lead_on.count_ones() as usize == n - 1 {
                memory::reserve(all, 1)?;
                all.push(*self);
            }
            return if all.len() > MOST_EDITS {
                Err(Error::TooManyNeighbours { limit: MOST_EDITS })
            } else {
                Ok(())
            };
        }
        ask()?;
        // Every vertex to come needs an edge too.
        let Some(spare) = most.checked_sub(self.edges + n - i - 1) else { return Ok(()) };
        for own in 0..1u16 << i {
            let mut old = allowed;
            loop {
                let edges = (own.count_ones() + old.count_ones()) as usize;
                // Of two orders that differ in two vertices without an edge between them one will do.
                let twice = i > 0
                    && own >> (i - 1) & 1 == 0
                    && (own, old) < (self.own[i - 1], self.old[i - 1]);
                if (1..=spare).contains(&edges) && !twice {
                    let mut more = *self;
                    (more.own[i], more.old[i], more.n) = (own, old, i + 1);
                    more.edges += edges;
                    more.ends |= old;
                    more.extend(n, allowed, most, all, ask)?;
                }
                if old == 0 {
                    break;
                }
                old = (old - 1) & allowed;
            }
        }
        Ok(())
    }
}

/// `cell`, whose in-neighbours are `into`, with one more edge, and new vertices before and after it.
fn grown(cell: Cell, mut into: [u16; MAX_VERTICES], before: &Bunch, after: &Bunch) -> Cell {
    let (v, p, q) = (cell.vertices(), before.n, after.n);
    for i in 0..p {
        into[v + i] = before.old[i] | before.own[i] << v;
    }
    for j in 0..q {
        let own = 1 << (v + p + j);
        (0..v).filter(|t| after.old[j] >> t & 1 == 1).for_each(|t| into[t] |= own);
        (0..j).filter(|k| after.own[j] >> k & 1 == 1).for_each(|k| into[v + p + k] |= own);
    }
    let old = |ends: u16| ends.trailing_zeros() as usize;
    let tail = if p > 0 { v + p - 1 } else { old(before.ends) };
    let head = if q > 0 { v + p + q - 1 } else { old(after.ends) };
    into[head] |= 1 << tail;
    let label = |x: usize| if x < v { cell.op(x) } else { NEW };
    in_order(v + p + q, into, label).expect("what leads back has been left out")
}
