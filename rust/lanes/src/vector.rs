//! A vector of 32-bit lanes: the operations that hashing many messages needs, and nothing else.
//!
//! A vector of a CPU feature is made from a token, and only detection makes tokens: who has a
//! vector has shown that the machine knows its instructions. So every method is safe, and code
//! generic over vectors needs no unsafe block, which `unsafe fn`s would force on each of its
//! lines. A token has no size and leaves no trace in the machine code.
//!
//! Methods are `#[inline(always)]`, so they take on the CPU features of the function that they end
//! up in: one that [`Vector::apart`] runs.

/// Eight words: one lane's part of eight vectors, or half a block of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(32))]
pub struct Row(pub [u32; 8]);

/// Lanes of `u32`. Masks are vectors whose lanes are all ones or zero.
pub trait Vector: Copy {
    /// How many there are.
    const LANES: usize;
    /// What shows that this machine has the instructions.
    type Token: Copy;

    /// What this vector was made from.
    fn token(self) -> Self::Token;
    /// One word in all lanes.
    fn splat(token: Self::Token, x: u32) -> Self;
    /// A word for each lane.
    fn from_lanes(token: Self::Token, lane: impl FnMut(usize) -> u32) -> Self;
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
    /// Bits moved down by `N`, from 1 to 31.
    fn shr<const N: i32>(self) -> Self;
    /// Signed comparison, lane by lane.
    fn greater(self, other: Self) -> Self;
    /// A mask of the lanes that are equal.
    fn equal(self, other: Self) -> Self;
    /// Whether any bit of any lane is set.
    fn any(self) -> bool;
    /// Lanes of `yes` where the mask is set, else of `no`.
    fn select(self, yes: Self, no: Self) -> Self;

    /// Reverses the bytes of each lane.
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        let inner = Self::splat(self.token(), 0xff00);
        let outer = self.shl::<24>().or(self.shr::<24>());
        outer.or(self.and(inner).shl::<8>()).or(self.shr::<8>().and(inner))
    }

    /// The eight hexadecimal digits of the four bytes of each lane.
    #[inline(always)]
    fn hex(self) -> [Self; 2] {
        let token = self.token();
        let low = Self::splat(token, 0x000f_000f);
        let mut digits = [self.and(Self::splat(token, 0xffff)), self.shr::<16>()];
        for word in &mut digits {
            let spread = word.or(word.shl::<8>()).and(Self::splat(token, 0x00ff_00ff));
            let nibbles = spread.shr::<4>().and(low).or(spread.and(low).shl::<8>());
            // 1 where a letter is needed; 'a' is 39 after what would follow '9'.
            let letter = nibbles
                .add(Self::splat(token, 0x0606_0606))
                .shr::<4>()
                .and(Self::splat(token, 0x0101_0101));
            let to_letter =
                letter.shl::<5>().add(letter.shl::<2>()).add(letter.shl::<1>()).add(letter);
            *word = nibbles.add(Self::splat(token, 0x3030_3030)).add(to_letter);
        }
        digits
    }

    /// Rotates left by `L`; `R` is `32 - L`, which const generics cannot say yet.
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        self.shl::<L>().or(self.shr::<R>())
    }

    /// The four bytes that end `L / 8` bytes before `self` does, where it follows `before` in a text:
    /// `self` moved up, with the last bytes of `before`. `R` is `32 - L`.
    #[inline(always)]
    fn after<const L: i32, const R: i32>(self, before: Self) -> Self {
        self.shl::<L>().or(before.shr::<R>())
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
        self.add(y.xor(x.or(z.xor(Self::splat(self.token(), u32::MAX)))))
    }

    /// Eight words of each lane: lane `i` has `rows[index(i)]`.
    #[inline(always)]
    fn gather(
        token: Self::Token,
        rows: &[Row],
        mut index: impl FnMut(usize) -> usize,
    ) -> [Self; 8] {
        let mut at = [0; 16];
        for (lane, at) in at.iter_mut().enumerate().take(Self::LANES) {
            *at = index(lane);
        }
        let mut words = [Self::splat(token, 0); 8];
        for (w, word) in words.iter_mut().enumerate() {
            *word = Self::from_lanes(token, |lane| rows[at[lane]].0[w]);
        }
        words
    }
    /// The inverse: `rows[index(i)]` gets the eight words of lane `i`.
    #[inline(always)]
    fn scatter(words: &[Self; 8], rows: &mut [Row], mut index: impl FnMut(usize) -> usize) {
        for lane in 0..Self::LANES {
            let row = &mut rows[index(lane)];
            for (to, word) in row.0.iter_mut().zip(words) {
                *to = word.lane(lane);
            }
        }
    }

    /// Runs `part` in a function of its own that is compiled for the instructions of this vector.
    fn apart<P: Part>(token: Self::Token, part: P) -> P::Output;
}

/// What [`Vector::apart`] runs.
pub trait Part {
    /// What it returns.
    type Output;
    /// The body; must be `#[inline(always)]` all the way down to the intrinsics.
    fn run(self) -> Self::Output;
}
