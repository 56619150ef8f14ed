//! A member's profile: account and bookkeeping side by side, under 1 KB, no person in it.

use domain::{Account, Bookkeeping, MemberId, Profile, Timestamp, time};
use serde::{Deserialize, Serialize};

use super::{Attributes, ImageError, MemberItem, number, read, text, write};
use crate::keys::{self, members};

#[derive(Serialize, Deserialize)]
struct ProfileBody {
    version: u64,
    enrolled_at: Timestamp,
    #[serde(flatten)]
    account: Account,
    #[serde(flatten)]
    bookkeeping: Bookkeeping,
}

/// Writes a profile. Who has no due date stands in no index.
pub(crate) fn profile_item(profile: &Profile) -> Result<Attributes, ImageError> {
    let body = ProfileBody {
        version: profile.version,
        enrolled_at: profile.enrolled_at,
        account: profile.account.clone(),
        bookkeeping: profile.bookkeeping.clone(),
    };
    let item = members::PROFILE.to_owned();
    let mut item = write(&MemberItem { member: profile.member.clone(), item, body })?;
    item.extend(profile.bookkeeping.due_at.into_iter().flat_map(|due| due_attributes(&profile.member, due)));
    Ok(item)
}

/// The two attributes of the index `due`; the date at fixed width, so that the index sorts by it.
pub(crate) fn due_attributes(member: &MemberId, due_at: Timestamp) -> Attributes {
    Attributes::from([
        (members::DUE_AT.to_owned(), text(time::sortable(due_at))),
        (members::DUE_SHARD.to_owned(), number(keys::due_shard(member))),
    ])
}

/// Reads a profile.
pub(crate) fn profile_of(item: Attributes) -> Result<Profile, ImageError> {
    let MemberItem { member, body, .. } = read::<MemberItem<ProfileBody>>(item)?;
    let ProfileBody { version, enrolled_at, account, bookkeeping } = body;
    Ok(Profile { member, version, enrolled_at, account, bookkeeping })
}
