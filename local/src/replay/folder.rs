//! The data folder of a replay: how far it came, and what it wrote down on the way.
//!
//! ```text
//! replay.json           which replay this is, and its progress
//! stack/                the local stack's own data
//! members.csv           written down as the steps of that name were done
//! snapshot-1997-03-31.csv
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::{Date, Timestamp};
use serde::{Deserialize, Serialize};

use super::plan::Action;
use super::report::Tally;
use crate::digest::Digest;

const MARKER: &str = "replay.json";
/// Held while a replay is at work; a file of its own, because the marker is replaced with each step.
const LOCK: &str = "replay.lock";
const MEMBERS: &str = "members.csv";
const SNAPSHOT: &str = "snapshot-";
const STACK: &str = "stack";
/// What a file is called until it is whole.
const UNFINISHED: &str = "unfinished";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system says no.
    #[error("{path}: {problem}")]
    Unusable {
        /// Of which file or folder.
        path: PathBuf,
        /// What.
        problem: io::Error,
    },
    /// Another process is at work in it.
    #[error("{0} is in use by another replay")]
    InUse(PathBuf),
    /// Somebody else's folder.
    #[error("{0} is not empty, and is no replay's folder; give another one with --data")]
    Foreign(PathBuf),
    /// The progress cannot be read.
    #[error("{path}: {problem}; begin anew with --fresh")]
    Unreadable {
        /// Of which file.
        path: PathBuf,
        /// What is the matter with it.
        problem: serde_json::Error,
    },
    /// It belongs to another replay.
    #[error(
        "{folder} holds the replay of another {what}; begin anew with --fresh, or give another folder with --data"
    )]
    Other {
        /// Which folder.
        folder: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// Which replay this is. Progress of one is worth nothing to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The file, by the digest of its content.
    pub file: Digest,
    /// The programme, by the digest of its rules.
    pub programme: Digest,
    /// The dates of the snapshots.
    pub as_of: Vec<Date>,
}

impl Identity {
    fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.file != other.file {
            Some("file")
        } else if self.programme != other.programme {
            Some("programme")
        } else if self.as_of != other.as_of {
            Some("list of --as-of dates")
        } else {
            None
        }
    }
}

/// How far a replay came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The first step that is not known to be done. Doing it again changes nothing.
    pub next_step: usize,
    /// Where the simulated time stands; nothing before the first step.
    pub clock: Option<Timestamp>,
    /// What was counted so far.
    pub tally: Tally,
}

#[derive(Serialize, Deserialize)]
struct Marker {
    identity: Identity,
    progress: Progress,
}

/// A replay's folder, ours alone while this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    identity: Identity,
    _lock: File,
}

impl Folder {
    /// Opens or makes the folder of a replay, and tells how far it came. With `fresh`, what an earlier replay left
    /// there is removed first.
    pub fn open(path: &Path, identity: Identity, fresh: bool) -> Result<(Self, Progress), FolderError> {
        let at = |problem| FolderError::Unusable { path: path.to_owned(), problem };
        fs::create_dir_all(path).map_err(at)?;
        let marker = path.join(MARKER);
        let is_new = !marker.exists();
        if is_new && fs::read_dir(path).map_err(at)?.flatten().any(|entry| entry.file_name() != LOCK) {
            return Err(FolderError::Foreign(path.to_owned()));
        }
        let lock = File::create(path.join(LOCK)).map_err(at)?;
        lock.try_lock().map_err(|_| FolderError::InUse(path.to_owned()))?;
        let folder = Self { path: path.to_owned(), identity, _lock: lock };
        if is_new || fresh {
            folder.clear()?;
            let progress = Progress::default();
            folder.save(&progress)?;
            return Ok((folder, progress));
        }
        let text = fs::read(&marker).map_err(at)?;
        let found: Marker = serde_json::from_slice(&text)
            .map_err(|problem| FolderError::Unreadable { path: marker, problem })?;
        if let Some(what) = folder.identity.difference(&found.identity) {
            return Err(FolderError::Other { folder: path.to_owned(), what });
        }
        Ok((folder, found.progress))
    }

