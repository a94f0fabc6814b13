//! The fingerprint of a cell: the original's iterative MD5 hash, bit for bit.
//!
//! [`hash_graph`] is the specification, read off line by line, for a graph of any size. Batches go
//! through [`hash_cells`]: cells of one structure share all control flow, so a run of them is
//! hashed a labelling a lane (`labelled`); what is left is hashed a message a lane (`mixed`).

mod labelled;
mod mixed;
mod modules;

use std::convert::Infallible;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use nb101_lanes::{self as lanes, Isa, Kernel, Vector, dispatch};

use crate::cell::{Cell, LargeModule, column, label_shift, neighbours};
use crate::error::{Error, Result};
use crate::isa;
use crate::limits::{MAX_VERTICES, hashes_of_all_rounds, is_hashable};
use crate::memory;
use crate::parallel::{self, Monitor};

pub use modules::{hash_modules, to_text};

/// A fingerprint: the 16 bytes that print as 32 hexadecimal digits.
pub type Digest = [u8; 16];

/// The fingerprint as the specification reads: `inputs[v]` are the in-neighbours of vertex `v`.
pub fn hash_graph(inputs: &[Vec<usize>], labels: &[i64]) -> Digest {
    let Ok(digest) = hash_rounds(inputs, labels, |_| Ok::<(), Infallible>(()));
    digest
}

