//! Mutation, as the original's evolution example does it.

use crate::cell::{Cell, RawCell, check_ops, column, edge_bit, label_shift, prune};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{Monitor, Pace};
use crate::random::Random;
use crate::space::Space;

/// Attempts at a valid mutation before giving up.
const ATTEMPTS: usize = 1_000_000;

/// The mutation of the original's evolution example on a raw module of `max_vertices` vertices
/// (dangling vertices included): each edge flips with probability `rate / vertices`, each interior
/// op changes to another with probability `rate / (vertices - 2)`; again until the result, pruned,
/// is in the space. `None` where a million attempts were not.
///
/// # Errors
/// Where an op of the module is not one of the space's; [`Error::Interrupted`] where `go_on` says no.
fn mutate_raw(
    space: &Space,
    module: RawCell,
    rate: f64,
    rng: &mut Random,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<RawCell>> {
    check_ops(module, space.num_ops())?;
    let v = module.vertices();
    let edge_rate = rate / v as f64;
    let op_rate = if v > 2 { rate / (v - 2) as f64 } else { 0.0 };
    let mut pace: Option<Pace> = None;
    for attempt in 0..ATTEMPTS {
        if attempt % 256 == 255 {
            pace.get_or_insert_default().ask(go_on)?;
        }
        let mut next = module;
        for bit in 0..v * (v - 1) / 2 {
            next.edges ^= u64::from(rng.unit() < edge_rate) << bit;
        }
        for x in 1..v - 1 {
            if rng.unit() < op_rate && space.num_ops() > 1 {
                let other = rng.below(space.num_ops() as u64 - 1);
                let op = other + u64::from(other >= u64::from(module.op(x)));
                next.labels = next.labels & !(15 << label_shift(x)) | op << label_shift(x);
            }
        }
        if space.pruned(next).is_some() {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

/// A cell as a raw module of `max_vertices` vertices: output moves to the end, and the vertices in
/// between dangle, with random ops.
pub(crate) fn embed(space: &Space, cell: Cell, rng: &mut Random) -> RawCell {
    let (v, all) = (cell.vertices(), space.max_vertices());
    if v >= all {
        return cell.raw();
    }
    let inner = cell.edges & (edge_bit(0, v - 1) - 1);
    let into_output = column(cell.edges, v - 1) << ((all - 1) * (all - 2) / 2);
    let mut labels = cell.interior();
    for x in v - 1..all - 1 {
        labels |= rng.below(space.num_ops() as u64) << label_shift(x);
    }
    RawCell::new(all, inner | into_output, labels)
}

/// Mutates each of `cells`, as a module of the most vertices; the results are pruned, in no
/// particular form.
///
/// # Errors
/// [`Error::BadRate`]; [`Error::InModule`] with a cell that is not in the space;
/// [`Error::NoMutant`]; [`Error::Interrupted`].
pub fn mutate_cells(
    space: &Space,
    cells: &[Cell],
    rate: f64,
    random: &mut Random,
    monitor: &dyn Monitor,
) -> Result<Vec<Cell>> {
    let embedded = |cell: Cell, random: &mut Random| {
        space.check(cell)?;
        Ok(embed(space, cell, random))
    };
    let mutants = mutate_each(space, cells, rate, random, embedded, monitor)?;
    // Those that are no cell when pruned were not taken.
    memory::collect(mutants.into_iter().filter_map(prune))
}

/// Mutates a module of the most vertices, which is not pruned, and nor is what comes out.
///
/// # Errors
/// As for [`mutate_cells`].
pub fn mutate_module(
    space: &Space,
    module: RawCell,
    rate: f64,
    random: &mut Random,
    monitor: &dyn Monitor,
) -> Result<RawCell> {
    let mutants = mutate_each(space, &[module], rate, random, |module, _| Ok(module), monitor)?;
    Ok(mutants[0])
}

fn mutate_each<T: Copy>(
    space: &Space,
    cells: &[T],
    rate: f64,
    random: &mut Random,
    embed: impl Fn(T, &mut Random) -> Result<RawCell>,
    monitor: &dyn Monitor,
) -> Result<Vec<RawCell>> {
    if !(0.0..=1e3).contains(&rate) {
        return Err(Error::BadRate { rate: rate.to_string() });
    }
    let (total, mut pace) = (cells.len(), Pace::default());
    let mut mutants = memory::with_capacity(total)?;
    for (i, &cell) in cells.iter().enumerate() {
        if i % 64 == 63 {
            pace.ask(|| monitor.tick(i, total))?;
        }
        let module = embed(cell, random).map_err(|wrong| wrong.in_module(i))?;
        match mutate_raw(space, module, rate, random, &|| monitor.tick(i, total))? {
            Some(mutant) => mutants.push(mutant),
            None => return Err(Error::NoMutant { rate: rate.to_string() }),
        }
    }
    Ok(mutants)
}

#[cfg(test)]
mod tests {
    use super::super::testing::cells;
    use super::*;

    #[test]
    fn mutation_keeps_to_the_space_and_to_its_seed() {
        let (space, cells) = cells(7, 9, 3);
        let mut rng = Random::new(1);
        for &cell in cells.iter().step_by(1009) {
            let raw = embed(&space, cell, &mut rng);
            assert_eq!((raw.vertices(), prune(raw)), (7, Some(cell)));
            let next = mutate_raw(&space, raw, 1.0, &mut rng, &|| true).unwrap().unwrap();
            assert!(space.check(prune(next).unwrap()).is_ok());
        }
        let raw = embed(&space, cells[1000], &mut rng);
        let draw = |seed| mutate_raw(&space, raw, 1.0, &mut Random::new(seed), &|| true).unwrap();
        assert_eq!(draw(5), draw(5));
        assert!((0..20).any(|seed| draw(seed) != draw(5)));
        // Flipping everything always cuts the only path: there is nothing to find.
        let two = Space::new(2, 1, 1).unwrap();
        let direct = RawCell::new(2, 1, 0);
        assert_eq!(mutate_raw(&two, direct, 2.0, &mut rng, &|| true), Ok(None));
    }
}
