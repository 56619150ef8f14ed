//! How a command writes much into a stack that serves a shop at the same time: at a bounded rate, and patiently while the
//! store is away.

use std::time::{Duration, Instant};

/// How often something is tried while the store is away. With the pauses between, that is a minute.
const ATTEMPTS: u32 = 7;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A bounded rate, from when it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    began: Instant,
    /// The most of a second.
    rate: u32,
}

impl Pace {
    /// Begins now.
    pub(crate) fn begin(rate: u32) -> Self {
        Self { began: Instant::now(), rate }
    }

    /// How long it has gone on.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// How many may be under way at once: no more than belong to a second.
    pub(crate) fn at_once(&self, most: usize) -> usize {
        most.min(usize::try_from(self.rate).unwrap_or(most))
    }

    /// Waits until as many as were sent may have been.
    pub(crate) async fn wait_for_turn(&self, sent: impl TryInto<u32>) {
        let sent = sent.try_into().unwrap_or(u32::MAX);
        let turn = self.began + Duration::from_secs(1) * sent / self.rate;
        tokio::time::sleep_until(turn.into()).await;
    }
}

/// Tries again and again what fails for a while, with a longer pause each time.
pub(crate) async fn patiently<T, E, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
    is_passing: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if is_passing(&error) => {}
            done => return done,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    attempt().await
}
