//! Many labellings of one structure, a lane each.
//!
//! All lanes have the same degrees, so the same message lengths; only the order of neighbours
//! differs, which a sorting network settles. After round r a vertex's hash depends on the labels
//! within distance r alone: early rounds are computed once for each labelling of that ball and
//! shared by all labellings that agree on it.

use nb101_lanes::{Row, Vector};

use super::classes::Classes;
use super::digest::Digest;
use super::lanes::{Lanes, Messages};
use super::mixed::Mixed;
use super::neighbours::{Neighbours, members};
use crate::cell::Cell;
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::memory;

/// Labellings of one structure whose early rounds are done together.
const MOST: usize = 1 << 10;
/// Labellings of all structures: enough messages of each kind to leave few lanes empty. With 1,024 the
/// original space took 5 % more.
const MOST_OF_ALL: usize = 1 << 12;

/// Hashes runs of cells of one structure.
pub(super) struct Runs<'a> {
    runs: Vec<Run<'a>>,
    labellings: usize,
    rows: Vec<Row>,
    messages: Messages,
    classes: Classes,
}

/// Cells of one structure.
struct Run<'a> {
    cells: &'a [Cell],
    /// Where the digest of the first one belongs.
    place: usize,
    vertices: usize,
    neighbours: Neighbours,
    /// Its labels, as the classes know them.
    labels: usize,
    /// Rounds that are shared.
    rounds: usize,
    /// The interior vertices on whose labels the hash of each vertex depends after those.
    ball: [u16; MAX_VERTICES],
    /// Where its hashes are, one for each class of labellings that agree on the ball.
    hashes: [Shared; MAX_VERTICES],
    sharing: bool,
}

/// The hashes of a vertex, shared by labellings.
#[derive(Clone, Copy, Default)]
struct Shared {
    first: u32,
    classes: usize,
}

impl<'a> Runs<'a> {
    pub(super) fn new() -> Self {
        Self {
            runs: Vec::new(),
            labellings: 0,
            rows: Vec::new(),
            messages: Messages::new(),
            classes: Classes::of_this_thread(),
        }
    }

    /// Takes `cells`, all of one structure, whose digests belong at `place` of `out` and on.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), as of [`finish`](Self::finish).
    pub(super) fn push<V: Vector>(
        &mut self,
        lanes: &mut Lanes<V>,
        mixed: &mut Mixed,
        cells: &'a [Cell],
        mut place: usize,
        out: &mut [Digest],
    ) -> Result<()> {
        for cells in cells.chunks(MOST) {
            self.start(cells, place)?;
            place += cells.len();
            self.labellings += cells.len();
            if self.labellings >= MOST_OF_ALL {
                self.finish(lanes, mixed, out)?;
            }
        }
        Ok(())
    }

    fn start(&mut self, cells: &'a [Cell], place: usize) -> Result<()> {
        let vertices = cells[0].vertices();
        let neighbours = Neighbours::new(vertices, cells[0].edges());
        let labels = self.classes.list(cells);
        let (mut ball, mut hashes) = ([0; MAX_VERTICES], [Shared::default(); MAX_VERTICES]);
        for x in 0..vertices {
            ball[x] = 1 << x & interior(vertices);
            let classes = self.classes.find(labels, ball[x])?;
            hashes[x] = Shared { first: self.rows.len() as u32, classes };
            let firsts = &self.classes.get(labels, classes).first;
            memory::reserve(&mut self.rows, firsts.len())?;
            for &first in firsts {
                self.rows.push(neighbours.initial(cells[usize::from(first)], x));
            }
        }
        let (rounds, sharing) = (0, true);
        self.runs.push(Run {
            cells,
            place,
            vertices,
            neighbours,
            labels,
            rounds,
            ball,
            hashes,
            sharing,
        });
        Ok(())
    }

