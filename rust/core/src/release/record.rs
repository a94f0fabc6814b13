//! One official record: `[hash, epochs, adjacency, operations, metrics]` in JSON, as Python's
//! `json.dumps` writes it.
//!
//! The adjacency is a character for each entry of the matrix, row by row; the operations are joined
//! by commas; the metrics are a protobuf message (proto2) in base64, with a newline after every 76
//! characters and at the end.

use std::borrow::Cow;

use base64_simd::STANDARD as BASE64;
use prost::Message;
use serde::Deserialize;

use super::{METRICS, OPS, space};
use crate::cell::{self, Cell, Module, column};
use crate::error::{Error, Result};
use crate::hash::{self, Digest};
use crate::limits::{INPUT, OUTPUT};

/// The values of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// The hash as it is written: see [`Record::check_hash`].
    pub digest: Digest,
    /// The budget, at least 1.
    pub epochs: i16,
    /// A cell of the release's space, pruned, but in any form.
    pub cell: Cell,
    /// Numbers in the order of [`METRICS`]: none is negative, accuracies are at most 1.
    pub metrics: [f64; 15],
    /// Trainable parameters, at least 1.
    pub trainable_parameters: i32,
    /// Seconds of the whole run, not negative.
    pub total_time: f64,
}

#[derive(Deserialize)]
#[serde(expecting = "a list of five")]
struct Text<'a>(
    #[serde(borrow)] Cow<'a, str>,
    i64,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
);

#[derive(Message)]
struct ModelMetrics {
    #[prost(message, repeated, tag = "1")]
    evaluations: Vec<EvaluationData>,
    #[prost(int32, optional, tag = "2")]
    trainable_parameters: Option<i32>,
    #[prost(double, optional, tag = "3")]
    total_time: Option<f64>,
}

/// Field 6, `checkpoint_path`, is not read: no column holds it.
#[derive(Message)]
struct EvaluationData {
    #[prost(double, optional, tag = "1")]
    current_epoch: Option<f64>,
    #[prost(double, optional, tag = "2")]
    training_time: Option<f64>,
    #[prost(double, optional, tag = "3")]
    train_accuracy: Option<f64>,
    #[prost(double, optional, tag = "4")]
    validation_accuracy: Option<f64>,
    #[prost(double, optional, tag = "5")]
    test_accuracy: Option<f64>,
}

/// Characters of a full line of base64.
pub(super) const LINE: usize = 76;

/// A run of thirty years: no time is longer.
const SECONDS: f64 = 1e9;

/// What the five numbers of an evaluation are at most: epochs, as the budget, seconds, fractions.
const MOST: [f64; 5] = [i16::MAX as f64, SECONDS, 1.0, 1.0, 1.0];

