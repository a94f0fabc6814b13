//! Modules that searchers propose, of numbers in [0, 1) that the caller draws one by one: so that
//! whoever has the numbers has the proposals, in any language (`python/nb101/search/domain.py`).
//!
//! Modules have the most vertices of the space, of which some may dangle. Each comes with the id of
//! its cell; what is none is drawn again, and `None` is what `attempts` did not make a cell.

use crate::cell::{RawCell, label_shift};
use crate::space::{Catalog, Space};

/// Draws a number in [0, 1).
pub type Draw<'a, E> = &'a mut dyn FnMut() -> Result<f64, E>;

/// A whole number below `n`, each as likely; whatever is drawn, it is below `n`.
fn below<E>(n: u64, draw: Draw<'_, E>) -> Result<u64, E> {
    Ok(((draw()? * n as f64) as u64).min(n - 1))
}

fn found(space: &Space, catalog: &Catalog, module: RawCell) -> Option<(RawCell, u64)> {
    space.pruned(module).map(|cell| (module, catalog.id(cell)))
}

/// The first of some attempts that is a cell of the space, and which one.
fn first_in<E>(
    space: &Space,
    catalog: &Catalog,
    attempts: u16,
    mut attempt: impl FnMut() -> Result<RawCell, E>,
) -> Result<Option<(RawCell, u64)>, E> {
    for _ in 0..attempts {
        let found = found(space, catalog, attempt()?);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Draws a module as the original does: each edge with probability one half, ops uniform.
///
/// # Errors
/// What `draw` fails with.
pub fn propose_random<E>(
    space: &Space,
    catalog: &Catalog,
    attempts: u16,
    draw: Draw<'_, E>,
) -> Result<Option<(RawCell, u64)>, E> {
    let v = space.max_vertices();
    let pairs = v * (v - 1) / 2;
    first_in(space, catalog, attempts, || {
        // A number has 53 bits, of which 11 vertices need more.
        let mut edges = below(1 << pairs.min(48), draw)?;
        if pairs > 48 {
            edges = edges << (pairs - 48) | below(1 << (pairs - 48), draw)?;
        }
        let mut labels = 0;
        for x in 1..v - 1 {
            labels |= below(space.num_ops() as u64, draw)? << label_shift(x);
        }
        Ok(RawCell::new(v, edges, labels))
    })
}

/// Changes one edge or one op of a module, each equally likely.
///
/// # Errors
/// What `draw` fails with.
pub fn propose_change<E>(
    space: &Space,
    catalog: &Catalog,
    module: RawCell,
    attempts: u16,
    draw: Draw<'_, E>,
) -> Result<Option<(RawCell, u64)>, E> {
    let v = module.vertices();
    let pairs = v * (v - 1) / 2;
    let ops = if space.num_ops() > 1 { v - 2 } else { 0 };
    first_in(space, catalog, attempts, || {
        let mut next = module;
        let chosen = below((pairs + ops) as u64, draw)? as usize;
        if chosen < pairs {
            next.edges ^= 1 << chosen;
        } else {
            change_op(space, &mut next, chosen - pairs + 1, draw)?;
        }
        Ok(next)
    })
}

/// Flips each edge of a module with chance 1 / vertices, changes each op with 1 / interior vertices,
/// as the original's notebook does.
///
/// # Errors
/// What `draw` fails with.
pub fn propose_changes<E>(
    space: &Space,
    catalog: &Catalog,
    module: RawCell,
    attempts: u16,
    draw: Draw<'_, E>,
) -> Result<Option<(RawCell, u64)>, E> {
    let v = module.vertices();
    let flip = 1.0 / v as f64;
    let change = if v > 2 && space.num_ops() > 1 { 1.0 / (v - 2) as f64 } else { 0.0 };
    first_in(space, catalog, attempts, || {
        let mut next = module;
        for bit in 0..v * (v - 1) / 2 {
            next.edges ^= u64::from(draw()? < flip) << bit;
        }
        for x in 1..v - 1 {
            if draw()? < change {
                change_op(space, &mut next, x, draw)?;
            }
        }
        Ok(next)
    })
}

/// Gives vertex `x` another op, where there is another: a draw that is no number in [0, 1) may ask for
/// one where there is none.
fn change_op<E>(space: &Space, module: &mut RawCell, x: usize, draw: Draw<'_, E>) -> Result<(), E> {
    let k = space.num_ops() as u64;
    if k < 2 {
        return Ok(());
    }
    let op = (u64::from(module.op(x)) + 1 + below(k - 1, draw)?) % k;
    module.labels = module.labels & !(15 << label_shift(x)) | op << label_shift(x);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::random::Random;

    #[test]
    fn proposals_are_cells_and_changes_are_small() {
        let space = Space::new(5, 7, 3).unwrap();
        let catalog = space.catalog(&|| true).unwrap();
        let mut random = Random::new(1);
        let mut draw = || Ok::<f64, Infallible>(random.unit());
        let mut known = vec![false; catalog.size() as usize];
        for _ in 0..1000 {
            let (module, id) = propose_random(&space, catalog, 1000, &mut draw).unwrap().unwrap();
            assert_eq!(space.pruned(module).map(|cell| catalog.id(cell)), Some(id));
            let (one, id) =
                propose_change(&space, catalog, module, 1000, &mut draw).unwrap().unwrap();
            assert_eq!(space.pruned(one).map(|cell| catalog.id(cell)), Some(id));
            let ops = (1..4).filter(|&x| one.op(x) != module.op(x)).count();
            assert_eq!((one.edges ^ module.edges).count_ones() as usize + ops, 1);
            known[id as usize] = true;
            let (many, id) =
                propose_changes(&space, catalog, module, 1000, &mut draw).unwrap().unwrap();
            assert_eq!(space.pruned(many).map(|cell| catalog.id(cell)), Some(id));
        }
        assert!(known.iter().filter(|&&met| met).count() > 100);
        assert_eq!(propose_random(&space, catalog, 0, &mut draw), Ok(None));
    }

    #[test]
    fn what_a_draw_fails_with_comes_back() {
        let space = Space::new(3, 3, 2).unwrap();
        let catalog = space.catalog(&|| true).unwrap();
        assert_eq!(propose_random(&space, catalog, 9, &mut || Err("dry")), Err("dry"));
    }
    #[test]
    fn a_single_op_stays_whatever_is_drawn() {
        let space = Space::new(4, 5, 1).unwrap();
        let catalog = space.catalog(&|| true).unwrap();
        let chain = RawCell::new(4, 0b100101, 0);
        for drawn in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            // Each edge in turn by a number in [0, 1), then what should be one for each op.
            let mut drawn_before = 0;
            let mut draw = || {
                drawn_before += 1;
                Ok::<f64, Infallible>(if drawn_before > 6 { drawn } else { 0.9 })
            };
            let found = propose_changes(&space, catalog, chain, 1, &mut draw).unwrap();
            assert_eq!(found.map(|(module, _)| module), Some(chain));
            assert_eq!(drawn_before, 8);
        }
    }
}
