//! The exact size of any space, by vertices and edges, without enumerating its structures.
//!
//! Unique cells are orbits of labelled DAGs under permutations of the interior vertices, so by
//! Burnside's lemma it is enough to count, for each cycle type, the DAGs that a permutation
//! keeps. Such a DAG has no edge inside a cycle and, between two cycles of lengths a and b, any
//! set of the gcd(a, b) orbits of lcm(a, b) edges, in one direction only: it is a weighted DAG on
//! the cycles. Those with `input` as only source and `output` as only sink are counted by
//! inclusion and exclusion over the sets of sinks, as polynomials in the number of edges
//! (compare R. W. Robinson, Counting unlabeled acyclic digraphs, 1977).

use crate::limits::MAX_VERTICES;

/// Coefficient `e` counts graphs with `e` edges.
type Polynomial = Vec<i128>;

/// Unique cells by vertices and edges: `count(...)[v][e]`, for `v` up to `max_vertices` and `e`
/// up to `max_edges`. With one op this counts structures.
pub fn count(max_vertices: usize, max_edges: usize, num_ops: usize) -> Vec<Vec<i128>> {
    debug_assert!(max_vertices <= MAX_VERTICES);
    (0..=max_vertices)
        .map(
            |v| {
                if v < 2 {
                    vec![0; max_edges + 1]
                } else {
                    count_of_size(v - 2, max_edges, num_ops)
                }
            },
        )
        .collect()
}

/// Unique cells with `n` interior vertices.
fn count_of_size(n: usize, max_edges: usize, num_ops: usize) -> Polynomial {
    let factorial = |n: usize| (1..=n as i128).product::<i128>();
    let mut total = vec![0; max_edges + 1];
    for_each_partition(n, n, &mut Vec::new(), &mut |lengths| {
        // Permutations of this cycle type: n! over the product of lengths and repeats.
        let mut centraliser: i128 = lengths.iter().map(|&a| a as i128).product();
        for a in 1..=n {
            centraliser *= factorial(lengths.iter().filter(|&&b| b == a).count());
        }
        let weight = factorial(n) / centraliser * (num_ops as i128).pow(lengths.len() as u32);
        for (sum, fixed) in total.iter_mut().zip(count_fixed(lengths, max_edges)) {
            *sum += weight * fixed;
        }
    });
    total.iter().map(|sum| sum / factorial(n)).collect()
}

fn for_each_partition(
    n: usize,
    most: usize,
    parts: &mut Vec<usize>,
    visit: &mut impl FnMut(&[usize]),
) {
    if n == 0 {
        return visit(parts);
    }
    for part in 1..=n.min(most) {
        parts.push(part);
        for_each_partition(n - part, part, parts, visit);
        parts.pop();
    }
}

/// DAGs from input to output that a permutation with these cycle lengths keeps, by edges.
fn count_fixed(lengths: &[usize], max_edges: usize) -> Polynomial {
    let m = lengths.len();
    let full = (1usize << m) - 1;
    if m == 0 {
        return (0..=max_edges).map(|e| i128::from(e == 1)).collect();
    }
    // from_input[S]: DAGs on input and the cycles S in which input is the only source. The sets K
    // of (some) sinks are peeled off: K takes any non-empty in-edges from the rest, with sign.
    let mut from_input = vec![vec![0; max_edges + 1]; full + 1];
    from_input[0][0] = 1;
    let mut total = vec![0; max_edges + 1];
    for rest in 0..=full {
        let others = full & !rest;
        // peeled[K], K a subset of the others: from_input[rest] times the in-edges of K.
        let mut peeled: Vec<Option<Polynomial>> = vec![None; full + 1];
        peeled[0] = Some(from_input[rest].clone());
        // Output takes any edges of the rest; each sink needs one, which the sign accounts for.
        let into_output = |term: &Polynomial| {
            (0..m)
                .filter(|v| rest >> v & 1 == 1)
                .fold(term.clone(), |p, v| times_binomial(&p, lengths[v]))
        };
        let in_edges: Vec<Polynomial> = (0..m)
            .map(|v| {
                if rest >> v & 1 == 1 { Vec::new() } else { in_edges(lengths, rest, v, max_edges) }
            })
            .collect();
        let mut sinks = 0usize;
        loop {
            if sinks != 0 {
                let low = sinks.trailing_zeros() as usize;
                let before = peeled[sinks & (sinks - 1)].as_ref();
                let term = times(before.expect("subsets come first"), &in_edges[low]);
                let sign = if sinks.count_ones() % 2 == 1 { 1 } else { -1 };
                add(&mut from_input[rest | sinks], &term, sign);
                peeled[sinks] = Some(term);
            }
            if rest | sinks == full {
                let sign = if sinks.count_ones().is_multiple_of(2) { 1 } else { -1 };
                let term = peeled[sinks].as_ref().expect("just made");
                add(&mut total, &into_output(term), sign);
            }
            if sinks == others {
                break;
            }
            sinks = (sinks.wrapping_sub(others)) & others; // the next subset of `others`
        }
    }
    times_binomial(&total, 1) // the edge from input to output is free
}

