//! Messages in lanes: what is digested for a vertex in a round, and for a cell at the end.

use nb101_lanes::{Vector, absorb};

use super::hashes::{Hashes, Spare, sort};
use super::neighbours::{Neighbours, members};

/// Words of the longest message: the fingerprint of 11 hashes has 396 bytes, 7 blocks.
pub(super) const LONGEST: usize = 7 * 16;

/// A message in lanes, all of one length, ready to absorb.
pub(super) struct Message<V: Vector> {
    token: V::Token,
    words: [V; LONGEST],
    /// Words written so far.
    len: usize,
    /// Bytes written that do not fill a word yet.
    carry: V,
}

impl<V: Vector> Message<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token) -> Self {
        let zero = V::splat(token, 0);
        Self { token, words: [zero; LONGEST], len: 0, carry: zero }
    }

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
        let mut carry = self.carry;
        let words = self.next::<8>();
        match AFTER {
            0 => *words = *hex,
            1 => {
                for (to, &word) in words.iter_mut().zip(hex) {
                    *to = carry.or(word.shl::<8>());
                    carry = word.shr::<24>();
                }
            }
            2 => {
                for (to, &word) in words.iter_mut().zip(hex) {
                    *to = carry.or(word.shl::<16>());
                    carry = word.shr::<16>();
                }
            }
            _ => unreachable!("no other offset occurs"),
        }
        self.carry = carry;
    }

    /// Writes the hashes of the vertices in `set`, in order.
    #[inline(always)]
    fn push_sorted<const AFTER: usize>(
        &mut self,
        hashes: &[Hashes<V>],
        set: u16,
        spare: &mut Spare<V>,
    ) {
        let first = set.trailing_zeros() as usize;
        let second = (set & set.wrapping_sub(1)).trailing_zeros() as usize;
        match set.count_ones() {
            0 => {}
            1 => self.push_hex::<AFTER>(&hashes[first].0),
            2 => {
                let (a, b) = (&hashes[first], &hashes[second]);
                let swap = a.after(b);
                for (x, y) in [(b, a), (a, b)] {
                    let mut hex = a.0;
                    for w in 0..8 {
                        hex[w] = swap.select(x.0[w], y.0[w]);
                    }
                    self.push_hex::<AFTER>(&hex);
                }
            }
            n => {
                let spare = &mut spare[..n as usize];
                for (to, x) in spare.iter_mut().zip(members(set)) {
                    *to = hashes[x];
                }
                sort(spare);
                for hash in spare {
                    self.push_hex::<AFTER>(&hash.0);
                }
            }
        }
    }

    /// Writes what ends every message of `bytes` bytes, and digests it.
    #[inline(always)]
    fn digest(&mut self, bytes: usize) -> [V; 4] {
        let end = (self.len + 2).next_multiple_of(16);
        self.words[self.len..end - 2].fill(V::splat(self.token, 0));
        self.words[end - 2] = V::splat(self.token, 8 * bytes as u32);
        self.words[end - 1] = V::splat(self.token, 0);
        absorb(self.token, &self.words[..end])
    }

    /// The next hash of vertex `x`: the digest of its in-neighbours' hashes, sorted, `|`, its
    /// out-neighbours' sorted, `|`, its own.
    #[inline(always)]
    pub(super) fn neighbourhood(
        &mut self,
        hashes: &[Hashes<V>],
        x: usize,
        neighbours: &Neighbours,
        spare: &mut Spare<V>,
    ) -> Hashes<V> {
        const BAR: u32 = b'|' as u32;
        self.len = 0;
        self.push_sorted::<0>(hashes, neighbours.ins[x], spare);
        self.carry = V::splat(self.token, BAR);
        self.push_sorted::<1>(hashes, neighbours.outs[x], spare);
        self.carry = self.carry.or(V::splat(self.token, BAR << 8));
        self.push_hex::<2>(&hashes[x].0);
        let bytes = 4 * self.len + 2;
        let end = self.carry.or(V::splat(self.token, 0x80 << 16));
        self.next::<1>()[0] = end;
        Hashes::new(self.digest(bytes))
    }

    /// The digest of the sorted final hashes, printed as Python prints a list of str.
    #[inline(always)]
    pub(super) fn fingerprint(&mut self, sorted: &[Hashes<V>]) -> [V; 4] {
        let token = self.token;
        let text = |text: &[u8; 4]| V::splat(token, u32::from_le_bytes(*text));
        self.len = 0;
        self.carry = text(b"['\0\0");
        for (i, hash) in sorted.iter().enumerate() {
            if i > 0 {
                let comma = self.carry.or(text(b"\0\0',"));
                self.next::<1>()[0] = comma;
                self.carry = text(b" '\0\0");
            }
            self.push_hex::<2>(&hash.0);
        }
        let close = self.carry.or(text(b"\0\0']"));
        *self.next() = [close, V::splat(token, 0x80)];
        self.digest(4 * self.len - 4)
    }
}
