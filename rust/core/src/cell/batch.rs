//! Batches of modules: read, checked and pruned on all cores.

use super::entry::Entry;
use super::large::LargeModule;
use super::parse::{Module, parse};
use super::prune::prune;
use super::{Cell, RawCell};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor};

/// Pruned modules.
#[derive(Debug, Default)]
pub struct Modules {
    /// One for each module; `None` for disconnected and for large ones.
    pub cells: Vec<Option<Cell>>,
    /// Those that no packed cell holds, with their positions.
    pub large: Vec<(usize, LargeModule)>,
}

impl Modules {
    /// All modules as cells; disconnected ones, where they were kept, are left out.
    ///
    /// # Errors
    /// [`Error::InModule`] with the first one that no packed cell holds, and why.
    pub fn packed(self) -> Result<Vec<Cell>> {
        match self.large.first() {
            None => Ok(self.cells.into_iter().flatten().collect()),
            Some((index, module)) => Err(module.why_not_packed().in_module(*index)),
        }
    }
}

/// Modules of one parallel task, unless they are large.
const TASK: usize = 1 << 10;
/// Entries of the matrices of one task.
const TASK_ENTRIES: usize = 1 << 20;

/// Reads `n` modules from arrays of shape `(n, v, v)` and `(n, v)`, row by row.
///
/// Where `keep_disconnected`, a module whose input does not reach its output stays as `None`.
///
/// # Errors
/// [`Error::InModule`] with the first module that is wrong; [`Error::Interrupted`].
pub fn parse_batch<T: Entry + Sync, L: Entry + Sync>(
    matrices: &[T],
    ops: &[L],
    v: usize,
    keep_disconnected: bool,
    monitor: &dyn Monitor,
) -> Result<Modules> {
    let n = ops.len().checked_div(v).unwrap_or(0);
    assert_eq!((matrices.len(), ops.len()), (n * v * v, n * v));
    let mut cells = memory::filled(None, n)?;
    let work = |start: usize, cells: &mut [Option<Cell>]| {
        let mut large = Vec::new();
        for (cell, i) in cells.iter_mut().zip(start..) {
            match parse(&matrices[i * v * v..(i + 1) * v * v], &ops[i * v..(i + 1) * v]) {
                Ok(Module::Packed(packed)) => *cell = Some(packed),
                Ok(Module::Large(module)) => large.push((i, module)),
                Err(Error::Disconnected) if keep_disconnected => {}
                Err(wrong) => return Err(wrong.in_module(i)),
            }
        }
        Ok(large)
    };
    let task = TASK.min(TASK_ENTRIES / (v * v).max(1)).max(1);
    let large = parallel::try_fill(&mut cells, task, work, monitor)?;
    Ok(Modules { cells, large: large.into_iter().flatten().collect() })
}

/// Prunes modules.
///
/// # Errors
/// [`Error::InModule`] with the first one that is disconnected.
pub fn prune_all(modules: &[RawCell]) -> Result<Vec<Cell>> {
    let mut cells = memory::with_capacity(modules.len())?;
    for (index, &module) in modules.iter().enumerate() {
        cells.push(prune(module).ok_or_else(|| Error::Disconnected.in_module(index))?);
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Unwatched;

    #[test]
    fn the_first_wrong_module_is_named() {
        let n = 5000;
        let mut matrices = [0i8, 1, 0, 0, 0, 1, 0, 0, 0].repeat(n);
        let ops = [-1i8, 0, -2].repeat(n);
        let good = parse_batch(&matrices, &ops, 3, false, &Unwatched).unwrap();
        assert!(good.cells.iter().all(|&cell| cell == good.cells[0]));
        for wrong in [4999, 2500, 17] {
            matrices[wrong * 9 + 1] = 2;
            let error = parse_batch(&matrices, &ops, 3, false, &Unwatched).unwrap_err();
            assert!(error.to_string().starts_with(&format!("module {wrong}: ")), "{error}");
        }
    }
}