/// [`hash_graph`] with a look at the outside now and then, of a graph that [`check_size`] takes.
///
/// # Errors
/// [`Error::TooLargeToHash`]; [`Error::Interrupted`].
pub fn hash_graph_watched(
    inputs: &[Vec<usize>],
    labels: &[i64],
    monitor: &dyn Monitor,
) -> Result<Digest> {
    check_size(inputs.len(), inputs.iter().map(Vec::len).sum())?;
    let mut last = Instant::now();
    hash_rounds(inputs, labels, |round| {
        if last.elapsed() >= LOOK {
            last = Instant::now();
            if !monitor.tick(round, inputs.len()) {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    })
}

/// The specification. `look` is called for each vertex of each round.
fn hash_rounds<E>(
    inputs: &[Vec<usize>],
    labels: &[i64],
    mut look: impl FnMut(usize) -> std::result::Result<(), E>,
) -> std::result::Result<Digest, E> {
    let v = inputs.len();
    let mut outputs = vec![Vec::new(); v];
    for (y, sources) in inputs.iter().enumerate() {
        sources.iter().for_each(|&x| outputs[x].push(y));
    }
    let mut hashes: Vec<String> = (0..v)
        .map(|x| {
            hex(lanes::digest(
                initial_text(outputs[x].len(), inputs[x].len(), labels[x]).as_bytes(),
            ))
        })
        .collect();
    for round in 0..v {
        let sorted = |of: &[usize]| {
            let mut all: Vec<&str> = of.iter().map(|&x| hashes[x].as_str()).collect();
            all.sort_unstable();
            all.concat()
        };
        let mut next = Vec::with_capacity(v);
        for x in 0..v {
            look(round)?;
            let text = format!("{}|{}|{}", sorted(&inputs[x]), sorted(&outputs[x]), hashes[x]);
            next.push(hex(lanes::digest(text.as_bytes())));
        }
        hashes = next;
    }
    hashes.sort_unstable();
    Ok(lanes::digest(format!("['{}']", hashes.join("', '")).as_bytes()))
}

/// Time between two looks outside.
const LOOK: Duration = Duration::from_millis(50);

/// Checks beforehand that a graph can be hashed in sensible time and memory.
///
/// # Errors
/// [`Error::TooLargeToHash`].
pub fn check_size(vertices: usize, edges: usize) -> Result<()> {
    if is_hashable(vertices, edges) {
        Ok(())
    } else {
        Err(Error::TooLargeToHash { vertices, edges })
    }
}

/// [`hash_graph`] of a module too large to be packed.
pub fn hash_large(module: &LargeModule) -> Digest {
    hash_graph(&module.inputs, &module.labels)
}

/// Whether hashing a module takes so long that it needs looks at the outside in between.
pub(crate) fn takes_long(module: &LargeModule) -> bool {
    let edges = module.inputs.iter().map(Vec::len).sum();
    hashes_of_all_rounds(module.inputs.len(), edges) > 1 << 17
}

/// [`hash_graph`] of a packed cell: slow, and obviously right.
pub fn hash_cell_plainly(cell: Cell) -> Digest {
    let v = cell.vertices();
    let inputs: Vec<Vec<usize>> =
        (0..v).map(|y| (0..y).filter(|&x| column(cell.edges, y) >> x & 1 == 1).collect()).collect();
    hash_graph(&inputs, &(0..v).map(|x| i64::from(cell.code(x))).collect::<Vec<_>>())
}

fn initial_text(out_degree: usize, in_degree: usize, label: i64) -> String {
    format!("({out_degree}, {in_degree}, {label})")
}

/// 32 hexadecimal digits.
pub fn hex(digest: Digest) -> String {
    hex_bytes(&digest).iter().map(|&b| char::from(b)).collect()
}

/// 32 hexadecimal digits as ASCII.
#[inline(always)]
pub fn hex_bytes(digest: &Digest) -> [u8; 32] {
    let mut text = [0; 32];
    for (eight, four) in text.chunks_exact_mut(8).zip(digest.chunks_exact(4)) {
        // Four bytes become eight nibbles, a byte each, then digits: all in one word.
        let word = u64::from(u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let word = (word | word << 16) & 0x0000_ffff_0000_ffff;
        let word = (word | word << 8) & 0x00ff_00ff_00ff_00ff;
        let nibbles = word >> 4 & 0x000f_000f_000f_000f | (word & 0x000f_000f_000f_000f) << 8;
        let letter = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        let digits = nibbles + 0x3030_3030_3030_3030 + letter * 39;
        eight.copy_from_slice(&digits.to_le_bytes());
    }
    text
}

/// Reads 32 hexadecimal digits, upper or lower case.
pub fn from_hex(text: &[u8]) -> Option<Digest> {
    let mut digest = [0; 16];
    if text.len() != 32 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        let nibble = |b: u8| char::from(b).to_digit(16);
        *byte = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
    }
    Some(digest)
}

/// Does what hashing does once: tries the instruction sets, and computes the initial hashes. Where
/// processes fork, it is best done before: a child could wait in vain for a thread that was at it.
pub fn prepare() {
    isa::current();
    initial(0, 0, 0);
}

/// Words of the initial hashes, by out-degree, in-degree and label (-2 to 15).
fn initial(out_degree: usize, in_degree: usize, label: i64) -> [u32; 4] {
    static TABLE: OnceLock<Vec<[u32; 4]>> = OnceLock::new();
    const LABELS: usize = 18;
    let table = TABLE.get_or_init(|| {
        let entry = |i: usize| {
            let (degrees, label) = (i / LABELS, (i % LABELS) as i64 - 2);
            let text = initial_text(degrees / MAX_VERTICES, degrees % MAX_VERTICES, label);
            let bytes = lanes::digest(text.as_bytes());
            std::array::from_fn(|w| u32::from_le_bytes(std::array::from_fn(|b| bytes[4 * w + b])))
        };
        (0..MAX_VERTICES * MAX_VERTICES * LABELS).map(entry).collect()
    });
    table[(out_degree * MAX_VERTICES + in_degree) * LABELS + (label + 2) as usize]
}

/// Cells of 24 lanes from which on a group of its own is worth it: in the mixed kernel a cell costs
/// about twice as much as a full lane here.
const WORTH_A_GROUP: usize = 12;
/// Cells of one task; a run of one structure is not cut where it can be helped.
const TASK: usize = 1 << 13;
/// Cells of one task where equal ones are looked for.
const UNSORTED_TASK: usize = 1 << 16;

/// Hashes pruned cells in any order; equal cells are hashed once (within tasks of 65,536).
///
/// # Errors
/// [`Error::Interrupted`] where the monitor says so.
pub fn hash_cells(cells: &[Cell], out: &mut [Digest], monitor: &dyn Monitor) -> Result<()> {
    assert_eq!(cells.len(), out.len());
    let isa = isa::current();
    let sorted = cells.is_sorted_by(|a, b| a.order_key() < b.order_key());
    let tasks = Mutex::new((cells, out));
    let next = || {
        let mut rest = tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (cells, out) = std::mem::take(&mut *rest);
        if cells.is_empty() {
            return None;
        }
        let mut n = cells.len().min(if sorted { TASK } else { UNSORTED_TASK });
        if sorted && n < cells.len() {
            let cut = cells[n].structure();
            let start = cells[..n].partition_point(|cell| (cell.structure()) < cut);
            n = if start > 0 { start } else { n };
        }
        let (now, later) = cells.split_at(n);
        let (out_now, out_later) = out.split_at_mut(n);
        *rest = (later, out_later);
        Some((now, out_now))
    };
    parallel::run(
        next,
        cells.len(),
        |(cells, out)| {
            if sorted {
                dispatch(isa, Sorted { cells, out });
            } else {
                hash_unsorted(isa, cells, out)?;
            }
            Ok(cells.len())
        },
        monitor,
    )
}

/// Sorts, hashes what is unique, and hands the digests back in the order given.
fn hash_unsorted(isa: Isa, cells: &[Cell], out: &mut [Digest]) -> Result<()> {
    // Vertices (4 bits), edges (55), labels (36), position (32): one integer to sort.
    let mut order: Vec<u128> = memory::collect((cells.iter().enumerate()).map(|(i, cell)| {
        let key = u128::from(cell.labels >> 60) << 91 | u128::from(cell.edges) << 36;
        (key | u128::from(cell.interior())) << 32 | i as u128
    }))?;
    order.sort_unstable();
    let mut unique: Vec<Cell> = memory::with_capacity(cells.len())?;
    for &item in &order {
        let cell = cells[item as u32 as usize];
        if unique.last() != Some(&cell) {
            unique.push(cell);
        }
    }
    let mut digests = memory::filled([0; 16], unique.len())?;
    dispatch(isa, Sorted { cells: &unique, out: &mut digests });
    let mut at = 0;
    for &item in &order {
        let i = item as u32 as usize;
        at += usize::from(unique[at] != cells[i]);
        out[i] = digests[at];
    }
    Ok(())
}

/// Cells in strictly ascending order, and where their digests go.
struct Sorted<'a> {
    cells: &'a [Cell],
    out: &'a mut [Digest],
}

impl Kernel for Sorted<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let mut runs = labelled::Runs::<V>::new();
        let mut mixed = mixed::Mixed::<V>::new();
        let mut start = 0;
        while start < self.cells.len() {
            let structure = self.cells[start].structure();
            let length =
                self.cells[start..].iter().take_while(|cell| cell.structure() == structure).count();
            let end = start + length;
            // What does not fill the lanes of a last group is cheaper to hash among other cells.
            let rest = length % V::LANES;
            let mixed_from = if rest < WORTH_A_GROUP * V::LANES / 24 { end - rest } else { end };
            if mixed_from > start {
                runs.hash(&self.cells[start..mixed_from], &mut self.out[start..mixed_from]);
            }
            if mixed_from < end {
                mixed.push(&self.cells[mixed_from..end], mixed_from, self.out);
            }
            start = end;
        }
        mixed.finish(self.out);
    }
}

