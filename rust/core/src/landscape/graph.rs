//! A space as a landscape: what single edits lead to, walks along them, and where they lead uphill.
//!
//! Cells are given by ascending ids, those that something is known of, and are called by their
//! place in that list, their row. Section 3 of the paper looks at the space in two ways: as unique
//! cells, and as raw encodings, which are all matrices of the most vertices with all ops, whatever
//! they are pruned to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::cell::{Cell, RawCell, label_shift};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor, Pace};
use crate::prune::prune;
use crate::space::{Catalog, Space};
use crate::walk::{self, Random};

/// Cells of one parallel task.
const TASK: usize = 1 << 10;
/// Rows between two looks at the clock.
const LOOK: usize = 1 << 10;

/// More edits than any cell has, and one: 14 ops for 9 vertices, and an edge from each of 11
/// vertices to each other.
const MOST_EDITS: usize = 9 * 14 + 11 * 10 + 1;

/// One op of one cell changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpChange {
    /// Which of the cells given.
    pub source: u32,
    /// The op that it had.
    pub from: u8,
    /// The op that it has now.
    pub to: u8,
    /// The id of what comes out.
    pub target: u64,
}

/// Every change of one op of every one of `cells`, vertex by vertex, in pieces.
///
/// # Errors
/// Where a cell is not in the space, or that has no ids; [`Error::Interrupted`].
pub fn op_changes(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<OpChange>>> {
    gather(space, cells, monitor, |catalog, source, cell, found| {
        walk::op_changes(space, cell, |from, to, edit| {
            found.push(OpChange { source, from, to, target: catalog.id(edit) });
        });
    })
}

/// One edge of one cell removed, or one added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeChange {
    /// Which of the cells given.
    pub source: u32,
    /// Whether the edge was added.
    pub added: bool,
    /// The id of what comes out, pruned.
    pub target: u64,
}

/// Every change of one edge of every one of `cells`, as in [`walk::edge_changes`], in pieces.
///
/// # Errors
/// As for [`op_changes`].
pub fn edge_changes(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<EdgeChange>>> {
    gather(space, cells, monitor, |catalog, source, cell, found| {
        walk::edge_changes(space, cell, |added, edit| {
            found.push(EdgeChange { source, added, target: catalog.id(edit) });
        });
    })
}

/// What `work` finds for each cell, in the order of the cells, a piece for each [`TASK`] of them.
fn gather<T: Send>(
    space: &Space,
    cells: &[Cell],
    monitor: &dyn Monitor,
    work: impl Fn(&Catalog, u32, Cell, &mut Vec<T>) + Sync,
) -> Result<Vec<Vec<T>>> {
    for (index, &cell) in cells.iter().enumerate() {
        let wrong = |source| Error::InModule { index, source: Box::new(source) };
        space.check(cell).map_err(wrong)?;
    }
    let catalog = space.catalog(&|| monitor.tick(0, cells.len()))?;
    let mut pieces: Vec<Vec<T>> = Vec::new();
    memory::reserve(&mut pieces, cells.len().div_ceil(TASK))?;
    pieces.resize_with(cells.len().div_ceil(TASK), Vec::new);
    let tasks = Mutex::new(cells.chunks(TASK).zip(&mut pieces).enumerate());
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = |(i, (cells, piece)): (usize, (&[Cell], &mut Vec<T>))| {
        for (j, &cell) in cells.iter().enumerate() {
            memory::reserve(piece, MOST_EDITS)?;
            work(catalog, (i * TASK + j) as u32, cell, piece);
        }
        Ok(cells.len())
    };
    parallel::run(next, cells.len(), run, monitor)?;
    Ok(pieces)
}

/// The rows of cells by their ids.
#[derive(Debug, Clone, Copy)]
struct Rows<'a> {
    ids: &'a [u64],
    /// Whether all cells of the space are there, so that rows are ids.
    all: bool,
}

impl<'a> Rows<'a> {
    fn new(ids: &'a [u64], catalog: &Catalog) -> Self {
        Self { ids, all: ids.len() as u64 == catalog.size() }
    }

