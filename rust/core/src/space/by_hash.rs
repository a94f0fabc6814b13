//! All hashes of a space, to find cells by.

use super::enumerate::CellStream;
use crate::error::{Error, Result};
use crate::hash::{self, Digest};
use crate::memory;
use crate::parallel::Monitor;

/// Cells whose hashes are kept sorted, 20 bytes each.
const MOST_HASHES: i128 = 1 << 26;
/// Of these, cells that are sorted in one go, some 50 ms.
const RUN: usize = 1 << 19;

/// The hashes of all cells with their ids, in runs of [`RUN`], each sorted by hash. Finding a
/// hash in every run takes less than merging them would ever save.
#[derive(Debug)]
pub(super) struct ByHash {
    runs: Vec<Vec<(Digest, u32)>>,
}

impl ByHash {
    /// Those of `size` cells of a stream.
    ///
    /// # Errors
    /// [`Error::TooLargeForHashes`]; [`Error::Interrupted`].
    pub(super) fn new(mut stream: CellStream, size: i128, monitor: &dyn Monitor) -> Result<Self> {
        if size > MOST_HASHES {
            return Err(Error::TooLargeForHashes { cells: size, limit: MOST_HASHES });
        }
        let size = size as usize;
        let (mut runs, mut done) = (Vec::new(), 0);
        let mut cells = memory::with_capacity(size.min(RUN))?;
        let mut digests = memory::with_capacity(size.min(RUN))?;
        while done < size {
            cells.clear();
            stream.fill(&mut cells, RUN.min(size - done), &|| monitor.tick(done, size))?;
            digests.clear();
            digests.resize(cells.len(), [0; 16]);
            hash::hash_cells(&cells, &mut digests, &Rest { done, size, monitor })?;
            let ids = done as u32..;
            let mut run: Vec<(Digest, u32)> = memory::collect(digests.iter().copied().zip(ids))?;
            run.sort_unstable();
            runs.push(run);
            done += cells.len();
            if done < size && !monitor.tick(done, size) {
                return Err(Error::Interrupted);
            }
        }
        Ok(Self { runs })
    }

    /// The ids of the cells with this hash.
    pub(super) fn find(&self, digest: &Digest) -> Vec<u64> {
        let mut found = Vec::new();
        for run in &self.runs {
            let start = run.partition_point(|(other, _)| other < digest);
            let same = run[start..].iter().take_while(|(other, _)| other == digest);
            found.extend(same.map(|&(_, id)| u64::from(id)));
        }
        found
    }
}

/// Tells a monitor of a part of the work that comes after others.
struct Rest<'a> {
    done: usize,
    size: usize,
    monitor: &'a dyn Monitor,
}

impl Monitor for Rest<'_> {
    fn tick(&self, done: usize, _: usize) -> bool {
        self.monitor.tick(self.done + done, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Unwatched;
    use crate::space::Space;

    #[test]
    fn hashes_are_found() {
        let space = Space::new(5, 9, 3).unwrap();
        for (id, cell) in space.all(&Unwatched).unwrap().into_iter().enumerate() {
            let found = space.find_hash(&hash::hash_cell_plainly(cell), &Unwatched).unwrap();
            assert_eq!(found, [id as u64]);
        }
        // More cells than are sorted in one go.
        let large = Space::new(7, 10, 3).unwrap();
        for id in [0, 1, RUN as u64 - 1, RUN as u64, large.size() as u64 - 1] {
            let cell = large.catalog(&|| true).unwrap().cell(id);
            let found = large.find_hash(&hash::hash_cell_plainly(cell), &Unwatched).unwrap();
            assert!(found.contains(&id), "{id} {found:?}");
        }
        assert!(space.find_hash(&[7; 16], &Unwatched).unwrap().is_empty());
    }
}