    /// Remembers how far the replay came.
    pub fn save(&self, progress: &Progress) -> Result<(), FolderError> {
        let marker = Marker { identity: self.identity.clone(), progress: progress.clone() };
        let path = self.path.join(MARKER);
        let text = serde_json::to_vec_pretty(&marker)
            .map_err(|problem| FolderError::Unreadable { path: path.clone(), problem })?;
        let unfinished = path.with_extension(UNFINISHED);
        let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, &path));
        written.map_err(|problem| FolderError::Unusable { path, problem })
    }

    /// Where the local stack keeps its data.
    pub fn stack(&self) -> PathBuf {
        self.path.join(STACK)
    }

    /// Where a step writes down the members; nothing for a step that sends.
    pub fn written_by(&self, action: &Action) -> Option<PathBuf> {
        match action {
            Action::Send(_) => None,
            Action::Members => Some(self.path.join(MEMBERS)),
            Action::Snapshot(date) => Some(self.path.join(format!("{SNAPSHOT}{date}.csv"))),
        }
    }

    /// Removes what a replay makes, and nothing else.
    fn clear(&self) -> Result<(), FolderError> {
        for entry in fs::read_dir(&self.path).map_err(|problem| self.unusable(problem))? {
            let entry = entry.map_err(|problem| self.unusable(problem))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let removed = if name == STACK {
                fs::remove_dir_all(entry.path())
            } else if name == MEMBERS || name.starts_with(SNAPSHOT) || name.ends_with(UNFINISHED) {
                fs::remove_file(entry.path())
            } else {
                Ok(())
            };
            removed.map_err(|problem| FolderError::Unusable { path: entry.path(), problem })?;
        }
        Ok(())
    }

    fn unusable(&self, problem: io::Error) -> FolderError {
        FolderError::Unusable { path: self.path.clone(), problem }
    }
}

/// A file under a provisional name until it is whole.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    file: File,
}

impl Unfinished {
    /// Begins a file that is to have this name.
    pub(super) fn create(path: PathBuf) -> Result<Self, FolderError> {
        match File::create(path.with_extension(UNFINISHED)) {
            Ok(file) => Ok(Self { path, file }),
            Err(problem) => Err(FolderError::Unusable { path, problem }),
        }
    }

    /// Where to write.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The file is whole.
    pub(super) fn finish(self) -> Result<(), FolderError> {
        let Self { path, file } = self;
        drop(file);
        fs::rename(path.with_extension(UNFINISHED), &path)
            .map_err(|problem| FolderError::Unusable { path, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(file: &str) -> Identity {
        Identity { file: Digest::of(file.as_bytes()), programme: Digest::of(b"p"), as_of: Vec::new() }
    }

    fn halfway() -> Progress {
        Progress {
            next_step: 7,
            clock: Some("2024-01-31T00:00:00Z".parse().unwrap()),
            tally: Tally::default(),
        }
    }

    #[test]
    fn a_replay_goes_on_where_it_was() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let (folder, progress) = Folder::open(&path, identity("a"), false).unwrap();
        assert_eq!(progress, Progress::default());
        folder.save(&halfway()).unwrap();
        drop(folder);
        assert_eq!(Folder::open(&path, identity("a"), false).unwrap().1, halfway());
    }

    #[test]
    fn another_replay_is_told_so_and_can_begin_anew() {
        let data = tempfile::tempdir().unwrap();
        let (folder, _) = Folder::open(data.path(), identity("a"), false).unwrap();
        folder.save(&halfway()).unwrap();
        fs::create_dir(folder.stack()).unwrap();
        fs::write(data.path().join("members.csv"), "").unwrap();
        drop(folder);
        let error = Folder::open(data.path(), identity("b"), false).unwrap_err();
        assert!(error.to_string().contains("another file; begin anew with --fresh"), "{error}");
        let (folder, progress) = Folder::open(data.path(), identity("b"), true).unwrap();
        assert_eq!(progress, Progress::default());
        assert!(!folder.stack().exists());
        assert!(!data.path().join("members.csv").exists());
    }

    #[test]
    fn nobody_elses_folder_is_touched_not_even_with_fresh() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("thesis.txt"), "years of work").unwrap();
        for fresh in [false, true] {
            let error = Folder::open(data.path(), identity("a"), fresh).unwrap_err();
            assert!(matches!(error, FolderError::Foreign(_)), "{error}");
        }
        assert!(data.path().join("thesis.txt").exists());
    }

    #[test]
    fn two_replays_do_not_share_a_folder() {
        let data = tempfile::tempdir().unwrap();
        let (_folder, _) = Folder::open(data.path(), identity("a"), false).unwrap();
        let error = Folder::open(data.path(), identity("a"), false).unwrap_err();
        assert!(matches!(error, FolderError::InUse(_)), "{error}");
    }

    #[test]
    fn a_broken_progress_is_named() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(MARKER), "{").unwrap();
        let error = Folder::open(data.path(), identity("a"), false).unwrap_err();
        assert!(matches!(error, FolderError::Unreadable { .. }), "{error}");
    }
}