    #[inline]
    fn of(self, id: u64) -> Option<u32> {
        if self.all {
            Some(id as u32)
        } else {
            self.ids.binary_search(&id).ok().map(|row| row as u32)
        }
    }
}

/// Which cells are one edit apart, as [`walk::neighbors`] has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditGraph {
    /// The neighbours of row `i` are `targets[offsets[i]..offsets[i + 1]]`, ascending.
    pub offsets: Vec<i64>,
    /// Rows.
    pub targets: Vec<u32>,
}

impl EditGraph {
    /// The graph on the cells with these ids, ascending; edits that lead elsewhere are left out.
    ///
    /// # Errors
    /// Where an id is not in the space, or the space has none; [`Error::Interrupted`].
    pub fn new(space: &Space, ids: &[u64], monitor: &dyn Monitor) -> Result<Self> {
        let mut cells = memory::filled(Cell::LEAST, ids.len())?;
        space.cells(ids, &mut cells, monitor)?;
        let rows = Rows::new(ids, space.catalog(&|| monitor.tick(0, ids.len()))?);
        let pieces = gather(space, &cells, monitor, |catalog, own, cell, found: &mut Vec<u32>| {
            // The number of neighbours, then the neighbours.
            let start = found.len();
            found.push(0);
            let mut add = |edit| found.extend(rows.of(catalog.id(edit)).filter(|&row| row != own));
            walk::op_changes(space, cell, |_, _, edit| add(edit));
            walk::edge_changes(space, cell, |_, edit| add(edit));
            let near = &mut found[start + 1..];
            near.sort_unstable();
            let mut unique = 0;
            for i in 0..near.len() {
                if i == 0 || near[i] != near[unique - 1] {
                    near[unique] = near[i];
                    unique += 1;
                }
            }
            found[start] = unique as u32;
            found.truncate(start + 1 + unique);
        })?;
        let edges = pieces.iter().map(Vec::len).sum::<usize>() - ids.len();
        let (mut offsets, mut targets) =
            (memory::with_capacity(ids.len() + 1)?, memory::with_capacity(edges)?);
        offsets.push(0i64);
        for piece in pieces {
            let mut rest = &piece[..];
            while let Some((&count, tail)) = rest.split_first() {
                let (near, tail) = tail.split_at(count as usize);
                targets.extend_from_slice(near);
                offsets.push(targets.len() as i64);
                rest = tail;
            }
        }
        Self { offsets, targets }.symmetric(&|| monitor.tick(ids.len(), ids.len()))
    }

    /// The graph with every edge in both directions.
    fn symmetric(&self, go_on: &dyn Fn() -> bool) -> Result<Self> {
        let n = self.offsets.len() - 1;
        // Sources by target, by counting: ascending for each target.
        let mut pace = Pace::default();
        let mut starts = memory::filled(0usize, n + 1)?;
        self.targets.iter().for_each(|&row| starts[row as usize + 1] += 1);
        (0..n).for_each(|row| starts[row + 1] += starts[row]);
        let mut free = memory::copied(&starts)?;
        let mut sources = memory::filled(0u32, self.targets.len())?;
        for row in 0..n {
            if row % LOOK == 0 {
                pace.ask(go_on)?;
            }
            for &near in self.view().neighbors(row) {
                sources[free[near as usize]] = row as u32;
                free[near as usize] += 1;
            }
        }
        let (offsets, targets) =
            (memory::with_capacity(n + 1)?, memory::with_capacity(sources.len())?);
        let mut both = Self { offsets, targets };
        both.offsets.push(0);
        for row in 0..n {
            if row % LOOK == 0 {
                pace.ask(go_on)?;
            }
            let (to, from) = (self.view().neighbors(row), &sources[starts[row]..starts[row + 1]]);
            memory::reserve(&mut both.targets, to.len() + from.len())?;
            let (mut i, mut j) = (0, 0);
            while i < to.len() || j < from.len() {
                let next = to.get(i).into_iter().chain(from.get(j)).min().copied();
                i += usize::from(to.get(i).copied() == next);
                j += usize::from(from.get(j).copied() == next);
                both.targets.extend(next);
            }
            both.offsets.push(both.targets.len() as i64);
        }
        Ok(both)
    }

