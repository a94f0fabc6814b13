//! The fingerprint of a cell: the original's iterative MD5 hash, bit for bit.
//!
//! [`hash_graph`] is the specification, read off line by line, for a graph of any size. Batches go
//! through [`hash_cells`]: cells of one structure share all control flow, so a run of them is
//! hashed a labelling a lane (`labelled`); what is left is hashed a message a lane (`mixed`).
//! Which instruction set does it, [`isa`] says: only one that passed a test here.

mod batch;
mod classes;
mod digest;
mod hashes;
pub mod isa;
mod kernel;
mod labelled;
mod lanes;
mod message;
mod mixed;
mod modules;
mod neighbours;
mod spec;
mod unique;

pub use batch::{hash_cells, prepare};
pub use digest::{Digest, from_hex, hex, hex_bytes};
pub use modules::{hash_modules, to_text};
pub use spec::{hash_cell_plainly, hash_graph, hash_graph_watched};
