use std::fs;

use domain::Programme;
use order_webhook::Sources;
use tempfile::TempDir;

use super::*;
use crate::clock::Time;
use crate::dynamodb::Durability;
use crate::inbox::{Keeping, Selection};
use crate::stack::{self, Stack};

pub(super) const PROGRAMME: &str = include_str!("../../../programme.toml");
const HEADER: &str = "customer_id,date,amount_minor,kind,order_id,email,email_verified,refund_id,currency\n";
pub(super) const NOW: &str = "2026-03-01T12:00:00Z";
/// 600.00 are a coupon, and its e-mail.
const COUPON: &str = "c-1,2026-02-01,60000,order,1,c-1@example.com,true,,\n";

/// A stack, and a file to be imported into it.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) stack: Stack,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(PROGRAMME).await
    }

    pub(super) async fn with(programme: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::open(stack::Options {
            data: folder.path().join("data"),
            programme: Programme::from_toml(programme).unwrap(),
            sources: Sources::from_toml("").unwrap(),
            time: Time::Simulated(NOW.parse().unwrap()),
            durability: Durability::Scratch,
            keeping: Keeping::Kept,
        });
        let stack = stack.await.unwrap();
        Self { folder, stack }
    }

    /// What an import is asked for whose file has this text.
    pub(super) fn options(&self, file: &str) -> Options {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("file.csv"), file).unwrap();
        Options {
            file: path("file.csv"),
            rate: 500,
            state: path("state.json"),
            rejected: path("rejected.csv"),
            fresh: false,
        }
    }

    async fn import(&self, rows: &str) -> Report {
        let options = self.options(&format!("{HEADER}{rows}"));
        let report =
            import(self.stack.store(), &SourceName::new("shop").unwrap(), &options, NOW.parse().unwrap())
                .await
                .unwrap();
        self.stack.drain().await.unwrap();
        report
    }

    pub(super) fn rejected(&self) -> String {
        fs::read_to_string(self.folder.path().join("rejected.csv")).unwrap_or_default()
    }

    /// How many messages members got, and of how many coupons integrators heard.
    pub(super) fn told(&self) -> (usize, usize) {
        let sent = self.stack.inbox().list(&Selection::default()).unwrap();
        let (events, messages): (Vec<_>, Vec<_>) =
            sent.into_iter().partition(|message| message.channel == "event");
        let of_coupons = events.iter().filter(|event| event.event.as_deref() == Some("coupon_issued"));
        (messages.len(), of_coupons.count())
    }

    /// A member's lifetime points, balance and coupons.
    async fn account(&self, customer: &str) -> (i64, i64, u32) {
        let engine = runtime::Engine::new(
            self.stack.store().clone(),
            self.stack.clock().for_functions(),
            runtime::Random::system(),
        );
        let source = SourceName::new("shop").unwrap();
        let key = store::DirectoryKey::Customer(source, domain::CustomerId::new(customer).unwrap());
        let member = self.stack.store().find_member(&key, store::Consistency::Strong).await.unwrap().unwrap();
        let account = engine.look(&member).await.unwrap().unwrap().profile.account;
        (account.lifetime_points.0, account.balance.0, account.coupons_issued)
    }
}

#[tokio::test]
async fn a_file_that_is_imported_twice_counts_once_and_nobody_is_told() {
    let bench = Bench::new().await;
    let rows = format!("{COUPON}c-1,2026-02-02,1000,refund,1,,,,\nc-1,2026-02-03,500,refund,,,,,\n");
    let first = bench.import(&rows).await;
    assert_eq!((first.orders, first.refunds, first.sent, first.known), (1, 2, 3, 0));
    let account = bench.account("c-1").await;
    assert_eq!(account, (6_000, 850, 1));
    let second = bench.import(&rows).await;
    assert_eq!((second.sent, second.known), (0, 3));
    assert_eq!(bench.account("c-1").await, account);
    assert_eq!(bench.told(), (0, 1), "integrators hear of the coupon");
}

#[tokio::test]
async fn a_refund_is_the_same_wherever_its_row_stands_and_two_alike_are_two() {
    let bench = Bench::new().await;
    let twice = "c-1,2026-02-02,1000,refund,1,,,,\n".repeat(2);
    bench.import(&format!("{COUPON}{twice}")).await;
    let others = "c-2,2026-01-01,100,order,2,,,,\nc-2,2026-01-02,100,order,3,,,,\n";
    let longer = format!("{others}{twice}{COUPON}c-1,2026-02-09,1000,refund,1,,,r-3,\n");
    let report = bench.import(&longer).await;
    assert_eq!((report.sent, report.known), (3, 3));
    // The row with an identifier lies days after those without, so it is a third one.
    assert_eq!(bench.account("c-1").await.1, 6_000 - 5_000 - 300);
}

