//! The graph engine of nb101: cells of NAS-Bench-101 and of larger spaces, without Python.
//!
//! In the order of the pipeline: a raw module is read ([`cell`]) and [`prune`]d; its least isomorph
//! is found ([`canon`]); structures and labelled cells are [`enumerate`]d in the reference order,
//! or [`count`]ed without that; labels of a structure are ranked ([`labels`]), which gives cells
//! their ids in a [`space`]; cells are fingerprinted ([`hash`], in lanes of an [`isa`]), measured
//! ([`shape`]), compared ([`walk`]) and made vectors of ([`encode`], [`features`]); a space is looked at as a
//! [`landscape`], and values are compared by [`rank`]. Runs of cells are read from and written to
//! official files ([`release`], on [`tfrecord`]). Long work runs on all cores ([`parallel`]), in
//! memory that is asked for ([`memory`]); what is made on first use is kept ([`once`]).
//!
//! ```
//! use nb101_core::{cell, hash};
//! let cell::Module::Packed(cell) = cell::parse(&[0u8, 1, 0, 0], &[-1i8, -2])? else { unreachable!() };
//! assert_eq!(hash::hex(hash::hash_cell_plainly(cell)), "043721b9c7fe8c5fad811d47d83132ec");
//! # Ok::<(), nb101_core::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod canon;
pub mod cell;
pub mod count;
pub mod encode;
pub mod enumerate;
pub mod error;
pub mod features;
pub mod hash;
pub use hash::isa;
pub mod labels;
pub mod landscape;
pub mod memory;
pub mod modules;
pub mod once;
pub mod parallel;
pub mod prune;
pub mod rank;
pub mod release;
pub mod shape;
pub mod space;
pub mod tfrecord;
pub mod walk;

pub use cell::{Cell, RawCell};
pub use error::{Error, ErrorKind, Result};
pub use space::Space;
