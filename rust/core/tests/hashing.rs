//! Every way to hash against the specification, and that against an MD5 from elsewhere.

use md5::{Digest as _, Md5};
use nb101_core::cell::{Cell, RawCell, edge_bit, label_shift, prune};
use nb101_core::hash::{self, Digest};
use nb101_core::isa;
use nb101_core::limits::MAX_VERTICES;
use nb101_core::parallel::Unwatched;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

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

fn expect_plain(cells: &[Cell]) {
    let plain: Vec<Digest> = cells.iter().map(|&cell| hash::hash_cell_plainly(cell)).collect();
    let mut found = vec![[0; 16]; cells.len()];
    hash::hash_cells(cells, &mut found, &Unwatched).unwrap();
    assert_eq!(found, plain);
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
        mut cells in prop::collection::vec(cells(), 0..150),
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
}

/// All instruction sets in one test: the choice is one for the process.
#[test]
fn every_instruction_set_hashes_plainly() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(cells(), 200);
    for isa in isa::available() {
        assert!(isa::set(Some(isa)));
        for _ in 0..4 {
            let mut cells = strategy.new_tree(&mut runner).unwrap().current();
            let one = cells[0];
            let used = (1..one.vertices() - 1).map(|x| 15 << label_shift(x)).sum::<u64>();
            cells.extend((0..100u64).map(|i| {
                let labels = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) & used;
                labelled(one, labels)
            }));
            expect_plain(&cells);
            cells.sort_by_key(|cell| cell.order_key());
            cells.dedup();
            expect_plain(&cells);
        }
    }
    assert!(isa::set(None));
}
