//! Every way to hash against the specification, and that against an MD5 from elsewhere.

use md5::{Digest as _, Md5};
use nb101_core::Error;
use nb101_core::cell::{Cell, RawCell, edge_bit, label_shift, prune};
use nb101_core::hash::isa;
use nb101_core::hash::{self, Digest};
use nb101_core::limits::MAX_VERTICES;
use nb101_core::parallel::Unwatched;
use proptest::prelude::*;
use std::sync::{Mutex, PoisonError};

fn without_files() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) }
}

/// A pruned cell of up to 11 vertices from random words.
fn cells() -> impl Strategy<Value = Cell> {
    (2..=MAX_VERTICES, any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(v, a, b, labels)| {
        // Sparse and dense graphs; the chain through a few vertices keeps most of them connected.
        let edges = if labels >> 60 & 1 == 0 { a } else { a & b } & ((1 << (v * (v - 1) / 2)) - 1);
        let used = (1..v - 1).map(|x| 15 << label_shift(x)).sum::<u64>();
        let module = |edges| RawCell::from_words(edges, labels & used | (v as u64) << 60).unwrap();
        prune(module(edges))
            .unwrap_or_else(|| prune(module(edges | edge_bit(0, v - 1))).expect("connected now"))
    })
}

/// `cell` with other ops.
fn labelled(cell: Cell, labels: u64) -> Cell {
    Cell::from_words(cell.edges(), labels | (cell.vertices() as u64) << 60).unwrap()
}

fn hex_of(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The specification once more, with another MD5 and no code shared.
fn fingerprint(inputs: &[Vec<usize>], labels: &[i64]) -> String {
    let v = labels.len();
    let outputs: Vec<Vec<usize>> =
        (0..v).map(|x| (0..v).filter(|&y| inputs[y].contains(&x)).collect()).collect();
    let mut hashes: Vec<String> = (0..v)
        .map(|x| hex_of(&format!("({}, {}, {})", outputs[x].len(), inputs[x].len(), labels[x])))
        .collect();
    for _ in 0..v {
        let joined = |of: &[usize]| {
            let mut found: Vec<String> = of.iter().map(|&x| hashes[x].clone()).collect();
            found.sort();
            found.concat()
        };
        hashes = (0..v)
            .map(|x| format!("{}|{}|{}", joined(&inputs[x]), joined(&outputs[x]), hashes[x]))
            .map(|text| hex_of(&text))
            .collect();
    }
    hashes.sort();
    hex_of(&format!("{hashes:?}").replace('"', "'"))
}

/// Expects the digests of the specification from every instruction set of this machine.
fn expect_plain(cells: &[Cell]) {
    // The choice is one for the process.
    static CHOICE: Mutex<()> = Mutex::new(());
    let plain: Vec<Digest> = cells.iter().map(|&cell| hash::hash_cell_plainly(cell)).collect();
    let _mine = CHOICE.lock().unwrap_or_else(PoisonError::into_inner);
    for isa in isa::available() {
        assert!(isa::set(Some(isa)));
        let mut found = vec![[0; 16]; cells.len()];
        hash::hash_cells(cells, &mut found, &Unwatched).unwrap();
        let wrong = found.iter().zip(&plain).position(|(found, plain)| found != plain);
        assert!(wrong.is_none(), "{isa:?}: {:?}", wrong.map(|i| cells[i]));
    }
    assert!(isa::set(None));
}

proptest! {
    #![proptest_config(without_files())]

    #[test]
    fn the_specification_reads_as_with_another_md5(
        v in 2usize..16,
        bits in prop::collection::vec(any::<bool>(), 120),
        inner in prop::collection::vec(0i64..1000, 14),
    ) {
        let edge = |x: usize, y: usize| bits[x + y * (y - 1) / 2];
        let inputs: Vec<Vec<usize>> =
            (0..v).map(|y| (0..y).filter(|&x| edge(x, y)).collect()).collect();
        let mut labels = inner[..v.min(14)].to_vec();
        labels.resize(v, 7);
        (labels[0], labels[v - 1]) = (-1, -2);
        prop_assert_eq!(hash::hex(hash::hash_graph(&inputs, &labels)), fingerprint(&inputs, &labels));
    }

    #[test]
    fn batches_of_any_cells_hash_plainly(
        mut cells in prop::collection::vec(cells(), 0..300),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..50),
    ) {
        if !cells.is_empty() {
            let repeated: Vec<Cell> = repeats.iter().map(|i| *i.get(&cells)).collect();
            cells.extend(repeated);
        }
        expect_plain(&cells);
        cells.sort_by_key(|cell| cell.order_key());
        expect_plain(&cells);
        cells.dedup();
        expect_plain(&cells);
    }

    #[test]
    fn runs_of_one_structure_hash_plainly(
        cell in cells(),
        labels in prop::collection::vec(any::<u64>(), 0..300),
        others in prop::collection::vec(cells(), 0..20),
    ) {
        let used = (1..cell.vertices() - 1).map(|x| 15 << label_shift(x)).sum::<u64>();
        let mut cells: Vec<Cell> =
            labels.iter().map(|&word| labelled(cell, word & used)).collect();
        expect_plain(&cells);
        cells.extend(others);
        cells.sort_by_key(|cell| cell.order_key());
        cells.dedup();
        expect_plain(&cells);
    }

    /// Few ops, so that labellings share rounds; of structures of all sizes at once.
    #[test]
    fn structures_that_share_rounds_hash_plainly(
        structures in prop::collection::vec((cells(), 1u64..3, 1usize..200), 1..12),
    ) {
        let mut cells: Vec<Cell> = structures.iter().flat_map(|&(cell, most, n)| run(cell, most, n)).collect();
        cells.sort_by_key(|cell| cell.order_key());
        cells.dedup();
        expect_plain(&cells);
    }
}

