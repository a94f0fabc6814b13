//! Messages in lanes: what is digested for a vertex in a round, and for a cell at the end.

use nb101_lanes::{Vector, finish};

use super::hashes::{Hashes, sort};
use super::neighbours::members;
use crate::limits::MAX_VERTICES;

/// Words of the longest message: the fingerprint of 11 hashes has 396 bytes, 7 blocks.
const LONGEST: usize = 7 * 16;

/// A message in lanes, all of one length, ready to absorb.
pub(super) struct Message<V: Vector> {
    token: V::Token,
    text: Text<V>,
    /// Room to sort in.
    spare: [Hashes<V>; MAX_VERTICES],
}

struct Text<V: Vector> {
    words: [V; LONGEST],
    /// Words written so far.
    len: usize,
    /// A word whose last bytes are those written that do not fill a word yet.
    carry: V,
}

impl<V: Vector> Text<V> {
    /// Room for the next words.
    #[inline(always)]
    fn next<const N: usize>(&mut self) -> &mut [V; N] {
        let (room, _) = self.words[self.len..].split_first_chunk_mut().expect("no longer message");
        self.len += N;
        room
    }

    /// Writes digits after `AFTER` bytes in `carry`, and keeps as many there.
    #[inline(always)]
    fn push_hex<const AFTER: usize>(&mut self, hex: &[V; 8]) {
        let mut before = self.carry;
        for (to, &word) in self.next::<8>().iter_mut().zip(hex) {
            *to = match AFTER {
                0 => word,
                1 => word.after::<8, 24>(before),
                2 => word.after::<16, 16>(before),
                _ => unreachable!("no other offset occurs"),
            };
            before = word;
        }
        self.carry = before;
    }
}

impl<V: Vector> Message<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token) -> Self {
        let zero = V::splat(token, 0);
        let spare = [Hashes::none(token); MAX_VERTICES];
        Self { token, text: Text { words: [zero; LONGEST], len: 0, carry: zero }, spare }
    }

    /// Writes the hashes of the vertices in `set`, in order.
    #[inline(always)]
    fn push_sorted<const AFTER: usize>(&mut self, hashes: &[Hashes<V>], set: u16) {
        let first = set.trailing_zeros() as usize;
        let second = (set & set.wrapping_sub(1)).trailing_zeros() as usize;
        match set.count_ones() {
            0 => {}
            1 => self.text.push_hex::<AFTER>(&hashes[first].0),
            2 => {
                let (a, b) = (&hashes[first], &hashes[second]);
                let swap = a.after(b);
                for (x, y) in [(b, a), (a, b)] {
                    let mut hex = a.0;
                    for w in 0..8 {
                        hex[w] = swap.select(x.0[w], y.0[w]);
                    }
                    self.text.push_hex::<AFTER>(&hex);
                }
            }
            n => {
                let sorted = &mut self.spare[..n as usize];
                for (to, x) in sorted.iter_mut().zip(members(set)) {
                    for (to, &word) in to.0.iter_mut().zip(&hashes[x].0) {
                        *to = word;
                    }
                }
                sort(sorted);
                for hash in sorted {
                    self.text.push_hex::<AFTER>(&hash.0);
                }
            }
        }
    }

    /// The digest of a message of `bytes` bytes, of which all words are written.
    #[inline(always)]
    fn digest(&mut self, bytes: usize) -> [V; 4] {
        let given = match self.text.len % 16 {
            // Of an even number of hashes, and of an odd one: what the rounds digest.
            0 | 1 | 15 => 1,
            2..=9 => 9,
            _ => 14,
        };
        let zeros = (given + 16 - self.text.len % 16) % 16;
        self.text.words[self.text.len..self.text.len + zeros].fill(V::splat(self.token, 0));
        let words = &self.text.words[..self.text.len + zeros];
        match given {
            1 => finish::<V, 1>(self.token, words, bytes),
            9 => finish::<V, 9>(self.token, words, bytes),
            _ => finish::<V, 14>(self.token, words, bytes),
        }
    }

    /// The next hash of vertex `own`: the digest of its in-neighbours' hashes, sorted, `|`, its
    /// out-neighbours' sorted, `|`, its own.
    #[inline(always)]
    pub(super) fn neighbourhood(
        &mut self,
        hashes: &[Hashes<V>],
        (ins, outs, own): (u16, u16, usize),
        next: &mut Hashes<V>,
    ) {
        const BAR: u32 = (b'|' as u32) << 24;
        let (token, bar) = (self.token, V::splat(self.token, BAR));
        self.text.len = 0;
        self.push_sorted::<0>(hashes, ins);
        self.text.carry = bar;
        self.push_sorted::<1>(hashes, outs);
        self.text.carry = self.text.carry.shr::<8>().and(V::splat(token, 0xff << 16)).or(bar);
        self.text.push_hex::<2>(&hashes[own].0);
        let bytes = 4 * self.text.len + 2;
        let end = self.text.carry.shr::<16>().or(V::splat(token, 0x80 << 16));
        self.text.next::<1>()[0] = end;
        next.set(self.digest(bytes));
    }

    /// The digest of the sorted final hashes, printed as Python prints a list of str.
    #[inline(always)]
    pub(super) fn fingerprint(&mut self, sorted: &[Hashes<V>]) -> [V; 4] {
        let token = self.token;
        let text = |text: &[u8; 4]| V::splat(token, u32::from_le_bytes(*text));
        self.text.len = 0;
        self.text.carry = text(b"\0\0['");
        for (i, hash) in sorted.iter().enumerate() {
            if i > 0 {
                let comma = self.text.carry.shr::<16>().or(text(b"\0\0',"));
                self.text.next::<1>()[0] = comma;
                self.text.carry = text(b"\0\0 '");
            }
            self.text.push_hex::<2>(&hash.0);
        }
        let close = self.text.carry.shr::<16>().or(text(b"\0\0']"));
        *self.text.next() = [close, V::splat(token, 0x80)];
        self.digest(4 * self.text.len - 4)
    }
}
