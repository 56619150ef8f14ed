//! The programme's versions, kept for a while: they change a few times a year and are asked for at every order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Programmes;
use store::Store;
use tokio::sync::Mutex;

use super::EngineError;

/// Every version of the programme, read at most once a minute.
#[derive(Debug, Clone)]
pub struct ProgrammeCache {
    store: Store,
    kept: Arc<Mutex<Option<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    read_at: Instant,
    programmes: Arc<Programmes>,
}

impl ProgrammeCache {
    /// After so long the versions are read again. Real time, whatever the clock of the rules says: a new version has
    /// its own moment from which it is in force, and whoever publishes it puts that later than this.
    pub const KEPT: Duration = Duration::from_secs(60);

    /// An empty cache over a store.
    pub fn new(store: Store) -> Self {
        Self { store, kept: Arc::default() }
    }

    /// Reads the versions before the first event. Lambda gives a whole processor until then and a part of one after,
    /// so this is when to connect to the store. It may fail: whoever needs the versions reads them again.
    pub async fn warm(&self) {
        if let Err(error) = self.get().await {
            tracing::warn!(%error, "the programme was not read at start");
        }
    }

    /// Every version there is.
    pub async fn get(&self) -> Result<Arc<Programmes>, EngineError> {
        let mut kept = self.kept.lock().await;
        if let Some(Kept { read_at, programmes }) = &*kept
            && read_at.elapsed() < Self::KEPT
        {
            return Ok(Arc::clone(programmes));
        }
        // Whatever is wrong with a programme is no order's fault: nothing is parked for it.
        let read =
            self.store.programmes().await.map_err(|error| EngineError::Retryable(error.to_string()))?;
        let programmes = read.ok_or_else(|| {
            EngineError::Retryable(
                "no programme is published; publish one, and this is tried again".to_owned(),
            )
        })?;
        let programmes = Arc::new(programmes);
        *kept = Some(Kept { read_at: Instant::now(), programmes: Arc::clone(&programmes) });
        Ok(programmes)
    }
}
