//! A whole file to columns: blocks of records are decoded on all cores, and merged in their order.

use std::path::Path;
use std::sync::Arc;

use super::counts::Counts;
use super::numbers::Numbers;
use super::quick::Spelled;
use super::runs::{COLUMNS, Layout, Runs, Unsorted};
use super::tfrecord::{Block, Blocks, Source};
use super::{MOST_WAITING, Record, Table, quick, space};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::hash::{self, Digest};
use crate::memory;
use crate::parallel::{self, Monitor, Spares};
use crate::space::Catalog;

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether a hash that is not that of the record's cell is an error.
    pub verify_hashes: bool,
    /// Whether to leave out wrong records instead of stopping at the first.
    pub keep_going: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { verify_hashes: true, keep_going: false }
    }
}

/// A record that was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Records before it in the file.
    pub record: u64,
    /// Bytes before its frame.
    pub offset: u64,
    /// What is wrong.
    pub error: Error,
}

/// What was left out of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeftOut {
    /// The first [`MOST_PROBLEMS`] records, in the order of the file.
    pub problems: Vec<Problem>,
    /// How many there were in all.
    pub records: u64,
}

/// Problems that are kept: of more, nobody reads each.
pub const MOST_PROBLEMS: usize = 1000;
/// Bytes of records kept because the columns do not give them back; genuine files need none.
const MOST_RAW: usize = 1 << 30;

impl LeftOut {
    fn add(&mut self, record: u64, offset: u64, error: Error) {
        self.records += 1;
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { record, offset, error });
        }
    }

    /// Takes more of the same records, ascending.
    fn merge(&mut self, more: Vec<Problem>) {
        self.records += more.len() as u64;
        self.problems.extend(more);
        self.problems.sort_by_key(|problem| problem.record);
        self.problems.truncate(MOST_PROBLEMS);
    }

    fn append(&mut self, other: Self) {
        self.records += other.records;
        let room = MOST_PROBLEMS - self.problems.len();
        self.problems.extend(other.problems.into_iter().take(room));
    }
}

/// Reads a file of official records, which may be packed by gzip. The monitor hears of bytes.
///
/// # Errors
/// [`Error::InRecord`] with the first record that is wrong, unless the options say to keep going;
/// [`Error::File`]; [`Error::Interrupted`].
pub fn read(path: &Path, options: Options, monitor: &dyn Monitor) -> Result<(Table, LeftOut)> {
    read_source(Source::open(path)?, options, monitor)
}

/// [`read()`] of any stream.
///
/// # Errors
/// As there.
pub fn read_source(
    source: Source,
    options: Options,
    monitor: &dyn Monitor,
) -> Result<(Table, LeftOut)> {
    let size = source.size() as usize;
    let (runs, left_out) = scan_source(source, options, monitor)?;
    Ok((runs.into_table(&Still { monitor, done: size, size })?, left_out))
}

/// [`read()`] without making columns yet.
///
/// # Errors
/// As there.
pub fn scan(path: &Path, options: Options, monitor: &dyn Monitor) -> Result<(Runs, LeftOut)> {
    scan_source(Source::open(path)?, options, monitor)
}

fn scan_source(source: Source, options: Options, monitor: &dyn Monitor) -> Result<(Runs, LeftOut)> {
    let size = source.size() as usize;
    let quiet = Still { monitor, done: 0, size };
    let cells = Cells::new(size >= WORTH_ALL_HASHES, &quiet)?;
    let mut blocks = Blocks::new(source);
    let mut merger = Merger::new(cells.catalog.size() as usize, options)?;
    let spares = Arc::clone(&merger.spares);
    let work = |block: Block| {
        let mut piece = spares.take().unwrap_or_default();
        piece.read(&block, &cells, options)?;
        Ok((block.taken, piece))
    };
    let merge = |piece| merger.merge(piece);
    parallel::run_in_order(|| blocks.next(), size, work, merge, MOST_WAITING, monitor)?;
    drop((cells, spares, blocks));
    merger.finish()
}

/// Files from this size on are likely to have so many cells that all hashes are computed first.
const WORTH_ALL_HASHES: usize = 1 << 22;

/// Lets the monitor look on where no bytes are read.
struct Still<'a> {
    monitor: &'a dyn Monitor,
    done: usize,
    size: usize,
}