impl Record {
    /// Reads a record and checks all that it says but the hash.
    ///
    /// # Errors
    /// What is wrong first, in the order of the record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let text: Text<'_> = serde_json::from_slice(bytes)
            .map_err(|error| Error::NotJson { message: shortened(&error.to_string(), 200) })?;
        let Text(hash, epochs, adjacency, operations, metrics) = text;
        let lower = !hash.bytes().any(|byte| byte.is_ascii_uppercase());
        let digest = (hash::from_hex(hash.as_bytes()).filter(|_| lower))
            .ok_or_else(|| Error::NotAHash { text: shortened(&hash, 40) })?;
        let epochs =
            i16::try_from(epochs).ok().filter(|&n| n > 0).ok_or(Error::BadEpochs { epochs })?;
        let cell = decode_cell(&adjacency, &operations)?;
        let mut base64 = Vec::with_capacity(metrics.len());
        base64.extend(metrics.bytes().filter(|&byte| byte != b'\n'));
        let message = BASE64.decode_inplace(&mut base64).map_err(|_| Error::NotBase64)?;
        let message = ModelMetrics::decode(&*message)
            .map_err(|error| Error::NotProtobuf { message: error.to_string() })?;
        let record = Self {
            digest,
            epochs,
            cell,
            metrics: numbers(&message)?,
            trainable_parameters: message
                .trainable_parameters
                .ok_or(Error::Missing { field: "trainable_parameters" })?,
            total_time: message.total_time.ok_or(Error::Missing { field: "total_time" })?,
        };
        record.check_numbers()?;
        Ok(record)
    }

    /// Appends the record to `out`, in the form and spelling of genuine ones.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let v = self.cell.vertices();
        out.extend_from_slice(b"[\"");
        out.extend_from_slice(&hash::hex_bytes(&self.digest));
        out.extend_from_slice(format!("\", {}, \"", self.epochs).as_bytes());
        for x in 0..v {
            let bit = |y: usize| y > x && column(self.cell.edges, y) >> x & 1 == 1;
            out.extend((0..v).map(|y| b'0' + u8::from(bit(y))));
        }
        out.extend_from_slice(b"\", \"input");
        for x in 1..v - 1 {
            out.push(b',');
            out.extend_from_slice(OPS[usize::from(self.cell.op(x))].as_bytes());
        }
        out.extend_from_slice(b",output\", \"");
        for line in BASE64.encode_type::<Vec<u8>>(self.message().encode_to_vec()).chunks(LINE) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\\n");
        }
        out.extend_from_slice(b"\"]");
    }

    /// Checks the hash against the one computed.
    ///
    /// # Errors
    /// [`Error::WrongHash`].
    pub fn check_hash(&self, computed: Digest) -> Result<()> {
        if self.digest == computed {
            return Ok(());
        }
        let (given, computed) = (hash::hex(self.digest), hash::hex(computed));
        Err(Error::WrongHash { given, computed })
    }

    /// Checks all numbers but the budget.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfRange`], [`Error::BadParameters`].
    pub(super) fn check_numbers(&self) -> Result<()> {
        let named = METRICS.iter().copied().zip(MOST.iter().cycle().copied()).zip(self.metrics);
        for ((field, most), value) in named.chain([(("total_time", SECONDS), self.total_time)]) {
            // So that it is false of NaN too.
            if !(value >= 0.0 && value <= most) {
                let text = format!("{value:?}");
                return Err(match value.is_finite() {
                    true => Error::OutOfRange { field, value: text, most: most as u64 },
                    false => Error::NotFinite { field, value: value.to_string() },
                });
            }
        }
        match self.trainable_parameters {
            1.. => Ok(()),
            value => Err(Error::BadParameters { value }),
        }
    }

    /// Whether [`check_numbers`](Self::check_numbers) has nothing to say of these: the numbers are
    /// compared side by side.
    #[inline]
    pub(super) fn are_in_range(metrics: &[f64; 15], parameters: i32, total_time: f64) -> bool {
        let mut good = (0.0..=SECONDS).contains(&total_time) & (parameters >= 1);
        for (i, value) in metrics.iter().enumerate() {
            good &= (*value >= 0.0) & (*value <= MOST[i % 5]);
        }
        good
    }

    fn message(&self) -> ModelMetrics {
        let evaluation = |numbers: &[f64]| EvaluationData {
            current_epoch: Some(numbers[0]),
            training_time: Some(numbers[1]),
            train_accuracy: Some(numbers[2]),
            validation_accuracy: Some(numbers[3]),
            test_accuracy: Some(numbers[4]),
        };
        ModelMetrics {
            evaluations: self.metrics.chunks_exact(5).map(evaluation).collect(),
            trainable_parameters: Some(self.trainable_parameters),
            total_time: Some(self.total_time),
        }
    }
}

/// Text for a message: whatever it holds, it is not longer than so many characters.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn decode_cell(adjacency: &str, operations: &str) -> Result<Cell> {
    let v = operations.split(',').count();
    let code = |(vertex, name): (usize, &str)| match name {
        "input" => Ok(INPUT),
        "output" => Ok(OUTPUT),
        _ => (OPS.iter().position(|&op| op == name).map(|code| code as i64))
            .ok_or_else(|| Error::UnknownOpName { vertex, name: shortened(name, 40) }),
    };
    let ops = operations.split(',').enumerate().map(code).collect::<Result<Vec<i64>>>()?;
    let mut matrix = Vec::with_capacity(adjacency.len());
    for (position, character) in adjacency.chars().enumerate() {
        match character {
            '0' => matrix.push(0u8),
            '1' => matrix.push(1),
            _ => return Err(Error::AdjacencyCharacter { position, character }),
        }
    }
    if matrix.len() != v * v {
        return Err(Error::AdjacencyLength { length: matrix.len(), ops: v });
    }
    match cell::parse(&matrix, &ops)? {
        Module::Packed(cell) => space().check(cell).map(|()| cell),
        Module::Large(module) => {
            let (vertices, limit) = (module.labels.len(), space().max_vertices());
            Err(Error::TooManyVertices { vertices, limit, pruned: true })
        }
    }
}

fn numbers(message: &ModelMetrics) -> Result<[f64; 15]> {
    let found = message.evaluations.len();
    let Ok(evaluations) = <&[EvaluationData; 3]>::try_from(message.evaluations.as_slice()) else {
        return Err(Error::Evaluations { found });
    };
    let mut numbers = [0.0; 15];
    let given = evaluations.iter().flat_map(|evaluation| {
        [
            evaluation.current_epoch,
            evaluation.training_time,
            evaluation.train_accuracy,
            evaluation.validation_accuracy,
            evaluation.test_accuracy,
        ]
    });
    for ((number, given), field) in numbers.iter_mut().zip(given).zip(METRICS) {
        *number = given.ok_or(Error::Missing { field })?;
    }
    Ok(numbers)
}
