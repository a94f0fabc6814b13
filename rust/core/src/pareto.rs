//! Points of several costs, of which less is better: the volume that they dominate, how near they come
//! to a front, and both after each query of a search. Points are rows in one slice.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::parallel::Monitor;

/// How often the monitor is told of a volume in the making.
const TICK: Duration = Duration::from_millis(50);

/// The hypervolume of points: of all that lies below the reference and above one of them.
///
/// Of two and three costs by a sweep, in the time of a sort; of more by what each point dominates alone of
/// those that are no worse in the last cost, as in the algorithm of While, Bradstreet and Barone (2012),
/// whose time may grow exponentially with the number of costs. Points that are not below the reference in
/// every cost dominate nothing.
///
/// # Errors
/// [`Error::Interrupted`] where the monitor stopped it.
///
/// # Panics
/// Where `points` are no rows of as many costs as the reference has.
pub fn hypervolume(points: &[f64], reference: &[f64], monitor: &impl Monitor) -> Result<f64> {
    let costs = reference.len();
    assert!(costs > 0 && points.len().is_multiple_of(costs));
    let below = |row: &&[f64]| row.iter().zip(reference).all(|(cost, most)| cost < most);
    let rows: Vec<&[f64]> = points.chunks_exact(costs).filter(below).collect();
    volume(rows, reference, &mut Clock { monitor, due: Instant::now() + TICK })
}

/// The mean distance from points of a front to the nearest of some points, IGD+ (Ishibuchi, Masuda,
/// Tanigaki, Nojima 2015): only where a point is worse than that of the front does it count as distant.
/// Infinite where there are no points, NaN where the front has none.
///
/// # Panics
/// Where `points` or `front` are no rows of `costs`.
pub fn igd_plus(points: &[f64], front: &[f64], costs: usize) -> f64 {
    assert!(costs > 0 && points.len().is_multiple_of(costs) && front.len().is_multiple_of(costs));
    let rows: Vec<&[f64]> = points.chunks_exact(costs).collect();
    distance(&rows, front, costs)
}

/// What a search has found after each of its queries: the hypervolume of what it would choose, below a
/// reference of 1 in every cost, and its IGD+.
///
/// It chooses the queries that no other one so far dominates by what it was `told`; what it has chosen is
/// judged by the `truth`.
///
/// # Errors
/// [`Error::Interrupted`] where the monitor stopped it.
///
/// # Panics
/// Where these are no rows of `costs`, or not as many of one as of the other.
pub fn course(
    told: &[f64],
    truth: &[f64],
    front: &[f64],
    costs: usize,
    monitor: &impl Monitor,
) -> Result<(Vec<f64>, Vec<f64>)> {
    assert!(costs > 0 && told.len() == truth.len() && told.len().is_multiple_of(costs));
    let reference = vec![1.0; costs];
    let row = |rows: &'_ [f64], place: usize| -> Vec<f64> {
        rows[place * costs..][..costs].to_vec()
    };
    let n = told.len() / costs;
    let (mut volumes, mut distances) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut chosen, mut now): (Vec<usize>, (f64, f64)) = (Vec::new(), (0.0, f64::INFINITY));
    for place in 0..n {
        let new = row(told, place);
        let of = |other: usize| &told[other * costs..][..costs];
        if !chosen.iter().any(|&other| dominates(of(other), &new)) {
            chosen.retain(|&other| !dominates(&new, of(other)));
            chosen.push(place);
            let points: Vec<f64> = chosen.iter().flat_map(|&other| row(truth, other)).collect();
            let volume = hypervolume(&points, &reference, monitor)?;
            now = (volume, igd_plus(&points, front, costs));
        }
        volumes.push(now.0);
        distances.push(now.1);
    }
    Ok((volumes, distances))
}

/// Whether a point is at most as large as another throughout, and less in one cost.
fn dominates(one: &[f64], other: &[f64]) -> bool {
    one.iter().zip(other).all(|(a, b)| a <= b) && one.iter().zip(other).any(|(a, b)| a < b)
}

