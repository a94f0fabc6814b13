//! The structures of a space, and how to get from a cell to its id and back.
//!
//! An id is the rank of a cell in the reference order: the cells of the structures before its own,
//! plus the rank of its labels among the orbits of its structure. Lookup finds the structure's
//! canonical form (from a table of all isomorphs where that is small), carries the labels over
//! and ranks them; no hash is involved.

use std::collections::HashMap;

use super::canon::{Canonical, automorphisms, canonical};
use super::enumerate::FullDags;
use super::group::Group;
use super::isomorphs::Isomorphs;
use super::orbits::Orbits;
use crate::cell::{Cell, label_shift};
use crate::error::Result;
use crate::memory;
use crate::once::Once;
use crate::parallel::Pace;

/// Isomorphs kept in a table, which spares the search for the canonical form.
const MOST_ISOMORPHS: usize = 1 << 18;

/// The structures of a space, and how to get from a cell to its id and back.
#[derive(Debug)]
pub struct Catalog {
    /// In the reference order, and so sorted by offset too.
    structures: Vec<Listed>,
    groups: Vec<Lazy>,
    isomorphs: Option<Isomorphs>,
    num_ops: usize,
    size: u64,
}

/// A structure, and where the ids of its cells begin.
#[derive(Debug)]
struct Listed {
    edges: u64,
    /// Cells of all structures before.
    offset: u64,
    group: u32,
    vertices: u8,
}

/// Orbits are ranked only for groups that are asked for.
#[derive(Debug)]
struct Lazy {
    group: Group,
    orbits: Once<Orbits>,
}

impl Catalog {
    /// The structures of a space that is small enough for ids.
    pub(super) fn new(
        max_vertices: usize,
        max_edges: usize,
        num_ops: usize,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let mut catalog = Self {
            structures: Vec::new(),
            groups: Vec::new(),
            isomorphs: Some(Isomorphs::default()),
            num_ops,
            size: 0,
        };
        let mut known: HashMap<Group, (u32, u64)> = HashMap::new();
        let (mut seen, mut pace) = (0usize, Pace::default());
        for v in 2..=max_vertices {
            for edges in FullDags::new(v, max_edges) {
                seen += 1;
                if seen.is_multiple_of(1 << 8) {
                    pace.ask(go_on)?;
                }
                if seen > MOST_ISOMORPHS {
                    catalog.isomorphs = None;
                }
                let Some(group) = automorphisms(v, edges) else {
                    if let Some(isomorphs) = &mut catalog.isomorphs {
                        let form = canonical(v, edges);
                        let target = isomorphs.get(v, form.edges).expect("the least comes first").0;
                        isomorphs.insert(v, edges, target, &form)?;
                    }
                    continue;
                };
                memory::reserve(&mut catalog.structures, 1)?;
                memory::reserve(&mut catalog.groups, 1)?;
                let next = catalog.groups.len() as u32;
                let &mut (group, orbits) = known.entry(group).or_insert_with_key(|group| {
                    let lazy = Lazy { group: group.clone(), orbits: Once::new() };
                    catalog.groups.push(lazy);
                    (next, group.count_orbits(num_ops as u128) as u64)
                });
                if let Some(isomorphs) = &mut catalog.isomorphs {
                    let order = std::array::from_fn(|i| i as u8);
                    let target = catalog.structures.len() as u32;
                    isomorphs.insert(v, edges, target, &Canonical { edges, order })?;
                }
                let listed = Listed { edges, offset: catalog.size, group, vertices: v as u8 };
                catalog.structures.push(listed);
                catalog.size += orbits;
            }
        }
        catalog.structures.shrink_to_fit();
        Ok(catalog)
    }

    /// Number of cells.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The id of a pruned cell of the space, in any isomorphic form.
    #[inline]
    pub fn id(&self, cell: Cell) -> u64 {
        let (structure, labels) = self.find(cell);
        let listed = &self.structures[structure];
        listed.offset + self.orbits(listed).rank(labels)
    }

    /// The id of a pruned cell of the space, in any isomorphic form, and its reference form.
    #[inline]
    pub fn place(&self, cell: Cell) -> (u64, Cell) {
        let (structure, labels) = self.find(cell);
        let listed = &self.structures[structure];
        let orbits = self.orbits(listed);
        let rank = orbits.rank(labels);
        let vertices = usize::from(listed.vertices);
        (listed.offset + rank, Cell::new(vertices, listed.edges, orbits.labels(rank)))
    }

    /// Which structure, counted in the reference order, a pruned cell of the space has.
    #[inline]
    pub(crate) fn structure(&self, cell: Cell) -> usize {
        self.find(cell).0
    }

    /// Which structure the cell of an id below [`size`](Self::size) has.
    #[inline]
    pub(crate) fn structure_of(&self, id: u64) -> usize {
        self.structures.partition_point(|listed| listed.offset <= id) - 1
    }

    /// The structure of a cell, and its labels in the order of that.
    #[inline]
    fn find(&self, cell: Cell) -> (usize, u64) {
        let v = cell.vertices();
        match &self.isomorphs {
            Some(isomorphs) => {
                let (target, order) =
                    isomorphs.get(v, cell.edges).expect("all full DAGs of the space are there");
                let mut labels = 0;
                for i in 1..v - 1 {
                    let from = (order >> (4 * i) & 15) as usize;
                    labels |= u64::from(cell.op(from)) << label_shift(i);
                }
                (target as usize, labels)
            }
            None => {
                let form = canonical(v, cell.edges);
                let key = (v as u8, form.edges);
                let found = self.structures.partition_point(|e| (e.vertices, e.edges) < key);
                (found, form.relabel(cell).interior())
            }
        }
    }

    /// The cell of an id below [`size`](Self::size), in the reference form.
    #[inline]
    pub fn cell(&self, id: u64) -> Cell {
        let listed = &self.structures[self.structure_of(id)];
        let labels = self.orbits(listed).labels(id - listed.offset);
        Cell::new(usize::from(listed.vertices), listed.edges, labels)
    }

    #[inline]
    fn orbits(&self, listed: &Listed) -> &Orbits {
        let lazy = &self.groups[listed.group as usize];
        lazy.orbits.get_or(|| {
            Orbits::new(lazy.group.clone(), self.num_ops)
                .expect("the space has fewer than 2^63 cells")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::label_mask;
    use crate::space::{Space, representative};

    #[test]
    fn the_table_of_isomorphs_and_the_search_agree() {
        let space = Space::new(7, 9, 3).unwrap();
        let mut searching = Catalog::new(7, 9, 3, &|| true).unwrap();
        searching.isomorphs = None;
        let table = space.catalog(&|| true).unwrap();
        for (i, edges) in FullDags::new(7, 9).enumerate() {
            let labels = ((i as u64).wrapping_mul(0x9e37_79b9) % 3) << 32 | 0x0_2010_0000;
            let cell = Cell::new(7, edges, labels & label_mask(7));
            assert_eq!(table.id(cell), searching.id(cell));
            let back = table.cell(table.id(cell));
            assert_eq!(back, representative(cell));
            assert_eq!(table.place(cell), (table.id(cell), back));
        }
    }
}
