//! Fingerprints of a batch of modules, packed or not.

use std::collections::HashMap;

use super::batch::hash_cells;
use super::digest::{Digest, hex_bytes};
use super::spec::hash_graph_watched;
use super::unique::{Unique, unique};
use crate::cell::{Cell, LargeModule, Modules};
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, Monitor};

/// Modules among which equal ones are looked for: 64 MB at most.
const MOST: usize = 1 << 20;

/// The fingerprint of each module; `None` for disconnected ones.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted); [`Error::Memory`](crate::Error::Memory).
pub fn hash_modules(modules: &Modules, monitor: &dyn Monitor) -> Result<Vec<Option<Digest>>> {
    let valid: Vec<Cell> = memory::collect(modules.cells.iter().copied().flatten())?;
    let mut digests = memory::with_capacity(valid.len())?;
    for cells in valid.chunks(MOST) {
        let Unique { cells, which } = unique(cells, monitor)?;
        let mut found = memory::filled([0; 16], cells.len())?;
        hash_cells(&cells, &mut found, monitor)?;
        digests.extend(which.into_iter().map(|which| found[which as usize]));
    }
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
        listed.into_iter().partition(|(module, _)| module.takes_long());
    let mut found = vec![[0; 16]; short.len()];
    let work = |_: usize, modules: &[(&LargeModule, usize)], digests: &mut [Digest]| {
        for ((module, _), digest) in modules.iter().zip(digests) {
            *digest = module.fingerprint();
        }
    };
    parallel::map_chunks(&short, &mut found, 1, work, monitor)?;
    let mut digests = vec![[0; 16]; unique.len()];
    for ((_, i), digest) in short.iter().zip(found) {
        digests[*i] = digest;
    }
    for (module, i) in long {
        digests[i] = hash_graph_watched(&module.inputs, &module.labels, monitor)?;
    }
    for (i, module) in &modules.large {
        all[*i] = Some(digests[unique[module]]);
    }
    Ok(all)
}

/// Fingerprints as 32 hexadecimal digits each; zeros where there is none.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn to_text<'a>(digests: impl ExactSizeIterator<Item = Option<&'a Digest>>) -> Result<Vec<u8>> {
    let mut text = memory::filled(0, digests.len().saturating_mul(32))?;
    for (digest, text) in digests.zip(text.as_chunks_mut::<32>().0) {
        *text = digest.map_or([0; 32], hex_bytes);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::parse_batch;
    use crate::parallel::Unwatched;

    #[test]
    fn disconnected_modules_have_no_hash() {
        let matrices = [0i8, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        let ops = [-1i8, 0, -2, -1, 0, -2];
        assert!(parse_batch(&matrices, &ops, 3, false, &Unwatched).is_err());
        let hashes =
            hash_modules(&parse_batch(&matrices, &ops, 3, true, &Unwatched).unwrap(), &Unwatched)
                .unwrap();
        assert!(hashes[0].is_some() && hashes[1].is_none());
    }
}
