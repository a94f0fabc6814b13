//! How fast an instruction set is at best.

use crate::isa::{Isa, Kernel, dispatch};
use crate::md5::absorb;
use crate::vector::Vector;

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
        fn run<V: Vector>(self, token: V::Token) -> (usize, u32) {
            let mut message = [V::splat(token, 0x3031_3233); 16 * BLOCKS];
            for _ in 0..self.rounds {
                let digest = absorb(token, &message);
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
