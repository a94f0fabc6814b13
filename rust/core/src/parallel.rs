//! Work on all cores, with a look at the outside now and then.
//!
//! Threads live only as long as the call: there is no pool, so nothing that a forked child could
//! wait for in vain, and calls from several threads do not meet. Starting threads costs some 50
//! microseconds, so small work stays on the caller's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::memory;

/// Looks on while work runs, on the thread that asked for it.
pub trait Monitor {
    /// Called some ten times a second with the items done so far; `false` stops the work.
    fn tick(&self, done: usize, total: usize) -> bool;
}

/// A monitor that lets everything run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Monitor for Unwatched {
    fn tick(&self, _: usize, _: usize) -> bool {
        true
    }
}

static THREADS: AtomicUsize = AtomicUsize::new(0);
const INTERVAL: Duration = Duration::from_millis(50);
/// How often a working thread looks whether memory runs out.
const MEMORY_INTERVAL: Duration = Duration::from_millis(5);
/// Fewer items than this are not worth a thread.
const SMALL: usize = 2048;
/// Memory that a new thread needs: its stack above all.
const THREAD_BYTES: usize = 4 << 20;

/// Sets the number of threads for all calls from now on; 0 is one for each core.
pub fn set_threads(threads: usize) {
    THREADS.store(threads, Ordering::Relaxed);
}

/// The number of threads in use.
pub fn threads() -> usize {
    // Asking the system takes longer than many a call: once is enough.
    static CORES: AtomicUsize = AtomicUsize::new(0);
    match (THREADS.load(Ordering::Relaxed), CORES.load(Ordering::Relaxed)) {
        (0, 0) => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            CORES.store(cores, Ordering::Relaxed);
            cores
        }
        (0, cores) => cores,
        (threads, _) => threads,
    }
}

/// Says when it is time for a loop on one thread to look up.
#[derive(Debug, Clone)]
pub struct Pace {
    last: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: Instant::now() }
    }
}

impl Pace {
    /// Whether `interval` has passed since it last had.
    fn is_due(&mut self, interval: Duration) -> bool {
        let now = Instant::now();
        let due = now.duration_since(self.last) >= interval;
        if due {
            self.last = now;
        }
        due
    }

