//! Asking whoever sits at the terminal before something that is hard to take back.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;

/// The answer to a question; nothing where there is no terminal to ask at. Anything but a yes is a no.
pub(super) fn ask(question: &str) -> anyhow::Result<Option<bool>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    write!(io::stderr(), "{question} [y/N] ").context("standard error")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("standard input")?;
    Ok(Some(is_yes(&answer)))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(["y", "Y\n", " yes "].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yess", "ja"].into_iter().any(is_yes));
    }
}
