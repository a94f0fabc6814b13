//! A whole file to columns: blocks of records are decoded on all cores, and merged in their order.

use std::collections::HashMap;
use std::path::Path;

use super::tfrecord::{Block, Blocks, Source};
use super::{Floats, Record, Table, quick, space};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::hash::{self, Digest};
use crate::memory;
use crate::parallel::{self, Monitor};
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
    let quiet = Still { monitor, done: 0, size };
    let cells = Cells::new(size >= WORTH_ALL_HASHES, &quiet)?;
    let mut blocks = Blocks::new(source);
    let mut merger = Merger::new(cells.catalog.size() as usize, options)?;
    let work = |block: Block| Ok((block.taken, Piece::new(&block, &cells, options)?));
    let merge = |piece| merger.merge(piece);
    parallel::run_in_order(|| blocks.next(), size, work, merge, monitor)?;
    merger.finish(&Still { done: size, ..quiet })
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

/// What the records of one block say.
#[derive(Default)]
struct Piece {
    rows: Vec<Row>,
    raw: Vec<(u64, Vec<u8>)>,
    left_out: LeftOut,
    /// What ended it: no fault of a record.
    failed: Option<Error>,
}

/// A run, and where it was found.
struct Row {
    number: u64,
    offset: u64,
    id: i32,
    record: Record,
}

impl Piece {
    fn new(block: &Block, cells: &Cells, options: Options) -> Result<Self> {
        let mut piece = Self::default();
        let mut again = Vec::new();
        for entry in block.records() {
            let (number, offset) = (entry.record, entry.offset);
            let decoded = entry.data.and_then(|data| {
                let usual = quick::decode(data);
                let record = usual.map_or_else(|| Record::decode(data), Ok)?;
                let id = cells.catalog.id(record.cell);
                let (cell, digest) = cells.get(id)?;
                if options.verify_hashes {
                    record.check_hash(digest)?;
                }
                let mut kept = usual.is_some() && (record.cell, record.digest) == (cell, digest);
                if !kept {
                    again.clear();
                    Record { cell, digest, ..record }.encode(&mut again);
                    kept = again == data;
                }
                if !kept {
                    memory::reserve(&mut piece.raw, 1)?;
                    piece.raw.push((number, memory::copied(data)?));
                }
                Ok(Row { number, offset, id: id as i32, record })
            });
            match decoded {
                Ok(row) => {
                    memory::reserve(&mut piece.rows, 1)?;
                    piece.rows.push(row);
                }
                Err(error) if error.is_of_the_system() => {
                    piece.failed = Some(error);
                    break;
                }
                Err(error) => {
                    piece.left_out.add(number, offset, error);
                    if !options.keep_going {
                        break;
                    }
                }
            }
        }
        Ok(piece)
    }
}

/// Puts the pieces together, in the order of the file.
struct Merger {
    options: Options,
    table: Table,
    raw: Vec<(u64, Vec<u8>)>,
    raw_bytes: usize,
    left_out: LeftOut,
    /// By cell; 0 where none has been seen.
    parameters: Vec<i32>,
    /// Runs seen by budget and cell, in pages of [`PAGE`] cells.
    repeats: HashMap<(i16, i32), [u8; PAGE as usize]>,
}

const PAGE: i32 = 256;
const MOST_REPEATS: u8 = i8::MAX as u8;
/// Rows are sorted by words that have 30 bits for the row.
const MOST_RECORDS: u64 = 1 << 30;

impl Merger {
    fn new(cells: usize, options: Options) -> Result<Self> {
        Ok(Self {
            options,
            table: Table::default(),
            raw: Vec::new(),
            raw_bytes: 0,
            left_out: LeftOut::default(),
            parameters: memory::filled(0, cells)?,
            repeats: HashMap::new(),
        })
    }

    fn merge(&mut self, mut piece: Piece) -> Result<()> {
        let mut repeats = memory::with_capacity(piece.rows.len())?;
        let mut wrong = Vec::new();
        let mut refused = None;
        piece.rows.retain(|row| match self.place(row) {
            Ok(repeat) => {
                repeats.push(repeat);
                true
            }
            Err(error) => {
                if error.is_of_the_system() || memory::reserve(&mut wrong, 1).is_err() {
                    refused.get_or_insert(error);
                } else {
                    wrong.push(Problem { record: row.number, offset: row.offset, error });
                }
                false
            }
        });
        if let Some(error) = refused {
            return Err(error);
        }
        if !wrong.is_empty() {
            let is_wrong =
                |record| wrong.binary_search_by_key(&record, |wrong| wrong.record).is_ok();
            piece.raw.retain(|(number, _)| !is_wrong(*number));
            piece.left_out.merge(wrong);
        }
        if let Some(Problem { record, offset, error }) = piece.left_out.problems.first()
            && !self.options.keep_going
        {
            let source = Box::new(error.clone());
            return Err(Error::InRecord { record: *record, offset: *offset, source });
        }
        if let Some(error) = piece.failed {
            return Err(error);
        }
        self.raw_bytes += piece.raw.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        if self.raw_bytes > MOST_RAW {
            return Err(Error::TooManyOddRecords { limit: MOST_RAW });
        }
        let (table, rows) = (&mut self.table, &piece.rows);
        memory::reserve(&mut table.cell_id, rows.len())?;
        memory::reserve(&mut table.epochs, rows.len())?;
        memory::reserve(&mut table.repeat, rows.len())?;
        memory::reserve(&mut table.record, rows.len())?;
        memory::reserve(&mut table.trainable_parameters, rows.len())?;
        memory::reserve(&mut table.total_time, rows.len())?;
        table.cell_id.extend(rows.iter().map(|row| row.id));
        table.epochs.extend(rows.iter().map(|row| row.record.epochs));
        table.repeat.extend(repeats);
        table.record.extend(rows.iter().map(|row| row.number as i32));
        for (i, column) in table.metrics.iter_mut().enumerate() {
            column.extend(rows.iter().map(|row| row.record.metrics[i]))?;
        }
        table.trainable_parameters.extend(rows.iter().map(|row| row.record.trainable_parameters));
        table.total_time.extend(rows.iter().map(|row| row.record.total_time));
        memory::reserve(&mut self.raw, piece.raw.len())?;
        self.raw.append(&mut piece.raw);
        self.left_out.append(piece.left_out);
        Ok(())
    }