/// The ways to give cycle `v` at least one in-edge from input and the cycles `sources`.
fn in_edges(lengths: &[usize], sources: usize, v: usize, max_edges: usize) -> Polynomial {
    let mut ways = vec![0; max_edges + 1];
    ways[0] = 1;
    ways = times_binomial(&ways, lengths[v]); // all edges from input are one orbit
    for (_, &length) in lengths.iter().enumerate().filter(|(u, _)| sources >> u & 1 == 1) {
        let gcd = gcd(length, lengths[v]);
        for _ in 0..gcd {
            ways = times_binomial(&ways, length / gcd * lengths[v]);
        }
    }
    ways[0] -= 1;
    ways
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `p (1 + x^degree)`, cut.
fn times_binomial(p: &Polynomial, degree: usize) -> Polynomial {
    (0..p.len()).map(|e| p[e] + if e >= degree { p[e - degree] } else { 0 }).collect()
}

fn times(p: &Polynomial, q: &Polynomial) -> Polynomial {
    let mut product = vec![0; p.len()];
    for (i, &a) in p.iter().enumerate().filter(|(_, a)| **a != 0) {
        for (sum, &b) in product[i..].iter_mut().zip(q) {
            *sum += a * b;
        }
    }
    product
}

fn add(sum: &mut Polynomial, term: &Polynomial, sign: i128) {
    for (a, b) in sum.iter_mut().zip(term) {
        *a += sign * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{CellStream, Structures};

    #[test]
    fn published_counts() {
        let table = count(7, 9, 3);
        let by_vertices: Vec<i128> = table.iter().map(|row| row.iter().sum()).collect();
        assert_eq!(by_vertices, [0, 0, 1, 6, 84, 2_441, 62_010, 359_082]);
        let by_edges: Vec<i128> = (0..10).map(|e| table.iter().map(|row| row[e]).sum()).collect();
        assert_eq!(by_edges, [0, 1, 3, 12, 60, 339, 2_134, 13_984, 78_822, 328_269]);
        assert_eq!(count(7, 9, 1).iter().flatten().sum::<i128>(), 2_494);
    }

    #[test]
    fn agrees_with_enumeration() {
        for (v, e, k) in [
            (2, 1, 4),
            (3, 3, 5),
            (4, 6, 3),
            (5, 10, 2),
            (5, 7, 4),
            (6, 15, 2),
            (7, 8, 1),
            (8, 9, 2),
        ] {
            let mut cells = Vec::new();
            CellStream::new(v, e, k).fill(&mut cells, usize::MAX, &|| true).unwrap();
            let mut plain = vec![vec![0; e + 1]; v + 1];
            cells.iter().for_each(|cell| plain[cell.vertices()][cell.num_edges()] += 1);
            assert_eq!(count(v, e, k), plain, "{v} vertices, {e} edges, {k} ops");
        }
    }

    /// The same sizes by the other route: orbits of labels, structure by structure.
    #[test]
    fn agrees_with_orbit_counting_over_structures() {
        let mut structures = Structures::new(7, 21);
        let mut plain = vec![vec![0; 22]; 8];
        while let Some(s) = structures.advance(&mut usize::MAX.clone()).unwrap() {
            plain[s.vertices][s.edges.count_ones() as usize] += s.group.count_orbits(5) as i128;
        }
        assert_eq!(count(7, 21, 5), plain);
    }
}