#[tokio::test]
async fn a_refund_without_an_identifier_is_the_one_that_its_platform_tells_whichever_comes_first() {
    for is_imported_first in [true, false] {
        let bench = Bench::new().await;
        bench.import("c-1,2026-02-01,5000,order,1,,,,\n").await;
        let row = "c-1,2026-02-20,2000,refund,1,,,,\n";
        if is_imported_first {
            bench.import(row).await;
        }
        let source = SourceName::new("shop").unwrap();
        let order = domain::OrderKey::of_order(&source, "1").unwrap();
        let tell = async |id: &str, at: &str, amount: i64| {
            let currency = domain::Currency::new("EUR").unwrap();
            let goods = domain::Goods::untaxed(amount);
            let refund = domain::Refund::of_goods(at.parse().unwrap(), currency, goods);
            let id = domain::RefundId::new(id).unwrap();
            bench.stack.store().record_refund(&order, &id, &refund).await.unwrap();
        };
        tell("re_1", "2026-02-20T16:30:00Z", 2_000).await;
        bench.import(row).await;
        assert_eq!(bench.account("c-1").await.1, 300);
        tell("re_2", "2026-02-20T17:30:00Z", 2_000).await;
        bench.stack.drain().await.unwrap();
        assert_eq!(bench.account("c-1").await.1, 100, "the platform tells two");
    }
}

#[tokio::test]
async fn a_refund_of_an_order_that_another_file_had_is_of_that_order() {
    let bench = Bench::new().await;
    bench.import("c-1,2026-02-01,2000,order,1,,,,\n").await;
    bench.import("c-1,2026-02-20,2000,refund,1,,,,\nc-1,2026-02-20,700,refund,unknown,,,,\n").await;
    assert_eq!(bench.account("c-1").await, (200, 0, 0));
}

#[tokio::test]
async fn rows_that_cannot_be_sent_are_named_with_their_reasons_and_the_others_are_sent() {
    let bench = Bench::new().await;
    let report = bench
        .import(
            "c-1,2026-03-02,100,order,1,,,,\nc-1,2026-02-01,100,order,2,nobody,,,\n\
             c-1,2026-02-01,100,order,3,,perhaps,,\nc-1,2026-02-01,100,order,4,,,,euro\n\
             c-1,2026-02-01,100,order,5,,,,eur\n",
        )
        .await;
    assert_eq!((report.sent, report.rejected), (1, 4));
    assert_eq!(
        bench.rejected(),
        "rejected_line,rejected_because,customer_id,date,amount_minor,kind,order_id,email,email_verified,refund_id,\
         currency\n2,date 2026-03-02T00:00:00Z lies in the future,c-1,2026-03-02,100,order,1,,,,\n\
         3,email is not an e-mail address,c-1,2026-02-01,100,order,2,nobody,,,\n\
         4,\"email_verified \"\"perhaps\"\" is neither true nor false\",c-1,2026-02-01,100,order,3,,perhaps,,\n\
         5,\"currency \"\"euro\"\" is none of three letters (ISO 4217)\",c-1,2026-02-01,100,order,4,,,,euro\n"
    );
    // When the file is mended, then the list of the rejected is gone.
    bench.import("c-1,2026-02-01,100,order,5,,,,eur\n").await;
    assert_eq!(bench.rejected(), "");
}

#[tokio::test]
async fn a_new_member_is_reached_as_the_newest_row_says() {
    let bench = Bench::new().await;
    bench
        .import(
            "c-1,2026-02-01,100,order,1,old@example.com,true,,\nc-1,2026-02-03,100,order,3,,,,\n\
             c-1,2026-02-02,100,order,2,new@example.com,true,,\n",
        )
        .await;
    let key = domain::OrderKey::new("shop#1").unwrap();
    let owner = bench.stack.store().order(&key).await.unwrap().unwrap().owner.unwrap();
    assert_eq!(owner.contact.verified_email(), Some("new@example.com"));
}

#[tokio::test]
async fn a_dry_run_tells_what_it_would_send_and_writes_nothing() {
    let bench = Bench::new().await;
    let options = bench
        .options(&format!("{HEADER}{COUPON}c-1,2026-02-02,1000,refund,1,,,,\nc-1,later,1,order,2,,,,\n"));
    let source = SourceName::new("shop").unwrap();
    let plan = plan(bench.stack.store(), &source, &options.file, NOW.parse().unwrap()).await.unwrap();
    assert_eq!(plan.rejected(), 1);
    let told = plan.to_string();
    for line in [
        "would send      2",
        "orders          1",
        "refunds         1",
        "  line 4: date \"later\"",
        "nothing was written",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let key = domain::OrderKey::of_order(&source, "1").unwrap();
    assert!(bench.stack.store().order(&key).await.unwrap().is_none());
    assert!(!options.rejected.exists() && !options.state.exists());
}
