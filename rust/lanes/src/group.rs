//! Several vectors side by side: independent chains of operations keep the pipelines full.

use crate::vector::{Part, Row, Vector};

macro_rules! group {
    ($(#[$doc:meta])* $name:ident($($part:ident),+), $n:literal, $($i:tt)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name<V>($($part),+);

        impl<V: Vector> Vector for $name<V> {
            const LANES: usize = $n * V::LANES;
            type Token = V::Token;

            #[inline(always)]
            fn token(self) -> V::Token {
                self.0.token()
            }
            #[inline(always)]
            fn splat(token: V::Token, x: u32) -> Self {
                let part = V::splat(token, x);
                Self($({ let _ = $i; part }),+)
            }
            #[inline(always)]
            fn from_lanes(token: V::Token, mut lane: impl FnMut(usize) -> u32) -> Self {
                Self($(V::from_lanes(token, |i| lane($i * V::LANES + i))),+)
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
                let mut any = V::splat(self.token(), 0);
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
            fn after<const L: i32, const R: i32>(self, before: Self) -> Self {
                Self($(self.$i.after::<L, R>(before.$i)),+)
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
            fn gather(
                token: V::Token,
                rows: &[Row],
                mut index: impl FnMut(usize) -> usize,
            ) -> [Self; 8] {
                let parts = ($(V::gather(token, rows, |lane| index($i * V::LANES + lane)),)+);
                let mut words = [Self::splat(token, 0); 8];
                for (w, word) in words.iter_mut().enumerate() {
                    *word = Self($(parts.$i[w]),+);
                }
                words
            }
            #[inline(always)]
            fn scatter(
                words: &[Self; 8],
                rows: &mut [Row],
                mut index: impl FnMut(usize) -> usize,
            ) {
                $(
                    let mut part = [words[0].$i; 8];
                    for (to, word) in part.iter_mut().zip(words) {
                        *to = word.$i;
                    }
                    V::scatter(&part, rows, |lane| index($i * V::LANES + lane));
                )+
            }
            #[inline(always)]
            fn apart<P: Part>(token: V::Token, part: P) -> P::Output {
                V::apart(token, part)
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
group!(
    /// Two chains: enough with the 32 registers and the short steps of AVX-512.
    Pair(V, V), 2, 0 1
);
group!(
    /// Three chains: a third faster than two with AVX2, where four no longer fit the registers.
    Triple(V, V, V), 3, 0 1 2
);
