//! Lanes in plain code, for every machine: single words, and four of them. Compilers make few vector
//! instructions of these: it is for machines that have nothing else, and to compare with.

use crate::vector::{Part, Vector};

impl Vector for u32 {
    const LANES: usize = 1;
    type Token = ();

    fn token(self) {}
    fn splat((): (), x: u32) -> Self {
        x
    }
    fn from_lanes((): (), mut lane: impl FnMut(usize) -> u32) -> Self {
        lane(0)
    }
    fn lane(&self, _: usize) -> u32 {
        *self
    }
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn and(self, other: Self) -> Self {
        self & other
    }
    fn or(self, other: Self) -> Self {
        self | other
    }
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    fn and_not(self, other: Self) -> Self {
        self & !other
    }
    fn shl<const N: i32>(self) -> Self {
        self << N
    }
    fn shr<const N: i32>(self) -> Self {
        self >> N
    }
    fn greater(self, other: Self) -> Self {
        u32::from(self as i32 > other as i32).wrapping_neg()
    }
    fn equal(self, other: Self) -> Self {
        u32::from(self == other).wrapping_neg()
    }
    fn any(self) -> bool {
        self != 0
    }
    fn select(self, yes: Self, no: Self) -> Self {
        if self != 0 { yes } else { no }
    }
    fn apart<P: Part>((): (), part: P) -> P::Output {
        part.run()
    }
}

/// Four lanes.
#[derive(Clone, Copy)]
#[repr(align(16))]
pub(crate) struct Portable([u32; 4]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(u32, u32) -> u32) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        Self([op(a0, b0), op(a1, b1), op(a2, b2), op(a3, b3)])
    }
}

impl Vector for Portable {
    const LANES: usize = 4;
    type Token = ();

    #[inline(always)]
    fn token(self) {}
    #[inline(always)]
    fn splat((): (), x: u32) -> Self {
        Self([x; 4])
    }
    #[inline(always)]
    fn from_lanes((): (), lane: impl FnMut(usize) -> u32) -> Self {
        Self(std::array::from_fn(lane))
    }
    #[inline(always)]
    fn lane(&self, i: usize) -> u32 {
        self.0[i]
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        self.zip(self, |a, _| a << N)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        self.zip(self, |a, _| a >> N)
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        self.zip(other, Vector::greater)
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self {
        self.zip(other, Vector::equal)
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.0 != [0; 4]
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        no.xor(self.and(no.xor(yes)))
    }
    #[inline(never)]
    fn apart<P: Part>((): (), part: P) -> P::Output {
        part.run()
    }
}
