//! MD5 (RFC 1321) over vectors: one message a lane.

use crate::vector::{Part, Vector};

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

#[inline(always)]
fn start<V: Vector>(token: V::Token) -> [V; 4] {
    let [a, b, c, d] = START;
    [V::splat(token, a), V::splat(token, b), V::splat(token, c), V::splat(token, d)]
}

/// The state after `blocks`, 16 words each (little-endian, padded as RFC 1321 says).
#[inline(always)]
pub fn absorb<V: Vector>(token: V::Token, blocks: &[V]) -> [V; 4] {
    let mut state = start(token);
    for block in blocks.as_chunks::<16>().0 {
        V::apart(token, Compress { state: &mut state, block, bits: 0 });
    }
    state
}

/// The digest of a message of `bytes` bytes: its words, the byte 0x80 after the message included,
/// and zeros up to `16 n + N` words. Of the last block the first `N` words are given; the others
/// are zeros and the message's length, no more than constants of their steps. Hashing the original
/// space takes 5 % less time for it with AVX-512, and 1 % less with AVX2.
#[inline(always)]
pub fn finish<V: Vector, const N: usize>(token: V::Token, words: &[V], bytes: usize) -> [V; 4] {
    const { assert!(N <= 14) };
    let Some((whole, last)) = words.split_last_chunk::<N>() else { unreachable!("N words") };
    let mut state = absorb(token, whole);
    V::apart(token, Compress { state: &mut state, block: last, bits: 8 * bytes as u32 });
    state
}

/// Absorbs one block, in code that is compiled once. No loop over blocks in there: the compiler
/// would keep all 64 constants ready before it, in memory.
struct Compress<'a, V, const N: usize> {
    state: &'a mut [V; 4],
    block: &'a [V; N],
    bits: u32,
}

impl<V: Vector, const N: usize> Part for Compress<'_, V, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        compress(self.state, self.block, self.bits);
    }
}

