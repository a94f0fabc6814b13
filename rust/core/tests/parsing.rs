//! The parsers of raw modules, words, hashes and frames on arbitrary bytes: what the fuzz targets
//! do, repeatably.

#[path = "invariants/frames.rs"]
mod frames;
mod invariants;
#[path = "invariants/packed.rs"]
mod packed;

use nb101_core::random::Random;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_frames_and_hashes_hold(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        packed::check_words(&bytes);
        packed::check_hash(&bytes);
        frames::check(&bytes);
    }

    #[test]
    fn text_of_hashes_holds(text in "[0-9a-fA-F]{30,34}") {
        packed::check_hash(text.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_hold(bytes in prop::collection::vec(any::<u8>(), 0..220)) {
        invariants::check(&bytes);
    }

    #[test]
    fn plain_matrices_hold(
        mut bytes in prop::collection::vec(0u8..16, 2..220),
        shape in 128u8..,
        kind in 0u8..4,
    ) {
        (bytes[0], bytes[1]) = (shape, kind);
        invariants::check(&bytes);
    }
}

#[test]
fn one_stream_of_bytes_holds() {
    let mut random = Random::new(101);
    for round in 0..20_000u64 {
        let length = 2 + random.below(200) as usize;
        let most = [2, 16, 256][(round % 3) as usize];
        let mut bytes: Vec<u8> = (0..length).map(|_| random.below(most) as u8).collect();
        (bytes[0], bytes[1]) = (random.below(256) as u8, random.below(4) as u8);
        invariants::check(&bytes);
    }
}