    /// Asks, some twenty times a second, whether to go on. Worth a call every few microseconds.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where `go_on` says no; [`Error::Memory`] where memory runs out.
    #[inline]
    pub fn ask(&mut self, go_on: impl FnOnce() -> bool) -> Result<()> {
        if self.is_due(INTERVAL) {
            memory::check()?;
            if !go_on() {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }
}

/// Does tasks until `next` has no more. `work` returns how many of the `total` items a task had.
///
/// There are no more threads than tasks, and fewer, at worst none but the caller's, where the
/// system has no more threads or no memory for them.
///
/// # Errors
/// The first of `work`; [`Error::Interrupted`] where the monitor stopped it; [`Error::Memory`].
/// Some tasks are then not done.
pub fn run<T: Send>(
    next: impl Fn() -> Option<T> + Sync,
    total: usize,
    work: impl Fn(T) -> Result<usize> + Sync,
    monitor: &dyn Monitor,
) -> Result<()> {
    memory::check_before_work()?;
    let threads = threads();
    if threads < 2 || total < SMALL {
        return run_here(next, total, work, monitor);
    }
    // Tasks that threads are started for.
    let waiting: Mutex<Vec<T>> = Mutex::new(next().into_iter().chain(next()).collect());
    let lock = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || {
        let task = lock().pop();
        task.or_else(&next)
    };
    if lock().len() < 2 {
        run_here(take, total, work, monitor)?;
        // Whoever looks on hears of the end, as where there are threads.
        return if monitor.tick(total, total) { Ok(()) } else { Err(Error::Interrupted) };
    }
    let done = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let failed: Mutex<Option<Error>> = Mutex::new(None);
    let (running, finished) = (Mutex::new(0usize), Condvar::new());
    /// Says that a worker has ended, also when it ends by a panic.
    struct Leaving<'a>(&'a Mutex<usize>, &'a Condvar);
    impl Drop for Leaving<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            self.1.notify_one();
        }
    }
    std::thread::scope(|scope| {
        let worker = || {
            let _leaving = Leaving(&running, &finished);
            // Threads share allocators as these see fit: that the caller has room says nothing of this
            // one. What it does not take, the others do, or the caller.
            if memory::check().is_err() {
                return;
            }
            let mut pace = Pace::default();
            while !stop.load(Ordering::Relaxed) {
                let Some(task) = take() else { break };
                let room = if pace.is_due(MEMORY_INTERVAL) { memory::check() } else { Ok(()) };
                match room.and_then(|()| work(task)) {
                    Ok(items) => {
                        done.fetch_add(items, Ordering::Relaxed);
                    }
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(error);
                    }
                }
            }
        };
        for i in 0..threads {
            if i >= 2 {
                let Some(task) = next() else { break };
                lock().push(task);
            }
            if memory::check_for(THREAD_BYTES).is_err() {
                break;
            }
            *running.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            // The system may refuse more threads: those that there are do all the work.
            if std::thread::Builder::new().spawn_scoped(scope, worker).is_err() {
                *running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
                break;
            }
        }
        let mut left = running.lock().unwrap_or_else(PoisonError::into_inner);
        while *left > 0 {
            left = finished.wait_timeout(left, INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
            drop(left);
            if !stop.load(Ordering::Relaxed) && !monitor.tick(done.load(Ordering::Relaxed), total) {
                stop.store(true, Ordering::Relaxed);
            }
            left = running.lock().unwrap_or_else(PoisonError::into_inner);
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if stop.into_inner() {
        return Err(Error::Interrupted);
    }
    // Nothing is left, unless a thread that was to do it could not be started.
    run_here(take, total, work, monitor)
}

fn run_here<T>(
    next: impl Fn() -> Option<T>,
    total: usize,
    work: impl Fn(T) -> Result<usize>,
    monitor: &dyn Monitor,
) -> Result<()> {
    let (mut done, mut pace) = (0, Pace::default());
    while let Some(task) = next() {
        done += work(task)?;
        pace.ask(|| monitor.tick(done, total))?;
    }
    Ok(())
}

/// Maps `source` to `target`, both of one length, in pieces of `size`.
///
/// # Errors
/// As for [`run`].
pub fn map_chunks<S: Sync, T: Send>(
    source: &[S],
    target: &mut [T],
    size: usize,
    work: impl Fn(usize, &[S], &mut [T]) + Sync,
    monitor: &dyn Monitor,
) -> Result<()> {
    assert_eq!(source.len(), target.len());
    let pieces = Mutex::new(source.chunks(size).zip(target.chunks_mut(size)).enumerate());
    let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |(i, (source, target)): (usize, (&[S], &mut [T]))| {
        work(i * size, source, target);
        Ok(source.len())
    };
    run(next, source.len(), work, monitor)
}

/// Makes a row of `width` numbers for each item of `source`.
///
/// # Errors
/// As for [`run`].
pub fn map_rows<S: Sync, T: Send>(
    source: &[S],
    target: &mut [T],
    width: usize,
    work: impl Fn(&S, &mut [T]) + Sync,
    monitor: &dyn Monitor,
) -> Result<()> {
    const PIECE: usize = 1 << 10;
    assert_eq!(source.len() * width, target.len());
    // Without cells a row may be of any length, also such that a piece of rows has no number.
    if target.is_empty() {
        return Ok(());
    }
    let pieces = Mutex::new(source.chunks(PIECE).zip(target.chunks_mut(PIECE * width)));
    let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |(source, target): (&[S], &mut [T])| {
        source.iter().zip(target.chunks_exact_mut(width)).for_each(|(item, row)| work(item, row));
        Ok(source.len())
    };
    run(next, source.len(), work, monitor)
}

/// Hands on the results of numbered tasks in the order of the numbers, whichever is done first.
#[derive(Debug)]
pub struct InOrder<T> {
    next: usize,
    waiting: BTreeMap<usize, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { next: 0, waiting: BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// Takes the result of task `index`, and hands on all that no earlier one holds up.
    pub fn put(&mut self, index: usize, result: T, mut hand_on: impl FnMut(T)) {
        self.waiting.insert(index, result);
        while let Some(result) = self.waiting.remove(&self.next) {
            hand_on(result);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once() {
        let source: Vec<u32> = (0..100_000).collect();
        let mut target = vec![0; source.len()];
        let work =
            |_: usize, s: &[u32], t: &mut [u32]| t.iter_mut().zip(s).for_each(|(t, s)| *t += s + 1);
        map_chunks(&source, &mut target, 97, work, &Unwatched).unwrap();
        assert!(target.iter().zip(&source).all(|(t, s)| *t == s + 1));
    }

    #[test]
    fn no_rows_may_be_of_any_length() {
        let mut none: [u8; 0] = [];
        for width in [0, 7, 1 << 54, 1 << 62, usize::MAX] {
            map_rows(&[0u8; 0], &mut none, width, |_, _| unreachable!(), &Unwatched).unwrap();
        }
        map_rows(&[1u8, 2], &mut none, 0, |_, _| unreachable!(), &Unwatched).unwrap();
    }

    #[test]
    fn every_row_is_made_once() {
        let source: Vec<u32> = (0..10_000).collect();
        let mut target = vec![0; 3 * source.len()];
        let work = |s: &u32, row: &mut [u32]| row.iter_mut().for_each(|t| *t += s + 1);
        map_rows(&source, &mut target, 3, work, &Unwatched).unwrap();
        assert!(target.chunks(3).zip(&source).all(|(row, s)| row == [s + 1; 3]));
        map_rows(&source, &mut [], 0, work, &Unwatched).unwrap();
    }

    #[test]
    fn a_monitor_stops_it() {
        struct Stop;
        impl Monitor for Stop {
            fn tick(&self, _: usize, _: usize) -> bool {
                false
            }
        }
        let slow = |()| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(1)
        };
        assert_eq!(run(|| Some(()), 1 << 20, slow, &Stop), Err(Error::Interrupted));
        assert_eq!(run_here(|| Some(()), 1 << 20, slow, &Stop), Err(Error::Interrupted));
    }

    #[test]
    fn no_more_threads_are_started_than_there_are_tasks() {
        let seen = Mutex::new(std::collections::HashSet::new());
        let before = threads();
        set_threads(64);
        for tasks in [1, 2, 3] {
            seen.lock().unwrap().clear();
            let left = AtomicUsize::new(tasks);
            let next =
                || left.try_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).ok();
            let work = |_| {
                seen.lock().unwrap().insert(std::thread::current().id());
                std::thread::sleep(Duration::from_millis(5));
                Ok(SMALL)
            };
            run(next, tasks * SMALL, work, &Unwatched).unwrap();
            let seen = seen.lock().unwrap();
            assert!((1..=tasks).contains(&seen.len()));
            assert_eq!(seen.contains(&std::thread::current().id()), tasks == 1);
        }
        set_threads(before);
    }

    #[test]
    fn what_goes_wrong_in_a_task_ends_it_all() {
        for total in [1, 1 << 20] {
            let work = |()| Err(Error::NoRecord);
            assert_eq!(run(|| Some(()), total, work, &Unwatched), Err(Error::NoRecord));
        }
    }

    #[test]
    fn results_come_in_order() {
        let (mut order, mut seen) = (InOrder::default(), Vec::new());
        for index in [2, 0, 1, 4, 3] {
            order.put(index, index, |index| seen.push(index));
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }
}