/// The hashes of one vertex in lanes: 32 hexadecimal digits each, as they go into messages.
#[derive(Clone, Copy)]
struct Hashes<V>([V; 8]);

impl<V: Vector> Hashes<V> {
    #[inline(always)]
    fn none() -> Self {
        Self([V::splat(0); 8])
    }

    #[inline(always)]
    fn new(words: [V; 4]) -> Self {
        let mut hex = [words[0]; 8];
        for (to, word) in hex.as_chunks_mut().0.iter_mut().zip(words) {
            *to = word.hex();
        }
        Self(hex)
    }

    /// A mask of the lanes in which `self` stands after `other`.
    #[inline(always)]
    fn after(&self, other: &Self) -> V {
        // Digits are below 0x80: as big-endian words they compare as signed numbers.
        let (a, b) = (self.0[0].swap_bytes(), other.0[0].swap_bytes());
        let mut after = a.greater(b);
        let mut tied = a.equal(b);
        if tied.any() {
            for w in 1..8 {
                let (a, b) = (self.0[w].swap_bytes(), other.0[w].swap_bytes());
                after = after.or(tied.and(a.greater(b)));
                tied = tied.and(a.equal(b));
            }
        }
        after
    }
}

/// Sorts, lane by lane: Batcher's odd-even merge network.
#[inline(always)]
fn sort<V: Vector>(hashes: &mut [Hashes<V>]) {
    let n = hashes.len();
    let mut p = 1;
    while p < n {
        let mut k = p;
        while k >= 1 {
            let mut j = k % p;
            while j + k < n {
                for i in j..(j + k).min(n - k) {
                    if i / (2 * p) == (i + k) / (2 * p) {
                        let swap = hashes[i].after(&hashes[i + k]);
                        for w in 0..8 {
                            let (a, b) = (hashes[i].0[w], hashes[i + k].0[w]);
                            hashes[i].0[w] = swap.select(b, a);
                            hashes[i + k].0[w] = swap.select(a, b);
                        }
                    }
                }
                j += 2 * k;
            }
            k /= 2;
        }
        p *= 2;
    }
}

