//! MD5 of many messages at once: one message a SIMD lane.
//!
//! [`Vector`] is the small set of operations that the algorithms need; they are generic over it
//! and are compiled once for each instruction set. [`dispatch`] chooses at run time. This is the only
//! crate of nb101 with unsafe code: intrinsics, and the calls into functions compiled for a CPU
//! feature, which are made only where the feature was detected. What is built on it, in
//! `nb101-core`, forbids unsafe code.

mod vector;

pub use vector::Vector;
#[cfg(not(target_arch = "x86_64"))]
use vector::portable::Baseline;
#[cfg(target_arch = "x86_64")]
use vector::x86::{Avx2, Avx512, Baseline};
use vector::{Pair, Triple};

/// Per-round additive constants: `floor(2^32 |sin(i + 1)|)` (RFC 1321, section 3.4).
const K: [u32; 64] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
];

const START: [u32; 4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];

/// The state after `blocks`, 16 words each (little-endian, padded as RFC 1321 says).
#[inline(always)]
pub fn absorb<V: Vector>(blocks: &[V]) -> [V; 4] {
    let [a, b, c, d] = START;
    let mut state = [V::splat(a), V::splat(b), V::splat(c), V::splat(d)];
    for block in blocks.as_chunks().0 {
        V::compress(&mut state, block);
    }
    state
}

/// Absorbs one block.
#[inline(always)]
fn compress<V: Vector>(state: &mut [V; 4], block: &[V; 16]) {
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! step {
        ($f:ident, $i:expr, $word:expr, $shift:literal, $next:literal) => {
            let sum = a.add(block[$word].add(V::splat(K[$i])));
            let turned = sum.$f(b, c, d).rotate::<$shift, $next>();
            (a, d, c, b) = (d, c, b, b.add(turned));
        };
    }
    macro_rules! four {
        ($f:ident, $i:expr, $stride:literal, $offset:literal, $s0:literal $t0:literal, $s1:literal $t1:literal, $s2:literal $t2:literal, $s3:literal $t3:literal) => {
            step!($f, $i, ($stride * ($i) + $offset) % 16, $s0, $t0);
            step!($f, $i + 1, ($stride * ($i + 1) + $offset) % 16, $s1, $t1);
            step!($f, $i + 2, ($stride * ($i + 2) + $offset) % 16, $s2, $t2);
            step!($f, $i + 3, ($stride * ($i + 3) + $offset) % 16, $s3, $t3);
        };
    }
    macro_rules! round {
            ($f:ident, $i:literal, $stride:literal, $offset:literal, $($shifts:tt)*) => {
                four!($f, $i, $stride, $offset, $($shifts)*);
                four!($f, $i + 4, $stride, $offset, $($shifts)*);
                four!($f, $i + 8, $stride, $offset, $($shifts)*);
                four!($f, $i + 12, $stride, $offset, $($shifts)*);
            };
        }
    round!(add_f, 0, 1, 0, 7 25, 12 20, 17 15, 22 10);
    round!(add_g, 16, 5, 1, 5 27, 9 23, 14 18, 20 12);
    round!(add_h, 32, 3, 5, 4 28, 11 21, 16 16, 23 9);
    round!(add_i, 48, 7, 0, 6 26, 10 22, 15 17, 21 11);
    *state = [state[0].add(a), state[1].add(b), state[2].add(c), state[3].add(d)];
}

/// MD5 of one message, in portable code: for what is too rare to be worth lanes.
pub fn digest(message: &[u8]) -> [u8; 16] {
    let mut bytes = message.to_vec();
    bytes.push(0x80);
    bytes.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
    bytes.extend((8 * message.len() as u64).to_le_bytes());
    let words: Vec<u32> =
        bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    words_to_bytes(absorb(&words))
}

/// The bytes of a digest from its words.
#[inline(always)]
pub fn words_to_bytes(words: [u32; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (four, word) in bytes.chunks_exact_mut(4).zip(words) {
        four.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// An instruction set that the hashing code is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// What every machine of the architecture has (SSE2, Neon): 4 lanes, three times.
    Baseline = 1,
    /// x86-64 with AVX2: 8 lanes, three times.
    Avx2 = 2,
    /// x86-64 with AVX-512F: 16 lanes, twice.
    Avx512 = 3,
}

impl Isa {
    /// All of them, slowest first.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Its name in results: `baseline`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine has it.
    pub fn is_detected(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

/// A function generic over [`Vector`], to be run through [`dispatch`].
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The body; must be `#[inline(always)]` all the way down to the intrinsics.
    fn run<V: Vector>(self) -> Self::Output;
}

/// Runs `kernel` compiled for `isa`; in what every machine has, where this one lacks that.
pub fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Triple<Avx2>>()
        }
        #[target_feature(enable = "avx512f,avx512bw")]
        fn avx512<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Pair<Avx512>>()
        }
        match isa {
            // SAFETY: `isa` was detected on this machine.
            Isa::Avx2 if Isa::Avx2.is_detected() => return unsafe { avx2(kernel) },
            // SAFETY: as above.
            Isa::Avx512 if Isa::Avx512.is_detected() => return unsafe { avx512(kernel) },
            _ => {}
        }
    }
    let _ = isa;
    kernel.run::<Triple<Baseline>>()
}

