//! Kendall's rank correlation of whole columns, in the time of a sort.

/// Kendall's tau-b of two columns: concordant less discordant pairs, over the geometric mean of the
/// pairs that are not tied in either. NaN where one of them is constant, has a NaN, or has fewer than
/// two rows.
///
/// Knight's algorithm: rows in the order of `x` are merge-sorted by `y`; what the merges move past
/// each other are the discordant pairs.
///
/// # Panics
/// Where the columns differ in length.
pub fn kendall(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let n = x.len() as u64;
    // Neither column is the first: where `y` is in order already, it need not be sorted.
    let (x, y) = if is_monotone(y) { (y, x) } else { (x, y) };
    // Adding 0 makes one zero of two, so that equal numbers are equal in the total order.
    let row = |(&x, &y): (&f64, &f64)| (x + 0.0, y + 0.0);
    let mut rows: Vec<(f64, f64)> = x.iter().zip(y).map(row).collect();
    if is_monotone(x) {
        if x.first() > x.last() {
            rows.reverse();
        }
        for group in rows.chunk_by_mut(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            group.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
        }
    } else {
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    }
    let tied_x = tied_pairs(&rows, |row| row.0.to_bits());
    let tied_both = tied_pairs(&rows, |row| (row.0.to_bits(), row.1.to_bits()));
    let mut y: Vec<u64> = rows.iter().map(|row| ordinal(row.1)).collect();
    let discordant = sort_and_count(&mut y, &mut vec![0; rows.len()]);
    let tied_y = tied_pairs(&y, |&y| y);
    let pairs = n * n.saturating_sub(1) / 2;
    let (total_x, total_y) = (pairs - tied_x, pairs - tied_y);
    let concordant = (pairs + tied_both) - tied_x - tied_y - discordant;
    (concordant as f64 - discordant as f64) / ((total_x as f64).sqrt() * (total_y as f64).sqrt())
}

/// Whether numbers never fall, or never rise.
fn is_monotone(values: &[f64]) -> bool {
    values.is_sorted() || values.is_sorted_by(|a, b| a >= b)
}

/// Pairs of rows with equal keys, where equal keys stand together.
fn tied_pairs<T, K: PartialEq>(rows: &[T], key: impl Fn(&T) -> K) -> u64 {
    let groups = rows.chunk_by(|a, b| key(a) == key(b)).map(|group| group.len() as u64);
    groups.map(|size| size * (size - 1) / 2).sum()
}

/// A whole number that is in the order of numbers which are no NaN.
fn ordinal(value: f64) -> u64 {
    let bits = value.to_bits();
    // Of negative numbers all bits are turned, of others the sign.
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// Sorts `values`, and counts the pairs that were in descending order.
fn sort_and_count(values: &mut [u64], room: &mut [u64]) -> u64 {
    let n = values.len();
    if n < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(n / 2);
    let (left_room, right_room) = room.split_at_mut(n / 2);
    let mut count = sort_and_count(left, left_room) + sort_and_count(right, right_room);
    let (mut i, mut j, mut at) = (0, 0, 0);
    // Which one is less cannot be foreseen: no branch asks (two budgets of the
    // default table: 40 ms, was 58, with the sort that is left out).
    while i < left.len() && j < right.len() {
        let (a, b) = (left[i], right[j]);
        let moves = usize::from(b < a);
        room[at] = a.min(b);
        count += ((left.len() - i) & moves.wrapping_neg()) as u64;
        i += 1 - moves;
        j += moves;
        at += 1;
    }
    let rest = left.len() - i;
    room[at..at + rest].copy_from_slice(&left[i..]);
    room[at + rest..].copy_from_slice(&right[j..]);
    values.copy_from_slice(room);
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Pair by pair.
    fn plain(x: &[f64], y: &[f64]) -> f64 {
        let (mut sum, mut in_x, mut in_y) = (0.0, 0.0, 0.0);
        for i in 0..x.len() {
            for j in 0..i {
                let sign = |a: f64, b: f64| f64::from(i8::from(a > b) - i8::from(a < b));
                let (dx, dy) = (sign(x[i], x[j]), sign(y[i], y[j]));
                sum += dx * dy;
                in_x += dx * dx;
                in_y += dy * dy;
            }
        }
        sum / f64::sqrt(in_x * in_y)
    }

    #[test]
    fn agrees_with_counting_pairs() {
        let mut random = Random::new(1);
        for n in 2..60 {
            // Few values: many ties.
            let mut draw = || (0..n).map(|_| random.below(n) as f64 / 3.0 - 1.0).collect();
            let (x, y): (Vec<f64>, Vec<f64>) = (draw(), draw());
            let (found, expected) = (kendall(&x, &y), plain(&x, &y));
            assert!((found - expected).abs() < 1e-12 || found.is_nan() && expected.is_nan());
        }
    }

    #[test]
    fn what_is_in_order_is_not_sorted_again() {
        let mut random = Random::new(2);
        for n in 2..60 {
            let mut draw = || (0..n).map(|_| random.below(n) as f64 / 3.0 - 1.0).collect();
            let (mut x, y): (Vec<f64>, Vec<f64>) = (draw(), draw());
            for falls in [false, true] {
                x.sort_by(|a, b| if falls { b.total_cmp(a) } else { a.total_cmp(b) });
                let expected = plain(&x, &y);
                for found in [kendall(&x, &y), kendall(&y, &x)] {
                    assert!((found - expected).abs() < 1e-12 || expected.is_nan());
                }
            }
        }
    }

    #[test]
    fn ends_of_its_range() {
        let up: Vec<f64> = (0..1000).map(f64::from).collect();
        let down: Vec<f64> = up.iter().map(|x| -x).collect();
        assert!((kendall(&up, &up) - 1.0).abs() < 1e-12);
        assert!((kendall(&up, &down) + 1.0).abs() < 1e-12);
        assert!((kendall(&[0.0, -0.0, 1.0], &[2.0, 2.0, 3.0]) - 1.0).abs() < 1e-12);
        assert!(kendall(&up, &[1.0; 1000]).is_nan());
        assert!(kendall(&[], &[]).is_nan());
        assert!(kendall(&[1.0, f64::NAN, 2.0], &[3.0, 1.0, 2.0]).is_nan());
        assert!(kendall(&[1.0, 0.0, 2.0], &[-f64::NAN, 1.0, 2.0]).is_nan());
    }
}
