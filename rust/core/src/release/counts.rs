//! How many runs there are of each cell at each budget, and the order of rows that comes of it.

use crate::error::Result;
use crate::memory;

/// Cells of a page.
const PAGE: usize = 256;
/// A page that is not there.
const NONE: u32 = u32::MAX;

/// Runs by budget and cell, in pages of cells: a file may have any of the budgets that there are,
/// and a few cells of each. Two steps lead to a page, in place of a hash table's search: 0.3 s of CPU
/// of a full file, under the lock that all threads wait for.
#[derive(Debug)]
pub(super) struct Counts {
    cells: usize,
    /// By number of epochs, where in `budgets` it is; `NONE` if it is not.
    of: Vec<u32>,
    budgets: Vec<Budget>,
    pages: Vec<[u8; PAGE]>,
}

#[derive(Debug)]
struct Budget {
    epochs: i16,
    /// Where in `pages` each is.
    pages: Vec<u32>,
}

impl Counts {
    pub(super) fn new(cells: usize) -> Result<Self> {
        let of = memory::filled(NONE, i16::MAX as usize + 1)?;
        Ok(Self { cells, of, budgets: Vec::new(), pages: Vec::new() })
    }

    /// The count of a cell at a budget, which is above 0.
    #[inline]
    pub(super) fn at(&mut self, epochs: i16, id: i32) -> Result<&mut u8> {
        let (page, cell) = (id as usize / PAGE, id as usize % PAGE);
        let budget = match self.of[epochs as usize] {
            NONE => self.add_budget(epochs)?,
            budget => budget as usize,
        };
        let slot = match self.budgets[budget].pages[page] {
            NONE => self.add_page(budget, page)?,
            slot => slot as usize,
        };
        Ok(&mut self.pages[slot][cell])
    }

    #[cold]
    fn add_budget(&mut self, epochs: i16) -> Result<usize> {
        memory::reserve(&mut self.budgets, 1)?;
        let pages = memory::filled(NONE, self.cells.div_ceil(PAGE))?;
        self.of[epochs as usize] = self.budgets.len() as u32;
        self.budgets.push(Budget { epochs, pages });
        Ok(self.budgets.len() - 1)
    }

    #[cold]
    fn add_page(&mut self, budget: usize, page: usize) -> Result<usize> {
        memory::reserve(&mut self.pages, 1)?;
        self.budgets[budget].pages[page] = self.pages.len() as u32;
        self.pages.push([0; PAGE]);
        Ok(self.pages.len() - 1)
    }

    /// Budgets, cells and their counts, which are above 0, in the order of a table.
    pub(super) fn groups(&self) -> impl Iterator<Item = (i16, i32, u8)> + '_ {
        let budgets = self.of.iter().filter(|&&budget| budget != NONE);
        let budgets = budgets.map(|&budget| &self.budgets[budget as usize]);
        budgets.flat_map(move |budget| {
            let slots = budget.pages.iter().enumerate().filter(|(_, slot)| **slot != NONE);
            slots.flat_map(move |(page, &slot)| {
                let counts = self.pages[slot as usize].iter().enumerate();
                let there = counts.filter(|(_, count)| **count > 0);
                there.map(move |(cell, &count)| (budget.epochs, (page * PAGE + cell) as i32, count))
            })
        })
    }

    /// The counts of all cells at a budget.
    pub(super) fn of_budget(&self, epochs: i16) -> Result<Vec<u8>> {
        let mut all = memory::filled(0, self.cells)?;
        for (budget, id, count) in self.groups() {
            if budget == epochs {
                all[id as usize] = count;
            }
        }
        Ok(all)
    }

    /// Which row of the file each row of the table is, if that is another.
    ///
    /// Rows are counted into their places, which takes 0.1 s less of a full file than to sort keys of
    /// them. That is done where there are many cells of few runs, for which the places would take
    /// more memory than the keys.
    pub(super) fn order(&self, epochs: &[i16], ids: &[i32]) -> Result<Option<Vec<u32>>> {
        let keys = epochs.iter().zip(ids);
        if keys.is_sorted() {
            return Ok(None);
        }
        if self.pages.len() * PAGE > 2 * ids.len() {
            return sorted_order(epochs, ids).map(Some);
        }
        let mut places: Vec<[u32; PAGE]> = memory::filled([0; PAGE], self.pages.len())?;
        let mut next = 0;
        for (epochs, id, count) in self.groups() {
            *self.place(&mut places, epochs, id) = next;
            next += u32::from(count);
        }
        let mut order = memory::filled(0, ids.len())?;
        for ((&epochs, &id), row) in epochs.iter().zip(ids).zip(0..) {
            let place = self.place(&mut places, epochs, id);
            order[*place as usize] = row;
            *place += 1;
        }
        Ok(Some(order))
    }

    fn place<'a>(&self, places: &'a mut [[u32; PAGE]], epochs: i16, id: i32) -> &'a mut u32 {
        let budget = &self.budgets[self.of[epochs as usize] as usize];
        &mut places[budget.pages[id as usize / PAGE] as usize][id as usize % PAGE]
    }
}

/// [`Counts::order`], as it reads.
fn sorted_order(epochs: &[i16], ids: &[i32]) -> Result<Vec<u32>> {
    // Budget (15 bits), cell (19), row (30): rows keep their order, and so do repeats.
    let word = |((&epochs, &id), row)| (epochs as u64) << 49 | (id as u64) << 30 | row;
    let mut order: Vec<u64> = memory::collect(epochs.iter().zip(ids).zip(0..).map(word))?;
    order.sort_unstable();
    memory::collect(order.iter().map(|&word| word as u32 % (1 << 30)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_into_the_order_that_they_are_sorted_into() {
        for (cells, budgets) in [(1, 1), (300, 4), (300, 300), (5000, 2)] {
            let mut counts = Counts::new(cells).unwrap();
            let (mut epochs, mut ids) = (Vec::new(), Vec::new());
            let mut state = 7u64;
            let mut random = |n: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as usize % n
            };
            for _ in 0..20_000.min(60 * cells * budgets) {
                let (budget, id) = (1 + 100 * random(budgets) as i16, random(cells) as i32);
                *counts.at(budget, id).unwrap() += 1;
                epochs.push(budget);
                ids.push(id);
            }
            let expected = sorted_order(&epochs, &ids).unwrap();
            let in_order = expected.iter().copied().eq(0..ids.len() as u32);
            let order = counts.order(&epochs, &ids).unwrap();
            assert_eq!(order, (!in_order).then_some(expected.clone()));
            let rows = counts.groups().flat_map(|(epochs, id, count)| {
                std::iter::repeat_n((epochs, id), usize::from(count))
            });
            assert!(rows.eq(expected.iter().map(|&row| (epochs[row as usize], ids[row as usize]))));
        }
    }
}