/// Blocks per second of the bare kernel of `isa` on one core, the best of several tries: the
/// yardstick for everything that hashes.
pub fn kernel_peak(isa: Isa) -> f64 {
    const BLOCKS: usize = 4;
    struct Peak {
        rounds: usize,
    }
    impl Kernel for Peak {
        type Output = (usize, u32);
        #[inline(always)]
        fn run<V: Vector>(self) -> (usize, u32) {
            let mut message = [V::splat(0x3031_3233); 16 * BLOCKS];
            for _ in 0..self.rounds {
                let digest = absorb(&message);
                message[..4].copy_from_slice(&digest);
            }
            (self.rounds * BLOCKS * V::LANES, message[0].lane(0))
        }
    }
    let mut best = 0.0f64;
    for _ in 0..20 {
        let start = std::time::Instant::now();
        let (blocks, _) = std::hint::black_box(dispatch(isa, Peak { rounds: 2_000 }));
        best = best.max(blocks as f64 / start.elapsed().as_secs_f64());
    }
    best
}

/// Compares every instruction set of this machine with plain words, on operands and messages that
/// `bytes` give: what tests and fuzzing call.
///
/// # Panics
/// Where one of them computes anything else.
pub fn check_against_words(bytes: &[u8]) {
    /// All operations of a vector on the words of some lanes, as rows of words.
    struct Operations<'a>(&'a dyn Fn(usize, usize) -> u32);
    impl Kernel for Operations<'_> {
        type Output = Vec<Vec<u32>>;

        #[inline(always)]
        fn run<V: Vector>(self) -> Vec<Vec<u32>> {
            let word = self.0;
            let vector = |i: usize| V::from_lanes(|lane| word(lane, i));
            let (a, b, c) = (vector(0), vector(1), vector(2));
            let mask = a.greater(b);
            let rows: Vec<[u32; 8]> =
                (0..V::LANES).map(|lane| std::array::from_fn(|i| word(lane, i))).collect();
            let block: Vec<V> = (0..16).map(vector).collect();
            let [low, high] = a.hex();
            let mut found = vec![
                a.add(b),
                a.and(b),
                a.or(b),
                a.xor(b),
                a.and_not(b),
                a.shl::<8>(),
                a.shr::<24>(),
                mask,
                a.equal(b),
                mask.select(b, c),
                a.swap_bytes(),
                low,
                high,
                a.rotate::<7, 25>(),
                a.add_f(a, b, c),
                a.add_g(a, b, c),
                a.add_h(a, b, c),
                a.add_i(a, b, c),
                V::splat(u32::from(mask.any())),
            ];
            // Rows read backwards, so that their order matters.
            found.extend(V::transpose(&rows, |lane| V::LANES - 1 - lane));
            found.extend(absorb(&block));
            let lanes = |v: V| (0..V::LANES).map(|lane| v.lane(lane)).collect();
            found.into_iter().map(lanes).collect()
        }
    }
    // The lanes differ, however few bytes there are.
    let word = |lane: usize, i: usize| {
        let at = |j: usize| match bytes.len() {
            0 => 0,
            n => bytes[(4 * (16 * lane + i) + j) % n],
        };
        let spread = (lane as u32).wrapping_mul(0x9e37_79b9) & 0x0101_0101;
        u32::from_le_bytes([at(0), at(1), at(2), at(3)]) ^ spread
    };
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_detected()) {
        let found = dispatch(isa, Operations(&word));
        let lanes = found[0].len();
        let backwards = lanes - 1;
        let mut any = false;
        for lane in 0..lanes {
            let plain = Operations(&|_, i| word(lane, i)).run::<u32>();
            any |= plain[18][0] != 0;
            for (row, (found, plain)) in found.iter().zip(&plain).enumerate() {
                match row {
                    18 => {}
                    // Lane `lane` of a transposed row is of the lane as far from the other end.
                    19..27 => assert_eq!(found[lane], word(backwards - lane, row - 19), "{isa:?}"),
                    _ => assert_eq!(found[lane], plain[0], "{isa:?}: operation {row}"),
                }
            }
        }
        assert!(found[18].iter().all(|&word| word == u32::from(any)), "{isa:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_message(message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let expected: [u8; 16] = Md5::digest(&message).into();
            prop_assert_eq!(digest(&message), expected);
        }

        /// Different messages in different lanes, on every instruction set of this machine.
        #[test]
        fn many_messages(seed in any::<u32>(), blocks in 1usize..5) {
            struct Lanes { seed: u32, blocks: usize }
            impl Kernel for Lanes {
                type Output = Vec<(Vec<u8>, [u8; 16])>;
                #[inline(always)]
                fn run<V: Vector>(self) -> Self::Output {
                    let length = 64 * self.blocks - 9;
                    let message = |lane: usize| -> Vec<u8> {
                        (0..length).map(|i| (self.seed.wrapping_mul((lane * length + i) as u32) >> 13) as u8).collect()
                    };
                    let padded: Vec<Vec<u8>> = (0..V::LANES).map(|lane| {
                        let mut bytes = message(lane);
                        bytes.push(0x80);
                        bytes.extend((8 * length as u64).to_le_bytes());
                        bytes
                    }).collect();
                    let words: Vec<V> = (0..16 * self.blocks).map(|w| V::from_lanes(|lane| {
                        u32::from_le_bytes(padded[lane][4 * w..4 * w + 4].try_into().unwrap())
                    })).collect();
                    let digests = absorb(&words);
                    (0..V::LANES).map(|lane| (message(lane), words_to_bytes(digests.map(|word| word.lane(lane))))).collect()
                }
            }
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_detected()) {
                for (message, got) in dispatch(isa, Lanes { seed, blocks }) {
                    let expected: [u8; 16] = Md5::digest(&message).into();
                    prop_assert_eq!(got, expected);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_operation_is_that_of_words(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            check_against_words(&bytes);
        }
    }

    #[test]
    fn constants_are_those_of_the_standard() {
        for (i, k) in K.into_iter().enumerate() {
            assert_eq!(k, (4_294_967_296.0 * f64::sin(i as f64 + 1.0).abs()) as u32);
        }
    }
}
