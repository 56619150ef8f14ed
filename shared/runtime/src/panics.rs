//! A fault of ours in one record or request is that one's alone: it is caught, and the rest goes on.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

/// The code panicked. It does not say with which words: they may quote what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fault in Laurel itself; the log's line \"panicked\" says where")]
pub struct Panicked;

/// The future's output, or that it panicked. What it had changed in memory must be sound whenever it stops, as it
/// must for a future that is dropped.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    // On the heap: what a record leads to is large, and waits within many others.
    let mut future = Box::pin(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(words) => {
            forget(words);
            Poll::Ready(Err(Panicked))
        }
    })
    .await
}

/// Dropping the words runs code of theirs, which may panic once more.
fn forget(words: Box<dyn Any + Send>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(words)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_also_after_the_future_has_waited() {
        let falls = async |falls: bool| {
            tokio::task::yield_now().await;
            assert!(!falls, "on purpose");
        };
        assert_eq!(caught(falls(true)).await, Err(Panicked));
        assert_eq!(caught(falls(false)).await, Ok(()));
    }
}
