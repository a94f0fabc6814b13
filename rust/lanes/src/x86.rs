//! Lanes of x86-64: SSE2, AVX2, AVX-512. What is unsafe are intrinsics, and the calls into functions
//! compiled for a CPU feature. A token, which every vector holds, shows that the machine has the
//! feature: that is what a `SAFETY` note means by one.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use crate::vector::{Part, Row, Vector};

/// A token of CPU features, and the function compiled for them.
macro_rules! features {
    ($(#[$doc:meta])* $token:ident, $apart:ident, $($feature:tt),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $token(());

        impl $token {
            /// One, where this machine has the features.
            pub(crate) fn detect() -> Option<Self> {
                ($(is_x86_feature_detected!($feature))&&+).then_some(Self(()))
            }
        }

        #[target_feature($(enable = $feature),+)]
        #[inline(never)]
        fn $apart<P: Part>(part: P) -> P::Output {
            part.run()
        }
    };
}

features!(
    /// SSE2, which every x86-64 machine has.
    HasSse2, apart_sse2, "sse2"
);
features!(
    /// AVX2.
    HasAvx2, apart_avx2, "avx2"
);
features!(
    /// AVX-512, of words and of bytes.
    HasAvx512, apart_avx512, "avx512f", "avx512bw"
);

/// What all three write alike.
macro_rules! common {
    ($token:ident, $apart:ident) => {
        type Token = $token;

        #[inline(always)]
        fn token(self) -> $token {
            self.1
        }
        #[inline(always)]
        fn apart<P: Part>(_: $token, part: P) -> P::Output {
            // SAFETY: the token.
            unsafe { $apart(part) }
        }
        #[inline(always)]
        fn lane(&self, i: usize) -> u32 {
            assert!(i < Self::LANES);
            // SAFETY: the vector is `LANES` u32 in memory, and `i` is below that.
            unsafe { *(&raw const self.0).cast::<u32>().add(i) }
        }
    };
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

/// Four rows of four words to four columns, or back, within each 16 bytes.
macro_rules! in_fours {
    ($vector:ident, $low:ident, $high:ident, $low2:ident, $high2:ident) => {
        impl $vector {
            #[inline(always)]
            fn in_fours([r0, r1, r2, r3]: [Self; 4]) -> [Self; 4] {
                let mut columns = [r0; 4];
                // SAFETY: the token.
                unsafe {
                    let (a0, a1) = ($low(r0.0, r1.0), $high(r0.0, r1.0));
                    let (a2, a3) = ($low(r2.0, r3.0), $high(r2.0, r3.0));
                    (columns[0].0, columns[1].0) = ($low2(a0, a2), $high2(a0, a2));
                    (columns[2].0, columns[3].0) = ($low2(a1, a3), $high2(a1, a3));
                }
                columns
            }
        }
    };
}

in_fours!(Sse2, _mm_unpacklo_epi32, _mm_unpackhi_epi32, _mm_unpacklo_epi64, _mm_unpackhi_epi64);
in_fours!(
    Avx2,
    _mm256_unpacklo_epi32,
    _mm256_unpackhi_epi32,
    _mm256_unpacklo_epi64,
    _mm256_unpackhi_epi64
);
in_fours!(
    Avx512,
    _mm512_unpacklo_epi32,
    _mm512_unpackhi_epi32,
    _mm512_unpacklo_epi64,
    _mm512_unpackhi_epi64
);

/// Four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Sse2(__m128i, HasSse2);

impl Vector for Sse2 {
    const LANES: usize = 4;

    common!(HasSse2, apart_sse2);
    two!(add _mm_add_epi32, and _mm_and_si128, or _mm_or_si128, xor _mm_xor_si128,
        greater _mm_cmpgt_epi32, equal _mm_cmpeq_epi32);

    #[inline(always)]
    fn splat(token: Self::Token, x: u32) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm_set1_epi32(x as i32) }, token)
    }
    #[inline(always)]
    fn from_lanes(token: Self::Token, lane: impl FnMut(usize) -> u32) -> Self {
        let lanes: [u32; 4] = std::array::from_fn(lane);
        // SAFETY: the token; 16 bytes are read from 16 bytes.
        Self(unsafe { _mm_loadu_si128(lanes.as_ptr().cast()) }, token)
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm_andnot_si128(other.0, self.0) }, self.1)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm_slli_epi32::<N>(self.0) }, self.1)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm_srli_epi32::<N>(self.0) }, self.1)
    }
    #[inline(always)]
    fn any(self) -> bool {
        // SAFETY: the token.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi32(self.0, _mm_setzero_si128())) != 0xffff }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        no.xor(self.and(no.xor(yes)))
    }
    #[inline(always)]
    fn gather(
        token: Self::Token,
        rows: &[Row],
        mut index: impl FnMut(usize) -> usize,
    ) -> [Self; 8] {
        let mut halves = [[Self::splat(token, 0); 4]; 2];
        for lane in 0..4 {
            let row = &rows[index(lane)].0;
            for (half, words) in halves.iter_mut().zip(row.as_chunks::<4>().0) {
                // SAFETY: the token; 16 bytes are read from 16 bytes, aligned to as many.
                half[lane].0 = unsafe { _mm_load_si128(words.as_ptr().cast()) };
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
                // SAFETY: the token; 16 bytes are written to 16 bytes, aligned to as many.
                unsafe { _mm_store_si128(words.as_mut_ptr().cast(), half[lane].0) };
            }
        }
    }
}

