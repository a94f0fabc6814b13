//! What must hold for any bytes read as a raw module. The fuzz target and the tests share it.

use nb101_core::cell::{self, Cell, Entry, Module};
use nb101_core::limits::{INPUT, MAX_VERTICES, OUTPUT};
use nb101_core::parallel::Unwatched;
use nb101_core::release::tfrecord::masked_crc;
use nb101_core::space::representative;
use nb101_core::{Error, hash};

/// Reads `bytes` as modules of several element types and checks everything about them.
#[allow(dead_code)]
pub fn check(bytes: &[u8]) {
    check_module(bytes, true);
}

/// As [`check`], but the slow oracles look at one input of 16 alone, so that the parser itself
/// sees ten times as many.
#[allow(dead_code)]
pub fn check_often(bytes: &[u8]) {
    check_module(bytes, masked_crc(bytes).is_multiple_of(16));
}

fn check_module(bytes: &[u8], fully: bool) {
    let Some((&[shape, kind], rest)) = bytes.split_first_chunk::<2>() else { return };
    let v = usize::from(shape % 14);
    let lenient = shape >= 128;
    match kind % 4 {
        0 => module(&entries(rest, v * v, |b| b as i8, lenient), &labels(rest, v), fully),
        1 => module(&entries(rest, v * v, |b| b & 1 == 1, lenient), &labels(rest, v), fully),
        2 => module(&entries(rest, v * v, float, lenient), &labels(rest, v), fully),
        _ => module(
            &entries(rest, v * v, u64::from, lenient),
            &labels(rest, v).iter().map(|&label| label as f64).collect::<Vec<f64>>(),
            fully,
        ),
    }
}

fn float(byte: u8) -> f32 {
    match byte {
        255 => f32::NAN,
        254 => f32::INFINITY,
        253 => f32::NEG_INFINITY,
        252 => f32::MAX,
        251 => -0.0,
        250 => 0.5,
        other => f32::from(other),
    }
}

/// The matrix. Where `lenient`, all that must be zero is, so that most modules are accepted.
fn entries<T: Default + Copy>(
    bytes: &[u8],
    n: usize,
    read: impl Fn(u8) -> T,
    lenient: bool,
) -> Vec<T> {
    let v = n.isqrt();
    (0..n)
        .map(|i| match bytes.get(i) {
            None => T::default(),
            Some(_) if lenient && i % v <= i / v => T::default(),
            Some(&byte) => read(if lenient { byte & 1 } else { byte }),
        })
        .collect()
}

/// The labels, from the end of the bytes; input and output mostly stand where they should.
fn labels(bytes: &[u8], v: usize) -> Vec<i64> {
    let byte = |x: usize| bytes.iter().rev().nth(x).copied().unwrap_or(0);
    (0..v)
        .map(|x| match (x, byte(x)) {
            (_, code @ 250..) => i64::from(code) - 254,
            (_, 249) => i64::MAX,
            (_, 248) => i64::MIN,
            (0, _) => INPUT,
            (x, _) if x == v - 1 => OUTPUT,
            (_, code) => i64::from(code % 20),
        })
        .collect()
}

fn module<T: Entry + Sync, L: Entry + Sync>(matrix: &[T], ops: &[L], fully: bool) {
    let parsed = cell::parse(matrix, ops);
    batch(matrix, ops, &parsed, fully);
    match parsed {
        Ok(Module::Packed(cell)) => packed(cell, fully),
        Ok(Module::Large(large)) => {
            let v = large.labels.len();
            assert!(v > MAX_VERTICES || large.labels.iter().any(|&label| label > 15));
            let again = unpacked(v, |x, y| large.inputs[y].contains(&x));
            assert_eq!(cell::parse(&again, &large.labels), Ok(Module::Large(large)));
        }
        Err(error) => assert!(!fully || !error.to_string().is_empty()),
    }
}

/// A batch of one says the same as the parser of one.
fn batch<T: Entry + Sync, L: Entry + Sync>(
    matrix: &[T],
    ops: &[L],
    parsed: &Result<Module, Error>,
    fully: bool,
) {
    if ops.is_empty() {
        return;
    }
    let read = cell::parse_batch(matrix, ops, ops.len(), true, &Unwatched);
    match (parsed, read) {
        (Ok(Module::Packed(cell)), Ok(read)) => {
            assert_eq!(read.cells, [Some(*cell)]);
            if fully {
                let digests = hash::hash_modules(&read, &Unwatched).unwrap();
                assert_eq!(digests, [Some(hash::hash_cell_plainly(*cell))]);
            }
        }
        (Ok(Module::Large(large)), Ok(read)) => {
            assert_eq!(read.large, [(0, large.clone())]);
            if fully {
                let digests = hash::hash_modules(&read, &Unwatched).unwrap();
                assert_eq!(digests, [Some(large.fingerprint())]);
            }
        }
        (Err(Error::Disconnected), Ok(read)) => {
            assert_eq!(read.cells, [None]);
            assert_eq!(hash::hash_modules(&read, &Unwatched).unwrap(), [None]);
        }
        (Err(error), Err(Error::InModule { index: 0, source })) => assert_eq!(*source, *error),
        (one, many) => panic!("{one:?} alone, {many:?} in a batch"),
    }
}

fn packed(cell: Cell, fully: bool) {
    let v = cell.vertices();
    assert_eq!(Cell::from_words(cell.edges(), cell.labels()), Ok(cell));
    assert_eq!(cell::prune(cell.raw()), Some(cell));
    let codes: Vec<i8> = (0..v).map(|x| cell.code(x)).collect();
    let matrix = unpacked(v, |x, y| x < y && cell.edges() & cell::edge_bit(x, y) != 0);
    assert_eq!(cell::parse(&matrix, &codes), Ok(Module::Packed(cell)));
    if !fully {
        return;
    }
    let form = representative(cell);
    assert_eq!(representative(form), form);
    assert!(form.order_key() <= cell.order_key());
    let digest = hash::hash_cell_plainly(cell);
    assert_eq!(hash::hash_cell_plainly(form), digest);
    let mut digests = [[0; 16]; 2];
    hash::hash_cells(&[cell, form], &mut digests, &Unwatched).unwrap();
    assert_eq!(digests, [digest; 2]);
}

fn unpacked(v: usize, edge: impl Fn(usize, usize) -> bool) -> Vec<u8> {
    (0..v * v).map(|i| u8::from(edge(i / v, i % v))).collect()
}
