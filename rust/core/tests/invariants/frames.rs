//! What must hold for any bytes read as frames, packed by gzip or not. The fuzz target and the
//! tests share it.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use nb101_core::Error;
use nb101_core::release::tfrecord::{Block, Blocks, MAX_RECORD, Source, frame, masked_crc};

/// More than this is not unpacked by the oracle, so that a small input stays a small matter.
const MOST_UNPACKED: u64 = 1 << 22;

/// Reads `bytes` as they are, and in good frames that a byte of theirs damages.
pub fn check(bytes: &[u8]) {
    stream(bytes);
    let Some((&[at, damage], rest)) = bytes.split_first_chunk::<2>() else { return };
    let mut framed = Vec::new();
    for data in rest.chunks(1 + usize::from(at % 32)) {
        frame(data, &mut framed);
    }
    if let Some(byte) = framed.get_mut(usize::from(at)) {
        *byte ^= damage;
    }
    stream(&framed);
}

/// What the reader finds is what the plain one does, up to the first fault.
fn stream(bytes: &[u8]) {
    let packed = bytes.starts_with(&[0x1f, 0x8b, 0x08]);
    let mut plain = Vec::new();
    let whole = if packed {
        let unpacked = MultiGzDecoder::new(bytes).take(MOST_UNPACKED).read_to_end(&mut plain);
        if plain.len() as u64 == MOST_UNPACKED {
            return;
        }
        unpacked.is_ok()
    } else {
        plain.extend_from_slice(bytes);
        true
    };
    let size = bytes.len() as u64;
    let source = Source::new("memory".into(), Cursor::new(bytes.to_vec()), size).unwrap();
    let blocks: Vec<Block> = Blocks::new(source).collect();
    if !whole {
        // How much comes before the fault is the unpacker's affair, but not that it is one.
        let last = blocks.iter().flat_map(Block::records).last();
        assert!(last.is_some_and(|entry| entry.data.is_err()));
        return;
    }
    let mut at = 0;
    for (i, entry) in blocks.iter().flat_map(Block::records).enumerate() {
        assert_eq!(entry.record, i as u64);
        assert_eq!(entry.offset, at as u64);
        let expected = next(&plain[at..]);
        match (entry.data, expected) {
            (Ok(found), Some((data, true))) => {
                assert_eq!(found, data);
                at += data.len() + 16;
            }
            (Err(Error::DataChecksum), Some((data, false))) => at += data.len() + 16,
            (Err(Error::NoRecord), None) => {
                assert!(plain.is_empty());
                return;
            }
            (
                Err(Error::Truncated { .. } | Error::LengthChecksum | Error::TooLong { .. }),
                None,
            ) => {
                assert!(at < plain.len());
                return;
            }
            (found, expected) => panic!("{found:?} at {at}, not {expected:?}"),
        }
    }
    assert_eq!(at, plain.len());
}

/// The data of a frame at the start of `bytes`, and whether its checksum is right.
fn next(bytes: &[u8]) -> Option<(&[u8], bool)> {
    let (head, rest) = bytes.split_at_checked(12)?;
    let (length, sum) = head.split_at(8);
    if masked_crc(length).to_le_bytes() != sum {
        return None;
    }
    let length = u64::from_le_bytes(length.try_into().unwrap());
    if length > MAX_RECORD {
        return None;
    }
    let (data, rest) = rest.split_at_checked(length as usize)?;
    Some((data, masked_crc(data).to_le_bytes() == rest.get(..4)?))
}
