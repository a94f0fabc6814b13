//! The canonical form and the id of a cell do not depend on the order of its vertices.

use nb101_core::cell::{Cell, RawCell, column, edge_bit, label_shift, prune};
use nb101_core::hash::hash_cell_plainly;
use nb101_core::parallel::Unwatched;
use nb101_core::space::{Space, representative};
use proptest::prelude::*;

/// A pruned cell of up to `most` vertices and `ops` ops.
fn cells(most: usize, ops: u64) -> impl Strategy<Value = Cell> {
    (2..=most, any::<u64>(), prop::collection::vec(0..ops, most)).prop_map(|(v, edges, inner)| {
        let labels: u64 = (1..v - 1).map(|x| inner[x] << label_shift(x)).sum();
        let edges = edges & ((1 << (v * (v - 1) / 2)) - 1);
        let module = |edges| RawCell::from_words(edges, labels | (v as u64) << 60).unwrap();
        prune(module(edges))
            .unwrap_or_else(|| prune(module(edges | edge_bit(0, v - 1))).expect("connected now"))
    })
}

/// `cell` with its vertices in another topological order, drawn by `choices`.
fn relabelled(cell: Cell, choices: &[usize]) -> Cell {
    let v = cell.vertices();
    let mut order = vec![0];
    while order.len() < v {
        let ready: Vec<usize> = (1..v)
            .filter(|x| !order.contains(x))
            .filter(|&y| {
                (0..y).all(|x| column(cell.edges(), y) >> x & 1 == 0 || order.contains(&x))
            })
            .filter(|&y| y < v - 1 || order.len() == v - 1)
            .collect();
        order.push(ready[choices[order.len()] % ready.len()]);
    }
    let (mut edges, mut labels) = (0, (v as u64) << 60);
    for (j, &y) in order.iter().enumerate().skip(1) {
        for (i, &x) in order.iter().enumerate().take(j) {
            if x < y && column(cell.edges(), y) >> x & 1 == 1 {
                edges |= edge_bit(i, j);
            }
        }
        if j < v - 1 {
            labels |= u64::from(cell.op(y)) << label_shift(j);
        }
    }
    Cell::from_words(edges, labels).expect("a cell stays one")
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    #[test]
    fn relabelling_changes_neither_form_nor_hash(
        cell in cells(11, 15),
        choices in prop::collection::vec(any::<usize>(), 11),
    ) {
        let moved = relabelled(cell, &choices);
        prop_assert_eq!(prune(moved.raw()), Some(moved));
        prop_assert_eq!(moved.num_edges(), cell.num_edges());
        let form = representative(cell);
        prop_assert_eq!(representative(moved), form);
        prop_assert_eq!(representative(form), form);
        prop_assert!(form.order_key() <= cell.order_key().min(moved.order_key()));
        prop_assert_eq!(hash_cell_plainly(form), hash_cell_plainly(cell));
        prop_assert_eq!(hash_cell_plainly(moved), hash_cell_plainly(cell));
    }

    #[test]
    fn ids_know_every_form(
        drawn in prop::collection::vec(cells(6, 2), 1..20),
        choices in prop::collection::vec(any::<usize>(), 11),
    ) {
        let space = Space::new(6, 15, 2).unwrap();
        let moved: Vec<Cell> = drawn.iter().map(|&cell| relabelled(cell, &choices)).collect();
        let (mut ids, mut same) = (vec![0; drawn.len()], vec![0; drawn.len()]);
        space.ids(&drawn, &mut ids, &Unwatched).unwrap();
        space.ids(&moved, &mut same, &Unwatched).unwrap();
        prop_assert_eq!(&ids, &same);
        let mut back = vec![Cell::LEAST; ids.len()];
        space.cells(&ids, &mut back, &Unwatched).unwrap();
        let forms: Vec<Cell> = drawn.iter().map(|&cell| representative(cell)).collect();
        prop_assert_eq!(back, forms);
    }
}
