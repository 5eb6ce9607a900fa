//! Work on many columns shared out over threads that begin at once and end with it.
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

/// Hands each item to the next thread that is free; there are as many as states, of which each has one to itself.
///
/// # Errors
/// One of those of `f`, after which no more items are handed out to that thread.
pub fn hand_out<S: Send, T: Send, E: Send>(
    states: &mut [S],
    items: Vec<T>,
    f: impl Fn(&mut S, T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let queue = Mutex::new(items.into_iter());
    // Nothing can go wrong while it is locked.
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |state: &mut S| std::iter::from_fn(next).try_for_each(|item| f(state, item));
    let Some((first, others)) = states.split_first_mut() else { return Ok(()) };
    // Threads of a pool sleep between two calls, and the work is over before they are awake; new ones begin at once.
    std::thread::scope(|scope| {
        let others: Vec<_> = others.iter_mut().map(|state| scope.spawn(|| work(state))).collect();
        let mut outcome = work(first);
        for other in others {
            outcome = outcome.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        outcome
    })
}

/// The same where items take very different times: each thread takes the next that nobody has.
pub fn take_turns<T: Send, R: Send>(
    threads: usize,
    items: &mut [T],
    f: impl Fn(&mut T) -> R + Sync,
) -> Vec<R> {
    let items: Vec<_> = items.iter_mut().map(Mutex::new).collect();
    map(threads, &items, |item| {
        // Nobody else has it; where its lock is poisoned, the panic is on its way up.
        f(&mut item.lock().unwrap_or_else(PoisonError::into_inner))
    })
}