// Byte patterns of 16 bytes, four lanes.
const REVERSED: [u32; 4] = [0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f];
const DOUBLED_LOW: [u32; 4] = [0x0101_0000, 0x0505_0404, 0x0909_0808, 0x0d0d_0c0c];
const DOUBLED_HIGH: [u32; 4] = [0x0303_0202, 0x0707_0606, 0x0b0b_0a0a, 0x0f0f_0e0e];
/// The text `0123456789abcdef`.
const DIGITS: [u32; 4] = [0x3332_3130, 0x3736_3534, 0x6261_3938, 0x6665_6463];

/// What a shuffle of bytes within each 16 makes short.
macro_rules! bytes {
    ($shuffle:ident) => {
        #[inline(always)]
        fn swap_bytes(self) -> Self {
            let reversed = Self::from_lanes(self.1, |lane| REVERSED[lane % 4]);
            // SAFETY: the token.
            Self(unsafe { $shuffle(self.0, reversed.0) }, self.1)
        }
        #[inline(always)]
        fn hex(self) -> [Self; 2] {
            let token = self.1;
            let digits = Self::from_lanes(token, |lane| DIGITS[lane % 4]);
            let mut hex = [self; 2];
            // No closure around this: it would not be compiled for the feature.
            for (word, pattern) in hex.iter_mut().zip([DOUBLED_LOW, DOUBLED_HIGH]) {
                let pattern = Self::from_lanes(token, |lane| pattern[lane % 4]);
                // SAFETY: the token.
                let doubled = Self(unsafe { $shuffle(self.0, pattern.0) }, token);
                let high = doubled.shr::<4>().and(Self::splat(token, 0x000f_000f));
                let nibbles = high.or(doubled.and(Self::splat(token, 0x0f00_0f00)));
                // SAFETY: the token.
                *word = Self(unsafe { $shuffle(digits.0, nibbles.0) }, token);
            }
            hex
        }
    };
}

/// Eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256i, HasAvx2);

impl Vector for Avx2 {
    const LANES: usize = 8;

    common!(HasAvx2, apart_avx2);
    two!(add _mm256_add_epi32, and _mm256_and_si256, or _mm256_or_si256,
        xor _mm256_xor_si256, greater _mm256_cmpgt_epi32, equal _mm256_cmpeq_epi32);