impl Monitor for Still<'_> {
    fn tick(&self, _: usize, _: usize) -> bool {
        self.monitor.tick(self.done, self.size)
    }
}

/// Ids, reference forms and hashes.
struct Cells {
    catalog: &'static Catalog,
    all: Option<(Vec<Cell>, Vec<Digest>)>,
}

impl Cells {
    fn new(all: bool, monitor: &dyn Monitor) -> Result<Self> {
        let catalog = space().catalog(&|| monitor.tick(0, 0))?;
        if !all {
            return Ok(Self { catalog, all: None });
        }
        let mut cells = memory::with_capacity(catalog.size() as usize)?;
        space().stream().fill(&mut cells, usize::MAX, &|| monitor.tick(0, 0))?;
        let mut digests = memory::filled([0; 16], cells.len())?;
        hash::hash_cells(&cells, &mut digests, monitor)?;
        Ok(Self { catalog, all: Some((cells, digests)) })
    }

    fn get(&self, id: u64) -> Result<(Cell, Digest)> {
        if let Some((cells, digests)) = &self.all {
            return Ok((cells[id as usize], digests[id as usize]));
        }
        let cell = self.catalog.cell(id);
        let mut digest = [[0; 16]];
        hash::hash_cells(&[cell], &mut digest, &parallel::Unwatched)?;
        Ok((cell, digest[0]))
    }
}

/// What the records of one block say, in columns that are used again.
#[derive(Default)]
struct Piece {
    places: Vec<Place>,
    cell_id: Vec<i32>,
    epochs: Vec<i16>,
    parameters: Vec<i32>,
    /// The metrics, and the total time.
    numbers: [Numbers; COLUMNS],
    raw: Vec<(u64, Vec<u8>)>,
    left_out: LeftOut,
    /// What ended it: no fault of a record.
    failed: Option<Error>,
}

/// Where a run was found.
#[derive(Clone, Copy)]
struct Place {
    number: u64,
    offset: u64,
}

/// A record that is right, and what is found out about it.
struct Run {
    id: i32,
    epochs: i16,
    numbers: quick::Numbers,
    /// Whether its columns give its bytes back.
    kept: bool,
}

/// The cell of the record before: most files have all runs of a cell one after another.
#[derive(Clone, Copy)]
struct Last<'a> {
    spelled: Spelled<'a>,
    id: i32,
    kept: bool,
}

/// Numbers of a few rows, which become columns while they are in the nearest cache.
struct Tile {
    rows: usize,
    columns: [[f64; TILE]; COLUMNS],
}

const TILE: usize = 64;

impl Piece {
    fn clear(&mut self) {
        self.places.clear();
        self.cell_id.clear();
        self.epochs.clear();
        self.parameters.clear();
        self.numbers.iter_mut().for_each(Numbers::clear);
        self.raw.clear();
        self.left_out = LeftOut::default();
        self.failed = None;
    }

    fn read(&mut self, block: &Block, cells: &Cells, options: Options) -> Result<()> {
        self.clear();
        let mut tile = Tile { rows: 0, columns: [[0.0; TILE]; COLUMNS] };
        let mut last = None;
        for entry in block.records() {
            let (number, offset) = (entry.record, entry.offset);
            let found = entry.data.and_then(|data| {
                let run = decode(data, &mut last, cells, options)?;
                if !run.kept {
                    memory::reserve(&mut self.raw, 1)?;
                    self.raw.push((number, memory::copied(data)?));
                }
                Ok(run)
            });
            match found {
                Ok(run) => self.add(Place { number, offset }, &run, &mut tile)?,
                Err(error) if error.is_of_the_system() => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => {
                    self.left_out.add(number, offset, error);
                    if !options.keep_going {
                        break;
                    }
                }
            }
        }
        self.empty(&mut tile)
    }

    fn add(&mut self, place: Place, run: &Run, tile: &mut Tile) -> Result<()> {
        memory::reserve(&mut self.places, 1)?;
        memory::reserve(&mut self.cell_id, 1)?;
        memory::reserve(&mut self.epochs, 1)?;
        memory::reserve(&mut self.parameters, 1)?;
        self.places.push(place);
        self.cell_id.push(run.id);
        self.epochs.push(run.epochs);
        self.parameters.push(run.numbers.trainable_parameters);
        let numbers = run.numbers.metrics.iter().chain([&run.numbers.total_time]);
        for (column, &number) in tile.columns.iter_mut().zip(numbers) {
            column[tile.rows] = number;
        }
        tile.rows += 1;
        if tile.rows == TILE { self.empty(tile) } else { Ok(()) }
    }

