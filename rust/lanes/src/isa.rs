//! Instruction sets: which this machine has, and code compiled for one of them.

use crate::group::Triple;
#[cfg(target_arch = "aarch64")]
use crate::neon::{HasNeon, Neon};
use crate::portable::Portable;
use crate::vector::{Part, Vector};
#[cfg(target_arch = "x86_64")]
use crate::{
    group::Pair,
    x86::{Avx2, Avx512, HasAvx2, HasAvx512, HasSse2, Sse2},
};

/// An instruction set that code generic over [`Vector`] is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// Plain code, on every machine: 4 lanes, three times.
    Portable = 1,
    /// Vectors that every machine of the architecture has: on x86-64 SSE2, on AArch64 Neon, 4 lanes,
    /// three times; elsewhere there are none, and it is [`Isa::Portable`] once more.
    Baseline = 2,
    /// x86-64 with AVX2: 8 lanes, three times.
    Avx2 = 3,
    /// x86-64 with AVX-512F and AVX-512BW: 16 lanes, twice.
    Avx512 = 4,
}

impl Isa {
    /// All of them, slowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Baseline, Self::Avx2, Self::Avx512];

    /// Its name in results: `portable`, `baseline`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine has it.
    pub fn is_detected(self) -> bool {
        match self {
            Self::Portable | Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => HasAvx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => HasAvx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Those that this machine has, slowest first.
    pub fn detected() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_detected())
    }
}

/// A function generic over [`Vector`], to be run through [`dispatch`].
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The body, which makes its vectors from `token`; must be `#[inline(always)]` all the way
    /// down to the intrinsics.
    fn run<V: Vector>(self, token: V::Token) -> Self::Output;
}

/// Runs `kernel` compiled for `isa`; in plain code, where this machine lacks that.
pub fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        #[cfg(target_arch = "aarch64")]
        Isa::Baseline => {
            if let Some(token) = HasNeon::detect() {
                return run::<Triple<Neon>, K>(token, kernel);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Baseline => {
            if let Some(token) = HasSse2::detect() {
                return run::<Triple<Sse2>, K>(token, kernel);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => {
            if let Some(token) = HasAvx2::detect() {
                return run::<Triple<Avx2>, K>(token, kernel);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            if let Some(token) = HasAvx512::detect() {
                return run::<Pair<Avx512>, K>(token, kernel);
            }
        }
        _ => {}
    }
    run::<Triple<Portable>, K>((), kernel)
}

fn run<V: Vector, K: Kernel>(token: V::Token, kernel: K) -> K::Output {
    struct Run<V: Vector, K> {
        token: V::Token,
        kernel: K,
    }
    impl<V: Vector, K: Kernel> Part for Run<V, K> {
        type Output = K::Output;

        #[inline(always)]
        fn run(self) -> K::Output {
            self.kernel.run::<V>(self.token)
        }
    }
    V::apart(token, Run::<V, K> { token, kernel })
}
