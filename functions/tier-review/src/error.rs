//! Why a run failed, as Lambda tells it to whoever invoked it, to the queue of failed reviews, and to its log.

use lambda_runtime::Diagnostic;
use store::StoreError;

/// A run that failed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Who is due could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some are due, and nothing was achieved at all.
    #[error("members are due, but none could be settled")]
    NobodySettled,
}

/// Lambda's `errorType` is a name of ours, where the runtime would take the compiler's.
impl From<ReviewError> for Diagnostic {
    fn from(error: ReviewError) -> Self {
        let error_type = match error {
            ReviewError::Store(_) => "StoreError",
            ReviewError::NobodySettled => "NobodySettled",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(error_type: &str, error_message: &str) -> Diagnostic {
        Diagnostic { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
    }

    #[test]
    fn lambda_tells_each_error_by_a_plain_name() {
        let away = ReviewError::from(StoreError::Retryable("no answer".to_owned()));
        assert_eq!(Diagnostic::from(away), diagnostic("StoreError", "the store is away: no answer"));
        let nobody = diagnostic("NobodySettled", "members are due, but none could be settled");
        assert_eq!(Diagnostic::from(ReviewError::NobodySettled), nobody);
    }
}