    fn empty(&mut self, tile: &mut Tile) -> Result<()> {
        let (before, epochs) = self.epochs.split_at(self.epochs.len() - tile.rows);
        for (column, numbers) in self.numbers.iter_mut().zip(&tile.columns) {
            column.extend(before, epochs, &numbers[..tile.rows])?;
        }
        tile.rows = 0;
        Ok(())
    }

    /// Leaves out rows, by their place among those that there are.
    fn leave_out(&mut self, wrong: &[usize]) {
        let kept = |row: usize| wrong.binary_search(&row).is_err();
        fn retain<T>(column: &mut Vec<T>, kept: impl Fn(usize) -> bool) {
            let mut row = 0..;
            column.retain(|_| row.next().is_some_and(&kept));
        }
        let places = &self.places;
        self.raw.retain(|(number, _)| {
            let row = places.binary_search_by_key(number, |place| place.number);
            row.is_ok_and(kept)
        });
        self.numbers.iter_mut().for_each(|column| column.retain(kept));
        retain(&mut self.places, kept);
        retain(&mut self.cell_id, kept);
        retain(&mut self.epochs, kept);
        retain(&mut self.parameters, kept);
    }
}

/// Reads a record and finds its cell.
///
/// Where the record before it spells the same cell, that is known: 0.4 s of CPU of the 2.5 s that
/// reading a full file takes, of which eleven of twelve records do.
#[inline]
fn decode<'a>(
    data: &'a [u8],
    last: &mut Option<Last<'a>>,
    cells: &Cells,
    options: Options,
) -> Result<Run> {
    if let Some(last) = last
        && let Some((epochs, rest)) = last.spelled.again(data)
        && let Some(numbers) = quick::numbers(rest)
    {
        return Ok(Run { id: last.id, epochs, numbers, kept: last.kept });
    }
    let usual = Spelled::read(data)
        .and_then(|(spelled, epochs, rest)| Some((spelled, epochs, quick::numbers(rest)?)));
    let (record, spelled) = match usual {
        Some((spelled, epochs, numbers)) => (spelled.record(epochs, numbers), Some(spelled)),
        None => (Record::decode(data)?, None),
    };
    let id = cells.catalog.id(record.cell);
    let (cell, digest) = cells.get(id)?;
    if options.verify_hashes {
        record.check_hash(digest)?;
    }
    let mut kept = spelled.is_some() && (record.cell, record.digest) == (cell, digest);
    if !kept {
        let mut again = Vec::new();
        Record { cell, digest, ..record }.encode(&mut again);
        kept = again == data;
    }
    let id = id as i32;
    *last = spelled.map(|spelled| Last { spelled, id, kept });
    let numbers = quick::Numbers {
        metrics: record.metrics,
        trainable_parameters: record.trainable_parameters,
        total_time: record.total_time,
    };
    Ok(Run { id, epochs: record.epochs, numbers, kept })
}

/// Puts the pieces together, in the order of the file.
struct Merger {
    options: Options,
    spares: Arc<Spares<Piece>>,
    cell_id: Vec<i32>,
    epochs: Vec<i16>,
    /// By row, once a record was left out.
    records: Option<Vec<i32>>,
    numbers: [Numbers; COLUMNS],
    raw: Vec<(usize, Vec<u8>)>,
    raw_bytes: usize,
    left_out: LeftOut,
    /// By cell; 0 where none has been seen.
    parameters: Vec<i32>,
    counts: Counts,
}

const MOST_REPEATS: u8 = i8::MAX as u8;
/// Rows are sorted by words that have 30 bits for the row.
const MOST_RECORDS: u64 = 1 << 30;

impl Merger {
    fn new(cells: usize, options: Options) -> Result<Self> {
        Ok(Self {
            options,
            spares: Arc::default(),
            cell_id: Vec::new(),
            epochs: Vec::new(),
            records: None,
            numbers: Default::default(),
            raw: Vec::new(),
            raw_bytes: 0,
            left_out: LeftOut::default(),
            parameters: memory::filled(0, cells)?,
            counts: Counts::new(cells)?,
        })
    }

