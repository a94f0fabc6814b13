//! Values made on first use, which no fork catches half made for good.
//!
//! A child process has the memory of its parent but only the thread that forked: what another
//! thread was just putting into a [`OnceLock`] would never come, and whoever asks would wait for
//! ever. So each process fills a lock of its own, unless one is filled already.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Generations of processes, each forked while the one before it was filling its lock.
const GENERATIONS: usize = 3;

/// A value made on first use. Nobody waits for another's: threads that come at once may each make
/// it, and one is kept.
#[derive(Debug)]
pub struct Once<T> {
    slots: [(AtomicU32, OnceLock<T>); GENERATIONS],
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Once<T> {
    /// Nothing so far.
    pub const fn new() -> Self {
        Self { slots: [const { (AtomicU32::new(0), OnceLock::new()) }; GENERATIONS] }
    }

    /// The value, if it has been made.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // The first is the one that is filled, but in a child that was forked at the wrong moment.
        self.slots.iter().find_map(|(_, lock)| lock.get())
    }
}

impl<T: 'static> Once<T> {
    /// The value, made by `make` if nobody has yet.
    #[inline]
    pub fn get_or(&self, make: impl FnOnce() -> T) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.keep(make()),
        }
    }

    /// The value, made by `make` if nobody has yet.
    ///
    /// # Errors
    /// Those of `make`; the next call tries again.
    #[inline]
    pub fn get_or_try<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        match self.get() {
            Some(value) => Ok(value),
            None => make().map(|value| self.keep(value)),
        }
    }

    #[cold]
    fn keep(&self, value: T) -> &T {
        let own = std::process::id();
        for (owner, lock) in &self.slots {
            let claimed = owner.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire);
            if claimed.is_ok() || claimed == Err(own) || lock.get().is_some() {
                // Those who put something in at the same time are threads of this process.
                return lock.get_or_init(|| value);
            }
        }
        // A child of a child of a child, all forked in the nanoseconds of an assignment.
        Box::leak(Box::new(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_kept() {
        let once = Once::new();
        assert_eq!(once.get(), None);
        assert_eq!(once.get_or_try(|| Err::<i32, _>("no")), Err("no"));
        assert_eq!(once.get_or_try(|| Ok::<_, ()>(3)), Ok(&3));
        assert_eq!(once.get_or(|| 4), &3);
        let shared = Once::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || i)).collect();
            let kept: Vec<usize> = threads
                .into_iter()
                .map(|thread| *shared.get_or(|| thread.join().unwrap()))
                .collect();
            assert!(kept.iter().all(|value| *value == kept[0]));
        });
    }

    #[test]
    fn a_lock_left_half_filled_by_another_process_is_passed_by() {
        let once: Once<i32> = Once::new();
        for (owner, _) in &once.slots[..2] {
            owner.store(std::process::id() + 1, Ordering::Relaxed);
        }
        assert_eq!(once.get_or(|| 5), &5);
        assert_eq!(once.slots[2].1.get(), Some(&5));
        assert_eq!(once.get_or(|| 6), &5);
        once.slots.iter().for_each(|(owner, _)| owner.store(1, Ordering::Relaxed));
        let full: Once<i32> = Once::new();
        full.slots.iter().for_each(|(owner, _)| owner.store(1, Ordering::Relaxed));
        assert_eq!(full.get_or(|| 7), &7);
    }
}
