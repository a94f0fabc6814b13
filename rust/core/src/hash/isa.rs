//! The instruction set that hashes: the fastest of this machine that hashes known cells rightly.

use std::sync::atomic::{AtomicU8, Ordering};

use nb101_lanes::dispatch;
pub use nb101_lanes::{Isa, kernel_peak};

use super::digest::Digest;
use super::kernel::Sorted;
use super::spec::hash_cell_plainly;
use crate::cell::{Cell, label_shift};

/// Those that were tested and passed, a bit each, and [`TESTED`]. A number and no lock: a thread that
/// is in here when the process is forked leaves nothing behind that a child could wait for.
static PASSED: AtomicU8 = AtomicU8::new(0);
const TESTED: u8 = 1 << 7;
/// The one that was chosen; 0 for the fastest.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Those that this machine can run, slowest first. Each has hashed known cells as the portable code
/// for single messages does, so that a kernel that is wrong on some machine is left out instead of
/// believed.
pub fn available() -> Vec<Isa> {
    let mut passed = PASSED.load(Ordering::Relaxed);
    if passed & TESTED == 0 {
        let (cells, digests) = known_cells();
        let mut short = false;
        let good = |&isa: &Isa| {
            let mut found = vec![[0; 16]; cells.len()];
            let outcome = dispatch(isa, Sorted { cells: &cells, out: &mut found });
            short |= outcome.is_err();
            found == digests
        };
        passed = Isa::detected().filter(good).fold(TESTED, |set, isa| set | bit(isa));
        // What there was no memory for is tested again.
        if !short {
            PASSED.store(passed, Ordering::Relaxed);
        }
    }
    Isa::ALL.into_iter().filter(|&isa| passed & bit(isa) != 0).collect()
}

/// The one in use: the fastest available, unless [`set`] chose another.
pub fn current() -> Isa {
    let available = available();
    let chosen = CHOSEN.load(Ordering::Relaxed);
    let found = available.iter().copied().find(|&isa| isa as u8 == chosen);
    found.or(available.last().copied()).unwrap_or(Isa::Portable)
}

/// Uses `isa` from now on, for comparisons; `None` is the fastest again. False where this machine
/// does not have it.
pub fn set(isa: Option<Isa>) -> bool {
    let known = isa.is_none_or(|isa| available().contains(&isa));
    if known {
        CHOSEN.store(isa.map_or(0, |isa| isa as u8), Ordering::Relaxed);
    }
    known
}

fn bit(isa: Isa) -> u8 {
    1 << (isa as u8)
}

/// A few cells in order, and their fingerprints as the specification reads.
fn known_cells() -> (Vec<Cell>, Vec<Digest>) {
    // A chain, a fan and a dense graph, with enough labellings for both ways of the kernel.
    let graphs = [(4, 0b100101u64), (6, 0b111_1000_0100_1011), (5, 0x3ff)];
    let mut cells = vec![Cell::new(2, 1, 0)];
    for (v, edges) in graphs {
        for i in 0..40u64 {
            let labels =
                (1..v - 1).fold(0, |word, x| word | ((i >> (x - 1)) & 3) << label_shift(x));
            cells.push(Cell::new(v, edges, labels));
        }
    }
    cells.sort_by_key(|cell| cell.order_key());
    cells.dedup();
    let digests = cells.iter().map(|&cell| hash_cell_plainly(cell)).collect();
    (cells, digests)
}