/// The first `n` labellings of a structure by ops from 0 to `most`.
fn run(cell: Cell, most: u64, n: usize) -> Vec<Cell> {
    let inner = cell.vertices() - 2;
    let all = (most as usize + 1).pow(inner as u32);
    let word = |mut i: u64| {
        (1..=inner).fold(0, |labels, x| {
            let op = i % (most + 1);
            i /= most + 1;
            labels | op << label_shift(x)
        })
    };
    (0..n.min(all) as u64).map(|i| labelled(cell, word(i))).collect()
}

/// More labellings of a structure than are done at once, and more of all than are kept.
#[test]
fn long_runs_hash_plainly() {
    // Chains with an edge from input to each of the others, or not: structures of one list of
    // labellings each.
    let mut cells = Vec::new();
    for (v, most, n) in [(9, 2, 2187), (10, 1, 256), (11, 14, 1030)] {
        for extra in 0..8u64 {
            let chain = (1..v).fold(0, |edges, y| edges | edge_bit(y - 1, y));
            let edges = (2..5).filter(|y| extra >> (y - 2) & 1 == 1).map(|y| edge_bit(0, y));
            let words = edges.fold(chain, |edges, bit| edges | bit);
            let cell = prune(RawCell::from_words(words, (v as u64) << 60).unwrap()).unwrap();
            cells.extend(run(cell, most, n));
        }
    }
    cells.sort_by_key(|cell| cell.order_key());
    expect_plain(&cells);
    cells.reverse();
    expect_plain(&cells);
}

#[test]
fn what_is_no_graph_is_not_hashed() {
    let hash = |inputs: &[Vec<usize>]| hash::hash_graph_watched(inputs, &[-1, -2], &Unwatched);
    let good = [vec![], vec![0]];
    assert_eq!(hash(&good), Ok(hash::hash_graph(&good, &[-1, -2])));
    for wrong in [&[vec![], vec![2]][..], &[vec![0]], &[vec![], vec![], vec![0]]] {
        assert_eq!(hash(wrong), Err(Error::BadInputs));
    }
}

#[test]
fn plain_lanes_are_on_every_machine() {
    let names: Vec<&str> = isa::available().into_iter().map(isa::Isa::name).collect();
    assert_eq!(names[..2], ["portable", "baseline"]);
}

/// Fingerprints that the original printed, among any number of other labellings of their
/// structure: one more and one less than fill the lanes, and what fills them.
#[test]
fn golden_cells_in_batches_of_odd_sizes() {
    type Golden = (&'static [(usize, usize)], &'static [u64], &'static str);
    let golden: [Golden; 4] = [
        (&[(0, 1)], &[], "043721b9c7fe8c5fad811d47d83132ec"),
        (
            &[(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)],
            &[1, 0, 0, 0, 2],
            "28cfc7874f6d200472e1a9dcd8650aa0",
        ),
        (&[(0, 1), (1, 2), (2, 3), (0, 3)], &[0, 0], "b5fb4f6193360330b6ff6a52cbf0cad7"),
        (
            &[(0, 1), (0, 4), (0, 5), (1, 2), (2, 3), (2, 6), (3, 5), (4, 5), (5, 6)],
            &[0, 2, 0, 0, 1],
            "00005c142e6f48ac74fdcf73e3439874",
        ),
    ];
    for (edges, ops, text) in golden {
        let v = ops.len() + 2;
        let edges = edges.iter().fold(0, |mask, &(x, y)| mask | edge_bit(x, y));
        let word = |ops: u64, x: usize, op: u64| ops | op << label_shift(x);
        let ops = ops.iter().enumerate().fold(0, |ops, (i, &op)| word(ops, i + 1, op));
        let cell = prune(RawCell::from_words(edges, ops | (v as u64) << 60).unwrap()).unwrap();
        assert_eq!(hash::hex(hash::hash_cell_plainly(cell)), text);
        let others = (1..5u64.pow(v as u32 - 2)).map(|mut i| {
            let mut labels = 0;
            for x in 1..v - 1 {
                labels = word(labels, x, (ops >> label_shift(x) & 15) + i % 5);
                i /= 5;
            }
            labelled(cell, labels)
        });
        let all: Vec<Cell> = std::iter::once(cell).chain(others).collect();
        for size in [1, 2, 3, 5, 11, 12, 13, 23, 24, 25, 31, 32, 33, 35, 36, 37, 97, 1023, 1025] {
            let mut cells = all[..size.min(all.len())].to_vec();
            expect_plain(&cells);
            cells.sort_by_key(|cell| cell.order_key());
            expect_plain(&cells);
        }
    }
}
