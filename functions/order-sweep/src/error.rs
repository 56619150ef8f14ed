//! Why a run failed, as Lambda tells it to whoever invoked it, to the queue of failed sweeps, and to its log.

use lambda_runtime::Diagnostic;
use store::StoreError;

/// A run that failed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The orders could not be read, or the position not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// So many failed one after the other that it is not their fault; the next run begins with them.
    #[error("{0} orders in a row could not be checked")]
    ManyFailed(u32),
    /// There are orders, and nothing was achieved at all.
    #[error("no order could be checked")]
    NothingChecked,
}

/// Lambda's `errorType` is a name of ours, where the runtime would take the compiler's.
impl From<SweepError> for Diagnostic {
    fn from(error: SweepError) -> Self {
        let error_type = match error {
            SweepError::Store(_) => "StoreError",
            SweepError::ManyFailed(_) => "ManyFailed",
            SweepError::NothingChecked => "NothingChecked",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}