    /// A view of what this is made of.
    pub fn view(&self) -> Graph<'_> {
        Graph { offsets: &self.offsets, targets: &self.targets }
    }
}

/// Cells whose graph is kept for distances: some 100 bytes each.
const MOST_CELLS: i128 = 1 << 22;

/// What [`edit_distances`] has for cells that no edits within the space lead to.
pub const UNCONNECTED: u8 = u8::MAX;

impl Space {
    /// The graph of all cells of the space, by their ids, made on first use.
    ///
    /// # Errors
    /// [`Error::TooLargeForDistances`]; [`Error::Interrupted`].
    pub fn edit_graph(&self, monitor: &dyn Monitor) -> Result<&EditGraph> {
        self.edits.get_or_try(|| {
            let cells = self.size();
            if cells > MOST_CELLS {
                return Err(Error::TooLargeForDistances { cells, limit: MOST_CELLS });
            }
            EditGraph::new(self, &memory::collect(0..cells as u64)?, monitor)
        })
    }
}

/// The least number of edits from each cell of the space to the one with the id `target`: steps to
/// neighbours, each a cell of the space too.
///
/// # Errors
/// [`Error::IdOutOfRange`], and those of [`Space::edit_graph`].
pub fn edit_distances(space: &Space, target: u64, monitor: &dyn Monitor) -> Result<Vec<u8>> {
    let graph = space.edit_graph(monitor)?.view();
    let mut search = Search::new(graph, target)?;
    let mut pace = Pace::default();
    while !search.edge.is_empty() {
        search.step(|_| false, &mut || pace.ask(|| monitor.tick(graph.len(), graph.len())))?;
    }
    Ok(search.distances)
}

/// The least number of edits between two cells, by their ids, as in [`edit_distances`]; `None` where
/// there is no way.
///
/// # Errors
/// Those of [`edit_distances`].
pub fn edit_distance(space: &Space, a: u64, b: u64, monitor: &dyn Monitor) -> Result<Option<u32>> {
    let graph = space.edit_graph(monitor)?.view();
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

/// A graph by its arrays, as [`EditGraph`] has them.
#[derive(Debug, Clone, Copy)]
pub struct Graph<'a> {
    offsets: &'a [i64],
    targets: &'a [u32],
}

impl<'a> Graph<'a> {
    /// Arrays that came from outside; `None` where they are no graph.
    pub fn new(offsets: &'a [i64], targets: &'a [u32]) -> Option<Self> {
        let n = offsets.len().checked_sub(1)?;
        let good = offsets[0] == 0
            && offsets[n] == targets.len() as i64
            && offsets.is_sorted()
            && targets.iter().all(|&row| (row as usize) < n);
        good.then_some(Self { offsets, targets })
    }

