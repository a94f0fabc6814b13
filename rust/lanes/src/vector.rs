//! A vector of 32-bit lanes: the operations that hashing many messages needs, and nothing else.
//!
//! Methods are `#[inline(always)]`, so they take on the CPU features of the function that they end
//! up in. A value of an x86 type exists only below `dispatch`, where the feature was detected:
//! that is what every `SAFETY` note here means by "only below dispatch".

/// Lanes of `u32`. Masks are vectors whose lanes are all ones or zero.
pub trait Vector: Copy {
    /// How many there are.
    const LANES: usize;

    /// One word in all lanes.
    fn splat(x: u32) -> Self;
    /// A word for each lane.
    fn from_lanes(lane: impl FnMut(usize) -> u32) -> Self;
    /// The word of a lane.
    fn lane(&self, i: usize) -> u32;
    /// The sum, without what overflows.
    fn add(self, other: Self) -> Self;
    /// Bits that are in both.
    fn and(self, other: Self) -> Self;
    /// Bits that are in either.
    fn or(self, other: Self) -> Self;
    /// Bits that are in one of both.
    fn xor(self, other: Self) -> Self;
    /// `self & !other`.
    fn and_not(self, other: Self) -> Self;
    /// Bits moved up by `N`, from 0 to 31.
    fn shl<const N: i32>(self) -> Self;
    /// Bits moved down by `N`, from 0 to 31.
    fn shr<const N: i32>(self) -> Self;
    /// Signed comparison, lane by lane.
    fn greater(self, other: Self) -> Self;
    /// A mask of the lanes that are equal.
    fn equal(self, other: Self) -> Self;
    /// Whether any lane of a mask is set.
    fn any(self) -> bool;
    /// Lanes of `yes` where the mask is set, else of `no`.
    fn select(self, yes: Self, no: Self) -> Self;

