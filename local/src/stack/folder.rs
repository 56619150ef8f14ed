//! The folder of data: one process at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Somebody else uses it.
    #[error("{0} is in use by another laurel; stop that one, or choose another folder with --data")]
    InUse(PathBuf),
    /// It cannot be made or written.
    #[error("{folder} cannot be used: {error}")]
    Unusable {
        /// Which.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A folder with its lock, which the system gives back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        let unusable = |error| FolderError::Unusable { folder: path.to_owned(), error };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = File::create(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The embedded DynamoDB's file.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    /// The local stack's own file.
    pub(super) fn state(&self) -> PathBuf {
        self.path.join("state.sqlite")
    }
}
