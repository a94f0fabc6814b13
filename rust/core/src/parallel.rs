//! Work on all cores, with a look at the outside now and then.
//!
//! Threads live only as long as the call: there is no pool, so nothing that a forked child could
//! wait for in vain, and calls from several threads do not meet. Starting threads costs some 50
//! microseconds, so small work stays on the caller's. Queues and the locks around them are here and
//! nowhere else: what works in parallel says what its tasks are (`try_map`, `try_fill`,
//! `try_map_chunks`, `map_rows`), or where the next one comes from and where results go (`run_in_order`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::memory;

/// Looks on while work runs, on the thread that asked for it.
pub trait Monitor {
    /// Called some twenty times a second with the items done so far; `false` stops the work.
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
/// As many results as there are may wait for those of earlier tasks.
pub(crate) const ALL: usize = usize::MAX;
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
pub(crate) struct Pace {
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
    pub(crate) fn ask(&mut self, go_on: impl FnOnce() -> bool) -> Result<()> {
        if self.is_due(INTERVAL) {
            memory::check()?;
            if !go_on() {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }
}

/// Does tasks `0..tasks` and collects what they give, in order. A monitor hears of `total` items, of
/// which each task has an equal part.
///
/// # Errors
/// As for [`run_in_order`].
pub(crate) fn try_map<R: Send>(
    tasks: usize,
    total: usize,
    work: impl Fn(usize) -> Result<R> + Sync,
    monitor: &dyn Monitor,
) -> Result<Vec<R>> {
    let mut all = memory::with_capacity(tasks)?;
    let mut left = 0..tasks;
    let up_to = |i: usize| (total as u128 * i as u128 / tasks as u128) as usize;
    let work = |i: usize| Ok((up_to(i + 1) - up_to(i), work(i)?));
    let keep = |result| {
        all.push(result);
        Ok(())
    };
    run_in_order(|| left.next(), total, work, keep, ALL, monitor)?;
    Ok(all)
}

/// Fills `target` in pieces of `size`, and collects what `work` gives for each. It is told where its
/// piece starts.
///
/// # Errors
/// As for [`run_in_order`].
pub(crate) fn try_fill<T: Send, R: Send>(
    target: &mut [T],
    size: usize,
    work: impl Fn(usize, &mut [T]) -> Result<R> + Sync,
    monitor: &dyn Monitor,
) -> Result<Vec<R>> {
    let total = target.len();
    let mut all = memory::with_capacity(total.div_ceil(size))?;
    let mut pieces = target.chunks_mut(size).enumerate();
    let work = |(i, piece): (usize, &mut [T])| Ok((piece.len(), work(i * size, piece)?));
    let keep = |result| {
        all.push(result);
        Ok(())
    };
    run_in_order(|| pieces.next(), total, work, keep, ALL, monitor)?;
    Ok(all)
}

/// [`try_fill`] from `source`, of the same length: `work` has the piece of both.
///
/// # Errors
/// As for [`run_in_order`].
pub(crate) fn try_map_chunks<S: Sync, T: Send, R: Send>(
    source: &[S],
    target: &mut [T],
    size: usize,
    work: impl Fn(usize, &[S], &mut [T]) -> Result<R> + Sync,
    monitor: &dyn Monitor,
) -> Result<Vec<R>> {
    assert_eq!(source.len(), target.len());
    let work =
        |start: usize, target: &mut [T]| work(start, &source[start..start + target.len()], target);
    try_fill(target, size, work, monitor)
}

/// [`try_map_chunks`] with nothing that can go wrong, and nothing to collect.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Memory`].
pub(crate) fn map_chunks<S: Sync, T: Send>(
    source: &[S],
    target: &mut [T],
    size: usize,
    work: impl Fn(usize, &[S], &mut [T]) + Sync,
    monitor: &dyn Monitor,
) -> Result<()> {
    let work = |start: usize, source: &[S], target: &mut [T]| {
        work(start, source, target);
        Ok(())
    };
    try_map_chunks(source, target, size, work, monitor).map(drop)
}

/// Makes a row of `width` numbers for each item of `source`.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Memory`].
pub(crate) fn map_rows<S: Sync, T: Send>(
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
    let mut pieces = source.chunks(PIECE).zip(target.chunks_mut(PIECE * width));
    let work = |(source, target): (&[S], &mut [T])| {
        source.iter().zip(target.chunks_exact_mut(width)).for_each(|(item, row)| work(item, row));
        Ok(source.len())
    };
    run(|| pieces.next(), source.len(), work, monitor)
}

/// Does tasks until `next` has no more. `work` returns how many of the `total` items a task had.
///
/// # Errors
/// As for [`run_in_order`].
pub(crate) fn run<T: Send>(
    next: impl FnMut() -> Option<T> + Send,
    total: usize,
    work: impl Fn(T) -> Result<usize> + Sync,
    monitor: &dyn Monitor,
) -> Result<()> {
    run_in_order(next, total, |task| Ok((work(task)?, ())), |()| Ok(()), ALL, monitor)
}

/// Does tasks until `next` has no more, and hands on what they give in the order of the tasks,
/// whichever is done first. `work` returns how many of the `total` items a task had, and a result.
/// While an earlier task takes long, `most_waiting` results or a few more are kept: then threads wait.
///
/// There are no more threads than tasks, and fewer, at worst none but the caller's, where the
/// system has no more threads or no memory for them.
///
/// # Errors
/// The first in the order of tasks, of `work` or `hand_on`: what comes before it has been handed
/// on, and nothing after it is. [`Error::Interrupted`] where the monitor stopped it;
/// [`Error::Memory`]. Some tasks are then not done.
///
/// # Panics
/// Where a task does: the others are then stopped too.
pub(crate) fn run_in_order<T: Send, R: Send>(
    next: impl FnMut() -> Option<T> + Send,
    total: usize,
    work: impl Fn(T) -> Result<(usize, R)> + Sync,
    hand_on: impl FnMut(R) -> Result<()> + Send,
    most_waiting: usize,
    monitor: &dyn Monitor,
) -> Result<()> {
    memory::check_before_work()?;
    let tasks = Mutex::new(Tasks { next, taken: 0, ahead: VecDeque::new() });
    let results = Mutex::new(InOrder { hand_on, next: 0, waiting: BTreeMap::new() });
    let handed_on = Condvar::new();
    let stop = AtomicBool::new(false);
    // The task's place, its items or what is wrong.
    let one = |(index, task): (usize, T)| {
        let (items, result) = work(task).map_err(|error| (index, error))?;
        let mut held = lock(&results);
        held.put(index, result)?;
        // Whoever has the task that holds up the rest does not wait here, or none would come.
        while held.waiting.len() >= most_waiting && !stop.load(Ordering::Relaxed) {
            held = handed_on.wait_timeout(held, INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(held);
        if most_waiting != ALL {
            handed_on.notify_all();
        }
        Ok(items)
    };
    let threads = threads();
    if threads < 2 || total < SMALL {
        return run_here(&tasks, total, one, monitor);
    }
    if !(lock(&tasks).fetch() && lock(&tasks).fetch()) {
        run_here(&tasks, total, one, monitor)?;
        // Whoever looks on hears of the end, as where there are threads.
        return if monitor.tick(total, total) { Ok(()) } else { Err(Error::Interrupted) };
    }
    let done = AtomicUsize::new(0);
    let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let (running, finished) = (Mutex::new(0usize), Condvar::new());
    /// Says that a worker has ended; one that ends by a panic stops the others.
    struct Leaving<'a> {
        running: &'a Mutex<usize>,
        finished: &'a Condvar,
        stop: &'a AtomicBool,
    }
    impl Drop for Leaving<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.stop.store(true, Ordering::Relaxed);
            }
            *lock(self.running) -= 1;
            self.finished.notify_one();
        }
    }
    std::thread::scope(|scope| {
        let worker = || {
            let _leaving = Leaving { running: &running, finished: &finished, stop: &stop };
            // Threads share allocators as these see fit: that the caller has room says nothing of
            // this one. What it does not take, the others do, or the caller.
            if memory::check().is_err() {
                return;
            }
            let mut pace = Pace::default();
            while !stop.load(Ordering::Relaxed) {
                let Some(task) = lock(&tasks).take() else { break };
                let room = if pace.is_due(MEMORY_INTERVAL) { memory::check() } else { Ok(()) };
                let index = task.0;
                match room.map_err(|error| (index, error)).and_then(|()| one(task)) {
                    Ok(items) => {
                        done.fetch_add(items, Ordering::Relaxed);
                    }
                    Err((index, error)) => {
                        // Whatever comes before it has been taken, and will be done.
                        stop.store(true, Ordering::Relaxed);
                        let mut failed = lock(&failed);
                        if failed.as_ref().is_none_or(|(first, _)| index < *first) {
                            *failed = Some((index, error));
                        }
                    }
                }
            }
        };
        for i in 0..threads {
            if i >= 2 && !lock(&tasks).fetch() {
                break;
            }
            if memory::check_for(THREAD_BYTES).is_err() {
                break;
            }
            *lock(&running) += 1;
            // The system may refuse more threads: those that there are do all the work.
            if std::thread::Builder::new().spawn_scoped(scope, worker).is_err() {
                *lock(&running) -= 1;
                break;
            }
        }
        let mut left = lock(&running);
        while *left > 0 {
            left = finished.wait_timeout(left, INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
            drop(left);
            if !stop.load(Ordering::Relaxed) && !monitor.tick(done.load(Ordering::Relaxed), total) {
                stop.store(true, Ordering::Relaxed);
            }
            left = lock(&running);
        }
    });
    if let Some((_, error)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    // Nothing is left, unless a thread that was to do it could not be started.
    run_here(&tasks, total, one, monitor)
}

fn run_here<T, F: FnMut() -> Option<T>>(
    tasks: &Mutex<Tasks<T, F>>,
    total: usize,
    one: impl Fn((usize, T)) -> Result<usize, (usize, Error)>,
    monitor: &dyn Monitor,
) -> Result<()> {
    let (mut done, mut pace) = (0, Pace::default());
    loop {
        let Some(task) = lock(tasks).take() else { return Ok(()) };
        done += one(task).map_err(|(_, error)| error)?;
        pace.ask(|| monitor.tick(done, total))?;
    }
}

/// What a lock guards, also where a thread panicked that held it: the panic is passed on anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one task has done with, for another to use again.
#[derive(Debug)]
pub(crate) struct Spares<T>(Mutex<Vec<T>>);

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T> Spares<T> {
    /// One that is not in use, where there is any.
    pub(crate) fn take(&self) -> Option<T> {
        lock(&self.0).pop()
    }

    /// Lets others use it. Of what there is no room for nothing is kept.
    pub(crate) fn give(&self, spare: T) {
        let mut all = lock(&self.0);
        if memory::reserve(&mut all, 1).is_ok() {
            all.push(spare);
        }
    }
}

/// Tasks in order, each with its number.
struct Tasks<T, F> {
    next: F,
    taken: usize,
    /// Tasks that threads are started for.
    ahead: VecDeque<T>,
}

impl<T, F: FnMut() -> Option<T>> Tasks<T, F> {
    /// Looks for one more task; whether there is one.
    fn fetch(&mut self) -> bool {
        let task = (self.next)();
        let found = task.is_some();
        self.ahead.extend(task);
        found
    }

    fn take(&mut self) -> Option<(usize, T)> {
        let task = self.ahead.pop_front().or_else(&mut self.next)?;
        self.taken += 1;
        Some((self.taken - 1, task))
    }
}

/// Results that wait for those of earlier tasks.
struct InOrder<R, F> {
    hand_on: F,
    next: usize,
    waiting: BTreeMap<usize, R>,
}

impl<R, F: FnMut(R) -> Result<()>> InOrder<R, F> {
    /// Takes the result of task `index`, and hands on all that no earlier one holds up. An error
    /// comes with the number of the task that it is of.
    fn put(&mut self, index: usize, result: R) -> Result<(), (usize, Error)> {
        if index != self.next {
            self.waiting.insert(index, result);
            return Ok(());
        }
        let mut ready = Some(result);
        while let Some(result) = ready {
            // Not counted on after an error: nothing more is handed on.
            (self.hand_on)(result).map_err(|error| (self.next, error))?;
            self.next += 1;
            ready = self.waiting.remove(&self.next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `test` with so many threads. Their number is one for the process: one test at a time.
    fn with_threads(threads: usize, test: impl FnOnce()) {
        static ONE: Mutex<()> = Mutex::new(());
        let _mine = lock(&ONE);
        let before = THREADS.load(Ordering::Relaxed);
        set_threads(threads);
        test();
        set_threads(before);
    }

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
        // Too few for threads.
        let mut small = 0;
        let next = || {
            small += 1;
            (small < 1000).then_some(())
        };
        assert_eq!(run(next, 1000, slow, &Stop), Err(Error::Interrupted));
    }

    #[test]
    fn no_more_threads_are_started_than_there_are_tasks() {
        let seen = Mutex::new(std::collections::HashSet::new());
        with_threads(64, || {
            for tasks in [1, 2, 3] {
                lock(&seen).clear();
                let mut left = 0..tasks;
                let work = |_| {
                    lock(&seen).insert(std::thread::current().id());
                    std::thread::sleep(Duration::from_millis(5));
                    Ok(SMALL)
                };
                run(|| left.next(), tasks * SMALL, work, &Unwatched).unwrap();
                let seen = lock(&seen);
                assert!((1..=tasks).contains(&seen.len()));
                assert_eq!(seen.contains(&std::thread::current().id()), tasks == 1);
            }
        });
    }

    #[test]
    fn a_panic_in_a_task_ends_it_all() {
        with_threads(4, || {
            let mut tasks = 0..;
            let work = |i: usize| {
                assert!(i != 9, "this panic is a test");
                Ok(1)
            };
            // Without an end to the tasks: it comes back because the other threads stop.
            let run = || run(|| tasks.next(), 1 << 20, work, &Unwatched);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            assert!(outcome.is_err());
        });
    }

    #[test]
    fn what_goes_wrong_in_a_task_ends_it_all() {
        for total in [1, 1 << 20] {
            let work = |()| Err(Error::NoRecord);
            assert_eq!(run(|| Some(()), total, work, &Unwatched), Err(Error::NoRecord));
        }
    }

    /// Lets earlier tasks take longer.
    fn sleep(i: usize) {
        std::thread::sleep(Duration::from_micros(500 * (7 - i as u64 % 8)));
    }

    #[test]
    fn results_come_in_order() {
        for total in [100, 1 << 20] {
            let work = |i: usize| {
                sleep(i);
                Ok(i * i)
            };
            let found = try_map(100, total, work, &Unwatched).unwrap();
            assert!(found.into_iter().eq((0..100).map(|i| i * i)));
        }
        assert_eq!(try_map(0, 0, Ok, &Unwatched), Ok(vec![]));
    }

    #[test]
    fn no_more_results_wait_than_may() {
        const MOST: usize = 3;
        let (done, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut left = 0..64;
        let mut next = 0;
        let work = |i: usize| {
            // The first task of every sixteen takes as long as all others would.
            let long = if i.is_multiple_of(16) { 30 } else { 0 };
            std::thread::sleep(Duration::from_millis(long));
            done.fetch_add(1, Ordering::SeqCst);
            Ok((1, i))
        };
        let hand_on = |i: usize| {
            assert_eq!(i, next);
            next += 1;
            most.fetch_max(done.load(Ordering::SeqCst) - i, Ordering::SeqCst);
            Ok(())
        };
        with_threads(4, || {
            run_in_order(|| left.next(), 1 << 20, work, hand_on, MOST, &Unwatched).unwrap();
        });
        // Those that wait, and one of each thread.
        assert!(most.into_inner() <= MOST + 4);
        assert_eq!(next, 64);
    }

    #[test]
    fn who_waits_hears_of_an_error() {
        let mut tasks = 0..;
        let work = |i: usize| {
            if i == 0 {
                std::thread::sleep(Duration::from_millis(20));
                return Err(Error::NoRecord);
            }
            Ok((1, i))
        };
        with_threads(4, || {
            let found = run_in_order(|| tasks.next(), 1 << 20, work, |_| Ok(()), 2, &Unwatched);
            assert_eq!(found, Err(Error::NoRecord));
        });
    }

    #[test]
    fn what_is_spare_is_used_again() {
        let spares = Spares::default();
        assert_eq!(spares.take(), None);
        spares.give(7);
        assert_eq!((spares.take(), spares.take()), (Some(7), None));
    }

    #[test]
    fn the_first_error_in_the_order_of_tasks_is_named() {
        let wrong = |i: usize| Error::NoRecord.in_module(i);
        // Later tasks are wrong too, and sooner done.
        let check = |first: usize| {
            let work = |i: usize| {
                sleep(i);
                if i >= first { Err(wrong(i)) } else { Ok(i) }
            };
            assert_eq!(try_map(64, 1 << 20, work, &Unwatched), Err(wrong(first)));
            let (mut left, mut seen) = (0..64, Vec::new());
            let hand_on = |i: usize| {
                if i == first {
                    return Err(wrong(i));
                }
                seen.push(i);
                Ok(())
            };
            let work = |i: usize| {
                sleep(i);
                if i > first { Err(wrong(i)) } else { Ok((1, i)) }
            };
            let found = run_in_order(|| left.next(), 1 << 20, work, hand_on, ALL, &Unwatched);
            assert_eq!((found, seen), (Err(wrong(first)), (0..first).collect()));
        };
        with_threads(8, || [0, 3, 50].into_iter().for_each(check));
    }
}
