//! Every instruction set against plain words.

use crate::isa::{Isa, Kernel, dispatch};
use crate::md5::absorb;
use crate::vector::{Row, Vector};

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
        fn run<V: Vector>(self, token: V::Token) -> Vec<Vec<u32>> {
            let word = self.0;
            let vector = |i: usize| V::from_lanes(token, |lane| word(lane, i));
            let (a, b, c) = (vector(0), vector(1), vector(2));
            let mask = a.greater(b);
            let rows: Vec<Row> =
                (0..V::LANES).map(|lane| Row(std::array::from_fn(|i| word(lane, i)))).collect();
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
                a.after::<8, 24>(b),
                a.after::<16, 16>(b),
                a.add_f(a, b, c),
                a.add_g(a, b, c),
                a.add_h(a, b, c),
                a.add_i(a, b, c),
                V::splat(token, u32::from(mask.any())),
            ];
            // Rows read backwards, so that their order matters.
            let columns = V::gather(token, &rows, |lane| V::LANES - 1 - lane);
            let mut back = vec![Row([0; 8]); V::LANES];
            V::scatter(&columns, &mut back, |lane| V::LANES - 1 - lane);
            assert_eq!(back, rows);
            found.extend(columns);
            found.extend(absorb(token, &block));
            let lanes = |v: V| (0..V::LANES).map(|lane| v.lane(lane)).collect();
            found.into_iter().map(lanes).collect()
        }
    }
    const ANY: usize = 20;
    // The lanes differ, however few bytes there are.
    let word = |lane: usize, i: usize| {
        let at = |j: usize| match bytes.len() {
            0 => 0,
            n => bytes[(4 * (16 * lane + i) + j) % n],
        };
        let spread = (lane as u32).wrapping_mul(0x9e37_79b9) & 0x0101_0101;
        u32::from_le_bytes([at(0), at(1), at(2), at(3)]) ^ spread
    };
    for isa in Isa::detected() {
        let found = dispatch(isa, Operations(&word));
        let lanes = found[0].len();
        let backwards = lanes - 1;
        let mut any = false;
        for lane in 0..lanes {
            let plain = Operations(&|_, i| word(lane, i)).run::<u32>(());
            any |= plain[ANY][0] != 0;
            for (row, (found, plain)) in found.iter().zip(&plain).enumerate() {
                match row {
                    ANY => {}
                    // Lane `lane` of a gathered row is of the lane as far from the other end.
                    21..29 => assert_eq!(found[lane], word(backwards - lane, row - 21), "{isa:?}"),
                    _ => assert_eq!(found[lane], plain[0], "{isa:?}: operation {row}"),
                }
            }
        }
        assert!(found[ANY].iter().all(|&word| word == u32::from(any)), "{isa:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_sees_every_bit_of_every_lane() {
        struct Any;
        impl Kernel for Any {
            type Output = bool;

            #[inline(always)]
            fn run<V: Vector>(self, token: V::Token) -> bool {
                let one = |at: usize, bit: usize| {
                    V::from_lanes(token, |lane| u32::from(lane == at) << bit)
                };
                (0..V::LANES).all(|lane| (0..32).all(|bit| one(lane, bit).any()))
                    && !V::splat(token, 0).any()
            }
        }
        assert!(Isa::detected().all(|isa| dispatch(isa, Any)));
    }

    proptest! {
        #[test]
        fn every_operation_is_that_of_words(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            check_against_words(&bytes);
        }
    }
}
