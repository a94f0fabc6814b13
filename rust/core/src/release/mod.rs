//! Files of official records: NAS-Bench-101 as it was released, and more of the same kind.
//!
//! [`Record`] is one record, bytes to values and back, with a [`quick`] way for usual ones;
//! [`read()`] turns a whole file ([`tfrecord`]) into a [`Table`] and [`write()`] a table into a file,
//! both on all cores. What a table cannot say of a record (another spelling, another form of the
//! cell, more fields) is kept as its bytes, so that it comes out as it went in.

mod counts;
mod numbers;
pub mod quick;
mod read;
mod record;
mod runs;
pub mod tfrecord;
mod write;

use crate::error::{Error, Result};
use crate::once::Once;
use crate::space::Space;

pub use read::{LeftOut, MOST_PROBLEMS, Options, Problem, read, read_source, scan};
pub use record::Record;
pub use runs::{Layout, Runs, Unsorted};
pub use write::{write, write_to};

/// Blocks whose results may wait for those of an earlier one: some MB.
const MOST_WAITING: usize = 16;

/// The space of the release: at most 7 vertices, 9 edges, 3 ops.
pub fn space() -> &'static Space {
    static SPACE: Once<Space> = Once::new();
    SPACE.get_or(|| Space::new(7, 9, OPS.len()).expect("these limits are in range"))
}

/// The ops of the release, by code.
pub const OPS: [&str; 3] = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"];

/// The numbers of the three evaluations, in the order of the record.
pub const METRICS: [&str; 15] = [
    "start_epoch",
    "start_training_time",
    "start_train_accuracy",
    "start_validation_accuracy",
    "start_test_accuracy",
    "halfway_epoch",
    "halfway_training_time",
    "halfway_train_accuracy",
    "halfway_validation_accuracy",
    "halfway_test_accuracy",
    "final_epoch",
    "final_training_time",
    "final_train_accuracy",
    "final_validation_accuracy",
    "final_test_accuracy",
];

/// Runs as columns of one length, in the order of budget, cell and repeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The cell's id in [`space`].
    pub cell_id: Vec<i32>,
    /// The budget.
    pub epochs: Vec<i16>,
    /// Runs of this cell and budget before it in the file.
    pub repeat: Vec<i8>,
    /// Records before it in the file.
    pub record: Vec<i32>,
    /// As [`METRICS`] says.
    pub metrics: [Floats; 15],
    /// Trainable parameters.
    pub trainable_parameters: Vec<i32>,
    /// Seconds of the whole run.
    pub total_time: Vec<f64>,
    /// Rows whose record is not what the columns would be written as, and its bytes.
    pub raw: Vec<(usize, Vec<u8>)>,
}

/// A column of numbers, in single precision for as long as that loses nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Floats {
    /// All numbers so far are `f32` widened.
    Single(Vec<f32>),
    /// Some are not.
    Double(Vec<f64>),
}

impl Default for Floats {
    fn default() -> Self {
        Self::Single(Vec::new())
    }
}

/// [`Table`] borrowed; in any order of rows.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The cell's id in [`space`].
    pub cell_id: &'a [i32],
    /// The budget.
    pub epochs: &'a [i16],
    /// What the rows of the file are sorted by.
    pub record: &'a [i32],
    /// As [`METRICS`] says.
    pub metrics: [FloatsView<'a>; 15],
    /// Trainable parameters.
    pub trainable_parameters: &'a [i32],
    /// Seconds of the whole run.
    pub total_time: &'a [f64],
}

impl View<'_> {
    /// Number of runs, which is the length of every column.
    ///
    /// # Errors
    /// [`Error::ColumnLengths`].
    fn checked_len(&self) -> Result<usize> {
        let n = self.cell_id.len();
        let others = [self.epochs.len(), self.record.len(), self.trainable_parameters.len()];
        let mut lengths =
            self.metrics.iter().map(FloatsView::len).chain(others).chain([self.total_time.len()]);
        if lengths.all(|length| length == n) { Ok(n) } else { Err(Error::ColumnLengths) }
    }
}

/// [`Floats`] borrowed.
#[derive(Debug, Clone, Copy)]
pub enum FloatsView<'a> {
    /// In single precision.
    Single(&'a [f32]),
    /// In double precision.
    Double(&'a [f64]),
}

impl FloatsView<'_> {
    /// Number of numbers.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(column) => column.len(),
            Self::Double(column) => column.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, row: usize) -> f64 {
        match self {
            Self::Single(column) => f64::from(column[row]),
            Self::Double(column) => column[row],
        }
    }
}

impl Table {
    /// Number of runs.
    pub fn len(&self) -> usize {
        self.cell_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cell_id.is_empty()
    }

    /// All columns without the raw records.
    pub fn view(&self) -> View<'_> {
        let metrics = self.metrics.each_ref().map(|column| match column {
            Floats::Single(column) => FloatsView::Single(column),
            Floats::Double(column) => FloatsView::Double(column),
        });
        View {
            cell_id: &self.cell_id,
            epochs: &self.epochs,
            record: &self.record,
            metrics,
            trainable_parameters: &self.trainable_parameters,
            total_time: &self.total_time,
        }
    }
}
