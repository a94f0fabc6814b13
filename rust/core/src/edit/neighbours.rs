//! Steps in a space: all neighbours of a cell, random mutation, and how far apart cells are by
//! alignment. The distance in steps is that of [`landscape`](crate::landscape).

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::canon::{representative, representatives};
use crate::cell::{
    Cell, MAX_OPS, MAX_VERTICES, RawCell, column, edge_bit, label_shift, neighbours,
};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor, Pace};
use crate::prune::prune;
use crate::space::Space;

/// Edits looked at for the neighbours of one cell.
const MOST_EDITS: usize = 1 << 22;

/// The neighbours of `cell`: all other cells of `space` that one edit leads to, or that one edit
/// leads from to `cell`. An edit changes an interior op, removes an edge, or adds one between any
/// two vertices where that makes no cycle; what comes out is pruned. In the reference form and
/// order.
///
/// An edge that is removed may take vertices with it, and no single edit of the pruned cell brings
/// them back. That such pairs are neighbours from either side is what makes this symmetric. In
/// other words: two cells are neighbours where raw modules of `max_vertices` vertices, which are
/// pruned to the one and to the other, differ in one entry of the matrix or in one op.
///
/// # Errors
/// Where `cell` is not in the space; [`Error::TooManyNeighbours`] for small cells of large spaces;
/// [`Error::Interrupted`].
pub fn neighbors(space: &Space, cell: Cell, monitor: &dyn Monitor) -> Result<Vec<Cell>> {
    space.check(cell)?;
    let mut found = Vec::new();
    op_changes(space, cell, |_, _, edit| found.push(edit));
    edge_changes(space, cell, |_, edit| found.push(edit));
    grow(space, cell, &mut found, monitor)?;
    sort_out(&mut found, monitor)?;
    let own = representative(cell);
    found.retain(|&other| other != own);
    Ok(found)
}

/// Cells in the reference form and order, each once.
fn sort_out(cells: &mut Vec<Cell>, monitor: &dyn Monitor) -> Result<()> {
    representatives(cells, monitor)?;
    cells.sort_unstable_by_key(|cell| cell.order_key());
    cells.dedup();
    Ok(())
}