    /// The repeat of a run, which must agree with what the file says of its cell so far.
    fn place(&mut self, row: &Row) -> Result<i8> {
        if row.number >= MOST_RECORDS {
            return Err(Error::TooManyRecords { limit: MOST_RECORDS });
        }
        let (id, value) = (row.id, row.record.trainable_parameters);
        let before = &mut self.parameters[id as usize];
        if *before != 0 && *before != value {
            return Err(Error::Contradiction { cell: id, value, before: *before });
        }
        *before = value;
        let epochs = row.record.epochs;
        if self.repeats.try_reserve(1).is_err() {
            return Err(Error::Memory {
                bytes: self.repeats.capacity() * size_of::<[u8; PAGE as usize]>(),
            });
        }
        let page = self.repeats.entry((epochs, id / PAGE)).or_insert([0; PAGE as usize]);
        let seen = &mut page[(id % PAGE) as usize];
        if *seen > MOST_REPEATS {
            let limit = usize::from(MOST_REPEATS) + 1;
            return Err(Error::TooManyRepeats { cell: id, epochs, limit });
        }
        *seen += 1;
        Ok((*seen - 1) as i8)
    }

    fn finish(self, monitor: &dyn Monitor) -> Result<(Table, LeftOut)> {
        let Self { mut table, raw, left_out, parameters, repeats, .. } = self;
        drop((parameters, repeats));
        // Where raw records are before sorting: both lists are in the order of the file.
        let mut rows = table.record.iter().zip(0usize..);
        let raw = raw.into_iter().filter_map(|(number, bytes)| {
            let (_, row) = rows.find(|&(&record, _)| record as u64 == number)?;
            Some((row, bytes))
        });
        table.raw = memory::collect(raw)?;
        sort(&mut table, monitor)?;
        Ok((table, left_out))
    }
}

/// Sorts rows that are in the order of the file by budget, cell and repeat.
fn sort(table: &mut Table, monitor: &dyn Monitor) -> Result<()> {
    let budgets_and_ids = table.epochs.iter().zip(&table.cell_id);
    // Budget (15 bits), cell (19), row (30): rows keep their order, and so do repeats.
    let word = |((&epochs, &id), row)| (epochs as u64) << 49 | (id as u64) << 30 | row;
    let mut order: Vec<u64> = memory::collect(budgets_and_ids.zip(0..).map(word))?;
    if order.is_sorted() {
        return Ok(());
    }
    order.sort_unstable();
    let order: Vec<u32> = memory::collect(order.iter().map(|&word| word as u32 % (1 << 30)))?;
    if !table.raw.is_empty() {
        let mut position = memory::filled(0u32, order.len())?;
        order.iter().zip(0..).for_each(|(&row, new)| position[row as usize] = new);
        table.raw.iter_mut().for_each(|(row, _)| *row = position[*row] as usize);
        table.raw.sort_unstable_by_key(|(row, _)| *row);
    }
    let mut columns: Vec<&mut (dyn Gather + Send)> = vec![
        &mut table.cell_id,
        &mut table.epochs,
        &mut table.repeat,
        &mut table.record,
        &mut table.trainable_parameters,
        &mut table.total_time,
    ];
    columns.extend(table.metrics.iter_mut().map(|column| column as &mut (dyn Gather + Send)));
    let total = order.len() * columns.len();
    let work = |column: &mut (dyn Gather + Send)| {
        column.gather(&order)?;
        Ok(order.len())
    };
    parallel::run(|| columns.pop(), total, work, monitor)
}

/// A column whose rows can be put in another order.
trait Gather {
    fn gather(&mut self, order: &[u32]) -> Result<()>;
}

impl<T: Copy> Gather for Vec<T> {
    fn gather(&mut self, order: &[u32]) -> Result<()> {
        *self = memory::collect(order.iter().map(|&row| self[row as usize]))?;
        Ok(())
    }
}

impl Gather for Floats {
    fn gather(&mut self, order: &[u32]) -> Result<()> {
        match self {
            Self::Single(column) => column.gather(order),
            Self::Double(column) => column.gather(order),
        }
    }
}
