//! What a matrix and its ops may be made of.

use crate::error::{Error, Result};

/// An array element that should be a small integer. Whatever is none reads as `i64::MIN`, which
/// no rule accepts.
pub trait Entry: Copy + std::fmt::Debug {
    /// The value.
    fn value(self) -> i64;
}

macro_rules! integer_entry {
    ($($t:ty)*) => { $(impl Entry for $t {
        #[inline(always)]
        fn value(self) -> i64 { i64::try_from(self).unwrap_or(i64::MIN) }
    })* };
}
integer_entry!(i8 i16 i32 i64 u8 u16 u32 u64);

impl Entry for bool {
    #[inline(always)]
    fn value(self) -> i64 {
        i64::from(self)
    }
}

impl Entry for f64 {
    #[inline(always)]
    fn value(self) -> i64 {
        // NaN, infinities, fractions and what no i64 holds exactly all fail the comparison.
        if self.fract() == 0.0 && self.abs() < 9e15 { self as i64 } else { i64::MIN }
    }
}

impl Entry for f32 {
    #[inline(always)]
    fn value(self) -> i64 {
        f64::from(self).value()
    }
}

/// Entries of a square matrix of any integer type, by its bytes: those that are neither 0 nor 1
/// read as 2.
pub(super) fn entries(matrix: &[u8], n: usize) -> Result<Vec<u8>> {
    let fits = n.checked_mul(n).is_some_and(|entries| match entries {
        0 => matrix.is_empty(),
        _ => !matrix.is_empty() && matrix.len().is_multiple_of(entries),
    });
    let size = matrix.len().checked_div(n.saturating_mul(n)).unwrap_or(1);
    if !fits {
        return Err(Error::OpsLength { ops: n, vertices: matrix.len().isqrt() });
    }
    let entry = |bytes: &[u8]| match bytes {
        [low @ 0..=1, rest @ ..] if rest.iter().all(|&byte| byte == 0) => *low,
        _ => 2,
    };
    // Little-endian: the first byte of a number is its lowest.
    Ok(matrix.chunks_exact(size.max(1)).map(entry).collect())
}
