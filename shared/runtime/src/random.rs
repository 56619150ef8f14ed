//! Randomness as an argument: the system's, or a fixed sequence in tests.

use std::fmt;
use std::sync::Arc;

use domain::Entropy;
use ring::rand::{SecureRandom, SystemRandom};

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

type Fill = dyn Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync;

/// Where random bytes come from.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

impl Random {
    /// The operating system's generator.
    pub fn system() -> Self {
        let system = SystemRandom::new();
        Self(Arc::new(move |bytes| system.fill(bytes).map_err(|_| NoRandomness)))
    }

    /// Any other source.
    pub fn new(fill: impl Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Bytes for one decision.
    pub fn entropy(&self) -> Result<Entropy, NoRandomness> {
        let mut bytes = vec![0; Entropy::BYTES];
        (self.0)(&mut bytes)?;
        Ok(Entropy::new(bytes))
    }

    /// A number below `limit`, for jitter.
    pub fn below(&self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        match (self.0)(&mut bytes) {
            Ok(()) => u64::from_le_bytes(bytes) % limit.max(1),
            Err(NoRandomness) => 0,
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
