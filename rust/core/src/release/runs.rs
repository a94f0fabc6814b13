//! The runs of a file, packed as they came, and the columns of a [`Table`], made of them one by one.
//!
//! A full file's columns take 420 MB. What is kept of them here takes 270 MB: what follows from
//! something else (cells, budgets, repeats, parameters, the order of records) is not kept by row.
//! Whoever asks for one column after another, and lets go of each, never needs both.

use super::counts::Counts;
use super::numbers::{Numbers, gather};
use super::{Floats, METRICS, Table};
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, Monitor};

/// Metrics, and total time.
pub(super) const COLUMNS: usize = METRICS.len() + 1;

/// The runs of a file: how its rows lie, and the numbers of them.
#[derive(Debug)]
pub struct Runs {
    /// What all columns need.
    pub layout: Layout,
    /// The columns of [`METRICS`](super::METRICS), and the total time: to be sorted once each.
    pub unsorted: [Unsorted; COLUMNS],
    /// Rows whose record is not what the columns would be written as, and its bytes.
    pub raw: Vec<(usize, Vec<u8>)>,
}

/// A column in the order of the file.
#[derive(Debug)]
pub struct Unsorted(pub(super) Numbers);

impl Unsorted {
    /// Whether its numbers are in double precision.
    pub fn is_double(&self) -> bool {
        self.0.is_double()
    }
}

/// Which rows a table has, and where in the file they were.
#[derive(Debug)]
pub struct Layout {
    rows: usize,
    counts: Counts,
    /// By cell; 0 where there is none.
    parameters: Vec<i32>,
    /// Budgets, and how many rows each has.
    budgets: Vec<(i16, usize)>,
    /// Which row of the file each is, unless it is the same.
    order: Option<Vec<u32>>,
    /// Which record each row of the file is, unless it is the same.
    records: Option<Vec<i32>>,
}

impl Layout {
    /// Finds the order of rows, which were at `epochs` and of the cells `ids`.
    pub(super) fn new(
        counts: Counts,
        parameters: Vec<i32>,
        records: Option<Vec<i32>>,
        epochs: Vec<i16>,
        ids: Vec<i32>,
    ) -> Result<Self> {
        let mut budgets: Vec<(i16, usize)> = Vec::new();
        for (epochs, _, count) in counts.groups() {
            match budgets.last_mut() {
                Some((last, rows)) if *last == epochs => *rows += usize::from(count),
                _ => {
                    memory::reserve(&mut budgets, 1)?;
                    budgets.push((epochs, usize::from(count)));
                }
            }
        }
        let order = counts.order(&epochs, &ids)?;
        Ok(Self { rows: ids.len(), counts, parameters, budgets, order, records })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All budgets, ascending.
    pub fn budgets(&self) -> impl Iterator<Item = i16> + '_ {
        self.budgets.iter().map(|(epochs, _)| *epochs)
    }

    /// How many runs there are of each cell of the space at a budget.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), as of all columns.
    pub fn counts(&self, epochs: i16) -> Result<Vec<u8>> {
        self.counts.of_budget(epochs)
    }

    /// Trainable parameters by cell of the space, 0 where there is no run.
    pub fn parameters_by_cell(&self) -> &[i32] {
        &self.parameters
    }

    /// Writes a column that is not of what was measured.
    fn fill<T>(&self, out: &mut [T], value: impl Fn(i16, i32, u8) -> T) {
        let mut out = out.iter_mut();
        for (epochs, id, count) in self.counts.groups() {
            (0..count).zip(&mut out).for_each(|(repeat, out)| *out = value(epochs, id, repeat));
        }
    }

    /// Writes the column of [`Table`], which has as many rows, as all of these.
    pub fn cell_id(&self, out: &mut [i32]) {
        self.fill(out, |_, id, _| id);
    }

    /// Writes the column of [`Table`].
    pub fn epochs(&self, out: &mut [i16]) {
        self.fill(out, |epochs, _, _| epochs);
    }

    /// Writes the column of [`Table`].
    pub fn repeat(&self, out: &mut [i8]) {
        self.fill(out, |_, _, repeat| repeat as i8);
    }

    /// Writes the column of [`Table`].
    pub fn trainable_parameters(&self, out: &mut [i32]) {
        self.fill(out, |_, id, _| self.parameters[id as usize]);
    }

    /// Writes the column of [`Table`].
    pub fn record(&self, out: &mut [i32]) {
        match (&self.records, &self.order) {
            (Some(records), order) => gather(records, order.as_deref(), out, |record| record),
            (None, Some(order)) => gather(order, None, out, |row| row as i32),
            (None, None) => out.iter_mut().zip(0..).for_each(|(out, row)| *out = row),
        }
    }

    /// Writes a column in the order of the table. It must not be in double precision.
    pub fn single(&self, column: &Unsorted, out: &mut [f32]) {
        column.0.sort_to(&self.budgets, self.order.as_deref(), out);
    }

    /// Writes a column in the order of the table.
    pub fn double(&self, column: &Unsorted, out: &mut [f64]) {
        column.0.sort_to(&self.budgets, self.order.as_deref(), out);
    }

    /// Rows of the file, ascending, as rows of the table with what belongs to them, ascending again.
    pub(super) fn moved<T>(&self, mut rows: Vec<(usize, T)>) -> Result<Vec<(usize, T)>> {
        if let (false, Some(order)) = (rows.is_empty(), &self.order) {
            let mut position = memory::filled(0u32, order.len())?;
            order.iter().zip(0..).for_each(|(&row, new)| position[row as usize] = new);
            rows.iter_mut().for_each(|(row, _)| *row = position[*row] as usize);
            rows.sort_unstable_by_key(|(row, _)| *row);
        }
        Ok(rows)
    }
}

impl Runs {
    /// All columns at once.
    pub(super) fn into_table(self, monitor: &dyn Monitor) -> Result<Table> {
        let Self { layout, unsorted, raw } = self;
        let rows = layout.rows;
        let mut sorted: [Floats; COLUMNS] = Default::default();
        let mut tasks = unsorted.into_iter().zip(&mut sorted).zip(0..);
        let work = |((column, sorted), i): ((Unsorted, &mut Floats), usize)| {
            // The total time is in double precision always.
            *sorted = if column.is_double() || i == METRICS.len() {
                let mut out = memory::filled(0.0, rows)?;
                layout.double(&column, &mut out);
                Floats::Double(out)
            } else {
                let mut out = memory::filled(0.0, rows)?;
                layout.single(&column, &mut out);
                Floats::Single(out)
            };
            Ok(rows)
        };
        parallel::run(|| tasks.next(), COLUMNS * rows, work, monitor)?;
        let mut sorted = sorted.into_iter();
        let metrics = std::array::from_fn(|_| sorted.next().unwrap_or_default());
        let total_time = match sorted.next() {
            Some(Floats::Double(column)) => column,
            _ => Vec::new(),
        };
        fn made<T: Clone + Default>(rows: usize, fill: impl FnOnce(&mut [T])) -> Result<Vec<T>> {
            let mut column = memory::filled(T::default(), rows)?;
            fill(&mut column);
            Ok(column)
        }
        Ok(Table {
            cell_id: made(rows, |out| layout.cell_id(out))?,
            epochs: made(rows, |out| layout.epochs(out))?,
            repeat: made(rows, |out| layout.repeat(out))?,
            record: made(rows, |out| layout.record(out))?,
            metrics,
            trainable_parameters: made(rows, |out| layout.trainable_parameters(out))?,
            total_time,
            raw,
        })
    }
}
