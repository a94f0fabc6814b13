//! The runs of a file, packed as they came, and the columns of a [`Table`], made of them one by one.
//!
//! A full file's columns take 420 MB. What is kept of them here takes 270 MB: what follows from
//! something else (cells, budgets, repeats, parameters, the order of records) is not kept by row.
//! Whoever asks for one column after another, and lets go of each, never needs both.

use super::counts::Counts;
use super::numbers::{Numbers, gathered};
use super::{Floats, Table};
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, Monitor};

/// Metrics, and total time.
pub(super) const COLUMNS: usize = 16;

/// The runs of a file: how its rows lie, and the numbers of them.
#[derive(Debug)]
pub struct Runs {
    /// What all columns need.
    pub layout: Layout,
    /// The columns of [`METRICS`](super::METRICS), and the total time: to be sorted once each.
    pub unsorted: [Unsorted; COLUMNS],
    /// As in [`Table`].
    pub raw: Vec<(usize, Vec<u8>)>,
}

/// A column in the order of the file.
#[derive(Debug)]
pub struct Unsorted(pub(super) Numbers);

impl Unsorted {
    /// Whether its numbers are in double precision.
    pub fn is_double(&self) -> bool {
        matches!(self.0, Numbers::Double(_))
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

    /// A column that has something of each row's cell, budget and repeat.
    fn made<T>(&self, value: impl Fn(i16, i32, u8) -> T) -> Result<Vec<T>> {
        let mut column = memory::with_capacity(self.rows)?;
        for (epochs, id, count) in self.counts.groups() {
            column.extend((0..count).map(|repeat| value(epochs, id, repeat)));
        }
        Ok(column)
    }

    /// The column of [`Table`].
    ///
    /// # Errors
    /// See [`Layout::counts`].
    pub fn cell_id(&self) -> Result<Vec<i32>> {
        self.made(|_, id, _| id)
    }

    /// The column of [`Table`].
    ///
    /// # Errors
    /// See [`Layout::counts`].
    pub fn epochs(&self) -> Result<Vec<i16>> {
        self.made(|epochs, _, _| epochs)
    }

    /// The column of [`Table`].
    ///
    /// # Errors
    /// See [`Layout::counts`].
    pub fn repeat(&self) -> Result<Vec<i8>> {
        self.made(|_, _, repeat| repeat as i8)
    }

    /// The column of [`Table`].
    ///
    /// # Errors
    /// See [`Layout::counts`].
    pub fn trainable_parameters(&self) -> Result<Vec<i32>> {
        self.made(|_, id, _| self.parameters[id as usize])
    }

    /// The column of [`Table`].
    ///
    /// # Errors
    /// See [`Layout::counts`].
    pub fn record(&self) -> Result<Vec<i32>> {
        let order = self.order.as_deref();
        match &self.records {
            Some(records) => gathered(memory::copied(records)?, order),
            None => match order {
                Some(order) => memory::collect(order.iter().map(|&row| row as i32)),
                None => memory::collect(0..self.rows as i32),
            },
        }
    }

    /// A column in the order of the table.
    ///
    /// # Errors
    /// See [`Layout::counts`].
    pub fn sorted(&self, column: Unsorted) -> Result<Floats> {
        column.0.sorted(&self.budgets, self.order.as_deref())
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
        let mut sorted: [Floats; COLUMNS] = Default::default();
        let mut tasks = unsorted.into_iter().zip(&mut sorted);
        let work = |(column, sorted): (Unsorted, &mut Floats)| {
            *sorted = layout.sorted(column)?;
            Ok(layout.rows)
        };
        parallel::run(|| tasks.next(), COLUMNS * layout.rows, work, monitor)?;
        let mut sorted = sorted.into_iter();
        let metrics = std::array::from_fn(|_| sorted.next().unwrap_or_default());
        let total_time = sorted.next().unwrap_or_default().into_double()?;
        Ok(Table {
            cell_id: layout.cell_id()?,
            epochs: layout.epochs()?,
            repeat: layout.repeat()?,
            record: layout.record()?,
            metrics,
            trainable_parameters: layout.trainable_parameters()?,
            total_time,
            raw,
        })
    }
}
