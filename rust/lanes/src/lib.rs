//! MD5 of many messages at once: one message a SIMD lane.
//!
//! [`Vector`] is the small set of operations that the algorithms need; they are generic over it
//! and are compiled once for each instruction set. [`dispatch`] chooses at run time. This is the
//! only crate of nb101 with unsafe code, all of it beside the intrinsics of an architecture. What
//! is built on it, in `nb101-core`, forbids unsafe code.

#![deny(unsafe_code)]

mod check;
mod group;
mod isa;
mod md5;
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon;
mod peak;
mod portable;
mod vector;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

pub use check::check_against_words;
pub use isa::{Isa, Kernel, dispatch};
pub use md5::{absorb, digest, finish, words_to_bytes};
pub use peak::kernel_peak;
pub use vector::{Part, Row, Vector};
