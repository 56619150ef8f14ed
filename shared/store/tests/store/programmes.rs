//! Every version of the programme is kept, and the same one is not published twice.

use domain::{Programme, Timestamp};

use crate::given::{NOON, at};
use crate::support::Bench;

fn programme(points_per_unit: u32) -> Programme {
    Programme::from_toml(&format!(
        "name = \"Stars\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Paris\"\n\
         [earning]\npoints_per_unit = \"{points_per_unit}\"\n"
    ))
    .unwrap()
}

#[tokio::test]
async fn before_the_first_there_is_none() {
    let Bench { store, .. } = Bench::new().await;
    assert_eq!(store.programmes().await.unwrap(), None);
}

#[tokio::test]
async fn a_version_is_published_once_and_each_is_in_force_from_its_moment_on() {
    let Bench { store, .. } = Bench::new().await;
    let later = at("2026-04-01T00:00:00Z");

    assert_eq!(store.publish(&programme(10), at(NOON)).await.unwrap(), 1);
    assert_eq!(store.publish(&programme(10), later).await.unwrap(), 1);
    assert_eq!(store.publish(&programme(20), later).await.unwrap(), 2);
    assert_eq!(store.publish(&programme(20), later).await.unwrap(), 2);

    let programmes = store.programmes().await.unwrap().unwrap();
    assert_eq!(programmes.at(Timestamp::UNIX_EPOCH).programme, programme(10));
    assert_eq!(programmes.at(at("2026-03-31T23:59:59.999Z")).number, 1);
    assert_eq!((programmes.at(later).number, &programmes.at(later).programme), (2, &programme(20)));
}

#[tokio::test]
async fn a_correction_holds_though_it_is_published_by_a_clock_that_is_behind() {
    let Bench { store, .. } = Bench::new().await;
    store.publish(&programme(10), at(NOON)).await.unwrap();
    store.publish(&programme(20), at("2026-04-01T00:05:00Z")).await.unwrap();
    store.publish(&programme(30), at("2026-04-01T00:02:00Z")).await.unwrap();
    let programmes = store.programmes().await.unwrap().unwrap();
    assert_eq!(programmes.newest().number, 3);
    assert_eq!(programmes.at(at("2026-04-01T00:06:00Z")).programme, programme(30));
}

#[tokio::test]
async fn a_programme_of_before_is_a_version_of_its_own() {
    let Bench { store, .. } = Bench::new().await;
    for (number, points) in [(1, 10), (2, 20), (3, 10)] {
        assert_eq!(store.publish(&programme(points), at(NOON)).await.unwrap(), number);
    }
}

#[tokio::test]
async fn what_operators_did_is_kept_with_who_and_is_no_version() {
    let Bench { store, .. } = Bench::new().await;
    store.publish(&programme(10), at(NOON)).await.unwrap();
    let done =
        |by: &str, did: &str| store::Operation { at: at(NOON), by: by.to_owned(), did: did.to_owned() };
    // Two at one moment are both kept.
    store.record_operation(&done("operations@example.com", "publish programme.toml")).await.unwrap();
    store.record_operation(&done("access key A", "parked retry --all")).await.unwrap();
    let kept = store.operations().await.unwrap();
    assert_eq!(
        kept,
        [
            done("access key A", "parked retry --all"),
            done("operations@example.com", "publish programme.toml")
        ]
    );
    assert_eq!(store.publish(&programme(10), at(NOON)).await.unwrap(), 1);
}