    bytes!(_mm256_shuffle_epi8);
    #[inline(always)]
    fn splat(token: Self::Token, x: u32) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm256_set1_epi32(x as i32) }, token)
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm256_andnot_si256(other.0, self.0) }, self.1)
    }
    #[inline(always)]
    fn from_lanes(token: Self::Token, lane: impl FnMut(usize) -> u32) -> Self {
        let lanes: [u32; 8] = std::array::from_fn(lane);
        // SAFETY: the token; 32 bytes are read from 32 bytes.
        Self(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }, token)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm256_slli_epi32::<N>(self.0) }, self.1)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm256_srli_epi32::<N>(self.0) }, self.1)
    }
    #[inline(always)]
    fn any(self) -> bool {
        // SAFETY: the token.
        unsafe { _mm256_testz_si256(self.0, self.0) == 0 }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm256_blendv_epi8(no.0, yes.0, self.0) }, self.1)
    }
    #[inline(always)]
    fn gather(
        token: Self::Token,
        rows: &[Row],
        mut index: impl FnMut(usize) -> usize,
    ) -> [Self; 8] {
        let mut r = [Self::splat(token, 0); 8];
        for (lane, r) in r.iter_mut().enumerate() {
            // SAFETY: the token; a row is 32 bytes, aligned to as many.
            r.0 = unsafe { _mm256_load_si256(rows[index(lane)].0.as_ptr().cast()) };
        }
        Self::transposed(r)
    }
    #[inline(always)]
    fn scatter(words: &[Self; 8], rows: &mut [Row], mut index: impl FnMut(usize) -> usize) {
        for (lane, r) in Self::transposed(*words).into_iter().enumerate() {
            // SAFETY: the token; a row is 32 bytes, aligned to as many.
            unsafe { _mm256_store_si256(rows[index(lane)].0.as_mut_ptr().cast(), r.0) };
        }
    }
}

impl Avx2 {
    /// Eight rows of eight words to eight columns, or back.
    #[inline(always)]
    fn transposed([r0, r1, r2, r3, r4, r5, r6, r7]: [Self; 8]) -> [Self; 8] {
        let [b0, b1, b2, b3] = Self::in_fours([r0, r1, r2, r3]);
        let [b4, b5, b6, b7] = Self::in_fours([r4, r5, r6, r7]);
        let mut columns = [b0, b1, b2, b3, b0, b1, b2, b3];
        for (w, (low, high)) in [(b0, b4), (b1, b5), (b2, b6), (b3, b7)].into_iter().enumerate() {
            // SAFETY: the token.
            unsafe {
                columns[w].0 = _mm256_permute2x128_si256::<0x20>(low.0, high.0);
                columns[w + 4].0 = _mm256_permute2x128_si256::<0x31>(low.0, high.0);
            }
        }
        columns
    }
}

/// Sixteen lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512i, HasAvx512);

impl Avx512 {
    #[inline(always)]
    fn from_mask(token: HasAvx512, mask: __mmask16) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm512_maskz_set1_epi32(mask, -1) }, token)
    }

    /// Any function of three bits: bit `4 a + 2 b + c` of `TABLE` is its value.
    #[inline(always)]
    fn ternary<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm512_ternarylogic_epi32::<TABLE>(a.0, b.0, c.0) }, a.1)
    }
}

impl Vector for Avx512 {
    const LANES: usize = 16;

    common!(HasAvx512, apart_avx512);
    two!(add _mm512_add_epi32, and _mm512_and_si512, or _mm512_or_si512,
        xor _mm512_xor_si512);

