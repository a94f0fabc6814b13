//! Columns to a file: records are encoded on all cores, and written in their order.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::{MOST_WAITING, Record, View, space, tfrecord};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::hash;
use crate::memory;
use crate::parallel::{self, Monitor};

/// Rows of one task.
const TASK: usize = 1 << 11;

/// Writes rows, in the order of their `record`, as a file of official records. `raw` has the bytes
/// of some rows, ascending; the others are made from the columns. The monitor hears of rows.
///
/// # Errors
/// [`Error::ColumnLengths`]; [`Error::RawRows`]: there is then no file. [`Error::InRow`] with the
/// first row that is no record; [`Error::File`]; [`Error::Interrupted`]: it is then incomplete.
pub fn write<B: AsRef<[u8]> + Sync>(
    path: &Path,
    rows: &View<'_>,
    raw: &[(usize, B)],
    monitor: &dyn Monitor,
) -> Result<()> {
    check(rows, raw)?;
    let name = path.display().to_string();
    let refuse = |error| Error::file(&name, &error);
    let mut file = File::create(path).map_err(refuse)?;
    write_to(&mut file, &name, rows, raw, monitor)?;
    file.sync_all().map_err(refuse)
}

/// [`write()`] to any stream, which errors call `name`.
///
/// # Errors
/// As there.
pub fn write_to<B: AsRef<[u8]> + Sync>(
    output: &mut (impl Write + Send),
    name: &str,
    rows: &View<'_>,
    raw: &[(usize, B)],
    monitor: &dyn Monitor,
) -> Result<()> {
    let refuse = |error| Error::file(name, &error);
    let n = check(rows, raw)?;
    // Places in the file and rows as one number each: sorting needs no room of its own.
    let key = |row: usize| (i64::from(rows.record[row]) << 32) | row as i64;
    let mut order: Vec<i64> = memory::collect((0..n).map(key))?;
    order.sort_unstable();
    let catalog = space().catalog(&|| monitor.tick(0, n))?;
    let (ids, slots) = unique_cells(rows.cell_id, catalog.size())?;
    let cells: Vec<Cell> = memory::collect(ids.iter().map(|&id| catalog.cell(id)))?;
    let mut digests = memory::filled([0; 16], cells.len())?;
    hash::hash_cells(&cells, &mut digests, monitor)?;

    let encode = |row: usize, data: &mut Vec<u8>, frames: &mut Vec<u8>| -> Result<()> {
        if let Ok(found) = raw.binary_search_by_key(&row, |(row, _)| *row) {
            let bytes = raw[found].1.as_ref();
            memory::reserve(frames, bytes.len() + 16)?;
            tfrecord::frame(bytes, frames);
            return Ok(());
        }
        let slot = slots[rows.cell_id[row] as usize] as usize;
        let record = Record {
            digest: digests[slot],
            epochs: rows.epochs[row],
            cell: cells[slot],
            metrics: rows.metrics.map(|column| column.get(row)),
            trainable_parameters: rows.trainable_parameters[row],
            total_time: rows.total_time[row],
        };
        if record.epochs < 1 {
            return Err(Error::BadEpochs { epochs: record.epochs.into() });
        }
        record.check_numbers()?;
        data.clear();
        record.encode(data);
        tfrecord::frame(data, frames);
        Ok(())
    };

    let mut tasks = order.chunks(TASK);
    let work = |task: &[i64]| {
        let (mut data, mut frames) = (Vec::new(), memory::with_capacity(task.len() * 512)?);
        for row in task.iter().map(|&key| key as u32 as usize) {
            encode(row, &mut data, &mut frames).map_err(|error| match error {
                Error::Memory { .. } => error,
                _ => Error::InRow { row, source: Box::new(error) },
            })?;
        }
        Ok((task.len(), frames))
    };
    let hand_on = |frames: Vec<u8>| output.write_all(&frames).map_err(refuse);
    parallel::run_in_order(|| tasks.next(), n, work, hand_on, MOST_WAITING, monitor)
}

/// The number of rows, if all columns have so many and `raw` is of some of them, ascending.
fn check<B>(rows: &View<'_>, raw: &[(usize, B)]) -> Result<usize> {
    let n = rows.checked_len()?;
    let ascending = raw.is_sorted_by(|(a, _), (b, _)| a < b);
    if !ascending || raw.last().is_some_and(|&(row, _)| row >= n) {
        return Err(Error::RawRows);
    }
    Ok(n)
}

/// The ids that occur, ascending, and the place of each among them.
fn unique_cells(given: &[i32], size: u64) -> Result<(Vec<u64>, Vec<u32>)> {
    let mut slots = memory::filled(u32::MAX, size as usize)?;
    for &id in given {
        match usize::try_from(id).ok().and_then(|id| slots.get_mut(id)) {
            Some(slot) => *slot = 0,
            None => return Err(Error::IdOutOfRange { id: id.into(), size }),
        }
    }
    let mut ids = memory::with_capacity(slots.len().min(given.len()))?;
    for (slot, id) in slots.iter_mut().zip(0..) {
        if *slot == 0 {
            *slot = ids.len() as u32;
            ids.push(id);
        }
    }
    Ok((ids, slots))
}
