//! The specification: the fingerprint read off line by line, for a graph of any size.

use std::convert::Infallible;

use nb101_lanes::digest;

use super::digest::{Digest, hex};
use crate::cell::{Cell, LargeModule, column};
use crate::error::{Error, Result};
use crate::limits::{hashes_of_all_rounds, is_hashable};
use crate::parallel::{Monitor, Pace};

/// The fingerprint as the specification reads: `inputs[v]` are the in-neighbours of vertex `v`.
///
/// # Panics
/// Where an in-neighbour is no vertex, or a vertex has no label.
pub fn hash_graph(inputs: &[Vec<usize>], labels: &[i64]) -> Digest {
    let Ok(digest) = hash_rounds(inputs, labels, |_| Ok::<(), Infallible>(()));
    digest
}

/// [`hash_graph`] with a look at the outside now and then, of what came from there: checked to be a
/// graph that is not too large.
///
/// # Errors
/// [`Error::BadInputs`]; [`Error::TooLargeToHash`]; [`Error::Interrupted`]; [`Error::Memory`].
pub fn hash_graph_watched(
    inputs: &[Vec<usize>],
    labels: &[i64],
    monitor: &dyn Monitor,
) -> Result<Digest> {
    let n = labels.len();
    if inputs.len() != n || inputs.iter().flatten().any(|&x| x >= n) {
        return Err(Error::BadInputs);
    }
    check_size(n, inputs.iter().map(Vec::len).sum())?;
    let mut pace = Pace::default();
    hash_rounds(inputs, labels, |round| pace.ask(|| monitor.tick(round, n)))
}

/// The specification. `look` is called for each vertex of each round.
fn hash_rounds<E>(
    inputs: &[Vec<usize>],
    labels: &[i64],
    mut look: impl FnMut(usize) -> std::result::Result<(), E>,
) -> std::result::Result<Digest, E> {
    let v = inputs.len();
    let mut outputs = vec![Vec::new(); v];
    for (y, sources) in inputs.iter().enumerate() {
        sources.iter().for_each(|&x| outputs[x].push(y));
    }
    let mut hashes: Vec<String> = (0..v)
        .map(|x| hex(digest(initial_text(outputs[x].len(), inputs[x].len(), labels[x]).as_bytes())))
        .collect();
    for round in 0..v {
        let sorted = |of: &[usize]| {
            let mut all: Vec<&str> = of.iter().map(|&x| hashes[x].as_str()).collect();
            all.sort_unstable();
            all.concat()
        };
        let mut next = Vec::with_capacity(v);
        for x in 0..v {
            look(round)?;
            let text = format!("{}|{}|{}", sorted(&inputs[x]), sorted(&outputs[x]), hashes[x]);
            next.push(hex(digest(text.as_bytes())));
        }
        hashes = next;
    }
    hashes.sort_unstable();
    Ok(digest(format!("['{}']", hashes.join("', '")).as_bytes()))
}

/// Checks beforehand that a graph can be hashed in sensible time and memory.
///
/// # Errors
/// [`Error::TooLargeToHash`].
fn check_size(vertices: usize, edges: usize) -> Result<()> {
    if is_hashable(vertices, edges) {
        Ok(())
    } else {
        Err(Error::TooLargeToHash { vertices, edges })
    }
}

impl LargeModule {
    /// [`hash_graph`] of the module.
    pub fn fingerprint(&self) -> Digest {
        hash_graph(&self.inputs, &self.labels)
    }

    /// Whether that takes so long that it needs looks at the outside in between.
    pub(super) fn takes_long(&self) -> bool {
        let edges = self.inputs.iter().map(Vec::len).sum();
        hashes_of_all_rounds(self.inputs.len(), edges) > 1 << 17
    }
}

/// [`hash_graph`] of a packed cell: slow, and obviously right.
pub fn hash_cell_plainly(cell: Cell) -> Digest {
    let v = cell.vertices();
    let inputs: Vec<Vec<usize>> =
        (0..v).map(|y| (0..y).filter(|&x| column(cell.edges, y) >> x & 1 == 1).collect()).collect();
    hash_graph(&inputs, &(0..v).map(|x| i64::from(cell.code(x))).collect::<Vec<_>>())
}

/// What the hash of a vertex is made from before the first round.
pub(super) fn initial_text(out_degree: usize, in_degree: usize, label: i64) -> String {
    format!("({out_degree}, {in_degree}, {label})")
}
