//! A vector of 32-bit lanes: the operations that hashing many messages needs, and nothing else.
//!
//! Methods are `#[inline(always)]`, so they take on the CPU features of the function that they end
//! up in. A value of an x86 type exists only below `dispatch`, where the feature was detected:
//! that is what every `SAFETY` note here means by "only below dispatch".

/// Lanes of `u32`. Masks are vectors whose lanes are all ones or zero.
pub(crate) trait Vector: Copy {
    const LANES: usize;

    fn splat(x: u32) -> Self;
    fn from_lanes(lane: impl FnMut(usize) -> u32) -> Self;
    fn lane(&self, i: usize) -> u32;
    fn add(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// `self & !other`.
    fn and_not(self, other: Self) -> Self;
    fn shl<const N: i32>(self) -> Self;
    fn shr<const N: i32>(self) -> Self;
    /// Signed comparison, lane by lane.
    fn greater(self, other: Self) -> Self;
    fn equal(self, other: Self) -> Self;
    /// Whether any lane of a mask is set.
    fn any(self) -> bool;
    /// Lanes of `yes` where the mask is set, else of `no`.
    fn select(self, yes: Self, no: Self) -> Self;

    /// Rotates left by `L`; `R` is `32 - L`, which const generics cannot say yet.
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        self.shl::<L>().or(self.shr::<R>())
    }

    // `self` plus each of the four functions of MD5 (RFC 1321, section 3.4), written so that the
    // way from `x`, which is known last, is short.
    #[inline(always)]
    fn add_f(self, x: Self, y: Self, z: Self) -> Self {
        self.add(z.xor(x.and(y.xor(z))))
    }
    #[inline(always)]
    fn add_g(self, x: Self, y: Self, z: Self) -> Self {
        // The two halves have no bit in common, so that they can be added one by one.
        self.add(y.and_not(z)).add(x.and(z))
    }
    #[inline(always)]
    fn add_h(self, x: Self, y: Self, z: Self) -> Self {
        self.add(y.xor(z).xor(x))
    }
    #[inline(always)]
    fn add_i(self, x: Self, y: Self, z: Self) -> Self {
        self.add(y.xor(x.or(z.xor(Self::splat(u32::MAX)))))
    }

    /// The 16 words of one block of each lane: lane `i` reads `rows[i * stride..][..16]`.
    #[inline(always)]
    fn transpose(rows: &[u32], stride: usize) -> [Self; 16] {
        std::array::from_fn(|word| Self::from_lanes(|lane| rows[lane * stride + word]))
    }

    /// [`compress`](super::compress), compiled once for each type instead of inlined everywhere.
    fn compress(state: &mut [Self; 4], block: &[Self; 16]) {
        super::compress(state, block);
    }

    /// The same for a [`Pair`] of these.
    fn compress_pair(state: &mut [Pair<Self>; 4], block: &[Pair<Self>; 16]) {
        super::compress(state, block);
    }
}

impl Vector for u32 {
    const LANES: usize = 1;

    fn splat(x: u32) -> Self {
        x
    }
    fn from_lanes(mut lane: impl FnMut(usize) -> u32) -> Self {
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
}

/// Four lanes in plain code, which the compiler turns into the vector instructions that every
/// machine of the architecture has (Neon on Arm).
#[cfg(not(target_arch = "x86_64"))]
pub(crate) mod portable {
    use super::Vector;

    #[derive(Clone, Copy)]
    #[repr(align(16))]
    pub(crate) struct Baseline([u32; 4]);

    impl Baseline {
        #[inline(always)]
        fn zip(self, other: Self, op: impl Fn(u32, u32) -> u32) -> Self {
            let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
            Self([op(a0, b0), op(a1, b1), op(a2, b2), op(a3, b3)])
        }
    }

    impl Vector for Baseline {
        const LANES: usize = 4;

        #[inline(always)]
        fn splat(x: u32) -> Self {
            Self([x; 4])
        }
        #[inline(always)]
        fn from_lanes(lane: impl FnMut(usize) -> u32) -> Self {
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
    }
}

/// Two vectors side by side: two independent chains of operations keep the pipelines full.
#[derive(Clone, Copy)]
pub(crate) struct Pair<V>(V, V);

impl<V: Vector> Vector for Pair<V> {
    const LANES: usize = 2 * V::LANES;