    /// Reverses the bytes of each lane.
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        let inner = Self::splat(0xff00);
        let outer = self.shl::<24>().or(self.shr::<24>());
        outer.or(self.and(inner).shl::<8>()).or(self.shr::<8>().and(inner))
    }

    /// The eight hexadecimal digits of the four bytes of each lane.
    #[inline(always)]
    fn hex(self) -> [Self; 2] {
        let low = Self::splat(0x000f_000f);
        let mut digits = [self.and(Self::splat(0xffff)), self.shr::<16>()];
        for word in &mut digits {
            let spread = word.or(word.shl::<8>()).and(Self::splat(0x00ff_00ff));
            let nibbles = spread.shr::<4>().and(low).or(spread.and(low).shl::<8>());
            // 1 where a letter is needed; 'a' is 39 after what would follow '9'.
            let letter =
                nibbles.add(Self::splat(0x0606_0606)).shr::<4>().and(Self::splat(0x0101_0101));
            let to_letter =
                letter.shl::<5>().add(letter.shl::<2>()).add(letter.shl::<1>()).add(letter);
            *word = nibbles.add(Self::splat(0x3030_3030)).add(to_letter);
        }
        digits
    }

    /// Rotates left by `L`; `R` is `32 - L`, which const generics cannot say yet.
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        self.shl::<L>().or(self.shr::<R>())
    }

    /// `self` plus F of MD5 (RFC 1321, section 3.4); like the others written so that the way from
    /// `x`, which is known last, is short.
    #[inline(always)]
    fn add_f(self, x: Self, y: Self, z: Self) -> Self {
        self.add(z.xor(x.and(y.xor(z))))
    }
    /// `self` plus G.
    #[inline(always)]
    fn add_g(self, x: Self, y: Self, z: Self) -> Self {
        // The two halves have no bit in common, so that they can be added one by one.
        self.add(y.and_not(z)).add(x.and(z))
    }
    /// `self` plus H.
    #[inline(always)]
    fn add_h(self, x: Self, y: Self, z: Self) -> Self {
        self.add(y.xor(z).xor(x))
    }
    /// `self` plus I.
    #[inline(always)]
    fn add_i(self, x: Self, y: Self, z: Self) -> Self {
        self.add(y.xor(x.or(z.xor(Self::splat(u32::MAX)))))
    }

    /// Eight words of each lane: lane `i` reads `rows[index(i)]`.
    #[inline(always)]
    fn transpose(rows: &[[u32; 8]], mut index: impl FnMut(usize) -> usize) -> [Self; 8] {
        let mut at = [0; 16];
        for (lane, at) in at.iter_mut().enumerate().take(Self::LANES) {
            *at = index(lane);
        }
        let mut words = [Self::splat(0); 8];
        for (w, word) in words.iter_mut().enumerate() {
            *word = Self::from_lanes(|lane| rows[at[lane]][w]);
        }
        words
    }

    /// Absorbs one block.
    #[inline(always)]
    fn compress(state: &mut [Self; 4], block: &[Self; 16]) {
        super::compress(state, block);
    }

    /// Absorbs one block for a group of these, compiled once, not inlined everywhere.
    fn compress_group<G: Vector>(state: &mut [G; 4], block: &[G; 16]) {
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

/// Several vectors side by side: independent chains of operations keep the pipelines full.
macro_rules! group {
    ($(#[$doc:meta])* $name:ident($($part:ident),+), $n:literal, $($i:tt)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name<V>($($part),+);

        impl<V: Vector> Vector for $name<V> {
            const LANES: usize = $n * V::LANES;

            #[inline(always)]
            fn splat(x: u32) -> Self {
                let part = V::splat(x);
                Self($({ let _ = $i; part }),+)
            }
            #[inline(always)]
            fn from_lanes(mut lane: impl FnMut(usize) -> u32) -> Self {
                Self($(V::from_lanes(|i| lane($i * V::LANES + i))),+)
            }
            #[inline(always)]
            fn lane(&self, i: usize) -> u32 {
                match i / V::LANES {
                    $($i => self.$i.lane(i % V::LANES),)+
                    _ => panic!("lane {i} of {}", Self::LANES),
                }
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self($(self.$i.add(other.$i)),+)
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                Self($(self.$i.and(other.$i)),+)
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                Self($(self.$i.or(other.$i)),+)
            }
            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                Self($(self.$i.xor(other.$i)),+)
            }
            #[inline(always)]
            fn and_not(self, other: Self) -> Self {
                Self($(self.$i.and_not(other.$i)),+)
            }
            #[inline(always)]
            fn shl<const N: i32>(self) -> Self {
                Self($(self.$i.shl::<N>()),+)
            }
            #[inline(always)]
            fn shr<const N: i32>(self) -> Self {
                Self($(self.$i.shr::<N>()),+)
            }
            #[inline(always)]
            fn greater(self, other: Self) -> Self {
                Self($(self.$i.greater(other.$i)),+)
            }
            #[inline(always)]
            fn equal(self, other: Self) -> Self {
                Self($(self.$i.equal(other.$i)),+)
            }
            #[inline(always)]
            fn any(self) -> bool {
                let mut any = V::splat(0);
                $(any = any.or(self.$i);)+
                any.any()
            }
            #[inline(always)]
            fn select(self, yes: Self, no: Self) -> Self {
                Self($(self.$i.select(yes.$i, no.$i)),+)
            }
            #[inline(always)]
            fn swap_bytes(self) -> Self {
                Self($(self.$i.swap_bytes()),+)
            }
            #[inline(always)]
            fn hex(self) -> [Self; 2] {
                let parts = ($(self.$i.hex(),)+);
                [Self($(parts.$i[0]),+), Self($(parts.$i[1]),+)]
            }
            #[inline(always)]
            fn rotate<const L: i32, const R: i32>(self) -> Self {
                Self($(self.$i.rotate::<L, R>()),+)
            }
            #[inline(always)]
            fn add_f(self, x: Self, y: Self, z: Self) -> Self {
                Self($(self.$i.add_f(x.$i, y.$i, z.$i)),+)
            }
            #[inline(always)]
            fn add_g(self, x: Self, y: Self, z: Self) -> Self {
                Self($(self.$i.add_g(x.$i, y.$i, z.$i)),+)
            }
            #[inline(always)]
            fn add_h(self, x: Self, y: Self, z: Self) -> Self {
                Self($(self.$i.add_h(x.$i, y.$i, z.$i)),+)
            }
            #[inline(always)]
            fn add_i(self, x: Self, y: Self, z: Self) -> Self {
                Self($(self.$i.add_i(x.$i, y.$i, z.$i)),+)
            }
            #[inline(always)]
            fn transpose(rows: &[[u32; 8]], mut index: impl FnMut(usize) -> usize) -> [Self; 8] {
                let parts = ($(V::transpose(rows, |lane| index($i * V::LANES + lane)),)+);
                let mut words = [Self::splat(0); 8];
                for (w, word) in words.iter_mut().enumerate() {
                    *word = Self($(parts.$i[w]),+);
                }
                words
            }
            fn compress(state: &mut [Self; 4], block: &[Self; 16]) {
                V::compress_group(state, block);
            }
        }
    };
}

group!(
    /// Two chains: enough with the 32 registers and the short steps of AVX-512.
    Pair(V, V), 2, 0 1
);
group!(
    /// Three chains: a third faster than two with AVX2, where four no longer fit the registers.
    Triple(V, V, V), 3, 0 1 2
);

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use super::Vector;
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
                let reversed = Self::from_lanes(|lane| REVERSED[lane % 4]);
                // SAFETY: the type exists only below dispatch.
                Self(unsafe { $shuffle(self.0, reversed.0) })
            }
            #[inline(always)]
            fn hex(self) -> [Self; 2] {
                let digits = Self::from_lanes(|lane| DIGITS[lane % 4]);
                let mut hex = [self; 2];
                // No closure around this: it would not be compiled for the feature.
                for (word, pattern) in hex.iter_mut().zip([DOUBLED_LOW, DOUBLED_HIGH]) {
                    let pattern = Self::from_lanes(|lane| pattern[lane % 4]);
                    // SAFETY: the type exists only below dispatch.
                    let doubled = Self(unsafe { $shuffle(self.0, pattern.0) });
                    let high = doubled.shr::<4>().and(Self::splat(0x000f_000f));
                    let nibbles = high.or(doubled.and(Self::splat(0x0f00_0f00)));
                    // SAFETY: the type exists only below dispatch.
                    *word = Self(unsafe { $shuffle(digits.0, nibbles.0) });
                }
                hex
            }
        };
    }

    /// Eight lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256i);

    // One block, compiled once. No loop over blocks: the compiler would keep all 64 constants
    // ready before it, in memory.
    #[target_feature(enable = "avx2")]
    #[inline(never)]
    fn compress_avx2<G: Vector>(state: &mut [G; 4], block: &[G; 16]) {
        super::super::compress(state, block);
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline(never)]
    fn compress_avx512<G: Vector>(state: &mut [G; 4], block: &[G; 16]) {
        super::super::compress(state, block);
    }

    impl Vector for Avx2 {
        const LANES: usize = 8;

        two!(Avx2, add _mm256_add_epi32, and _mm256_and_si256, or _mm256_or_si256,
            xor _mm256_xor_si256, greater _mm256_cmpgt_epi32, equal _mm256_cmpeq_epi32);

        bytes!(_mm256_shuffle_epi8);
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
        fn transpose(rows: &[[u32; 8]], mut index: impl FnMut(usize) -> usize) -> [Self; 8] {
            let mut r = [Self::splat(0); 8];
            for (lane, r) in r.iter_mut().enumerate() {
                let row = &rows[index(lane)];
                // SAFETY: called only below dispatch; 32 bytes are read from 32 bytes.
                r.0 = unsafe { _mm256_loadu_si256(row.as_ptr().cast()) };
            }
            let [Self(r0), Self(r1), Self(r2), Self(r3), Self(r4), Self(r5), Self(r6), Self(r7)] =
                r;
            // SAFETY: called only below dispatch.
            unsafe {
                let (a0, a1) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
                let (a2, a3) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
                let (a4, a5) = (_mm256_unpacklo_epi32(r4, r5), _mm256_unpackhi_epi32(r4, r5));
                let (a6, a7) = (_mm256_unpacklo_epi32(r6, r7), _mm256_unpackhi_epi32(r6, r7));
                let (b0, b1) = (_mm256_unpacklo_epi64(a0, a2), _mm256_unpackhi_epi64(a0, a2));
                let (b2, b3) = (_mm256_unpacklo_epi64(a1, a3), _mm256_unpackhi_epi64(a1, a3));
                let (b4, b5) = (_mm256_unpacklo_epi64(a4, a6), _mm256_unpackhi_epi64(a4, a6));
                let (b6, b7) = (_mm256_unpacklo_epi64(a5, a7), _mm256_unpackhi_epi64(a5, a7));
                [
                    Self(_mm256_permute2x128_si256::<0x20>(b0, b4)),
                    Self(_mm256_permute2x128_si256::<0x20>(b1, b5)),
                    Self(_mm256_permute2x128_si256::<0x20>(b2, b6)),
                    Self(_mm256_permute2x128_si256::<0x20>(b3, b7)),
                    Self(_mm256_permute2x128_si256::<0x31>(b0, b4)),
                    Self(_mm256_permute2x128_si256::<0x31>(b1, b5)),
                    Self(_mm256_permute2x128_si256::<0x31>(b2, b6)),
                    Self(_mm256_permute2x128_si256::<0x31>(b3, b7)),
                ]
            }
        }
        #[inline(always)]
        fn compress_group<G: Vector>(state: &mut [G; 4], block: &[G; 16]) {
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

        bytes!(_mm512_shuffle_epi8);
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
        fn compress_group<G: Vector>(state: &mut [G; 4], block: &[G; 16]) {
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
            (0..8u32).map(|i| (f(i >> 2 & 1, i >> 1 & 1, i & 1) & 1) << i).sum::<u32>()
        };
        assert_eq!(table(|x, y, z| if x == 1 { y } else { z }), 0b1100_1010);
        assert_eq!(table(|x, y, z| if z == 1 { x } else { y }), 0b1110_0100);
        assert_eq!(table(|x, y, z| x ^ y ^ z), 0b1001_0110);
        assert_eq!(table(|x, y, z| y ^ (x | !z)), 0b0011_1001);
    }
}