/// Words of the longest message: the fingerprint of 11 hashes has 396 bytes, 7 blocks.
const LONGEST: usize = 7 * 16;

/// A message in lanes, all of one length, ready to absorb.
struct Message<V> {
    words: [V; LONGEST],
    /// Words written so far.
    len: usize,
    /// Bytes written that do not fill a word yet.
    carry: V,
}

impl<V: Vector> Message<V> {
    #[inline(always)]
    fn new() -> Self {
        Self { words: [V::splat(0); LONGEST], len: 0, carry: V::splat(0) }
    }

    /// Room for the next words.
    #[inline(always)]
    fn next<const N: usize>(&mut self) -> &mut [V; N] {
        let (room, _) = self.words[self.len..].split_first_chunk_mut().expect("no longer message");
        self.len += N;
        room
    }

    /// Writes digits after `AFTER` bytes in `carry`, and keeps as many there.
    #[inline(always)]
    fn push_hex<const AFTER: usize>(&mut self, hex: &[V; 8]) {
        let mut carry = self.carry;
        let words = self.next::<8>();
        match AFTER {
            0 => *words = *hex,
            1 => {
                for (to, &word) in words.iter_mut().zip(hex) {
                    *to = carry.or(word.shl::<8>());
                    carry = word.shr::<24>();
                }
            }
            2 => {
                for (to, &word) in words.iter_mut().zip(hex) {
                    *to = carry.or(word.shl::<16>());
                    carry = word.shr::<16>();
                }
            }
            _ => unreachable!("no other offset occurs"),
        }
        self.carry = carry;
    }

    /// Writes the hashes of the vertices in `set`, in order.
    #[inline(always)]
    fn push_sorted<const AFTER: usize>(
        &mut self,
        hashes: &[Hashes<V>],
        set: u16,
        spare: &mut Spare<V>,
    ) {
        let first = set.trailing_zeros() as usize;
        let second = (set & set.wrapping_sub(1)).trailing_zeros() as usize;
        match set.count_ones() {
            0 => {}
            1 => self.push_hex::<AFTER>(&hashes[first].0),
            2 => {
                let (a, b) = (&hashes[first], &hashes[second]);
                let swap = a.after(b);
                for (x, y) in [(b, a), (a, b)] {
                    let mut hex = a.0;
                    for w in 0..8 {
                        hex[w] = swap.select(x.0[w], y.0[w]);
                    }
                    self.push_hex::<AFTER>(&hex);
                }
            }
            n => {
                let spare = &mut spare[..n as usize];
                for (to, x) in spare.iter_mut().zip(members(set)) {
                    *to = hashes[x];
                }
                sort(spare);
                for hash in spare {
                    self.push_hex::<AFTER>(&hash.0);
                }
            }
        }
    }