    #[inline(always)]
    fn splat(x: u32) -> Self {
        Self(V::splat(x), V::splat(x))
    }
    #[inline(always)]
    fn from_lanes(mut lane: impl FnMut(usize) -> u32) -> Self {
        let low = V::from_lanes(&mut lane);
        Self(low, V::from_lanes(|i| lane(V::LANES + i)))
    }
    #[inline(always)]
    fn lane(&self, i: usize) -> u32 {
        if i < V::LANES {
            self.0.lane(i)
        } else {
            self.1.lane(i - V::LANES)
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0), self.1.and(other.1))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0), self.1.or(other.1))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(self.0.xor(other.0), self.1.xor(other.1))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        Self(self.0.and_not(other.0), self.1.and_not(other.1))
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        Self(self.0.shl::<N>(), self.1.shl::<N>())
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        Self(self.0.shr::<N>(), self.1.shr::<N>())
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        Self(self.0.greater(other.0), self.1.greater(other.1))
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self {
        Self(self.0.equal(other.0), self.1.equal(other.1))
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.0.or(self.1).any()
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        Self(self.0.select(yes.0, no.0), self.1.select(yes.1, no.1))
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        Self(self.0.rotate::<L, R>(), self.1.rotate::<L, R>())
    }
    #[inline(always)]
    fn add_f(self, x: Self, y: Self, z: Self) -> Self {
        Self(self.0.add_f(x.0, y.0, z.0), self.1.add_f(x.1, y.1, z.1))
    }
    #[inline(always)]
    fn add_g(self, x: Self, y: Self, z: Self) -> Self {
        Self(self.0.add_g(x.0, y.0, z.0), self.1.add_g(x.1, y.1, z.1))
    }
    #[inline(always)]
    fn add_h(self, x: Self, y: Self, z: Self) -> Self {
        Self(self.0.add_h(x.0, y.0, z.0), self.1.add_h(x.1, y.1, z.1))
    }
    #[inline(always)]
    fn add_i(self, x: Self, y: Self, z: Self) -> Self {
        Self(self.0.add_i(x.0, y.0, z.0), self.1.add_i(x.1, y.1, z.1))
    }
    #[inline(always)]
    fn transpose(rows: &[u32], stride: usize) -> [Self; 16] {
        let low = V::transpose(rows, stride);
        let high = V::transpose(&rows[V::LANES * stride..], stride);
        std::array::from_fn(|word| Self(low[word], high[word]))
    }
    #[inline(always)]
    fn compress(state: &mut [Self; 4], block: &[Self; 16]) {
        V::compress_pair(state, block);
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use super::{Pair, Vector};
    use std::arch::x86_64::*;

    macro_rules! two {
        ($type:ident, $($name:ident $intrinsic:ident),*) => { $(
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: the type exists only below dispatch.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        )* };
    }

    /// Four lanes of SSE2, which every x86-64 machine has.
    #[derive(Clone, Copy)]
    pub(crate) struct Baseline(__m128i);

    impl Vector for Baseline {
        const LANES: usize = 4;

        two!(Baseline, add _mm_add_epi32, and _mm_and_si128, or _mm_or_si128, xor _mm_xor_si128,
            greater _mm_cmpgt_epi32, equal _mm_cmpeq_epi32);

        #[inline(always)]
        fn splat(x: u32) -> Self {
            // SAFETY: every x86-64 machine has SSE2.
            Self(unsafe { _mm_set1_epi32(x as i32) })
        }
        #[inline(always)]
        fn from_lanes(lane: impl FnMut(usize) -> u32) -> Self {
            let lanes: [u32; 4] = std::array::from_fn(lane);
            // SAFETY: every x86-64 machine has SSE2; 16 bytes are read from 16 bytes.
            Self(unsafe { _mm_loadu_si128(lanes.as_ptr().cast()) })
        }
        #[inline(always)]
        fn lane(&self, i: usize) -> u32 {
            assert!(i < Self::LANES);
            // SAFETY: the vector is four u32 in memory, and `i` is below four.
            unsafe { *(&raw const self.0).cast::<u32>().add(i) }
        }
        #[inline(always)]
        fn and_not(self, other: Self) -> Self {
            // SAFETY: every x86-64 machine has SSE2.
            Self(unsafe { _mm_andnot_si128(other.0, self.0) })
        }
        #[inline(always)]
        fn shl<const N: i32>(self) -> Self {
            // SAFETY: every x86-64 machine has SSE2.
            Self(unsafe { _mm_slli_epi32::<N>(self.0) })
        }
        #[inline(always)]
        fn shr<const N: i32>(self) -> Self {
            // SAFETY: every x86-64 machine has SSE2.
            Self(unsafe { _mm_srli_epi32::<N>(self.0) })
        }
        #[inline(always)]
        fn any(self) -> bool {
            // SAFETY: every x86-64 machine has SSE2.
            unsafe { _mm_movemask_epi8(self.0) != 0 }
        }
        #[inline(always)]
        fn select(self, yes: Self, no: Self) -> Self {
            no.xor(self.and(no.xor(yes)))
        }
    }

    /// Eight lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256i);

    // One block, compiled once. No loop over blocks: the compiler would keep all 64 constants
    // ready before it, in memory.
    #[target_feature(enable = "avx2")]
    #[inline(never)]
    fn compress_avx2(state: &mut [Pair<Avx2>; 4], block: &[Pair<Avx2>; 16]) {
        super::super::compress(state, block);
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline(never)]
    fn compress_avx512(state: &mut [Pair<Avx512>; 4], block: &[Pair<Avx512>; 16]) {
        super::super::compress(state, block);
    }

    impl Vector for Avx2 {
        const LANES: usize = 8;

        two!(Avx2, add _mm256_add_epi32, and _mm256_and_si256, or _mm256_or_si256,
            xor _mm256_xor_si256, greater _mm256_cmpgt_epi32, equal _mm256_cmpeq_epi32);

        #[inline(always)]
        fn splat(x: u32) -> Self {
            // SAFETY: called only below dispatch.
            Self(unsafe { _mm256_set1_epi32(x as i32) })
        }
        #[inline(always)]
        fn and_not(self, other: Self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm256_andnot_si256(other.0, self.0) })
        }
        #[inline(always)]
        fn from_lanes(lane: impl FnMut(usize) -> u32) -> Self {
            let lanes: [u32; 8] = std::array::from_fn(lane);
            // SAFETY: called only below dispatch; 32 bytes are read from 32 bytes.
            Self(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) })
        }
        #[inline(always)]
        fn lane(&self, i: usize) -> u32 {
            assert!(i < Self::LANES);
            // SAFETY: the vector is eight u32 in memory, and `i` is below eight.
            unsafe { *(&raw const self.0).cast::<u32>().add(i) }
        }
        #[inline(always)]
        fn shl<const N: i32>(self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm256_slli_epi32::<N>(self.0) })
        }
        #[inline(always)]
        fn shr<const N: i32>(self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm256_srli_epi32::<N>(self.0) })
        }
        #[inline(always)]
        fn any(self) -> bool {
            // SAFETY: the type exists only below dispatch.
            unsafe { _mm256_testz_si256(self.0, self.0) == 0 }
        }
        #[inline(always)]
        fn select(self, yes: Self, no: Self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm256_blendv_epi8(no.0, yes.0, self.0) })
        }
        #[inline(always)]
        fn transpose(rows: &[u32], stride: usize) -> [Self; 16] {
            assert!(rows.len() >= 7 * stride + 16);
            let mut words = [Self::splat(0); 16];
            for half in 0..2 {
                // SAFETY: called only below dispatch; row 7, the last, ends within `rows`.
                unsafe {
                    let row = |lane: usize| {
                        _mm256_loadu_si256(rows.as_ptr().add(lane * stride + 8 * half).cast())
                    };
                    let [r0, r1, r2, r3] = [row(0), row(1), row(2), row(3)];
                    let [r4, r5, r6, r7] = [row(4), row(5), row(6), row(7)];
                    let (a0, a1) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
                    let (a2, a3) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
                    let (a4, a5) = (_mm256_unpacklo_epi32(r4, r5), _mm256_unpackhi_epi32(r4, r5));
                    let (a6, a7) = (_mm256_unpacklo_epi32(r6, r7), _mm256_unpackhi_epi32(r6, r7));
                    let (b0, b1) = (_mm256_unpacklo_epi64(a0, a2), _mm256_unpackhi_epi64(a0, a2));
                    let (b2, b3) = (_mm256_unpacklo_epi64(a1, a3), _mm256_unpackhi_epi64(a1, a3));
                    let (b4, b5) = (_mm256_unpacklo_epi64(a4, a6), _mm256_unpackhi_epi64(a4, a6));
                    let (b6, b7) = (_mm256_unpacklo_epi64(a5, a7), _mm256_unpackhi_epi64(a5, a7));
                    words[8 * half] = Self(_mm256_permute2x128_si256::<0x20>(b0, b4));
                    words[8 * half + 1] = Self(_mm256_permute2x128_si256::<0x20>(b1, b5));
                    words[8 * half + 2] = Self(_mm256_permute2x128_si256::<0x20>(b2, b6));
                    words[8 * half + 3] = Self(_mm256_permute2x128_si256::<0x20>(b3, b7));
                    words[8 * half + 4] = Self(_mm256_permute2x128_si256::<0x31>(b0, b4));
                    words[8 * half + 5] = Self(_mm256_permute2x128_si256::<0x31>(b1, b5));
                    words[8 * half + 6] = Self(_mm256_permute2x128_si256::<0x31>(b2, b6));
                    words[8 * half + 7] = Self(_mm256_permute2x128_si256::<0x31>(b3, b7));
                }
            }
            words
        }
        #[inline(always)]
        fn compress_pair(state: &mut [Pair<Self>; 4], block: &[Pair<Self>; 16]) {
            // SAFETY: the type exists only below dispatch.
            unsafe { compress_avx2(state, block) }
        }
    }

    /// Sixteen lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512i);

    impl Avx512 {
        #[inline(always)]
        fn from_mask(mask: __mmask16) -> Self {
            // SAFETY: called only below dispatch.
            Self(unsafe { _mm512_maskz_set1_epi32(mask, -1) })
        }

        /// Any function of three bits: bit `4 a + 2 b + c` of `TABLE` is its value.
        #[inline(always)]
        fn ternary<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm512_ternarylogic_epi32::<TABLE>(a.0, b.0, c.0) })
        }
    }

    impl Vector for Avx512 {
        const LANES: usize = 16;

        two!(Avx512, add _mm512_add_epi32, and _mm512_and_si512, or _mm512_or_si512,
            xor _mm512_xor_si512);

        #[inline(always)]
        fn splat(x: u32) -> Self {
            // SAFETY: called only below dispatch.
            Self(unsafe { _mm512_set1_epi32(x as i32) })
        }
        #[inline(always)]
        fn and_not(self, other: Self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm512_andnot_si512(other.0, self.0) })
        }
        #[inline(always)]
        fn from_lanes(lane: impl FnMut(usize) -> u32) -> Self {
            let lanes: [u32; 16] = std::array::from_fn(lane);
            // SAFETY: called only below dispatch; 64 bytes are read from 64 bytes.
            Self(unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) })
        }
        #[inline(always)]
        fn lane(&self, i: usize) -> u32 {
            assert!(i < Self::LANES);
            // SAFETY: the vector is sixteen u32 in memory, and `i` is below sixteen.
            unsafe { *(&raw const self.0).cast::<u32>().add(i) }
        }
        #[inline(always)]
        fn shl<const N: i32>(self) -> Self {
            // SAFETY: the type exists only below dispatch. The count is at most 31.
            Self(unsafe { _mm512_sll_epi32(self.0, _mm_cvtsi32_si128(N)) })
        }
        #[inline(always)]
        fn shr<const N: i32>(self) -> Self {
            // SAFETY: as for `shl`.
            Self(unsafe { _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(N)) })
        }
        #[inline(always)]
        fn rotate<const L: i32, const R: i32>(self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self(unsafe { _mm512_rol_epi32::<L>(self.0) })
        }
        #[inline(always)]
        fn greater(self, other: Self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self::from_mask(unsafe { _mm512_cmpgt_epi32_mask(self.0, other.0) })
        }
        #[inline(always)]
        fn equal(self, other: Self) -> Self {
            // SAFETY: the type exists only below dispatch.
            Self::from_mask(unsafe { _mm512_cmpeq_epi32_mask(self.0, other.0) })
        }
        #[inline(always)]
        fn any(self) -> bool {
            // SAFETY: the type exists only below dispatch.
            unsafe { _mm512_test_epi32_mask(self.0, self.0) != 0 }
        }
        #[inline(always)]
        fn select(self, yes: Self, no: Self) -> Self {
            Self::ternary::<0b1100_1010>(self, yes, no)
        }
        #[inline(always)]
        fn add_f(self, x: Self, y: Self, z: Self) -> Self {
            self.add(Self::ternary::<0b1100_1010>(x, y, z)) // x ? y : z
        }
        #[inline(always)]
        fn add_g(self, x: Self, y: Self, z: Self) -> Self {
            self.add(Self::ternary::<0b1110_0100>(x, y, z)) // z ? x : y
        }
        #[inline(always)]
        fn add_h(self, x: Self, y: Self, z: Self) -> Self {
            self.add(Self::ternary::<0b1001_0110>(x, y, z)) // x ^ y ^ z
        }
        #[inline(always)]
        fn add_i(self, x: Self, y: Self, z: Self) -> Self {
            self.add(Self::ternary::<0b0011_1001>(x, y, z)) // y ^ (x | !z)
        }
        #[inline(always)]
        fn compress_pair(state: &mut [Pair<Self>; 4], block: &[Pair<Self>; 16]) {
            // SAFETY: the type exists only below dispatch.
            unsafe { compress_avx512(state, block) }
        }
    }
}

#[cfg(test)]
mod tests {
    /// The truth tables of the three-input instructions, which not every machine can run.
    #[test]
    fn truth_tables() {
        let table = |f: fn(u32, u32, u32) -> u32| {
            (0..8u32)
                .map(|i| (f(i >> 2 & 1, i >> 1 & 1, i & 1) & 1) << i)
                .sum::<u32>()
        };
        assert_eq!(table(|x, y, z| if x == 1 { y } else { z }), 0b1100_1010);
        assert_eq!(table(|x, y, z| if z == 1 { x } else { y }), 0b1110_0100);
        assert_eq!(table(|x, y, z| x ^ y ^ z), 0b1001_0110);
        assert_eq!(table(|x, y, z| y ^ (x | !z)), 0b0011_1001);
    }
}