/// Whether a point is at most as large as another throughout.
fn covers(one: &[f64], other: &[f64]) -> bool {
    one.iter().zip(other).all(|(a, b)| a <= b)
}

fn distance(rows: &[&[f64]], front: &[f64], costs: usize) -> f64 {
    let square = |aim: &[f64], row: &[f64]| -> f64 {
        row.iter().zip(aim).map(|(cost, least)| (cost - least).max(0.0).powi(2)).sum()
    };
    let nearest = |aim: &[f64]| -> f64 {
        rows.iter().map(|row| square(aim, row)).fold(f64::INFINITY, f64::min).sqrt()
    };
    front.chunks_exact(costs).map(nearest).sum::<f64>() / (front.len() / costs) as f64
}

/// Asks the monitor now and then whether to go on.
struct Clock<'a, M> {
    monitor: &'a M,
    due: Instant,
}

impl<M: Monitor> Clock<'_, M> {
    fn look(&mut self) -> Result<()> {
        let now = Instant::now();
        if now < self.due {
            return Ok(());
        }
        self.due = now + TICK;
        if self.monitor.tick(0, 0) { Ok(()) } else { Err(Error::Interrupted) }
    }
}

/// The hypervolume of points that lie below the reference.
fn volume<M: Monitor>(
    mut rows: Vec<&[f64]>,
    reference: &[f64],
    clock: &mut Clock<'_, M>,
) -> Result<f64> {
    let last = reference.len() - 1;
    match last {
        0 => return Ok(rows.iter().map(|row| reference[0] - row[0]).fold(0.0, f64::max)),
        1 => return Ok(area(&mut rows, reference)),
        2 => return Ok(sweep(&mut rows, reference)),
        _ => clock.look()?,
    }
    // The worst in the last cost first: what two points dominate both begins at the first one's.
    rows.sort_unstable_by(|a, b| b[last].total_cmp(&a[last]));
    let mut total = 0.0;
    for (place, row) in rows.iter().enumerate() {
        let own: f64 = row[..last].iter().zip(reference).map(|(cost, most)| most - cost).product();
        let worse = |other: &&[f64]| -> Vec<f64> {
            row[..last].iter().zip(*other).map(|(a, b)| a.max(*b)).collect()
        };
        let both: Vec<Vec<f64>> = rows[place + 1..].iter().map(worse).collect();
        let mut kept: Vec<&[f64]> = Vec::new();
        for point in &both {
            if !kept.iter().any(|other| covers(other, point)) {
                kept.retain(|other| !covers(point, other));
                kept.push(point);
            }
        }
        let common = volume(kept, &reference[..last], clock)?;
        total += (reference[last] - row[last]) * (own - common);
    }
    Ok(total)
}

/// The area above points of two costs.
fn area(rows: &mut [&[f64]], reference: &[f64]) -> f64 {
    rows.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
    let (mut total, mut level) = (0.0, reference[1]);
    for row in rows {
        if row[1] < level {
            total += (reference[0] - row[0]) * (level - row[1]);
            level = row[1];
        }
    }
    total
}

