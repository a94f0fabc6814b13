//! Batches of raw modules: read, checked and pruned on all cores.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::cell::{self, Cell, Entry, LargeModule, Module};
use crate::error::{Error, Result};
use crate::hash::{self, Digest};
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
            Some((index, module)) => {
                Err(Error::InModule { index: *index, source: Box::new(module.why_not_packed()) })
            }
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
pub fn parse<T: Entry + Sync, L: Entry + Sync>(
    matrices: &[T],
    ops: &[L],
    v: usize,
    keep_disconnected: bool,
    monitor: &dyn Monitor,
) -> Result<Modules> {
    let n = ops.len().checked_div(v).unwrap_or(0);
    assert_eq!((matrices.len(), ops.len()), (n * v * v, n * v));
    let first_wrong: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let large = Mutex::new(Vec::new());
    let mut cells = memory::filled(None, n)?;
    let positions: Vec<()> = vec![(); n];
    let work = |start: usize, _: &[()], cells: &mut [Option<Cell>]| {
        for (cell, i) in cells.iter_mut().zip(start..) {
            match cell::parse(&matrices[i * v * v..(i + 1) * v * v], &ops[i * v..(i + 1) * v]) {
                Ok(Module::Packed(packed)) => *cell = Some(packed),
                Ok(Module::Large(module)) => {
                    large.lock().unwrap_or_else(PoisonError::into_inner).push((i, module));
                }
                Err(Error::Disconnected) if keep_disconnected => {}
                Err(error) => {
                    let mut first = first_wrong.lock().unwrap_or_else(PoisonError::into_inner);
                    if first.as_ref().is_none_or(|(j, _)| i < *j) {
                        *first = Some((i, error));
                    }
                    return;
                }
            }
        }
    };
    let task = TASK.min(TASK_ENTRIES / (v * v).max(1)).max(1);
    parallel::map_chunks(&positions, &mut cells, task, work, monitor)?;
    if let Some((index, source)) = first_wrong.into_inner().unwrap_or_else(PoisonError::into_inner)
    {
        return Err(Error::InModule { index, source: Box::new(source) });
    }
    let mut large = large.into_inner().unwrap_or_else(PoisonError::into_inner);
    large.sort_unstable_by_key(|(i, _)| *i);
    Ok(Modules { cells, large })
}

/// The fingerprint of each module; `None` for disconnected ones.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn hash(modules: &Modules, monitor: &dyn Monitor) -> Result<Vec<Option<Digest>>> {
    let valid: Vec<Cell> = memory::collect(modules.cells.iter().copied().flatten())?;
    let mut digests = memory::filled([0; 16], valid.len())?;
    hash::hash_cells(&valid, &mut digests, monitor)?;
    let mut next = digests.into_iter();
    let digest_of = |cell: &Option<Cell>| cell.and_then(|_| next.next());
    let mut all: Vec<Option<Digest>> = memory::collect(modules.cells.iter().map(digest_of))?;
    // Equal modules are hashed once, each by the specification as it reads.
    let mut unique: HashMap<&LargeModule, usize> = HashMap::new();
    for (_, module) in &modules.large {
        let next = unique.len();
        unique.entry(module).or_insert(next);
    }
    let mut listed: Vec<(&LargeModule, usize)> = unique.iter().map(|(&m, &i)| (m, i)).collect();
    listed.sort_unstable_by_key(|(_, i)| *i);
    // Those that take long one after another, so that each is stopped within itself.
    let (long, short): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|(module, _)| hash::takes_long(module));
    let mut found = vec![[0; 16]; short.len()];
    let work = |_: usize, modules: &[(&LargeModule, usize)], digests: &mut [Digest]| {
        for ((module, _), digest) in modules.iter().zip(digests) {
            *digest = hash::hash_large(module);
        }
    };
    parallel::map_chunks(&short, &mut found, 1, work, monitor)?;
    let mut digests = vec![[0; 16]; unique.len()];
    for ((_, i), digest) in short.iter().zip(found) {
        digests[*i] = digest;
    }
    for (module, i) in long {
        digests[i] = hash::hash_graph_watched(&module.inputs, &module.labels, monitor)?;
    }
    for (i, module) in &modules.large {
        all[*i] = Some(digests[unique[module]]);
    }
    Ok(all)
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
        let good = parse(&matrices, &ops, 3, false, &Unwatched).unwrap();
        assert!(good.cells.iter().all(|&cell| cell == good.cells[0]));
        for wrong in [4999, 2500, 17] {
            matrices[wrong * 9 + 1] = 2;
            let error = parse(&matrices, &ops, 3, false, &Unwatched).unwrap_err();
            assert!(error.to_string().starts_with(&format!("module {wrong}: ")), "{error}");
        }
    }

    #[test]
    fn disconnected_modules_have_no_hash() {
        let matrices = [0i8, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        let ops = [-1i8, 0, -2, -1, 0, -2];
        assert!(parse(&matrices, &ops, 3, false, &Unwatched).is_err());
        let hashes =
            hash(&parse(&matrices, &ops, 3, true, &Unwatched).unwrap(), &Unwatched).unwrap();
        assert!(hashes[0].is_some() && hashes[1].is_none());
    }
}