/// A block of which `N` words are given; of the others word 14 is `bits`, the rest are zero.
#[inline(always)]
fn compress<V: Vector, const N: usize>(state: &mut [V; 4], block: &[V; N], bits: u32) {
    let token = state[0].token();
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! step {
        ($f:ident, $i:expr, $word:expr, $shift:literal, $next:literal) => {
            let word = match block.get($word) {
                Some(given) => given.add(V::splat(token, K[$i])),
                None if $word == 14 => V::splat(token, K[$i].wrapping_add(bits)),
                None => V::splat(token, K[$i]),
            };
            let turned = a.add(word).$f(b, c, d).rotate::<$shift, $next>();
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
    words_to_bytes(absorb((), &words))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Kernel, dispatch};
    use md5::{Digest, Md5};
    use proptest::prelude::*;

    /// `message` with what MD5 puts at its end.
    fn padded(message: &[u8]) -> Vec<u8> {
        let mut bytes = message.to_vec();
        bytes.push(0x80);
        bytes.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
        bytes.extend((8 * message.len() as u64).to_le_bytes());
        bytes
    }

    /// Digests messages of equal numbers of blocks: message `lane % n` in each lane.
    struct Lanes<'a>(&'a [Vec<u8>]);

    impl Kernel for Lanes<'_> {
        type Output = Vec<[u8; 16]>;

        #[inline(always)]
        fn run<V: Vector>(self, token: V::Token) -> Self::Output {
            let padded: Vec<Vec<u8>> = self.0.iter().map(|message| padded(message)).collect();
            let words: Vec<V> = (0..padded[0].len() / 4)
                .map(|w| {
                    V::from_lanes(token, |lane| {
                        let bytes = &padded[lane % padded.len()][4 * w..][..4];
                        u32::from_le_bytes(bytes.try_into().unwrap())
                    })
                })
                .collect();
            let digests = absorb(token, &words);
            (0..V::LANES).map(|i| words_to_bytes(digests.map(|word| word.lane(i)))).collect()
        }
    }

    /// Digests a message, the same in all lanes, of whose last block `N` words are given.
    struct Ending<'a, const N: usize>(&'a [u8]);

    impl<const N: usize> Kernel for Ending<'_, N> {
        type Output = Vec<[u8; 16]>;

        #[inline(always)]
        fn run<V: Vector>(self, token: V::Token) -> Self::Output {
            let padded = padded(self.0);
            let words: Vec<V> = padded[..padded.len() - 4 * (16 - N)]
                .chunks_exact(4)
                .map(|b| V::splat(token, u32::from_le_bytes(b.try_into().unwrap())))
                .collect();
            let digest = finish::<V, N>(token, &words, self.0.len());
            (0..V::LANES).map(|i| words_to_bytes(digest.map(|word| word.lane(i)))).collect()
        }
    }

    /// Every length whose last block has no more words than are given.
    #[test]
    fn last_blocks_may_be_mostly_known() {
        fn check<const N: usize>() {
            // The byte after the message is in the words given, or in the block before the last.
            let fits = |length: &usize| length % 64 < 4 * N || length % 64 >= 56;
            for length in (0..260).filter(fits) {
                let message: Vec<u8> = (0..length).map(|i| (i * i + 7) as u8).collect();
                let expected: [u8; 16] = Md5::digest(&message).into();
                for isa in Isa::detected() {
                    let found = dispatch(isa, Ending::<N>(&message));
                    assert!(found.iter().all(|found| *found == expected), "{isa:?}, {N}, {length}");
                }
            }
        }
        check::<1>();
        check::<9>();
        check::<14>();
    }

    /// Expects those digests from every instruction set of this machine.
    fn expect(messages: &[Vec<u8>], digests: &[[u8; 16]]) {
        for isa in Isa::detected() {
            for (lane, found) in dispatch(isa, Lanes(messages)).into_iter().enumerate() {
                assert_eq!(found, digests[lane % digests.len()], "{isa:?}, lane {lane}");
            }
        }
    }

    /// The test suite of RFC 1321, section A.5.
    #[test]
    fn digests_are_those_of_the_standard() {
        let digits = "1234567890".repeat(8);
        let suite = [
            ("", 0xd41d8cd98f00b204e9800998ecf8427e_u128),
            ("a", 0x0cc175b9c0f1b6a831c399e269772661),
            ("abc", 0x900150983cd24fb0d6963f7d28e17f72),
            ("message digest", 0xf96b697d7cb7938d525a2f31aaf161d0),
            ("abcdefghijklmnopqrstuvwxyz", 0xc3fcd3d76192e4007dfb496cca67e13b),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                0xd174ab98d277d9f5a5611c2c9f419d9f,
            ),
            (&digits, 0x57edf4a22be3c955ac49da2e2107b67a),
        ];
        for (text, expected) in suite {
            assert_eq!(digest(text.as_bytes()), expected.to_be_bytes());
            expect(&[text.as_bytes().to_vec()], &[expected.to_be_bytes()]);
        }
    }

    #[test]
    fn constants_are_those_of_the_standard() {
        for (i, k) in K.into_iter().enumerate() {
            assert_eq!(k, (4_294_967_296.0 * f64::sin(i as f64 + 1.0).abs()) as u32);
        }
    }

    proptest! {
        #[test]
        fn one_message(message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let expected: [u8; 16] = Md5::digest(&message).into();
            prop_assert_eq!(digest(&message), expected);
        }

        /// A message of another length and content in each lane.
        #[test]
        fn many_messages(
            lanes in proptest::collection::vec((any::<u32>(), 0usize..64), 1..40),
            blocks in 1usize..5,
        ) {
            let message = |&(seed, less): &(u32, usize)| -> Vec<u8> {
                let length = (64 * blocks - 9).saturating_sub(less);
                (0..length as u32).map(|i| (seed.wrapping_mul(i) >> 13) as u8).collect()
            };
            let messages: Vec<Vec<u8>> = lanes.iter().map(message).collect();
            let digests: Vec<[u8; 16]> =
                messages.iter().map(|message| Md5::digest(message).into()).collect();
            expect(&messages, &digests);
        }
    }
}
