//! Criterion benchmarks of the core: each stage of the pipeline alone, on one or all threads.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nb101_core::cell::edge_bit;
use nb101_core::hash::isa;
use nb101_core::parallel::{Unwatched, set_threads};
use nb101_core::random::Random;
use nb101_core::release::tfrecord::Source;
use nb101_core::release::{self, FloatsView, METRICS, Options, Record, View, quick};
use nb101_core::space::{FullDags, Structures, canonical, count};
use nb101_core::{Cell, Space, cell, hash};

fn all_cells() -> Vec<Cell> {
    let space = Space::new(7, 9, 3).expect("the original space");
    space.all(&Unwatched).expect("nobody interrupts")
}

/// A fixed shuffle.
fn shuffled(mut cells: Vec<Cell>) -> Vec<Cell> {
    let mut random = Random::new(7);
    for i in (1..cells.len()).rev() {
        cells.swap(i, random.below(i as u64 + 1) as usize);
    }
    cells
}

fn structures(c: &mut Criterion) {
    let mut group = c.benchmark_group("structures");
    group.bench_function("full DAGs of 8 vertices, 11 edges", |b| {
        b.iter(|| FullDags::new(8, 11).count());
    });
    group.bench_function("canonical, up to 7 vertices, 9 edges", |b| {
        b.iter(|| {
            let mut structures = Structures::new(7, 9);
            let mut found = 0;
            while let Ok(Some(_)) = structures.advance(&mut usize::MAX.clone()) {
                found += 1;
            }
            found
        });
    });
    group.bench_function("count 8 vertices, 11 edges, 3 ops", |b| b.iter(|| count(8, 11, 3)));
    let edges =
        (0..6).fold(0, |mask, x| mask | edge_bit(x, x + 1)) | edge_bit(0, 3) | edge_bit(2, 6);
    group.bench_function("canonical form of one graph", |b| b.iter(|| canonical(7, edges)));
    group.finish();
}

fn hashing(c: &mut Criterion) {
    let sorted = all_cells();
    let mixed = shuffled(sorted.clone());
    let mut out = vec![[0; 16]; sorted.len()];
    let mut group = c.benchmark_group("hash the space");
    group.sample_size(10).throughput(Throughput::Elements(sorted.len() as u64));
    for isa in isa::available() {
        isa::set(Some(isa));
        for threads in [1, 2] {
            set_threads(threads);
            for (name, cells) in [("in order", &sorted), ("shuffled", &mixed)] {
                group.bench_function(format!("{}, {threads} threads, {name}", isa.name()), |b| {
                    b.iter(|| hash::hash_cells(cells, &mut out, &Unwatched));
                });
            }
        }
    }
    isa::set(None);
    set_threads(0);
    group.finish();
}

fn lookup(c: &mut Criterion) {
    let space = Space::new(7, 9, 3).expect("the original space");
    let cells = shuffled(all_cells());
    let mut ids = vec![0; cells.len()];
    space.ids(&cells, &mut ids, &Unwatched).expect("all are in the space");
    let mut back = cells.clone();
    let mut group = c.benchmark_group("lookup");
    group.throughput(Throughput::Elements(cells.len() as u64));
    set_threads(1);
    group.bench_function("ids of cells, 1 thread", |b| {
        b.iter(|| space.ids(&cells, &mut ids, &Unwatched));
    });
    group.bench_function("cells of ids, 1 thread", |b| {
        b.iter(|| space.cells(&ids, &mut back, &Unwatched));
    });
    set_threads(0);
    group.finish();

    let matrix = [[0i8, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0, 0]].concat();
    let matrix =
        [matrix, vec![0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0], vec![0; 6], vec![1], vec![0; 7]];
    let matrix = matrix.concat();
    let ops = [-1i8, 1, 0, 2, 0, 0, -2];
    c.bench_function("parse and prune one module", |b| b.iter(|| cell::parse(&matrix, &ops)));
}

/// Official records of the first cells: each three times at 108 epochs.
fn official(cells: usize) -> Vec<u8> {
    let ids: Vec<i32> = (0..3 * cells as i32).map(|row| row / 3).collect();
    let metrics: Vec<f32> = (0..ids.len()).map(|row| (row % 9984) as f32 / 9984.0).collect();
    let view = View {
        cell_id: &ids,
        epochs: &vec![108; ids.len()],
        record: &(0..ids.len() as i32).collect::<Vec<_>>(),
        metrics: [FloatsView::Single(&metrics); METRICS.len()],
        trainable_parameters: &vec![2_694_282; ids.len()],
        total_time: &vec![1769.127; ids.len()],
    };
    let mut data = Vec::new();
    let none: [(usize, Vec<u8>); 0] = [];
    release::write_to(&mut data, "memory", &view, &none, &Unwatched).expect("a good table");
    data
}

fn records(c: &mut Criterion) {
    let data = official(100_000);
    let mut group = c.benchmark_group("official records");
    group.sample_size(10).throughput(Throughput::Bytes(data.len() as u64));
    for threads in [1, 2] {
        set_threads(threads);
        group.bench_function(format!("read, {threads} threads"), |b| {
            b.iter(|| {
                let (input, size) = (std::io::Cursor::new(data.clone()), data.len() as u64);
                let source = Source::new("memory".into(), input, size).expect("memory");
                release::read_source(source, Options::default(), &Unwatched).expect("good records")
            });
        });
    }
    set_threads(0);
    group.finish();

    let length = u64::from_le_bytes(data[..8].try_into().expect("eight bytes")) as usize;
    let record = &data[12..12 + length];
    c.bench_function("decode one record, by the specification", |b| {
        b.iter(|| Record::decode(record));
    });
    c.bench_function("decode one record, quickly", |b| b.iter(|| quick::decode(record)));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2));
    targets = structures, hashing, lookup, records
}
criterion_main!(benches);
