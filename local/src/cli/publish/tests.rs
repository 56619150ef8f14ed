use order_webhook::Sources;

use super::*;
use crate::clock::Time;
use crate::dynamodb::Durability;
use crate::inbox::Keeping;
use crate::stack::{Options, Stack};

const PROGRAMME: &str = include_str!("../../../../programme.toml");
const NOW: &str = "2026-01-10T12:00:00Z";
const HOUR: Duration = Duration::from_secs(3_600);

fn programme(points_per_unit: &str) -> Programme {
    let text =
        PROGRAMME.replace("points_per_unit = \"10\"", &format!("points_per_unit = \"{points_per_unit}\""));
    Programme::from_toml(&text).unwrap()
}

async fn stack(folder: &tempfile::TempDir) -> Stack {
    Stack::open(Options {
        data: folder.path().to_owned(),
        programme: programme("10"),
        sources: Sources::from_toml("").unwrap(),
        time: Time::Simulated(NOW.parse().unwrap()),
        durability: Durability::Scratch,
        keeping: Keeping::Kept,
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn the_programme_that_is_in_force_is_not_published_again() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let told = publish(stack.store(), &programme("10"), NOW.parse().unwrap(), HOUR, false).await.unwrap();
    assert_eq!(told, "Stars: version 1 is this very programme; nothing was published.");
}

#[tokio::test]
async fn a_change_is_in_force_only_when_every_function_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let now: Timestamp = NOW.parse().unwrap();
    let told = publish(stack.store(), &programme("20"), now, HOUR, false).await.unwrap();
    assert_eq!(
        told,
        "Stars: version 2 is in force from 2026-01-10T12:02:00Z; 0 members are due again within 1 h."
    );
    let programmes = stack.store().programmes().await.unwrap().unwrap();
    let while_functions_keep_the_old_one = now.checked_add(ProgrammeCache::KEPT).unwrap();
    assert_eq!(programmes.at(while_functions_keep_the_old_one).number, 1);
    assert_eq!(programmes.at(now.checked_add(NOTICE).unwrap()).number, 2);
}

#[tokio::test]
async fn what_was_broken_off_can_be_finished() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let now: Timestamp = NOW.parse().unwrap();
    publish(stack.store(), &programme("20"), now, HOUR, false).await.unwrap();
    let an_hour_later = now.checked_add(HOUR).unwrap();
    let told = publish(stack.store(), &programme("20"), an_hour_later, HOUR, true).await.unwrap();
    assert!(told.starts_with("Stars: version 2 is in force from 2026-01-10T12:02:00Z; "), "{told}");
}
