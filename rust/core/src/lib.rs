//! The graph engine of nb101: cells of NAS-Bench-101 and of larger spaces, without Python.
//!
//! In layers, each of which knows those above it in this list alone (`tests/layers.rs` checks it):
//!
//! - [`limits`], [`error`]: how large things may be, and every way in which input can be wrong.
//! - [`memory`], [`once`], [`parallel`], [`random`], [`kendall`], [`noise`], [`pareto`]: memory that is
//!   asked for, values made on first use, work on all cores, seeded random numbers, rank correlation, runs
//!   drawn about a mean, hypervolumes. They know no cells.
//! - [`cell`]: a module read, checked, pruned and packed into two words.
//! - [`describe`]: what a cell costs, and vectors, features, matrices and text of it.
//! - [`hash`]: the fingerprint, in SIMD lanes.
//! - [`space`]: all cells, enumerated or counted, in canonical form and with ids.
//! - [`edit`]: neighbours, mutation, and how far apart cells are.
//! - [`landscape`]: the graph of neighbours, walks along it, and where it leads uphill.
//! - [`release`]: official records and files of them.
//!
//! ```
//! use nb101_core::{cell, hash};
//! let cell::Module::Packed(cell) = cell::parse(&[0u8, 1, 0, 0], &[-1i8, -2])? else { unreachable!() };
//! assert_eq!(hash::hex(hash::hash_cell_plainly(cell)), "043721b9c7fe8c5fad811d47d83132ec");
//! # Ok::<(), nb101_core::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod cell;
pub mod describe;
pub mod edit;
pub mod error;
pub mod hash;
pub mod kendall;
pub mod landscape;
pub mod limits;
pub mod memory;
pub mod noise;
pub mod once;
pub mod parallel;
pub mod pareto;
pub mod random;
pub mod release;
pub mod space;

pub use cell::{Cell, RawCell};
pub use error::{Error, ErrorKind, Result};
pub use space::Space;

/// What the page of the crate shows runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
