//! What must hold for any bytes read as an official record or as a file of them. The fuzz target
//! and the tests share it.

use std::io::Cursor;

use nb101_core::parallel::Unwatched;
use nb101_core::release::tfrecord::{Source, frame, masked_crc};
use nb101_core::release::{self, Options, Problem, Record, Table, quick};
use nb101_core::{Error, Result, hash};

/// As [`check`], but whole files, for each of which there is a table of all cells, are made of one
/// input in 256 alone, and the oracle reads one in 4.
#[allow(dead_code)]
pub fn check_often(bytes: &[u8]) {
    let sum = masked_crc(bytes);
    if sum.is_multiple_of(256) {
        check(bytes);
    } else if sum.is_multiple_of(4) {
        let _ = check_record(bytes);
    } else {
        let _ = check_record_often(bytes);
    }
}

/// Reads `bytes` as a record, in a frame and as a whole file.
#[allow(dead_code)]
pub fn check(bytes: &[u8]) {
    let decoded = check_record(bytes);
    let mut framed = Vec::new();
    frame(bytes, &mut framed);
    let strict = file(&framed, Options::default());
    match decoded {
        Ok(record) => {
            let hash = hash::hash_cell_plainly(record.cell);
            match (record.check_hash(hash), strict) {
                (Ok(()), Ok((table, _))) => {
                    assert_eq!(table.len(), 1);
                    assert_eq!(written(&table), framed);
                }
                (Err(wrong), Err(Error::InRecord { record: 0, offset: 0, source })) => {
                    assert_eq!(wrong, *source);
                    let lenient = Options { verify_hashes: false, keep_going: false };
                    assert_eq!(written(&file(&framed, lenient).unwrap().0), framed);
                }
                (record, strict) => panic!("{record:?} alone, {strict:?} in a file"),
            }
        }
        Err(wrong) => {
            let Err(Error::InRecord { record: 0, offset: 0, source }) = strict else {
                panic!("{wrong} alone, {strict:?} in a file")
            };
            assert_eq!(wrong, *source);
        }
    }
    check_file(bytes);
}

/// Reads `bytes` as a record.
pub fn check_record(bytes: &[u8]) -> Result<Record> {
    let decoded = check_record_often(bytes);
    match &decoded {
        Ok(record) => assert_eq!(Some(values(record)), oracle(bytes), "as an oracle reads it"),
        Err(wrong) => assert!(!wrong.to_string().is_empty()),
    }
    decoded
}

fn check_record_often(bytes: &[u8]) -> Result<Record> {
    let decoded = Record::decode(bytes);
    let usual = quick::decode(bytes);
    match &decoded {
        Ok(record) => {
            let mut again = Vec::new();
            record.encode(&mut again);
            assert_eq!(Record::decode(&again), Ok(*record));
            assert!(usual.is_none_or(|usual| values(&usual) == values(record)));
            assert_eq!(usual.is_some(), again == bytes, "the usual spelling");
        }
        Err(_) => assert_eq!(usual, None),
    }
    decoded
}

/// Reads `bytes` as a file, strictly and leaving out what is wrong.
pub fn check_file(bytes: &[u8]) {
    let strict = file(bytes, Options::default());
    let kept = Options { keep_going: true, ..Options::default() };
    let (table, problems) = file(bytes, kept).expect("nothing but the system stops it");
    match (strict, problems.first()) {
        (Ok((whole, _)), None) => assert_eq!(whole, table),
        (Err(Error::InRecord { record, offset, source }), Some(first)) => {
            assert_eq!(*first, Problem { record, offset, error: *source });
        }
        (strict, first) => panic!("{strict:?} strictly, {first:?} first"),
    }
}

/// Reads a file from memory.
pub fn file(bytes: &[u8], options: Options) -> Result<(Table, Vec<Problem>)> {
    let size = bytes.len() as u64;
    let source = Source::new("memory".into(), Cursor::new(bytes.to_vec()), size).unwrap();
    let (table, left_out) = release::read_source(source, options, &Unwatched)?;
    Ok((table, left_out.problems))
}

/// Writes a table to memory.
pub fn written(table: &Table) -> Vec<u8> {
    let mut bytes = Vec::new();
    release::write_to(&mut bytes, "memory", &table.view(), &table.raw, &Unwatched).unwrap();
    bytes
}

/// Hash, epochs and every number of the metrics.
type Values = (String, i64, Vec<u64>, i32, u64);

fn values(record: &Record) -> Values {
    let bits = record.metrics.iter().map(|number| number.to_bits()).collect();
    let (hash, epochs) = (hash::hex(record.digest), record.epochs.into());
    (hash, epochs, bits, record.trainable_parameters, record.total_time.to_bits())
}

/// The values of a record, read plainly.
fn oracle(bytes: &[u8]) -> Option<Values> {
    let json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let message = base64(json.get(4)?.as_str()?)?;
    let (mut bits, mut parameters, mut time) = (Vec::new(), None, None);
    for field in fields(&message)? {
        match field {
            (1, Field::Bytes(evaluation)) => {
                let fields = fields(evaluation)?;
                let last = |tag| {
                    fields.iter().rev().find_map(|field| match field {
                        (found, Field::Word(bits)) if *found == tag => Some(*bits),
                        _ => None,
                    })
                };
                bits.extend((1..=5).map(last).collect::<Option<Vec<u64>>>()?);
            }
            (2, Field::Varint(value)) => parameters = Some(value as i32),
            (3, Field::Word(bits)) => time = Some(bits),
            _ => {}
        }
    }
    Some((json[0].as_str()?.to_owned(), json[1].as_i64()?, bits, parameters?, time?))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| !b"\n=".contains(byte));
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0usize, 0);
    for digit in digits {
        word = word << 6 | DIGITS.iter().position(|&known| known == digit)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

enum Field<'a> {
    Varint(u64),
    Word(u64),
    Bytes(&'a [u8]),
}

fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut bytes)?),
            1 => Field::Word(u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            2 => {
                let length = varint(&mut bytes)?;
                Field::Bytes(take(&mut bytes, usize::try_from(length).ok()?)?)
            }
            // A group: empty ones and those of plain fields are all that is told from its end.
            3 | 4 => continue,
            5 => {
                take(&mut bytes, 4)?;
                continue;
            }
            _ => return None,
        };
        found.push((key >> 3, field));
    }
    Some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 127).checked_shl(shift)?;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (now, later) = bytes.split_at_checked(n)?;
    *bytes = later;
    Some(now)
}