/// The volume above points of three costs: areas of the first two, from one level of the third to the next.
fn sweep(rows: &mut [&[f64]], reference: &[f64]) -> f64 {
    rows.sort_unstable_by(|a, b| a[2].total_cmp(&b[2]));
    // The front in the plane, the first cost ascending and the second descending.
    let mut steps: Vec<(f64, f64)> = Vec::with_capacity(rows.len());
    let (mut total, mut area, mut level) = (0.0, 0.0, reference[2]);
    for row in rows {
        let (x, y, z) = (row[0], row[1], row[2]);
        total += area * (z - level);
        level = z;
        let first = steps.partition_point(|step| step.0 < x);
        let mut above = if first == 0 { reference[1] } else { steps[first - 1].1 };
        if above <= y || steps.get(first).is_some_and(|step| step.0 == x && step.1 <= y) {
            continue;
        }
        let (mut after, mut from) = (first, x);
        while let Some(step) = steps.get(after).filter(|step| step.1 >= y) {
            area += (step.0 - from) * (above - y);
            (from, above) = *step;
            after += 1;
        }
        let to = steps.get(after).map_or(reference[0], |step| step.0);
        area += (to - from) * (above - y);
        steps.splice(first..after, [(x, y)]);
    }
    total + area * (reference[2] - level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Unwatched;
    use crate::random::Random;

    /// By inclusion and exclusion: what all points of a subset dominate both lies above their maximum.
    fn plainly(points: &[f64], reference: &[f64]) -> f64 {
        let rows: Vec<&[f64]> = points.chunks_exact(reference.len()).collect();
        (1..1_u32 << rows.len())
            .map(|subset| {
                let sign = if subset.count_ones() % 2 == 1 { 1.0 } else { -1.0 };
                let inside = |place: &usize| subset >> place & 1 == 1;
                let edge = |cost: usize| {
                    let most = (0..rows.len()).filter(inside).map(|x| rows[x][cost]);
                    (reference[cost] - most.fold(f64::MIN, f64::max)).max(0.0)
                };
                sign * (0..reference.len()).map(edge).product::<f64>()
            })
            .sum()
    }

    /// Numbers of few values, so that some are equal.
    fn some(n: usize, random: &mut Random) -> Vec<f64> {
        (0..n).map(|_| random.below(8) as f64 / 6.0).collect()
    }

    #[test]
    fn volumes_are_those_of_inclusion_and_exclusion() {
        let random = &mut Random::new(1);
        for costs in 1..=5 {
            for n in 0..=9 {
                let (points, reference) = (some(n * costs, random), vec![1.0; costs]);
                let found = hypervolume(&points, &reference, &Unwatched).unwrap();
                let plain = plainly(&points, &reference);
                assert!((found - plain).abs() < 1e-12, "{costs} {n}: {found} {plain}");
            }
        }
    }

    #[test]
    fn the_course_is_that_of_what_is_chosen_anew() {
        let random = &mut Random::new(2);
        for costs in 1..=4 {
            let (told, truth) = (some(30 * costs, random), some(30 * costs, random));
            let front = some(5 * costs, random);
            let reference = vec![1.0; costs];
            let (volumes, distances) = course(&told, &truth, &front, costs, &Unwatched).unwrap();
            let told: Vec<&[f64]> = told.chunks_exact(costs).collect();
            for n in 1..=30 {
                let best = |&x: &usize| !told[..n].iter().any(|other| dominates(other, told[x]));
                let kept: Vec<f64> = (0..n)
                    .filter(best)
                    .flat_map(|x| truth[x * costs..][..costs].to_vec())
                    .collect();
                assert_eq!(
                    volumes[n - 1],
                    hypervolume(&kept, &reference, &Unwatched).unwrap()
                );
                assert_eq!(distances[n - 1], igd_plus(&kept, &front, costs));
            }
        }
    }

    #[test]
    fn distances_count_what_is_worse_alone() {
        assert_eq!(igd_plus(&[0.5, 0.5], &[0.5, 0.1], 2), 0.4);
        assert_eq!(igd_plus(&[0.0, 0.5], &[0.5, 0.1, 0.2, 0.8], 2), 0.2);
        assert_eq!(igd_plus(&[], &[0.5, 0.1], 2), f64::INFINITY);
        assert!(igd_plus(&[0.5, 0.5], &[], 2).is_nan());
    }

    #[test]
    fn a_long_one_is_stopped() {
        struct Stop;
        impl Monitor for Stop {
            fn tick(&self, _: usize, _: usize) -> bool {
                false
            }
        }
        let random = &mut Random::new(3);
        let points: Vec<f64> = (0..400 * 12).map(|_| random.unit()).collect();
        assert_eq!(hypervolume(&points, &[1.0; 12], &Stop), Err(Error::Interrupted));
    }
}
