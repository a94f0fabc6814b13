//! Memory that is asked for, so that too little of it is an error and not the end of the process.
//!
//! What grows with its input is allocated here. The many small allocations in between cannot fail
//! in Rust without aborting: for them some room is kept, which [`check`] looks for. It is asked
//! before work begins, every few milliseconds while it runs, and after each large allocation.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// Room that is kept for small allocations. It is more than the largest size for which glibc's
/// allocator learns to keep what is freed (32 MiB), so that asking for it has no effect that stays.
const ROOM: usize = 33 << 20;
/// Allocations of fewer bytes are small.
const LARGE: usize = 1 << 20;

/// Whether there is room for small allocations: some microseconds, nothing is touched.
///
/// # Errors
/// [`Error::Memory`].
pub fn check() -> Result<()> {
    check_for(0)
}

/// [`check`], unless one went well less than a millisecond ago: for what is called very often, and
/// may take less time than a look.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_before_work() -> Result<()> {
    /// When one last went well, in microseconds.
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64);
    // A clock that was set back gives a large number.
    if now.wrapping_sub(LAST.load(Ordering::Relaxed)) < 1000 {
        return Ok(());
    }
    check()?;
    LAST.store(now, Ordering::Relaxed);
    Ok(())
}

/// [`check`] with `more` bytes.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_for(more: usize) -> Result<()> {
    let bytes = more.saturating_add(ROOM);
    let mut room = Vec::<u8>::new();
    // Without the black box the compiler may leave out what nobody reads.
    let outcome = room.try_reserve_exact(bytes);
    black_box(&room);
    outcome.map_err(|_| Error::Memory { bytes })
}

/// An empty vector with room for `n` items.
///
/// # Errors
/// [`Error::Memory`].
pub fn with_capacity<T>(n: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    let refused = |_| Error::Memory { bytes: n.saturating_mul(size_of::<T>()) };
    vector.try_reserve_exact(n).map_err(refused)?;
    checked(vector)
}

/// `n` copies of `value`.
///
/// # Errors
/// [`Error::Memory`].
pub fn filled<T: Clone>(value: T, n: usize) -> Result<Vec<T>> {
    let mut vector = with_capacity(n)?;
    vector.resize(n, value);
    Ok(vector)
}

/// A copy of `items`.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn copied<T: Copy>(items: &[T]) -> Result<Vec<T>> {
    let mut vector = with_capacity(items.len())?;
    vector.extend_from_slice(items);
    Ok(vector)
}

/// All that `items` gives.
///
/// # Errors
/// [`Error::Memory`].
pub fn collect<T>(items: impl Iterator<Item = T>) -> Result<Vec<T>> {
    let mut vector = with_capacity(items.size_hint().0)?;
    for item in items {
        if vector.len() == vector.capacity() {
            reserve(&mut vector, 1)?;
        }
        vector.push(item);
    }
    Ok(vector)
}

/// Makes room for `more` items, and for as many as there are where that can be.
///
/// # Errors
/// [`Error::Memory`]; the vector is then as it was.
pub(crate) fn reserve<T>(vector: &mut Vec<T>, more: usize) -> Result<()> {
    if vector.capacity() - vector.len() >= more {
        return Ok(());
    }
    let bytes = vector.len().saturating_add(more).saturating_mul(size_of::<T>());
    vector
        .try_reserve(more)
        .or_else(|_| vector.try_reserve_exact(more))
        .map_err(|_| Error::Memory { bytes })?;
    if bytes >= LARGE { check() } else { Ok(()) }
}

/// A vector just allocated, if there is room for small things beside it.
fn checked<T>(vector: Vec<T>) -> Result<Vec<T>> {
    if vector.capacity().saturating_mul(size_of::<T>()) >= LARGE {
        check()?;
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        // More than any machine can address, and more than a size can say.
        assert!(matches!(with_capacity::<u64>(1 << 58), Err(Error::Memory { .. })));
        assert!(matches!(with_capacity::<u64>(usize::MAX), Err(Error::Memory { .. })));
        assert!(matches!(filled(1u8, usize::MAX / 2), Err(Error::Memory { .. })));
        let mut vector = vec![1, 2, 3];
        assert!(matches!(reserve(&mut vector, usize::MAX / 8), Err(Error::Memory { .. })));
        assert_eq!(vector, [1, 2, 3]);
        assert!(check_for(usize::MAX / 2).is_err());
    }

    #[test]
    fn what_fits_is_there() {
        assert_eq!(check(), Ok(()));
        assert_eq!((check_before_work(), check_before_work()), (Ok(()), Ok(())));
        assert_eq!(filled(7, 3).unwrap(), [7; 3]);
        assert_eq!(collect((0..5000).filter(|i| i % 2 == 0)).unwrap().len(), 2500);
        assert_eq!(copied(&[1, 2]).unwrap(), [1, 2]);
    }
}
