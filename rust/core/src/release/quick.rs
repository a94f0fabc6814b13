//! The quick way to read a record: for those that are spelled exactly as genuine ones are.
//!
//! There every part stands where the one before it ends, so that nothing is looked for, and the
//! record need not be encoded again to see that it comes back byte for byte.
//! [`Record::decode`] is the oracle.

use base64_simd::STANDARD as BASE64;

use super::record::{LINE, Record};
use super::{OPS, space};
use crate::cell::{Cell, label_shift};
use crate::hash::Digest;

/// A message of three evaluations, parameters and total time.
const MOST_BYTES: usize = PARAMETERS + 1 + 5 + 9;
const EVALUATION: usize = 2 + 5 * NUMBER;
const NUMBER: usize = 1 + 8;
/// Where in a message the parameters are.
const PARAMETERS: usize = 3 * EVALUATION;

/// Reads a record that [`Record::decode`] accepts and [`Record::encode`] gives back byte for byte;
/// `None` where it is another or a wrong one.
pub fn decode(bytes: &[u8]) -> Option<Record> {
    let (spelled, epochs, rest) = Spelled::read(bytes)?;
    Some(spelled.record(epochs, numbers(rest)?))
}

/// What a record says of its cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelled<'a> {
    /// From the start of the record to the budget.
    hash: &'a [u8],
    /// From the budget to the metrics.
    module: &'a [u8],
    digest: Digest,
    cell: Cell,
}

impl<'a> Spelled<'a> {
    /// Reads what comes before the metrics: the cell, the budget, and the rest of the record.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, i16, &'a [u8])> {
        let mut rest = bytes;
        skip(&mut rest, b"[\"")?;
        let digest = digest(take(&mut rest)?)?;
        skip(&mut rest, b"\", ")?;
        let hash = &bytes[..bytes.len() - rest.len()];
        let epochs = epochs(&mut rest)?;
        let before = rest;
        skip(&mut rest, b", \"")?;
        let cell = cell(&mut rest)?;
        skip(&mut rest, b"\", \"")?;
        let module = &before[..before.len() - rest.len()];
        Some((Self { hash, module, digest, cell }, epochs, rest))
    }

    /// The budget and the rest of a record, if it spells the same cell.
    #[inline]
    pub(super) fn again(&self, bytes: &'a [u8]) -> Option<(i16, &'a [u8])> {
        let mut rest = bytes.strip_prefix(self.hash)?;
        let epochs = epochs(&mut rest)?;
        Some((epochs, rest.strip_prefix(self.module)?))
    }

    pub(super) fn record(&self, epochs: i16, numbers: Numbers) -> Record {
        let Numbers { metrics, trainable_parameters, total_time } = numbers;
        let (digest, cell) = (self.digest, self.cell);
        Record { digest, epochs, cell, metrics, trainable_parameters, total_time }
    }
}

/// What the metrics of a record say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) metrics: [f64; 15],
    pub(super) trainable_parameters: i32,
    pub(super) total_time: f64,
}

/// Reads the metrics, up to the end of the record.
#[inline]
pub(super) fn numbers(rest: &[u8]) -> Option<Numbers> {
    let mut buffer = [0; MOST_BYTES.div_ceil(3) * 4];
    let mut message = message(rest, &mut buffer)?;
    // One look at the length, so that none is needed at each number.
    let evaluations: &[u8; PARAMETERS] = take(&mut message)?;
    let (evaluations, _) = evaluations.as_chunks::<EVALUATION>();
    let (mut metrics, mut bad) = ([0.0; 15], 0);
    for (five, [tag, length, fields @ ..]) in metrics.chunks_exact_mut(5).zip(evaluations) {
        bad |= tag ^ (1 << 3 | 2) | length ^ (EVALUATION - 2) as u8;
        let (fields, _) = fields.as_chunks::<NUMBER>();
        for ((number, [tag, bytes @ ..]), field) in five.iter_mut().zip(fields).zip(1u8..) {
            bad |= tag ^ (field << 3 | 1);
            *number = f64::from_le_bytes(*bytes);
        }
    }
    let trainable_parameters = parameters(&mut message)?;
    let total_time = double(&mut message, 3)?;
    let good = bad == 0
        && message.is_empty()
        && Record::are_in_range(&metrics, trainable_parameters, total_time);
    good.then_some(Numbers { metrics, trainable_parameters, total_time })
}

fn skip(rest: &mut &[u8], expected: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

fn digest(text: &[u8; 32]) -> Option<Digest> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => 0xff,
    };
    let mut bad = 0;
    let digest = std::array::from_fn(|i| {
        let (high, low) = (nibble(text[2 * i]), nibble(text[2 * i + 1]));
        bad |= high | low;
        high << 4 | low & 15
    });
    (bad < 16).then_some(digest)
}

fn epochs(rest: &mut &[u8]) -> Option<i16> {
    let digits = rest.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let (text, after) = rest.split_at(digits);
    if *text.first()? == b'0' {
        return None;
    }
    *rest = after;
    let value = text.iter().fold(0, |value, digit| 10 * value + i32::from(digit - b'0'));
    i16::try_from(value).ok()
}

fn cell(rest: &mut &[u8]) -> Option<Cell> {
    let v = (2..=space().max_vertices()).find(|v| rest.get(v * v) == Some(&b'"'))?;
    let (matrix, after) = rest.split_at(v * v);
    let (mut edges, mut bad) = (0, 0);
    for (x, row) in matrix.chunks_exact(v).enumerate() {
        for (y, byte) in row.iter().enumerate() {
            let bit = byte ^ b'0';
            if y > x {
                bad |= bit & !1;
                edges |= u64::from(bit & 1) << (x + y * (y - 1) / 2);
            } else {
                bad |= bit;
            }
        }
    }
    *rest = after;
    skip(rest, b"\", \"input")?;
    let mut labels = 0;
    for x in 1..v - 1 {
        skip(rest, b",")?;
        let named = |(code, op): (u64, &&str)| Some((code, rest.strip_prefix(op.as_bytes())?));
        let (code, after) = (0..).zip(&OPS).find_map(named)?;
        labels |= code << label_shift(x);
        *rest = after;
    }
    skip(rest, b",output")?;
    if bad != 0 {
        return None;
    }
    let cell = Cell::from_words(edges, labels | (v as u64) << 60).ok()?;
    space().check(cell).is_ok().then_some(cell)
}

/// The lines of the metrics, up to the end of the record, from base64.
fn message<'a>(mut rest: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut length = 0;
    while rest != b"\"]" {
        let line = rest.len().checked_sub(4)?.min(LINE);
        let (text, after) = rest.split_at(line);
        buffer.get_mut(length..length + line)?.copy_from_slice(text);
        length += line;
        rest = after.strip_prefix(b"\\n")?;
    }
    BASE64.decode_inplace(&mut buffer[..length]).ok().map(|message| &*message)
}

fn double(message: &mut &[u8], field: u8) -> Option<f64> {
    skip(message, &[field << 3 | 1])?;
    Some(f64::from_le_bytes(*take(message)?))
}

fn parameters(message: &mut &[u8]) -> Option<i32> {
    skip(message, &[2 << 3])?;
    let (mut value, mut shift) = (0u64, 0);
    loop {
        let [byte] = *take(message)?;
        value |= u64::from(byte & 127) << shift;
        match byte {
            128.. if shift < 28 => shift += 7,
            // A last byte of 0 would not be needed.
            1..128 => return i32::try_from(value).ok(),
            _ => return None,
        }
    }
}
