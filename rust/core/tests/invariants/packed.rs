//! What must hold for any two words read as a cell, and any text as a hash. The fuzz targets and
//! the tests share it.

use nb101_core::limits::MAX_VERTICES;
use nb101_core::parallel::Unwatched;
use nb101_core::release::tfrecord::masked_crc;
use nb101_core::space::representative;
use nb101_core::{Cell, Error, RawCell, cell, hash};

/// Reads 16 bytes as packed words. The slow oracles look at one input of 64.
#[allow(dead_code)]
pub fn check_words(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first_chunk::<8>() else { return };
    let Some((second, rest)) = rest.split_first_chunk::<8>() else { return };
    let (mut edges, mut labels) = (u64::from_le_bytes(*first), u64::from_le_bytes(*second));
    if rest.first().is_some_and(|byte| byte & 1 == 1) {
        // Most words are no cell: make them one.
        let v = 2 + (labels >> 60) as usize % (MAX_VERTICES - 1);
        labels = (v as u64) << 60 | labels & cell::label_mask(v);
        edges &= (1 << (v * (v - 1) / 2)) - 1;
    }
    let Ok(cell) = RawCell::from_words(edges, labels) else { return };
    let v = cell.vertices();
    assert!((2..=MAX_VERTICES).contains(&v));
    assert_eq!((cell.edges(), cell.labels()), (edges, labels));
    let codes: Vec<i8> = (0..v).map(|x| cell.code(x)).collect();
    let edge = |x: usize, y: usize| x < y && edges & cell::edge_bit(x, y) != 0;
    let matrix: Vec<bool> = (0..v * v).map(|i| edge(i / v, i % v)).collect();
    assert_eq!(cell::pack(&matrix, &codes), Ok(Some(cell)));
    let pruned = cell::prune(cell);
    let is_cell = pruned.is_some_and(|pruned| pruned.raw() == cell);
    assert_eq!(cell.is_pruned(), is_cell);
    assert_eq!(Cell::from_words(edges, labels).is_ok(), is_cell);
    assert_eq!(
        cell::parse(&matrix, &codes),
        pruned.map(cell::Module::Packed).ok_or(Error::Disconnected)
    );
    let Some(pruned) = pruned else { return };
    assert!(pruned.vertices() <= v && pruned.num_edges() <= cell.num_edges());
    assert_eq!(cell::prune(pruned.raw()), Some(pruned));
    if masked_crc(bytes).is_multiple_of(64) {
        let form = representative(pruned);
        assert!(form.order_key() <= pruned.order_key());
        let mut digests = [[0; 16]; 2];
        hash::hash_cells(&[pruned, form], &mut digests, &Unwatched).unwrap();
        assert_eq!(digests, [hash::hash_cell_plainly(pruned); 2]);
    }
}

/// Reads bytes as the text of a hash.
#[allow(dead_code)]
pub fn check_hash(bytes: &[u8]) {
    let good = bytes.len() == 32 && bytes.iter().all(u8::is_ascii_hexdigit);
    let read = hash::from_hex(bytes);
    assert_eq!(read.is_some(), good);
    if let Some(digest) = read {
        assert!(hash::hex(digest).as_bytes().eq_ignore_ascii_case(bytes));
    }
    if let Some((digest, _)) = bytes.split_first_chunk::<16>() {
        let text = hash::hex(*digest);
        let plain: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, plain);
        assert_eq!(hash::from_hex(text.as_bytes()), Some(*digest));
    }
}
