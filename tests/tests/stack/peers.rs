//! What other loyalty engines promise in tests of their own, asked of ours: the scenarios of setono (a loyalty plugin
//! for Sylius) and of erpnext that a programme of ours can express, each under the number it has in our list.
//!
//! Left out, because the model is another one:
//! - setono-03, 05 to 08, 10, 13, 14, erpnext-02: rules that stack, multiply, ask for a least order or run for a while,
//!   and earning on what is left after points were used to pay. An order has one rate here, and one rounding.
//! - setono-12: earning on the order's total. Shipping never earns.
//! - setono-18: points for a registration.
//! - setono-34 to 41, nopcommerce-01 to 03: points as money at the checkout. Here points buy coupons.
//! - setono-44, 47: points of one balance that never expire beside others that do, and foretelling what will have
//!   expired by any date.
//!
//! Told otherwise: what was cancelled or has expired to the last point leaves its entries in the journal, which nothing
//! is taken out of (erpnext-03), and where nothing is left to expire there is no entry (setono-28). Spending is a coupon
//! bought and used, so it comes in whole coupons of 100 points (setono-21, 22, 29).

#![allow(clippy::unwrap_used, clippy::expect_used)]

use domain::Programme;
use serde_json::{Value, json};
use tests::Shop;

/// One point per 1.00, debts forgiven, everything gone a year after the last order.
const PLAIN: &str = r#"
name = "Peers"
currency = "EUR"
time_zone = "UTC"
enrolment = "automatic"
[earning]
points_per_unit = "1"
basis = "as_priced"
rounding = "floor"
[expiry]
after_inactivity = "12 months"
[refunds]
uncovered = "clamp"
"#;

/// A text of the programme, and what stands there instead.
type Change = (&'static str, &'static str);

const NEGATIVE: Change = ("\"clamp\"", "\"negative\"");
const NEVER: Change = ("[expiry]\nafter_inactivity = \"12 months\"", "");
const AFTER_EARNING: Change = ("after_inactivity", "after_earning");
const COUPON_OF_100: Change = (
    "[refunds]",
    "[[rewards]]\nid = \"a\"\npoints = 100\nautomatic = true\ncoupon = { amount = \"5.00\", valid_for = \"24 months\" }\n[refunds]",
);
const COUPON_OF_150: Change = (
    "[refunds]",
    "[[rewards]]\nid = \"a\"\npoints = 150\nautomatic = true\ncoupon = { amount = \"5.00\", valid_for = \"24 months\" }\n[refunds]",
);
const BY_SPENDING: Change = (
    "[refunds]",
    "[tiers]\nwindow = \"12 months\"\nstatus_points = { per_unit = 1 }\n\
     [[tiers.levels]]\nid = \"bronze\"\nthreshold = 0\n\
     [[tiers.levels]]\nid = \"silver\"\nthreshold = 10000\n\
     [[tiers.levels]]\nid = \"gold\"\nthreshold = 20000\n[refunds]",
);

const OPENS: &str = "2025-01-01T00:00:00Z";
/// To the instant a year after.
const YEAR_LATER: &str = "2026-01-01T00:00:00Z";
const DAY_BEFORE: &str = "2025-12-31T00:00:00Z";
const DAY_AFTER: &str = "2026-01-02T00:00:00Z";