    /// Writes what ends every message of `bytes` bytes, and digests it.
    #[inline(always)]
    fn digest(&mut self, bytes: usize) -> [V; 4] {
        let end = (self.len + 2).next_multiple_of(16);
        self.words[self.len..end - 2].fill(V::splat(0));
        self.words[end - 2] = V::splat(8 * bytes as u32);
        self.words[end - 1] = V::splat(0);
        lanes::absorb(&self.words[..end])
    }

    /// The next hash of vertex `x`: the digest of its in-neighbours' hashes, sorted, `|`, its
    /// out-neighbours' sorted, `|`, its own.
    #[inline(always)]
    fn neighbourhood(
        &mut self,
        hashes: &[Hashes<V>],
        x: usize,
        neighbours: &Neighbours,
        spare: &mut Spare<V>,
    ) -> Hashes<V> {
        const BAR: u32 = b'|' as u32;
        self.len = 0;
        self.push_sorted::<0>(hashes, neighbours.ins[x], spare);
        self.carry = V::splat(BAR);
        self.push_sorted::<1>(hashes, neighbours.outs[x], spare);
        self.carry = self.carry.or(V::splat(BAR << 8));
        self.push_hex::<2>(&hashes[x].0);
        let bytes = 4 * self.len + 2;
        let end = self.carry.or(V::splat(0x80 << 16));
        self.next::<1>()[0] = end;
        Hashes::new(self.digest(bytes))
    }

    /// The digest of the sorted final hashes, printed as Python prints a list of str.
    #[inline(always)]
    fn fingerprint(&mut self, sorted: &[Hashes<V>]) -> [V; 4] {
        let text = |text: &[u8; 4]| V::splat(u32::from_le_bytes(*text));
        self.len = 0;
        self.carry = text(b"['\0\0");
        for (i, hash) in sorted.iter().enumerate() {
            if i > 0 {
                let comma = self.carry.or(text(b"\0\0',"));
                self.next::<1>()[0] = comma;
                self.carry = text(b" '\0\0");
            }
            self.push_hex::<2>(&hash.0);
        }
        let close = self.carry.or(text(b"\0\0']"));
        *self.next() = [close, V::splat(0x80)];
        self.digest(4 * self.len - 4)
    }
}

/// Room to sort in.
type Spare<V> = [Hashes<V>; MAX_VERTICES];

/// The neighbours of each vertex of a structure.
struct Neighbours {
    ins: [u16; MAX_VERTICES],
    outs: [u16; MAX_VERTICES],
}

impl Neighbours {
    #[inline(always)]
    fn new(v: usize, edges: u64) -> Self {
        let (ins, outs) = neighbours(v, edges);
        Self { ins, outs }
    }

    #[inline(always)]
    fn initial(&self, cell: Cell, vertex: usize) -> [u32; 4] {
        let (outs, ins) = (self.outs[vertex].count_ones(), self.ins[vertex].count_ones());
        initial(outs as usize, ins as usize, i64::from(cell.code(vertex)))
    }
}

/// The members of a bit set, ascending.
#[inline(always)]
fn members(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let next = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (next < 16).then_some(next)
    })
}

/// Whether the code compiled for `isa` hashes some cells as the specification reads. Used once to
/// decide whether to trust a kernel at all.
pub(crate) fn self_test(isa: Isa) -> bool {
    // A chain, a fan and a dense graph, with enough labellings for both kernels.
    let graphs = [(4, 0b100101u64), (6, 0b111_1000_0100_1011), (5, 0x3ff)];
    let mut cells = Vec::new();
    for (v, edges) in graphs {
        for i in 0..40u64 {
            let labels =
                (1..v - 1).fold(0, |word, x| word | ((i >> (x - 1)) & 3) << label_shift(x));
            cells.push(Cell::new(v, edges, labels));
        }
    }
    cells.push(Cell::new(2, 1, 0));
    cells.sort_by_key(|cell| cell.order_key());
    cells.dedup();
    let mut out = vec![[0; 16]; cells.len()];
    dispatch(isa, Sorted { cells: &cells, out: &mut out });
    cells.iter().zip(&out).all(|(&cell, &digest)| hash_cell_plainly(cell) == digest)
}
