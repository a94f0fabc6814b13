//! All full DAGs of a small space in a hash table, each with its structure: this spares the search
//! for the canonical form.

use super::canon::Canonical;
use crate::error::Result;
use crate::memory;

/// Every full DAG of a space: its structure, and which vertex goes where in the canonical form.
#[derive(Debug, Default)]
pub(super) struct Isomorphs {
    /// Open addressing, at most half full; key 0 is empty. The key holds size and mask; beside
    /// it is the order, four bits for each position: the vertex that goes there.
    slots: Vec<(u64, u64)>,
    /// The structure of each slot.
    targets: Vec<u32>,
    used: usize,
}

impl Isomorphs {
    fn key(v: usize, edges: u64) -> u64 {
        (v as u64) << 55 | edges
    }

    #[inline(always)]
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut i = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.slots[i].0 != key && self.slots[i].0 != 0 {
            i = (i + 1) & mask;
        }
        i
    }

    /// The structure, and four bits for each position: the vertex that goes there.
    #[inline(always)]
    pub(super) fn get(&self, v: usize, edges: u64) -> Option<(u32, u64)> {
        let key = Self::key(v, edges);
        let i = self.slot(key);
        (self.slots[i].0 == key).then(|| (self.targets[i], self.slots[i].1))
    }

    pub(super) fn insert(
        &mut self,
        v: usize,
        edges: u64,
        target: u32,
        form: &Canonical,
    ) -> Result<()> {
        if 2 * self.used >= self.slots.len() {
            let size = (2 * self.slots.len()).max(64);
            let (slots, targets) = (memory::filled((0, 0), size)?, memory::filled(0, size)?);
            let used = self.used;
            let old = std::mem::replace(self, Self { slots, targets, used });
            for ((key, order), target) in old.slots.into_iter().zip(old.targets) {
                if key != 0 {
                    let i = self.slot(key);
                    (self.slots[i], self.targets[i]) = ((key, order), target);
                }
            }
        }
        let order = (0..v).fold(0, |word, i| word | u64::from(form.order[i]) << (4 * i));
        let key = Self::key(v, edges);
        let i = self.slot(key);
        (self.slots[i], self.targets[i]) = ((key, order), target);
        self.used += 1;
        Ok(())
    }
}
