//! Cells drawn at random.

use crate::cell::{Cell, RawCell, label_shift};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{Monitor, Pace};
use crate::random::Random;
use crate::space::{Space, representatives};

/// Raw modules drawn for each valid one before giving up.
const HOPELESS: usize = 50_000_000;

/// `n` cells of the space, drawn as the original's random search draws modules of `max_vertices`
/// vertices: each edge with probability one half, each op uniform, until the result, pruned, is in
/// the space.
///
/// # Errors
/// [`Error::NoRandomCells`] where that hardly ever happens; [`Error::Interrupted`].
pub fn random_cells(
    space: &Space,
    n: usize,
    rng: &mut Random,
    monitor: &dyn Monitor,
) -> Result<Vec<Cell>> {
    let v = space.max_vertices();
    let (mut cells, mut tried, mut pace) = (memory::with_capacity(n)?, 0usize, Pace::default());
    while cells.len() < n {
        tried += 1;
        if tried > HOPELESS * (cells.len() + 1) {
            return Err(Error::NoRandomCells);
        }
        if tried.is_multiple_of(1 << 10) {
            pace.ask(|| monitor.tick(cells.len(), n))?;
        }
        let mut module = RawCell::new(v, rng.below(1 << (v * (v - 1) / 2)), 0);
        for x in 1..v - 1 {
            module.labels |= rng.below(space.num_ops() as u64) << label_shift(x);
        }
        cells.extend(space.pruned(module));
    }
    representatives(&mut cells, monitor)?;
    Ok(cells)
}
