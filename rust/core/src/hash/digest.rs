//! A fingerprint as bytes and as text.

/// A fingerprint: the 16 bytes that print as 32 hexadecimal digits.
pub type Digest = [u8; 16];

/// 32 hexadecimal digits.
pub fn hex(digest: Digest) -> String {
    hex_bytes(&digest).iter().map(|&b| char::from(b)).collect()
}

/// 32 hexadecimal digits as ASCII.
#[inline(always)]
pub fn hex_bytes(digest: &Digest) -> [u8; 32] {
    let mut text = [0; 32];
    for (eight, four) in text.chunks_exact_mut(8).zip(digest.chunks_exact(4)) {
        // Four bytes become eight nibbles, a byte each, then digits: all in one word.
        let word = u64::from(u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let word = (word | word << 16) & 0x0000_ffff_0000_ffff;
        let word = (word | word << 8) & 0x00ff_00ff_00ff_00ff;
        let nibbles = word >> 4 & 0x000f_000f_000f_000f | (word & 0x000f_000f_000f_000f) << 8;
        let letter = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        let digits = nibbles + 0x3030_3030_3030_3030 + letter * 39;
        eight.copy_from_slice(&digits.to_le_bytes());
    }
    text
}

/// Reads 32 hexadecimal digits, upper or lower case.
pub fn from_hex(text: &[u8]) -> Option<Digest> {
    let mut digest = [0; 16];
    if text.len() != 32 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        let nibble = |b: u8| char::from(b).to_digit(16);
        *byte = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
    }
    Some(digest)
}