    fn merge(&mut self, mut piece: Piece) -> Result<()> {
        let (mut wrong, mut rows) = (Vec::new(), Vec::new());
        for row in 0..piece.places.len() {
            if let Err(error) = self.place(&piece, row) {
                let Place { number, offset } = piece.places[row];
                if error.is_of_the_system() {
                    return Err(error);
                }
                memory::reserve(&mut wrong, 1)?;
                memory::reserve(&mut rows, 1)?;
                wrong.push(Problem { record: number, offset, error });
                rows.push(row);
            }
        }
        if !wrong.is_empty() {
            piece.leave_out(&rows);
            piece.left_out.merge(wrong);
        }
        if let Some(Problem { record, offset, error }) = piece.left_out.problems.first()
            && !self.options.keep_going
        {
            let source = Box::new(error.clone());
            return Err(Error::InRecord { record: *record, offset: *offset, source });
        }
        if let Some(error) = piece.failed.take() {
            return Err(error);
        }
        self.raw_bytes += piece.raw.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        if self.raw_bytes > MOST_RAW {
            return Err(Error::TooManyOddRecords { limit: MOST_RAW });
        }
        self.add_records(&piece.places)?;
        let before = self.epochs.len();
        memory::reserve(&mut self.raw, piece.raw.len())?;
        for (number, bytes) in piece.raw.drain(..) {
            if let Ok(row) = piece.places.binary_search_by_key(&number, |place| place.number) {
                self.raw.push((before + row, bytes));
            }
        }
        for (column, more) in self.numbers.iter_mut().zip(&piece.numbers) {
            column.append(&self.epochs, &piece.epochs, more)?;
        }
        memory::reserve(&mut self.cell_id, piece.cell_id.len())?;
        memory::reserve(&mut self.epochs, piece.epochs.len())?;
        self.cell_id.extend_from_slice(&piece.cell_id);
        self.epochs.extend_from_slice(&piece.epochs);
        self.left_out.append(std::mem::take(&mut piece.left_out));
        self.spares.give(piece);
        Ok(())
    }

    /// The number of each record: that of its row, until one is left out.
    fn add_records(&mut self, places: &[Place]) -> Result<()> {
        let before = self.epochs.len();
        let as_rows = |first: &Place| first.number == before as u64;
        let gaps = places.windows(2).any(|pair| pair[0].number + 1 != pair[1].number);
        if self.records.is_none() && (gaps || !places.first().is_none_or(as_rows)) {
            self.records = Some(memory::collect(0..before as i32)?);
        }
        if let Some(records) = &mut self.records {
            memory::reserve(records, places.len())?;
            records.extend(places.iter().map(|place| place.number as i32));
        }
        Ok(())
    }

    /// Counts a run, which must agree with what the file says of its cell so far.
    #[inline]
    fn place(&mut self, piece: &Piece, row: usize) -> Result<()> {
        if piece.places[row].number >= MOST_RECORDS {
            return Err(Error::TooManyRecords { limit: MOST_RECORDS });
        }
        let (id, value, epochs) = (piece.cell_id[row], piece.parameters[row], piece.epochs[row]);
        let before = &mut self.parameters[id as usize];
        if *before != 0 && *before != value {
            return Err(Error::Contradiction { cell: id, value, before: *before });
        }
        *before = value;
        let seen = self.counts.at(epochs, id)?;
        if *seen > MOST_REPEATS {
            let limit = usize::from(MOST_REPEATS) + 1;
            return Err(Error::TooManyRepeats { cell: id, epochs, limit });
        }
        *seen += 1;
        Ok(())
    }

    fn finish(self) -> Result<(Runs, LeftOut)> {
        drop(self.spares); // 5 MB, before rows are ordered.
        let Self { cell_id, epochs, records, numbers, raw, left_out, parameters, counts, .. } =
            self;
        let layout = Layout::new(counts, parameters, records, epochs, cell_id)?;
        let raw = layout.moved(raw)?;
        Ok((Runs { layout, unsorted: numbers.map(Unsorted), raw }, left_out))
    }
}