/// What happens; amounts are in minor units.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Order(&'static str, i64),
    /// Goods with their tax within.
    Taxed(&'static str, i64, i64),
    GuestOrder(&'static str, i64),
    Refund(&'static str, &'static str, i64),
    /// A refund that names no order: what takes points away without being about an order.
    Deduction(&'static str, i64),
    Cancel(&'static str),
    /// The last webhook once more.
    Again,
    /// The coupon bought is used for a free order.
    UseCoupon,
    Comes(&'static str),
}

use Happens::{Again, Cancel, Comes, Deduction, GuestOrder, Order, Refund, Taxed, UseCoupon};

/// What happens to one customer, and what the balance and everything posted to it must be then.
struct Scenario {
    id: &'static str,
    rules: &'static [Change],
    happens: &'static [Happens],
    balance: i64,
    posted: &'static [i64],
}

const fn scenario(
    id: &'static str,
    rules: &'static [Change],
    happens: &'static [Happens],
    balance: i64,
    posted: &'static [i64],
) -> Scenario {
    Scenario { id, rules, happens, balance, posted }
}

const EARNING: [Scenario; 9] = [
    scenario("setono-01", &[], &[Order("1", 1_999)], 19, &[19]),
    scenario("setono-02", &[("\"1\"", "\"3\"")], &[Order("1", 4_000)], 120, &[120]),
    scenario("setono-04", &[("\"1\"", "\"0\"")], &[Order("1", 5_000)], 0, &[]),
    scenario("setono-09 floor", &[("\"1\"", "\"1.5\"")], &[Order("1", 1_900)], 28, &[28]),
    scenario(
        "setono-09 nearest",
        &[("\"1\"", "\"1.5\""), ("\"floor\"", "\"half_up\"")],
        &[Order("1", 1_900)],
        29,
        &[29],
    ),
    scenario(
        "setono-09 ceiling",
        &[("\"1\"", "\"1.5\""), ("\"floor\"", "\"ceiling\"")],
        &[Order("1", 1_900)],
        29,
        &[29],
    ),
    scenario(
        "setono-11 with tax",
        &[("\"as_priced\"", "\"with_tax\"")],
        &[Taxed("1", 5_000, 800)],
        50,
        &[50],
    ),
    scenario(
        "setono-11 without tax",
        &[("\"as_priced\"", "\"without_tax\"")],
        &[Taxed("1", 5_000, 800)],
        42,
        &[42],
    ),
    scenario("erpnext-01", &[("\"1\"", "\"0.001\"")], &[Order("1", 1_000_000)], 10, &[10]),
];

const IDEMPOTENCY: [Scenario; 5] = [
    scenario("setono-15", &[NEGATIVE], &[Order("1", 20_000), Deduction("d", 5_000), Again], 150, &[200, -50]),
    scenario("setono-16", &[], &[Order("1", 20_000), Again, Again], 200, &[200]),
    scenario("setono-17", &[], &[GuestOrder("1", 15_000)], 0, &[]),
    scenario("setono-19", &[], &[Refund("r", "unknown", 15_000), Again], 0, &[]),
    scenario("setono-23", &[], &[Order("1", 15_000), Refund("r", "1", 15_000), Again], 0, &[150, -150]),
];

const REFUNDS: [Scenario; 8] = [
    scenario("setono-20", &[], &[Order("1", 15_000), Refund("r", "1", 15_000)], 0, &[150, -150]),
    // Of the 150 taken back 100 are spent, and forgiven.
    scenario(
        "setono-21",
        &[COUPON_OF_100],
        &[Order("1", 15_000), UseCoupon, Refund("r", "1", 15_000)],
        0,
        &[150, -100, -150, 100],
    ),
    scenario(
        "setono-22",
        &[COUPON_OF_100, NEGATIVE],
        &[Order("1", 15_000), UseCoupon, Refund("r", "1", 15_000)],
        -100,
        &[150, -100, -150],
    ),
    scenario("setono-24", &[NEGATIVE], &[Order("1", 15_000), Refund("r", "1", 999_900)], 0, &[150, -150]),
    scenario("setono-42", &[], &[Order("1", 10_000), Deduction("d", 3_000)], 70, &[100, -30]),
    scenario(
        "setono-46",
        &[NEGATIVE],
        &[Order("1", 5_000), Deduction("d", 8_000), Order("2", 10_000)],
        70,
        &[50, -80, 100],
    ),
    scenario("erpnext-03", &[], &[Order("1", 1_000_000), Cancel("1"), Again], 0, &[10_000, -10_000]),
    scenario(
        "erpnext-04",
        &[("\"1\"", "\"0.001\"")],
        &[Order("1", 2_000_000), Refund("r", "1", 1_000_000)],
        10,
        &[20, -10],
    ),
];

const EXPIRY: [Scenario; 10] = [
    scenario("setono-25", &[], &[Order("1", 15_000), Comes(DAY_AFTER)], 0, &[150, -150]),
    scenario("setono-26", &[], &[Order("1", 15_000), Comes(DAY_BEFORE)], 150, &[150]),
    scenario(
        "setono-27",
        &[AFTER_EARNING],
        &[Order("1", 10_000), Comes("2025-01-03T00:00:00Z"), Order("2", 5_000), Comes(DAY_AFTER)],
        50,
        &[100, 50, -100],
    ),
    scenario(
        "setono-28",
        &[COUPON_OF_150],
        &[Order("1", 15_000), UseCoupon, Comes(DAY_AFTER)],
        0,
        &[150, -150],
    ),
    scenario(
        "setono-29",
        &[COUPON_OF_100],
        &[Order("1", 15_000), UseCoupon, Comes(DAY_AFTER)],
        0,
        &[150, -100, -50],
    ),
    scenario(
        "setono-30",
        &[],
        &[Order("1", 15_000), Comes(DAY_AFTER), Comes("2026-01-03T00:00:00Z")],
        0,
        &[150, -150],
    ),
    scenario("setono-31", &[NEVER], &[Order("1", 15_000), Comes("2035-01-01T00:00:00Z")], 150, &[150]),
    scenario(
        "setono-32",
        &[AFTER_EARNING],
        &[
            Order("1", 10_000),
            Comes("2025-01-02T00:00:00Z"),
            Order("2", 6_000),
            Comes("2026-01-03T00:00:00Z"),
        ],
        0,
        &[100, 60, -100, -60],
    ),
    scenario("setono-33", &[], &[Order("1", 15_000), Comes(YEAR_LATER)], 0, &[150, -150]),
    scenario(
        "setono-33 a second before",
        &[],
        &[Order("1", 15_000), Comes("2025-12-31T23:59:59Z")],
        150,
        &[150],
    ),
];

/// As the others, and when what is left runs out.
const OLDEST_FIRST: [(Scenario, &str); 2] = [
    (
        scenario(
            "setono-43",
            &[AFTER_EARNING],
            &[Order("1", 10_000), Comes("2025-06-01T00:00:00Z"), Order("2", 10_000), Deduction("d", 10_000)],
            100,
            &[100, 100, -100],
        ),
        "2026-06-01T00:00:00Z",
    ),
    (
        scenario(
            "setono-45",
            &[AFTER_EARNING],
            &[Order("1", 5_000), Comes("2025-02-01T00:00:00Z"), Order("2", 5_000), Deduction("d", 7_000)],
            30,
            &[50, 50, -70],
        ),
        "2026-02-01T00:00:00Z",
    ),
];

/// Spent so far, spent now, and the tier that both together give.
const TIERS: [(&str, i64, i64, &str); 7] = [
    ("erpnext-05", 0, 600_000, "bronze"),
    ("erpnext-06", 0, 1_500_000, "silver"),
    ("erpnext-07", 0, 2_500_000, "gold"),
    ("erpnext-08", 400_000, 50_000, "bronze"),
    ("erpnext-09", 800_000, 300_000, "silver"),
    ("erpnext-10", 1_800_000, 300_000, "gold"),
    ("erpnext-11", 2_200_000, 500_000, "gold"),
];

async fn open(rules: &[Change]) -> Shop {
    let text = rules.iter().fold(PLAIN.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the programme");
        text.replacen(from, to, 1)
    });
    Shop::with(OPENS, Programme::from_toml(&text).unwrap()).await
}

fn with(mut body: Value, pointer: &str, field: &str, value: Value) -> Value {
    body[pointer][field] = value;
    body
}

/// The webhook that tells of it; nothing where time passes.
async fn webhook(shop: &Shop, happens: Happens) -> Option<Value> {
    Some(match happens {
        Order(id, minor) => shop.order(id, "c-1", minor),
        Taxed(id, minor, tax) => {
            let goods = json!({"amount_minor": minor, "tax_minor": tax, "tax_included": true});
            with(shop.order(id, "c-1", 0), "order", "goods", goods)
        }
        GuestOrder(id, minor) => with(shop.order(id, "c-1", minor), "order", "customer", Value::Null),
        Refund(id, order, minor) => shop.refund(id, order, minor),
        Deduction(id, minor) => {
            let unlinked = with(shop.refund(id, "", minor), "refund", "order_id", Value::Null);
            with(unlinked, "refund", "customer", json!({"id": "c-1"}))
        }
        Cancel(id) => with(shop.order(id, "c-1", 0), "order", "status", json!("cancelled")),
        UseCoupon => {
            let code = shop.member("c-1").await["coupons"][0]["code"].clone();
            with(shop.order("with-coupon", "c-1", 0), "order", "coupons", json!([code]))
        }
        Again | Comes(_) => return None,
    })
}

async fn live(shop: &Shop, happens: &[Happens]) {
    let mut last = None;
    for it in happens {
        if let Comes(moment) = it {
            shop.advance_to(moment).await;
        }
        last = webhook(shop, *it).await.or(last);
        if !matches!(it, Comes(_)) {
            shop.process(last.as_ref().unwrap()).await;
        }
    }
}

/// All points posted, in the order of the commits.
async fn posted(shop: &Shop) -> Vec<i64> {
    let member = shop.member("c-1").await;
    let Some(member) = member["member"].as_str() else { return vec![] };
    let (_, journal) = shop.get(&format!("/members/{member}/journal?limit=100")).await;
    let mut entries = journal["entries"].as_array().unwrap().clone();
    entries.sort_by_key(|entry| entry["sequence"].as_u64());
    entries.iter().filter_map(|entry| entry["points"].as_i64()).filter(|points| *points != 0).collect()
}

async fn holds(scenario: &Scenario) -> Shop {
    let shop = open(scenario.rules).await;
    live(&shop, scenario.happens).await;
    assert_eq!(posted(&shop).await, scenario.posted, "{}", scenario.id);
    let balance = shop.member("c-1").await["balance"].as_i64().unwrap_or_default();
    assert_eq!(balance, scenario.balance, "{}", scenario.id);
    shop
}

#[tokio::test]
async fn orders_earn_as_peers_say() {
    for scenario in &EARNING {
        holds(scenario).await;
    }
}

#[tokio::test]
async fn what_is_told_twice_counts_once_as_peers_say() {
    for scenario in &IDEMPOTENCY {
        holds(scenario).await;
    }
}

#[tokio::test]
async fn refunds_and_cancellations_take_back_as_peers_say() {
    for scenario in &REFUNDS {
        holds(scenario).await;
    }
}

#[tokio::test]
async fn points_run_out_as_peers_say() {
    for scenario in &EXPIRY {
        holds(scenario).await;
    }
}

#[tokio::test]
async fn the_oldest_points_are_spent_first_as_peers_say() {
    for (scenario, expires_at) in &OLDEST_FIRST {
        let shop = holds(scenario).await;
        assert_eq!(shop.member("c-1").await["expires_at"], *expires_at, "{}", scenario.id);
    }
}

#[tokio::test]
async fn tiers_by_spending_are_as_peers_say() {
    for (id, so_far, now, tier) in TIERS {
        let shop = open(&[BY_SPENDING]).await;
        live(&shop, &[Order("1", so_far), Order("2", now)]).await;
        assert_eq!(shop.member("c-1").await["tier"], tier, "{id}");
    }
}