    bytes!(_mm512_shuffle_epi8);
    #[inline(always)]
    fn splat(token: Self::Token, x: u32) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm512_set1_epi32(x as i32) }, token)
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm512_andnot_si512(other.0, self.0) }, self.1)
    }
    #[inline(always)]
    fn from_lanes(token: Self::Token, lane: impl FnMut(usize) -> u32) -> Self {
        let lanes: [u32; 16] = std::array::from_fn(lane);
        // SAFETY: the token; 64 bytes are read from 64 bytes.
        Self(unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }, token)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        // SAFETY: the token. The count is at most 31.
        Self(unsafe { _mm512_sll_epi32(self.0, _mm_cvtsi32_si128(N)) }, self.1)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        // SAFETY: as for `shl`.
        Self(unsafe { _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(N)) }, self.1)
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        // SAFETY: the token.
        Self(unsafe { _mm512_rol_epi32::<L>(self.0) }, self.1)
    }
    /// Both turned, and one mask: an instruction less, since a word turned once serves twice.
    #[inline(always)]
    fn after<const L: i32, const R: i32>(self, before: Self) -> Self {
        let low = Self::splat(self.1, (1 << L) - 1);
        low.select(before.rotate::<L, R>(), self.rotate::<L, R>())
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        // SAFETY: the token.
        Self::from_mask(self.1, unsafe { _mm512_cmpgt_epi32_mask(self.0, other.0) })
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self {
        // SAFETY: the token.
        Self::from_mask(self.1, unsafe { _mm512_cmpeq_epi32_mask(self.0, other.0) })
    }
    #[inline(always)]
    fn any(self) -> bool {
        // SAFETY: the token.
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
    fn gather(
        token: Self::Token,
        rows: &[Row],
        mut index: impl FnMut(usize) -> usize,
    ) -> [Self; 8] {
        let mut r = [Self::splat(token, 0); 8];
        // Two rows each: 0 and 4, 1 and 5, and so on; 8 and 12, and so on.
        for (i, r) in r.iter_mut().enumerate() {
            let first = i + i / 4 * 4;
            let (low, high) = (&rows[index(first)].0, &rows[index(first + 4)].0);
            // SAFETY: the token; rows are 32 bytes, aligned to as many.
            r.0 = unsafe {
                let low = _mm512_castsi256_si512(_mm256_load_si256(low.as_ptr().cast()));
                _mm512_inserti64x4::<1>(low, _mm256_load_si256(high.as_ptr().cast()))
            };
        }
        let [r0, r1, r2, r3, r4, r5, r6, r7] = r;
        let [b0, b1, b2, b3] = Self::in_fours([r0, r1, r2, r3]);
        let [b4, b5, b6, b7] = Self::in_fours([r4, r5, r6, r7]);
        let mut columns = r;
        for (w, (low, high)) in [(b0, b4), (b1, b5), (b2, b6), (b3, b7)].into_iter().enumerate() {
            // SAFETY: the token.
            unsafe {
                columns[w].0 = _mm512_shuffle_i32x4::<0b10_00_10_00>(low.0, high.0);
                columns[w + 4].0 = _mm512_shuffle_i32x4::<0b11_01_11_01>(low.0, high.0);
            }
        }
        columns
    }
    #[inline(always)]
    fn scatter(words: &[Self; 8], rows: &mut [Row], mut index: impl FnMut(usize) -> usize) {
        let mut b = *words;
        for w in 0..4 {
            let (low, high) = (words[w], words[w + 4]);
            // SAFETY: the token.
            unsafe {
                let first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
                b[w].0 = _mm512_permutex2var_epi64(low.0, first, high.0);
                let last = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
                b[w + 4].0 = _mm512_permutex2var_epi64(low.0, last, high.0);
            }
        }
        let [b0, b1, b2, b3, b4, b5, b6, b7] = b;
        for (fours, first) in [([b0, b1, b2, b3], 0), ([b4, b5, b6, b7], 8)] {
            for (i, r) in Self::in_fours(fours).into_iter().enumerate() {
                let low = rows[index(first + i)].0.as_mut_ptr();
                // SAFETY: the token; a row is 32 bytes, aligned to as many.
                unsafe { _mm256_store_si256(low.cast(), _mm512_castsi512_si256(r.0)) };
                let high = rows[index(first + i + 4)].0.as_mut_ptr();
                // SAFETY: the same.
                unsafe { _mm256_store_si256(high.cast(), _mm512_extracti64x4_epi64::<1>(r.0)) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    /// The truth tables of the three-input instructions, which not every machine can run.
    #[test]
    fn truth_tables() {
        let table = |f: fn(u32, u32, u32) -> u32| {
            (0..8u32).map(|i| (f(i >> 2 & 1, i >> 1 & 1, i & 1) & 1) << i).sum::<u32>()
        };
        assert_eq!(table(|x, y, z| if x == 1 { y } else { z }), 0b1100_1010);
        assert_eq!(table(|x, y, z| if z == 1 { x } else { y }), 0b1110_0100);
        assert_eq!(table(|x, y, z| x ^ y ^ z), 0b1001_0110);
        assert_eq!(table(|x, y, z| y ^ (x | !z)), 0b0011_1001);
    }
}
