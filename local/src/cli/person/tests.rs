use clap::Parser;
use order_webhook::Sources;
use serde_json::Value;
use store::StoreError;

use super::*;
use crate::clock::Time;
use crate::dynamodb::Durability;
use crate::inbox::Keeping;
use crate::stack::{Options, Stack};

const PROGRAMME: &str = include_str!("../../../../programme.toml");

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    who: Who,
}

fn who(arguments: &[&str]) -> Result<Who, clap::Error> {
    Cli::try_parse_from([&["laurel"], arguments].concat()).map(|cli| cli.who)
}

async fn stack(folder: &tempfile::TempDir) -> Stack {
    Stack::open(Options {
        data: folder.path().to_owned(),
        programme: domain::Programme::from_toml(PROGRAMME).unwrap(),
        sources: Sources::from_toml("").unwrap(),
        time: Time::Simulated("2026-01-10T12:00:00Z".parse().unwrap()),
        durability: Durability::Scratch,
        keeping: Keeping::Kept,
    })
    .await
    .unwrap()
}

async fn record(store: &Store, id: &str) -> Result<(), StoreError> {
    let goods = domain::Goods::untaxed(1_000);
    let placed_at = "2026-01-09T12:00:00Z".parse().unwrap();
    let contact = domain::Contact { name: Some("Somebody".to_owned()), ..domain::Contact::default() };
    let source = SourceName::new("shop").unwrap();
    let order = domain::Order {
        key: OrderKey::of_order(&source, id).unwrap(),
        placed_at,
        customer: Some(domain::Customer {
            source,
            id: Some(CustomerId::new("7").unwrap()),
            card: None,
            contact,
        }),
        snapshot: domain::Snapshot {
            updated_at: placed_at,
            currency: domain::Currency::new("EUR").unwrap(),
            goods,
            payment: domain::Payment::Paid,
            cancelled: false,
            test: false,
            coupons: Default::default(),
        },
        refunds: std::collections::BTreeMap::new(),
    };
    store.record_order(&order).await.map(drop)
}

#[test]
fn whom_it_is_about_is_said_in_one_way() {
    assert!(who(&["--source", "shop", "--customer", "7"]).is_ok());
    assert!(who(&["--email", "c-1@example.com"]).is_ok());
    assert!(who(&["--member", "M1"]).is_ok());
    assert!(who(&["--order", "shop#1"]).is_ok());
    assert!(who(&["--phone", "+33612345678"]).is_ok());
    assert!(who(&["--source", "shop", "--card", "card-7"]).is_ok());
    for wrong in [
        &[][..],
        &["--source", "shop"],
        &["--customer", "7"],
        &["--card", "card-7"],
        &["--phone", "06 12 34 56 78"],
        &["--source", "shop", "--email", "c-1@example.com"],
        &["--source", "shop", "--customer", "7", "--card", "card-7"],
        &["--member", "M1", "--order", "shop#1"],
        &["--source", "shop", "--customer", "7", "--member", "M1"],
        &["--member", "not a name"],
        &["--email", "no address"],
        &["--email", "c-1@example.com", "--member", "M1"],
    ] {
        assert!(who(wrong).is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn whoever_placed_an_order_is_exported_and_erased() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let store = stack.store();
    record(store, "1").await.unwrap();
    stack.drain().await.unwrap();
    let (clock, who) = (stack.clock().for_functions(), who(&["--order", "shop#1"]).unwrap());
    // When the order's owner asks what is held.
    let document: Value = serde_json::from_str(&export(store, &who, &clock).await.unwrap()).unwrap();
    // Then it is all there.
    assert_eq!(document["directory"], serde_json::json!(["customer#shop#7"]));
    assert_eq!(document["orders"]["shop#1"]["owner"]["contact"]["name"], "Somebody");
    let member = document["members"].as_object().unwrap().values().next().unwrap();
    assert_eq!((&member["profile"]["balance"], &member["person"]["name"]), (&100.into(), &"Somebody".into()));
    // And when they ask to be forgotten, what was found is shown first.
    let declined = erase(store, &who, &clock, |found| {
        assert_eq!((found.members.len(), found.orders, found.waiting), (1, 1, 0));
        Ok(false)
    });
    assert_eq!(declined.await.unwrap_err().to_string(), "nobody is erased");
    assert_eq!(erasures(store).await.unwrap(), "");
    // And once that was agreed to, it is gone.
    assert!(erase(store, &who, &clock, |_| Ok(true)).await.unwrap().contains("is asked for"));
    assert!(erasures(store).await.unwrap().contains("  open  "));
    stack.drain().await.unwrap();
    assert!(erasures(store).await.unwrap().contains("  done 2026-01-10T12:00:00Z  "));
    let customer = self::who(&["--source", "shop", "--customer", "7"]).unwrap();
    let nothing = export(store, &customer, &clock).await.unwrap_err();
    assert_eq!(nothing.to_string(), "nothing is held of this person");
    let nobody =
        erase(store, &customer, &clock, |_| panic!("there is nothing to ask for")).await.unwrap_err();
    assert_eq!(format!("{nobody:#}"), "nobody is erased: nothing is held of this person");
    assert_eq!(erasures(store).await.unwrap().lines().count(), 1, "no erasure is begun of nobody");
}

#[tokio::test]
async fn an_erasure_that_found_nobody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let store = stack.store();
    let nobody = Sought::named(DirectoryKey::Email("nobody@example.com".to_owned()));
    store.ask_erasure(&Erasure::of(ErasureId::new("e1").unwrap(), &nobody)).await.unwrap();
    stack.drain().await.unwrap();
    assert_eq!(erasures(store).await.unwrap(), "e1  done 2026-01-10T12:00:00Z, found nobody  ");
}

#[test]
fn only_yes_is_yes() {
    for (answer, is_yes) in [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("no\n", false)] {
        assert_eq!(self::is_yes(answer), is_yes, "{answer:?}");
    }
}