/// Adds every cell of the space that an edge removed makes `cell` of, with vertices pruned.
///
/// Those vertices had all their paths through the edge. The ones before it are reached from `cell`
/// and lead to the edge's tail alone; the ones after it are reached from its head alone and lead
/// to `cell`. Either may be none, and the edge then begins or ends in `cell` itself.
fn grow(space: &Space, cell: Cell, found: &mut Vec<Cell>, monitor: &dyn Monitor) -> Result<()> {
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
    sort_out(&mut marked, monitor)?;
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

/// Every interior op of `cell` changed to every other one: its op, the new one, and the cell that
/// comes out, with its vertices where they were.
#[inline]
pub fn op_changes(space: &Space, cell: Cell, mut visit: impl FnMut(u8, u8, Cell)) {
    for x in 1..cell.vertices() - 1 {
        for op in (0..space.num_ops() as u8).filter(|&op| op != cell.op(x)) {
            let labels = cell.labels & !(15 << label_shift(x)) | u64::from(op) << label_shift(x);
            visit(cell.op(x), op, cell.with_labels(labels));
        }
    }
}

/// Every edge of `cell` removed, where that leaves a cell; and, within the limits of the space,
/// an edge added between any two vertices where that makes no cycle. `visit` is told whether it
/// was added, and the cell that comes out, pruned and in no particular form.
#[inline]
pub fn edge_changes(space: &Space, cell: Cell, mut visit: impl FnMut(bool, Cell)) {
    let v = cell.vertices();
    let (into, out) = neighbours(v, cell.edges);
    for x in 0..v {
        for y in (0..v).filter(|&y| y != x) {
            if out[x] >> y & 1 == 1 {
                let fewer = RawCell { edges: cell.edges & !edge_bit(x, y), ..cell.raw() };
                if let Ok(fewer) = prune(fewer) {
                    visit(false, fewer);
                }
            } else if cell.num_edges() < space.max_edges() && y != 0 && x != v - 1 {
                let more = if x < y {
                    Some(Cell::of(RawCell { edges: cell.edges | edge_bit(x, y), ..cell.raw() }))
                } else {
                    with_edge_down(cell, into, x, y)
                };
                if let Some(more) = more {
                    visit(true, more);
                }
            }
        }
    }
}

/// `cell` with one more edge that leads to a lower vertex; `None` for a cycle. `into` are its
/// in-neighbours.
fn with_edge_down(cell: Cell, mut into: [u16; MAX_VERTICES], x: usize, y: usize) -> Option<Cell> {
    into[y] |= 1 << x;
    in_order(cell.vertices(), into, |x| cell.op(x))
}

/// The cell of a graph of `v` vertices by their in-neighbours, all of them on paths from the one
/// without any to the one that leads nowhere, in a topological order; `None` for a cycle.
fn in_order(v: usize, into: [u16; MAX_VERTICES], op: impl Fn(usize) -> u8) -> Option<Cell> {
    let (mut placed, mut place) = (0u16, [0; MAX_VERTICES]);
    let mut more = RawCell::new(v, 0, 0);
    for at in 0..v {
        let next = (0..v).find(|&u| placed >> u & 1 == 0 && into[u] & !placed == 0)?;
        placed |= 1 << next;
        place[next] = at;
        for from in (0..v).filter(|from| into[next] >> from & 1 == 1) {
            more.edges |= edge_bit(place[from], at);
        }
        if at > 0 && at + 1 < v {
            more.labels |= u64::from(op(next)) << label_shift(at);
        }
    }
    Some(Cell::of(more))
}

/// Attempts at a valid mutation before giving up.
const ATTEMPTS: usize = 1_000_000;

/// The mutation of the original's evolution example on a raw module of `max_vertices` vertices
/// (dangling vertices included): each edge flips with probability `rate / vertices`, each interior
/// op changes to another with probability `rate / (vertices - 2)`; again until the result, pruned,
/// is in the space. `None` where a million attempts were not.
///
/// # Errors
/// Where an op of the module is not one of the space's; [`Error::Interrupted`] where `go_on` says no.
pub fn mutate_raw(
    space: &Space,
    module: RawCell,
    rate: f64,
    rng: &mut Random,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<RawCell>> {
    crate::cell::check_ops(module, space.num_ops())?;
    let v = module.vertices();
    let edge_rate = rate / v as f64;
    let op_rate = if v > 2 { rate / (v - 2) as f64 } else { 0.0 };
    let mut pace: Option<Pace> = None;
    for attempt in 0..ATTEMPTS {
        if attempt % 256 == 255 {
            pace.get_or_insert_default().ask(go_on)?;
        }
        let mut next = module;
        for bit in 0..v * (v - 1) / 2 {
            next.edges ^= u64::from(rng.unit() < edge_rate) << bit;
        }
        for x in 1..v - 1 {
            if rng.unit() < op_rate && space.num_ops() > 1 {
                let other = rng.below(space.num_ops() as u64 - 1);
                let op = other + u64::from(other >= u64::from(module.op(x)));
                next.labels = next.labels & !(15 << label_shift(x)) | op << label_shift(x);
            }
        }
        if prune(next).is_ok_and(|pruned| space.check(pruned).is_ok()) {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

/// A cell as a raw module of `max_vertices` vertices: output moves to the end, and the vertices in
/// between dangle, with random ops.
pub fn embed(space: &Space, cell: Cell, rng: &mut Random) -> RawCell {
    let (v, all) = (cell.vertices(), space.max_vertices());
    if v >= all {
        return cell.raw();
    }
    let inner = cell.edges & (edge_bit(0, v - 1) - 1);
    let into_output = column(cell.edges, v - 1) << ((all - 1) * (all - 2) / 2);
    let mut labels = cell.interior();
    for x in v - 1..all - 1 {
        labels |= rng.below(space.num_ops() as u64) << label_shift(x);
    }
    RawCell::new(all, inner | into_output, labels)
}

/// Raw modules drawn for each valid one before giving up.
const HOPELESS: usize = 50_000_000;

/// `n` cells of the space, drawn as the original's random search draws modules of `max_vertices`
/// vertices: each edge with probability one half, each op uniform, until the result, pruned, is in
/// the space. `None` where that hardly ever happens.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn random_cells(
    space: &Space,
    n: usize,
    rng: &mut Random,
    monitor: &dyn Monitor,
) -> Result<Option<Vec<Cell>>> {
    let v = space.max_vertices();
    let (mut cells, mut tried, mut pace) = (memory::with_capacity(n)?, 0usize, Pace::default());
    while cells.len() < n {
        tried += 1;
        if tried > HOPELESS * (cells.len() + 1) {
            return Ok(None);
        }
        if tried.is_multiple_of(1 << 10) {
            pace.ask(|| monitor.tick(cells.len(), n))?;
        }
        let mut module = RawCell::new(v, rng.below(1 << (v * (v - 1) / 2)), 0);
        for x in 1..v - 1 {
            module.labels |= rng.below(space.num_ops() as u64) << label_shift(x);
        }
        cells.extend(prune(module).ok().filter(|&cell| space.check(cell).is_ok()));
    }
    representatives(&mut cells, monitor)?;
    Ok(Some(cells))
}

/// A seeded random generator (xoshiro256++): one seed is one stream, on every machine.
#[derive(Debug, Clone)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `0..n`; the bias is below `n / 2^64`.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }
}

/// The alignment distance from every one of `cells` to `target`, written to `distances`.
///
/// It is the least number of edges that differ plus interior ops that differ, over all ways to
/// align the interior vertices of the two; the smaller cell is filled up with vertices that have no
/// edges and any op. It knows no pruning, so that it tells how alike two cells look, not how few
/// edits lead from one to the other; and by way of a smaller cell, whose filling fits any op,
/// there may be less than the direct distance.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn alignment_distances(
    cells: &[Cell],
    target: Cell,
    distances: &mut [u8],
    monitor: &dyn Monitor,
) -> Result<()> {
    // The alignments with each size that occurs; those of smaller cells are all alike.
    let size = |cell: Cell| cell.vertices().max(target.vertices());
    let mut all: [Vec<Form>; MAX_VERTICES + 1] = Default::default();
    for &cell in cells {
        if all[size(cell)].is_empty() {
            all[size(cell)] = forms(target, size(cell));
        }
    }
    let work = |_: usize, cells: &[Cell], distances: &mut [u8]| {
        let mut order: Vec<(u32, u32)> = Vec::new();
        let mut structure = (0, 0);
        for (&cell, distance) in cells.iter().zip(distances) {
            let forms = &all[size(cell)];
            let own = Form::new(cell, size(cell), &IDENTITY);
            if structure != cell.structure() {
                structure = cell.structure();
                order.clear();
                let edges = |form: &Form| (form.edges ^ own.edges).count_ones();
                order.extend(forms.iter().enumerate().map(|(i, form)| (edges(form), i as u32)));
                order.sort_unstable();
            }
            let mut least = u32::MAX;
            for &(edges, i) in &order {
                if edges >= least {
                    break;
                }
                least = least.min(edges + own.different_ops(&forms[i as usize]));
            }
            *distance = least as u8;
        }
    };
    // Some 2^20 alignments a task, a few milliseconds.
    let most = all.iter().map(Vec::len).max().unwrap_or(0);
    let task = ((1 << 20) / most.max(1)).clamp(1, 1 << 12);
    parallel::map_chunks(cells, distances, task, work, monitor)
}

const IDENTITY: [usize; MAX_VERTICES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// A cell under one alignment of its vertices; edges may point down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    /// Edge `(x, y)` is bit `11 x + y`.
    edges: u128,
    /// A nibble a vertex.
    ops: u64,
    /// All ones in the nibbles of vertices that exist.
    present: u64,
}

impl Form {
    /// `cell` among `v` vertices, vertex `x` standing at `place[x]`, output at the end.
    fn new(cell: Cell, v: usize, place: &[usize; MAX_VERTICES]) -> Self {
        let own = cell.vertices();
        let place = |x: usize| if x == own - 1 { v - 1 } else { place[x] };
        let mut form = Self { edges: 0, ops: 0, present: 0 };
        for y in 1..own {
            for x in (0..y).filter(|x| column(cell.edges, y) >> x & 1 == 1) {
                form.edges |= 1 << (MAX_VERTICES * place(x) + place(y));
            }
            if y + 1 < own {
                form.ops |= u64::from(cell.op(y)) << (4 * place(y));
                form.present |= 15 << (4 * place(y));
            }
        }
        form
    }

    #[inline]
    fn different_ops(&self, other: &Self) -> u32 {
        let bits = (self.ops ^ other.ops) & self.present & other.present;
        let any = bits | bits >> 1;
        ((any | any >> 2) & 0x1111_1111_1111_1111).count_ones()
    }
}

/// `target` under all alignments with the interior of a graph of `v` vertices.
fn forms(target: Cell, v: usize) -> Vec<Form> {
    fn assign(
        target: Cell,
        v: usize,
        x: usize,
        used: u16,
        place: &mut [usize; MAX_VERTICES],
        all: &mut Vec<Form>,
    ) {
        if x + 1 >= target.vertices() {
            all.push(Form::new(target, v, place));
            return;
        }
        for at in (1..v - 1).filter(|at| used >> at & 1 == 0) {
            place[x] = at;
            assign(target, v, x + 1, used | 1 << at, place, all);
        }
    }
    let mut all = Vec::new();
    assign(target, v, 1, 0, &mut IDENTITY.clone(), &mut all);
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Unwatched;

    fn cells(v: usize, e: usize, k: usize) -> (Space, Vec<Cell>) {
        let space = Space::new(v, e, k).unwrap();
        let mut cells = Vec::new();
        space.stream().fill(&mut cells, usize::MAX, &|| true).unwrap();
        (space, cells)
    }

    /// Every labelled, upper-triangular form of a cell.
    fn all_forms(cell: Cell) -> Vec<Cell> {
        let v = cell.vertices();
        let full: Vec<Cell> = forms(cell, v)
            .into_iter()
            .filter_map(|form| {
                let mut mask = 0;
                for x in 0..v {
                    for y in 0..v {
                        if form.edges >> (MAX_VERTICES * x + y) & 1 == 1 {
                            if y < x {
                                return None;
                            }
                            mask |= edge_bit(x, y);
                        }
                    }
                }
                let labels =
                    (1..v - 1).fold(0, |w, x| w | (form.ops >> (4 * x) & 15) << label_shift(x));
                Some(Cell::new(v, mask, labels))
            })
            .collect();
        full
    }

    /// What one edit of a cell leads to.
    fn edits(space: &Space, cell: Cell) -> Vec<Cell> {
        let mut found = Vec::new();
        op_changes(space, cell, |_, _, edit| found.push(edit));
        edge_changes(space, cell, |_, edit| found.push(edit));
        sort_out(&mut found, &Unwatched).unwrap();
        found.retain(|&other| other != representative(cell));
        found
    }

    #[test]
    fn neighbours_are_those_that_an_edit_leads_to_or_from() {
        for (v, e, k) in [(5, 7, 2), (6, 7, 1), (6, 15, 1), (4, 9, 3), (3, 2, 1), (5, 4, 1)] {
            let (space, cells) = cells(v, e, k);
            let mut near = vec![Vec::new(); cells.len()];
            for (i, &cell) in cells.iter().enumerate() {
                for edit in edits(&space, cell) {
                    let j = cells.iter().position(|&cell| cell == edit).unwrap();
                    near[i].push(j);
                    near[j].push(i);
                }
            }
            for (i, near) in near.iter_mut().enumerate() {
                near.sort_unstable();
                near.dedup();
                let found = neighbors(&space, cells[i], &Unwatched).unwrap();
                assert!(found.iter().eq(near.iter().map(|&j| &cells[j])), "{:?}", cells[i]);
            }
        }
    }

    #[test]
    fn what_has_too_many_neighbours_says_so() {
        let large = Space::new(11, 55, 15).unwrap();
        let found = neighbors(&large, Cell::LEAST, &Unwatched);
        assert!(matches!(found, Err(Error::TooManyNeighbours { .. })));
        let stopped = neighbors(&large, Cell::LEAST, &Never);
        assert_eq!(stopped, Err(Error::Interrupted));
    }

    struct Never;

    impl Monitor for Never {
        fn tick(&self, _: usize, _: usize) -> bool {
            false
        }
    }

    #[test]
    fn edits_are_those_of_all_forms() {
        let (space, cells) = cells(5, 7, 2);
        for &cell in &cells {
            let v = cell.vertices();
            let mut plain = Vec::new();
            for form in all_forms(cell) {
                for bit in 0..v * (v - 1) / 2 {
                    plain.push(RawCell { edges: form.edges ^ 1 << bit, ..form.raw() });
                }
                for x in 1..v - 1 {
                    plain.push(RawCell { labels: form.labels ^ 1 << label_shift(x), ..form.raw() });
                }
            }
            let mut plain: Vec<Cell> = (plain.into_iter())
                .filter_map(|edit| prune(edit).ok())
                .filter(|&edit| space.check(edit).is_ok())
                .map(representative)
                .filter(|&edit| edit != cell)
                .collect();
            plain.sort_unstable_by_key(|cell| cell.order_key());
            plain.dedup();
            assert_eq!(edits(&space, cell), plain);
        }
    }

    #[test]
    fn alignment_distance_has_single_edits_at_one() {
        let (space, cells) = cells(5, 7, 2);
        let n = cells.len();
        let mut table = vec![vec![0; n]; n];
        for (row, &target) in table.iter_mut().zip(&cells) {
            alignment_distances(&cells, target, row, &Unwatched).unwrap();
        }
        for i in (0..n).step_by(7) {
            for j in 0..n {
                assert_eq!(table[i][j], table[j][i]);
                assert_eq!(table[i][j] == 0, i == j);
                for k in (0..n).step_by(13) {
                    let same = cells[j].vertices() >= cells[i].vertices().min(cells[k].vertices());
                    assert!(!same || table[i][k] <= table[i][j] + table[j][k]);
                }
            }
            for near in edits(&space, cells[i]) {
                let j = cells.iter().position(|&cell| cell == near).unwrap();
                if near.vertices() == cells[i].vertices() {
                    assert_eq!(table[i][j], 1);
                }
            }
        }
    }

    #[test]
    fn mutation_keeps_to_the_space_and_to_its_seed() {
        let (space, cells) = cells(7, 9, 3);
        let mut rng = Random::new(1);
        for &cell in cells.iter().step_by(1009) {
            let raw = embed(&space, cell, &mut rng);
            assert_eq!((raw.vertices(), prune(raw)), (7, Ok(cell)));
            let next = mutate_raw(&space, raw, 1.0, &mut rng, &|| true).unwrap().unwrap();
            assert!(space.check(prune(next).unwrap()).is_ok());
        }
        let raw = embed(&space, cells[1000], &mut rng);
        let draw = |seed| mutate_raw(&space, raw, 1.0, &mut Random::new(seed), &|| true).unwrap();
        assert_eq!(draw(5), draw(5));
        assert!((0..20).any(|seed| draw(seed) != draw(5)));
        // Flipping everything always cuts the only path: there is nothing to find.
        let two = Space::new(2, 1, 1).unwrap();
        let direct = RawCell::new(2, 1, 0);
        assert_eq!(mutate_raw(&two, direct, 2.0, &mut rng, &|| true), Ok(None));
    }
}
