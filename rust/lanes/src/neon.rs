//! Lanes of AArch64: Neon. As in `x86`, every vector holds a token, which shows that the machine has
//! the feature: that is what a `SAFETY` note means by one.

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use crate::vector::{Part, Row, Vector};

/// Neon, which every AArch64 machine with an operating system has.
#[derive(Clone, Copy)]
pub(crate) struct HasNeon(());

impl HasNeon {
    /// One, where this machine has it.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

#[target_feature(enable = "neon")]
#[inline(never)]
fn apart_neon<P: Part>(part: P) -> P::Output {
    part.run()
}

/// Methods that are one intrinsic each.
macro_rules! two {
    ($($name:ident $intrinsic:ident),*) => { $(
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            // SAFETY: the token.
            Self(unsafe { $intrinsic(self.0, other.0) }, self.1)
        }
    )* };
}

/// Four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Neon(uint32x4_t, HasNeon);

impl Vector for Neon {
    const LANES: usize = 4;
    type Token = HasNeon;

    two!(add vaddq_u32, and vandq_u32, or vorrq_u32, xor veorq_u32, and_not vbicq_u32,
        equal vceqq_u32);

    #[inline(always)]
    fn token(self) -> HasNeon {
        self.1
    }
    #[inline(always)]
    fn splat(token: HasNeon, x: u32) -> Self {
        // SAFETY: the token.
        Self(unsafe { vdupq_n_u32(x) }, token)
    }
    #[inline(always)]
    fn from_lanes(token: HasNeon, lane: impl FnMut(usize) -> u32) -> Self {
        let lanes: [u32; 4] = std::array::from_fn(lane);
        // SAFETY: the token; 16 bytes are read from 16 bytes.
        Self(unsafe { vld1q_u32(lanes.as_ptr()) }, token)
    }
    #[inline(always)]
    fn lane(&self, i: usize) -> u32 {
        assert!(i < Self::LANES);
        // SAFETY: the vector is four u32 in memory, and `i` is below four.
        unsafe { *(&raw const self.0).cast::<u32>().add(i) }
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { vshlq_n_u32::<N>(self.0) }, self.1)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { vshrq_n_u32::<N>(self.0) }, self.1)
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { vsriq_n_u32::<R>(vshlq_n_u32::<L>(self.0), self.0) }, self.1)
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        // SAFETY: the token.
        let greater =
            unsafe { vcgtq_s32(vreinterpretq_s32_u32(self.0), vreinterpretq_s32_u32(other.0)) };
        Self(greater, self.1)
    }
    #[inline(always)]
    fn any(self) -> bool {
        // SAFETY: the token.
        unsafe { vmaxvq_u32(self.0) != 0 }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: the token.
        Self(unsafe { vbslq_u32(self.0, yes.0, no.0) }, self.1)
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        // SAFETY: the token.
        let swapped = unsafe { vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32(self.0))) };
        Self(swapped, self.1)
    }
    #[inline(always)]
    fn gather(token: HasNeon, rows: &[Row], mut index: impl FnMut(usize) -> usize) -> [Self; 8] {
        let mut halves = [[Self::splat(token, 0); 4]; 2];
        for lane in 0..4 {
            let row = &rows[index(lane)].0;
            for (half, words) in halves.iter_mut().zip(row.as_chunks::<4>().0) {
                // SAFETY: the token; 16 bytes are read from 16 bytes.
                half[lane].0 = unsafe { vld1q_u32(words.as_ptr()) };
            }
        }
        let ([a, b, c, d], [e, f, g, h]) = (Self::in_fours(halves[0]), Self::in_fours(halves[1]));
        [a, b, c, d, e, f, g, h]
    }
    #[inline(always)]
    fn scatter(words: &[Self; 8], rows: &mut [Row], mut index: impl FnMut(usize) -> usize) {
        let [a, b, c, d, e, f, g, h] = *words;
        let (low, high) = (Self::in_fours([a, b, c, d]), Self::in_fours([e, f, g, h]));
        for lane in 0..4 {
            let row = &mut rows[index(lane)].0;
            for (half, words) in [low, high].iter().zip(row.as_chunks_mut::<4>().0) {
                // SAFETY: the token; 16 bytes are written to 16 bytes.
                unsafe { vst1q_u32(words.as_mut_ptr(), half[lane].0) };
            }
        }
    }
    #[inline(always)]
    fn add_f(self, x: Self, y: Self, z: Self) -> Self {
        self.add(x.select(y, z))
    }
    #[inline(always)]
    fn add_g(self, x: Self, y: Self, z: Self) -> Self {
        self.add(z.select(x, y))
    }
    #[inline(always)]
    fn add_i(self, x: Self, y: Self, z: Self) -> Self {
        // SAFETY: the token.
        let either = Self(unsafe { vornq_u32(x.0, z.0) }, self.1); // x | !z
        self.add(y.xor(either))
    }
    #[inline(always)]
    fn apart<P: Part>(_: HasNeon, part: P) -> P::Output {
        // SAFETY: the token.
        unsafe { apart_neon(part) }
    }
}

impl Neon {
    /// Four rows of four words to four columns, or back.
    #[inline(always)]
    fn in_fours([r0, r1, r2, r3]: [Self; 4]) -> [Self; 4] {
        let mut columns = [r0; 4];
        // SAFETY: the token.
        unsafe {
            // Words of even and of odd places, then pairs of them.
            let (a0, a1) = (vtrn1q_u32(r0.0, r1.0), vtrn2q_u32(r0.0, r1.0));
            let (a2, a3) = (vtrn1q_u32(r2.0, r3.0), vtrn2q_u32(r2.0, r3.0));
            for (i, (low, high)) in [(a0, a2), (a1, a3)].into_iter().enumerate() {
                let (low, high) = (vreinterpretq_u64_u32(low), vreinterpretq_u64_u32(high));
                columns[i].0 = vreinterpretq_u32_u64(vtrn1q_u64(low, high));
                columns[i + 2].0 = vreinterpretq_u32_u64(vtrn2q_u64(low, high));
            }
        }
        columns
    }
}
