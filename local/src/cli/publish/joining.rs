//! A programme that begins to reach across sources: the members there are get the names by which they are found from then on.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Context as _;
use domain::Programme;
use runtime::{Budget, Clash, Clock, Engine, Joined, Random};
use store::Store;

use super::NOTICE;

/// Whether publishing this programme changes by what members are found at every source, or finishes that.
pub(super) async fn begins(store: &Store, programme: &Programme, again: bool) -> anyhow::Result<bool> {
    let before = super::newest(store).await?.map(|version| version.programme.identity);
    let is_new = before.is_some_and(|before| before != programme.identity);
    Ok(programme.identity.across_sources && (is_new || again))
}

/// Walks the members once. On a deployed stack only when every function goes by the new version: whoever becomes a member
/// before has no such name.
pub(super) async fn join(store: Store, clock: Clock, is_local: bool) -> anyhow::Result<()> {
    if !is_local {
        let wait = format!(
            "In {} s every function goes by it; then the members are given the names by which they are found at every \
             source. If this is broken off, laurel publish --again does it.",
            NOTICE.as_secs()
        );
        tell(&wait)?;
        tokio::time::sleep(NOTICE).await;
    }
    let engine = Engine::new(store, clock, Random::system());
    let joined = engine.join_across_sources(Budget::until(0)).await.context(
        "not every member is found at every source yet; run this again with --again, and it goes on",
    )?;
    tell(&report(&joined))
}

fn report(joined: &Joined) -> String {
    let Joined { members, clashes } = joined;
    let mut text = format!("{members} members have a name by which they are found at every source.");
    if !clashes.is_empty() {
        let _ = write!(text, "\n{} of these names are held by a member who came before:", clashes.len());
    }
    for Clash { member, holder, is_phone } in clashes {
        let name = if *is_phone { "phone number" } else { "verified e-mail" };
        let _ = write!(text, "\n  {member} has the {name} of {holder}");
    }
    if !clashes.is_empty() {
        text.push_str(
            "\nWhere two are one person, merge them: POST /members/{holder}/merge {\"from\":\"{member}\"}",
        );
    }
    text
}

fn tell(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("standard output")
}

#[cfg(test)]
mod tests {
    use domain::MemberId;

    use super::*;

    #[test]
    fn clashes_are_listed_for_the_operator() {
        let member = |name: &str| MemberId::new(name).unwrap();
        let clash = Clash { member: member("M2"), holder: member("M1"), is_phone: false };
        let told = report(&Joined { members: 3, clashes: vec![clash] });
        assert!(told.starts_with("3 members have a name"), "{told}");
        assert!(told.contains("\n  M2 has the verified e-mail of M1\n"), "{told}");
        assert_eq!(report(&Joined::default()).lines().count(), 1);
    }
}
