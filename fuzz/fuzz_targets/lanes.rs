//! Arbitrary bytes as operands of vectors: every instruction set computes what plain words do.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nb101_lanes::check_against_words(bytes));
