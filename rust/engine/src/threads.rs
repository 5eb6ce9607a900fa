//! Work on many columns shared out over threads: those that begin at once and end with it, and crews that stay.
use crate::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many threads work where so many were asked for: all cores where 0.
pub fn count(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// The results of `f` in the order of `items`; on all cores where `threads` is 0.
pub fn map<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = count(threads).min(items.len());
    if threads < 2 {
        return items.iter().map(f).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = vec![];
        loop {
            // Single items: one may take a thousand times as long as another.
            let i = next.fetch_add(1, Ordering::Relaxed);
            match items.get(i) {
                Some(item) => done.push((i, f(item))),
                None => return done,
            }
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The same where `f` may change the items.
pub fn map_mut<T: Send, R: Send>(threads: usize, items: &mut [T], f: impl Fn(&mut T) -> R + Sync) -> Vec<R> {
    // Fewer items are done before a second thread would have woken up.
    const WORTH_A_THREAD: usize = 16;
    let threads = count(threads).min(items.len() / WORTH_A_THREAD).max(1);
    let size = items.len().div_ceil(threads).max(1);
    let (f, mut parts) = (&f, items.chunks_mut(size));
    let Some(first) = parts.next() else { return vec![] };
    std::thread::scope(|scope| {
        let others: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter_mut().map(f).collect::<Vec<_>>())).collect();
        let mut done: Vec<R> = first.iter_mut().map(f).collect();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

/// Threads that work again and again, each with a state of its own that it keeps.
pub struct Crew<S> {
    threads: usize,
    states: Vec<S>,
    /// The others, and the process that they are of: a fork has none of them.
    others: Option<(u32, rayon::ThreadPool)>,
}

impl<S: Default + Send> Crew<S> {
    /// So many threads at most; all cores where 0. They begin when they are first at work.
    pub fn new(threads: usize) -> Self {
        Self { threads: count(threads), states: vec![], others: None }
    }

    /// Hands each item to the next thread that is free; so many threads are worth it.
    ///
    /// # Errors
    /// One of those of `f`, after which no more items are handed out to that thread; or the system gives no threads.
    pub fn hand_out<T: Send>(
        &mut self,
        worth: usize,
        items: Vec<T>,
        f: impl Fn(&mut S, T) -> Result<()> + Sync,
    ) -> Result<()> {
        let threads = worth.min(items.len()).clamp(1, self.threads);
        if self.states.len() < threads {
            self.states.resize_with(threads, S::default);
        }
        let queue = Mutex::new(items.into_iter());
        // Nothing can go wrong while it is locked.
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = |state: &mut S| std::iter::from_fn(next).try_for_each(|item| f(state, item));
        if threads == 1 {
            return self.states.first_mut().map_or(Ok(()), work);
        }
        if self.others.as_ref().is_some_and(|(process, _)| *process != std::process::id()) {
            // It would wait for threads that are not there.
            std::mem::forget(self.others.take());
        }
        let (_, others) = match &mut self.others {
            Some(others) => others,
            none => none.insert((std::process::id(), pool(self.threads - 1)?)),
        };
        let Some((first, rest)) = self.states[..threads].split_first_mut() else { return Ok(()) };
        let outcome = Mutex::new(Ok(()));
        let end = |one: Result<()>| {
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            if outcome.is_ok() {
                *outcome = one;
            }
        };
        others.in_place_scope(|scope| {
            for state in rest {
                scope.spawn(|_| end(work(state)));
            }
            end(work(first));
        });
        outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Drop for Crew<S> {
    fn drop(&mut self) {
        if self.others.as_ref().is_some_and(|(process, _)| *process != std::process::id()) {
            // They ended with the fork, and would be waited for.
            std::mem::forget(self.others.take());
        }
    }
}

/// Threads of our own: the global pool belongs to the program that we are a guest in.
///
/// # Errors
/// The system gives no threads.
pub fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("driftline-{i}"));
    pool.build().map_err(|e| Error::Storage(format!("cannot start {threads} threads: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    proptest! {
        #[test]
        fn each_item_is_handed_out_once(threads in 1usize..5, items in 0usize..100, worth in 0usize..9) {
            let mut crew: Crew<Vec<usize>> = Crew::new(threads);
            for _ in 0..2 {
                let mut done = vec![0; items];
                let work: Vec<_> = done.iter_mut().enumerate().collect();
                let outcome = crew.hand_out(worth, work, |mine, (i, done)| {
                    mine.push(i);
                    *done += 1;
                    Ok(())
                });
                prop_assert!(outcome.is_ok());
                prop_assert!(done.iter().all(|&done| done == 1));
            }
            // What threads have is theirs from one time to the next.
            prop_assert_eq!(crew.states.iter().map(Vec::len).sum::<usize>(), 2 * items);
            prop_assert!(crew.states.len() <= threads.min(worth.max(1)));
        }
    }

    #[test]
    fn an_error_is_told_and_a_panic_harms_nobody() {
        let mut crew: Crew<()> = Crew::new(3);
        let outcome = crew.hand_out(9, (0..50).collect(), |(), item: u32| match item {
            7 => Err(Error::Input("seven".into())),
            _ => Ok(()),
        });
        assert_eq!(outcome.unwrap_err().to_string(), "seven");
        let panics = catch_unwind(AssertUnwindSafe(|| {
            crew.hand_out(9, (0..50).collect(), |(), item: u32| {
                assert!(item != 7, "seven");
                Ok(())
            })
        }));
        assert!(panics.is_err());
        let met = Mutex::new(BTreeSet::new());
        let outcome = crew.hand_out(9, (0..50).collect(), |(), item: u32| {
            met.lock().unwrap().insert(item);
            Ok(())
        });
        assert!(outcome.is_ok());
        assert_eq!(met.into_inner().unwrap().len(), 50);
    }
}