    /// Hashes what is left, but for what it leaves to `mixed`.
    pub(super) fn finish<V: Vector>(
        &mut self,
        lanes: &mut Lanes<V>,
        mixed: &mut Mixed,
        out: &mut [Digest],
    ) -> Result<()> {
        loop {
            let done = self.rows.len();
            let listed = self.list_shared()?;
            if listed == 0 {
                break;
            }
            memory::reserve(&mut self.rows, listed)?;
            self.rows.resize(done + listed, Row([0; 8]));
            let (now, next) = self.rows.split_at_mut(done);
            lanes.round(&mut self.messages, now, next);
        }
        for run in &self.runs {
            let (v, n) = (run.vertices, run.cells.len());
            let neighbours = &run.neighbours;
            let (rows, classes) = (&self.rows, &self.classes);
            // The hashes of a vertex, and which of them the labellings from `start` on have.
            let hashes = |x: usize, start: usize| {
                let Shared { first, classes: of } = run.hashes[x];
                (&rows[first as usize..], &classes.get(run.labels, of).of[start..])
            };
            // What does not fill the lanes of a last group is cheaper to hash among other cells.
            let rest = n % V::LANES;
            let grouped = if rest < V::LANES * 3 / 4 { n - rest } else { n };
            for start in (0..grouped).step_by(V::LANES) {
                let left = v - run.rounds;
                let digests = lanes.group(v, neighbours, left, |x| hashes(x, start));
                let end = (start + V::LANES).min(grouped);
                for (to, digest) in out[run.place + start..run.place + end].iter_mut().zip(digests)
                {
                    *to = digest;
                }
            }
            if grouped < n {
                let hash = |i: usize, x: usize| {
                    let (rows, which) = hashes(x, grouped + i);
                    rows[usize::from(which[0])]
                };
                let places = run.place + grouped..run.place + n;
                mixed.push(lanes, (v, neighbours), run.rounds, hash, places, out)?;
            }
        }
        self.runs.clear();
        self.rows.clear();
        self.labellings = 0;
        self.classes.forget_many();
        Ok(())
    }

    /// Lists the messages of one more round for the runs in which sharing it is worth it, and says how
    /// many there are.
    fn list_shared(&mut self) -> Result<usize> {
        self.messages.clear();
        let done = self.rows.len() as u32;
        let mut next_row = 0;
        for run in self.runs.iter_mut().filter(|run| run.sharing) {
            let v = run.vertices;
            let neighbours = &run.neighbours;
            let mut ball = run.ball;
            let mut classes = [0; MAX_VERTICES];
            // In blocks; a message that is gathered takes a third more time than one of a group.
            let (mut shared, mut own) = (0, 0);
            for x in 0..v {
                let near = neighbours.ins[x] | neighbours.outs[x];
                ball[x] |= members(near).fold(0, |ball, y| ball | run.ball[y]);
                classes[x] = self.classes.find(run.labels, ball[x])?;
                let blocks = (32 * (near.count_ones() as usize + 1) + 2 + 8) / 64 + 1;
                shared += blocks * self.classes.get(run.labels, classes[x]).first.len() * 4 / 3;
                own += blocks * run.cells.len();
            }
            run.sharing = run.rounds < v && shared < own;
            if !run.sharing {
                continue;
            }
            let mut hashes = run.hashes;
            for x in 0..v {
                let firsts = &self.classes.get(run.labels, classes[x]).first;
                let rows = |y: usize| {
                    let Shared { first, classes } = run.hashes[y];
                    let of = &self.classes.get(run.labels, classes).of;
                    firsts.iter().map(move |&labels| first + u32::from(of[usize::from(labels)]))
                };
                let end = next_row + firsts.len() as u32;
                self.messages.push(neighbours, x, firsts.len(), rows, next_row..end)?;
                hashes[x] = Shared { first: done + next_row, classes: classes[x] };
                next_row = end;
            }
            (run.ball, run.hashes) = (ball, hashes);
            run.rounds += 1;
        }
        Ok(next_row as usize)
    }
}

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        std::mem::take(&mut self.classes).keep();
    }
}

/// The vertices that have labels.
fn interior(v: usize) -> u16 {
    (1 << (v - 1)) - 2
}