    /// Number of rows.
    pub fn len(self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The neighbours of a row, ascending.
    #[inline]
    pub fn neighbors(self, row: usize) -> &'a [u32] {
        &self.targets[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// Walks from every one of `starts`, each step to a neighbour drawn at random. Their rows are
    /// written one walk after another, the start first, equally many each; -1 from where there is
    /// no neighbour on.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    ///
    /// # Panics
    /// Where a start is no row.
    pub fn walk(
        self,
        starts: &[u32],
        rows: &mut [i32],
        random: &mut Random,
        monitor: &dyn Monitor,
    ) -> Result<()> {
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
        walks(starts, rows, begin, random, monitor)
    }

    /// Where steepest ascent leads from every row: the neighbour with the highest of `values`, the
    /// first of several, or the row itself where none is higher; and the row where the ascent ends.
    /// NaN is never higher; rows with it lead nowhere.
    ///
    /// # Panics
    /// Where there is not a value for each row.
    ///
    /// # Errors
    /// [`Error::Interrupted`], [`Error::Memory`].
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
/// are written as by [`Graph::walk`]; a walk begins at an encoding of its start that has no dangling
/// edges.
///
/// # Errors
/// Where an id is not in the space, or the space has none; [`Error::Interrupted`].
///
/// # Panics
/// Where a start is no row.
pub fn walk_encodings(
    space: &Space,
    ids: &[u64],
    starts: &[u32],
    rows: &mut [i32],
    random: &mut Random,
    monitor: &dyn Monitor,
) -> Result<()> {
    let catalog = space.catalog(&|| monitor.tick(0, rows.len()))?;
    if let Some(&id) = ids.iter().find(|&&id| id >= catalog.size()) {
        return Err(Error::IdOutOfRange { id: id.into(), size: catalog.size() });
    }
    let known = Rows::new(ids, catalog);
    let v = space.max_vertices();
    let (bits, others) = ((v * (v - 1) / 2) as u64, space.num_ops() as u64 - 1);
    let edits = bits + (v as u64 - 2) * others;
    let begin = |start: u32, random: &mut Random| {
        let mut module = walk::embed(space, catalog.cell(ids[start as usize]), random);
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
                let cell = prune(next).ok().filter(|&cell| space.check(cell).is_ok())?;
                let row = known.of(catalog.id(cell))?;
                module = next;
                Some(row)
            })
        }
    };
    walks(starts, rows, begin, random, monitor)
}

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
    let mut histograms = memory::filled(vec![[0u64; 2]; longest + 1], ops.count())?;
    let tasks = Mutex::new(histograms.iter_mut().enumerate());
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |(choice, histogram): (usize, &mut Vec<[u64; 2]>)| {
        let mut distances = memory::filled(FAR, 1 << bits)?;
        for &(edges, kind) in &peaks.matrices {
            distances[edges as usize] = peaks.by_ops[kind as usize][choice];
        }
        flip_all(&mut distances);
        for (&distance, &valid) in distances.iter().zip(&peaks.is_valid) {
            histogram[usize::from(distance).min(longest)][usize::from(valid)] += 1;
        }
        Ok(1 << bits)
    };
    parallel::run(next, encodings as usize, work, monitor)?;
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
            let Ok(pruned) = prune(RawCell::new(v, edges, vertices)) else { continue };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::parallel::Unwatched;

    fn all(v: usize, e: usize, k: usize) -> (Space, Vec<Cell>, Vec<u64>) {
        let space = Space::new(v, e, k).unwrap();
        let mut cells = Vec::new();
        space.stream().fill(&mut cells, usize::MAX, &|| true).unwrap();
        let ids = (0..cells.len() as u64).collect();
        (space, cells, ids)
    }

    fn id(space: &Space, cell: Cell) -> u64 {
        let mut id = [0];
        space.ids(&[cell], &mut id, &Unwatched).unwrap();
        id[0]
    }

    #[test]
    fn the_graph_is_that_of_neighbours() {
        for (v, e, k) in [(5, 7, 2), (6, 8, 1), (4, 9, 3)] {
            let (space, cells, ids) = all(v, e, k);
            // Some of the cells only, and all.
            let some: Vec<u64> = ids.iter().copied().filter(|id| id % 3 != 1).collect();
            for ids in [ids, some] {
                let graph = EditGraph::new(&space, &ids, &Unwatched).unwrap();
                let mut near = vec![BTreeSet::new(); ids.len()];
                for (row, &own) in ids.iter().enumerate() {
                    for cell in walk::neighbors(&space, cells[own as usize], &Unwatched).unwrap() {
                        near[row].extend(ids.binary_search(&id(&space, cell)).map(|i| i as u32));
                    }
                }
                for (row, near) in near.iter().enumerate() {
                    assert!(graph.view().neighbors(row).iter().eq(near));
                }
            }
        }
    }

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
                for cell in walk::neighbors(&space, cells[i], &Unwatched).unwrap() {
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
            let mut apart = 0;
            for &target in &ids {
                let found = edit_distances(&space, target, &Unwatched).unwrap();
                let mut aligned = vec![0; n];
                let cell = cells[target as usize];
                walk::alignment_distances(&cells, cell, &mut aligned, &Unwatched).unwrap();
                for i in 0..n {
                    let pair = edit_distance(&space, i as u64, target, &Unwatched).unwrap();
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
            assert!(edit_distances(&space, n as u64, &Unwatched).is_err());
        }
        let large = Space::new(8, 11, 3).unwrap();
        assert!(matches!(
            edit_distances(&large, 0, &Unwatched),
            Err(Error::TooLargeForDistances { .. })
        ));
    }

    #[test]
    fn changes_are_those_of_each_cell() {
        let (space, cells, _) = all(5, 6, 3);
        let ops = op_changes(&space, &cells, &Unwatched).unwrap().concat();
        let interior: usize = cells.iter().map(|cell| cell.vertices() - 2).sum();
        assert_eq!(ops.len(), 2 * interior);
        for change in &ops {
            let (old, new) = (cells[change.source as usize], cells[change.target as usize]);
            let count = |cell: Cell, op| {
                (1..cell.vertices() - 1).filter(|&x| cell.op(x) == op).count() as i64
            };
            assert_eq!(old.num_edges(), new.num_edges());
            for op in 0..3 {
                let shift = i64::from(op == change.to) - i64::from(op == change.from);
                assert_eq!(count(new, op), count(old, op) + shift);
            }
        }
        // An edge added can be removed again; and removed without loss, added again.
        let edges = edge_changes(&space, &cells, &Unwatched).unwrap().concat();
        let pairs = |added: bool, same_size: bool| -> BTreeSet<(u64, u64)> {
            let size = |i: u64| cells[i as usize].vertices();
            (edges.iter())
                .map(|change| (change.added, u64::from(change.source), change.target))
                .filter(|&(a, from, to)| a == added && (!same_size || size(from) == size(to)))
                .map(|(_, from, to)| if added { (to, from) } else { (from, to) })
                .collect()
        };
        assert_eq!(pairs(true, false), pairs(false, true));
        assert!(pairs(false, false).len() > pairs(false, true).len());
    }

    #[test]
    fn walks_step_to_neighbours_and_end_where_there_are_none() {
        let (space, _, mut ids) = all(5, 10, 2);
        // Without the cells around the first one, input to output.
        let whole = EditGraph::new(&space, &ids, &Unwatched).unwrap();
        ids.retain(|&id| !whole.view().neighbors(0).contains(&(id as u32)));
        let graph = EditGraph::new(&space, &ids, &Unwatched).unwrap();
        let (starts, mut rows) = ([0, 5, 100], vec![0; 3 * 1000]);
        let mut random = Random::new(3);
        graph.view().walk(&starts, &mut rows, &mut random, &Unwatched).unwrap();
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
    fn walks_through_encodings_visit_each_as_often_as_it_has_neighbours() {
        let (space, _, ids) = all(4, 4, 2);
        let steps = 2_000_000;
        let mut rows = vec![0; steps + 1];
        walk_encodings(&space, &ids, &[3], &mut rows, &mut Random::new(5), &Unwatched).unwrap();
        let valid = |module: RawCell| {
            prune(module)
                .ok()
                .filter(|&cell| space.check(cell).is_ok())
                .map(|cell| id(&space, cell))
        };
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
        let cell = |module: RawCell| prune(module).ok().filter(|&cell| space.check(cell).is_ok());
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

    #[test]
    fn broken_graphs_are_refused() {
        assert!(Graph::new(&[0, 1, 2], &[1, 0]).is_some());
        for (offsets, targets) in [
            (&[][..], &[][..]),
            (&[0, 2], &[0]),
            (&[0, 2, 1], &[0]),
            (&[1, 1], &[0]),
            (&[0, 1], &[1]),
        ] {
            assert!(Graph::new(offsets, targets).is_none());
        }
    }
}
