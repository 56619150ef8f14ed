//! What of an order's goods was given back by everything that is known of its refunds, in whatever order it arrived.

use jiff::SignedDuration;

use crate::ids::RefundId;
use crate::money::{Basis, Goods};
use crate::order::{Refund, RefundKind};
use crate::points::Overflow;
use crate::time::Timestamp;

/// A refund under its identifier.
pub(super) type Named<'a> = (&'a RefundId, &'a Refund);

/// How long before the moment of an imported row its platform may say that the refund was made. A row without a time is
/// midnight in UTC, and a day begins up to 14 hours earlier somewhere.
const MOST_BEFORE: SignedDuration = SignedDuration::from_hours(14);
/// How long after it: a day ends up to 12 hours later somewhere.
const MOST_AFTER: SignedDuration = SignedDuration::from_hours(36);

/// The goods given back, on a basis. An order has as many sums so far as it has payments of which something was given
/// back, each under a name of its own. A sum stands for the refunds of its payment that were made until then; what was
/// made since is added. A refund that failed counts for nothing, and where the sum was told before that, it comes off the
/// sum. Money is goods first, with their tax, up to all of them.
pub(super) fn given_back(goods: &Goods, refunds: &[Named<'_>], basis: Basis) -> Result<i64, Overflow> {
    let (mut money, mut given_back) = (0_i64, 0_i64);
    for (id, refund) in without_imported_twice(refunds) {
        let sum_at = sum_that_counts(id, refund, refunds);
        let is_in_sum = sum_at.is_some();
        let amount = refund.goods.amount.max(0);
        match refund.kind {
            RefundKind::SoFar => money = money.checked_add(amount).ok_or(Overflow)?,
            RefundKind::Goods if !is_in_sum => {
                let more = refund.goods.on(basis)?.max(0);
                given_back = given_back.checked_add(more).ok_or(Overflow)?;
            }
            RefundKind::Money if !is_in_sum => money = money.checked_add(amount).ok_or(Overflow)?,
            RefundKind::Failed { at } if sum_at.is_some_and(|sum_at| at >= sum_at) => {
                money = money.checked_sub(amount).ok_or(Overflow)?;
            }
            RefundKind::Goods | RefundKind::Money | RefundKind::Failed { .. } => {}
        }
    }
    let paid_back = goods.paid_with(money)?.on(basis)?.max(0);
    given_back.checked_add(paid_back).ok_or(Overflow)
}

/// When the sum was told that contains a refund, if one does.
fn sum_that_counts(id: &RefundId, refund: &Refund, refunds: &[Named<'_>]) -> Option<Timestamp> {
    let of_its_payment = |(sum, _): &&Named<'_>| match &refund.counted_in {
        Some(named) => named == *sum && *sum != id,
        None => true,
    };
    let sums = refunds.iter().filter(|(_, sum)| sum.kind == RefundKind::SoFar).filter(of_its_payment);
    let told_at = sums.map(|(_, sum)| sum.refunded_at).max();
    told_at.filter(|told_at| refund.refunded_at <= *told_at)
}

/// The refunds, without those of an import that their platform tells, too. An imported row without an identifier is the
/// platform's refund of the same amount about that day; of two such rows each is another one.
fn without_imported_twice<'a>(refunds: &[Named<'a>]) -> Vec<Named<'a>> {
    let (mut imported, mut told): (Vec<Named<'_>>, Vec<Named<'_>>) =
        refunds.iter().partition(|(id, _)| id.is_of_imported_row());
    if imported.is_empty() {
        return told;
    }
    imported.sort_by_key(|(id, refund)| (refund.refunded_at, *id));
    let mut unpaired = told.clone();
    unpaired.retain(|(_, refund)| refund.kind != RefundKind::SoFar);
    unpaired.sort_by_key(|(id, refund)| (refund.refunded_at, *id));
    imported.retain(|(_, row)| {
        let twin = unpaired.iter().position(|(_, refund)| is_the_same(row, refund));
        twin.map(|place| unpaired.remove(place)).is_none()
    });
    told.extend(imported);
    told
}

/// A row tells what the shop's prices show, or what the customer paid.
fn is_the_same(row: &Refund, refund: &Refund) -> bool {
    let since = refund.refunded_at.duration_since(row.refunded_at);
    let amount = row.goods.amount;
    (-MOST_BEFORE..MOST_AFTER).contains(&since)
        && (refund.goods.amount == amount || refund.goods.on(Basis::WithTax) == Ok(amount))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Currency, Timestamp};

    const GOODS: Goods = Goods { amount: 10_000, tax: 2_000, tax_included: false };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn refund(second: i64, amount: i64, kind: RefundKind) -> Refund {
        let currency = Currency::new("EUR").unwrap();
        Refund::of_money(at(second), currency, amount, kind)
    }

    fn id(name: &str) -> RefundId {
        RefundId::new(name).unwrap()
    }

    /// Named by their places.
    fn of(refunds: &[Refund]) -> i64 {
        let names: Vec<_> = (0..refunds.len()).map(|place| id(&place.to_string())).collect();
        named(&names.iter().zip(refunds).collect::<Vec<_>>())
    }

    fn named(refunds: &[Named<'_>]) -> i64 {
        given_back(&GOODS, refunds, Basis::AsPriced).unwrap()
    }

    #[test]
    fn money_is_goods_with_their_tax_first_and_never_more_than_all() {
        assert_eq!(of(&[refund(1, 6_000, RefundKind::Money)]), 5_000);
        assert_eq!(of(&[refund(1, 12_000, RefundKind::Money)]), 10_000);
        assert_eq!(of(&[refund(1, 15_000, RefundKind::SoFar)]), 10_000);
        assert_eq!(of(&[refund(1, 3_000, RefundKind::Money), refund(2, 3_000, RefundKind::Money)]), 5_000);
    }

    #[test]
    fn a_sum_stands_for_what_was_given_back_until_then() {
        let sum = refund(5, 6_000, RefundKind::SoFar);
        let (before, then) = (refund(4, 1_200, RefundKind::Money), refund(5, 2_000, RefundKind::Goods));
        assert_eq!(of(&[before, then, sum.clone()]), 5_000);
        assert_eq!(of(&[sum, refund(6, 1_200, RefundKind::Money), refund(7, 500, RefundKind::Goods)]), 6_500);
    }

    #[test]
    fn sums_of_several_payments_add_up() {
        let (first, second) = (refund(5, 6_000, RefundKind::SoFar), refund(2, 1_200, RefundKind::SoFar));
        assert_eq!(of(&[first, second]), 6_000);
    }

    #[test]
    fn a_refund_that_failed_gives_back_nothing_and_comes_off_a_sum_told_before() {
        let failed = |at_second| refund(3, 1_200, RefundKind::Failed { at: at(at_second) });
        assert_eq!(of(&[failed(9)]), 0);
        assert_eq!(of(&[refund(5, 6_000, RefundKind::SoFar), failed(9)]), 4_000, "told before it failed");
        assert_eq!(of(&[refund(5, 6_000, RefundKind::SoFar), failed(4)]), 5_000, "told after");
        assert_eq!(of(&[refund(2, 6_000, RefundKind::SoFar), failed(9)]), 5_000, "told before it was made");
    }

    #[test]
    fn a_sum_contains_the_refunds_of_its_own_payment_and_of_no_other() {
        let (first, second) = (id("ch_1"), id("ch_2"));
        let sum = refund(5, 3_000, RefundKind::SoFar);
        let of_first = refund(3, 1_200, RefundKind::Money).counted_in(first.clone());
        let of_second = refund(3, 1_200, RefundKind::Money).counted_in(second.clone());
        let (re_1, re_2) = (id("re_1"), id("re_2"));
        assert_eq!(named(&[(&first, &sum), (&re_1, &of_first)]), 2_500, "the sum contains it");
        assert_eq!(named(&[(&first, &sum), (&re_2, &of_second)]), 3_500, "it is of another payment");
        let failed = Refund { kind: RefundKind::Failed { at: at(9) }, ..of_second };
        let second_sum = refund(4, 1_200, RefundKind::SoFar);
        let all = [(&first, &sum), (&second, &second_sum), (&re_2, &failed)];
        assert_eq!(named(&all), 2_500, "it comes off the sum of its own payment");
        let earlier_sum = refund(2, 1_200, RefundKind::SoFar);
        let all = [(&first, &sum), (&second, &earlier_sum), (&re_2, &failed)];
        assert_eq!(named(&all), 3_500, "no sum of its own payment contains it");
    }

    #[test]
    fn a_refund_that_names_itself_is_in_no_sum() {
        let (charge, dispute) = (id("ch_1"), id("dp_1"));
        let sum = refund(5, 3_000, RefundKind::SoFar);
        let away = refund(3, 1_200, RefundKind::Money).counted_in(dispute.clone());
        assert_eq!(named(&[(&charge, &sum), (&dispute, &away)]), 3_500);
    }

    #[test]
    fn an_imported_row_without_an_identifier_is_the_refund_that_the_platform_tells_of_about_that_day() {
        let (row, row_again, own) = (id("import-a"), id("import-b"), id("7"));
        let day = 24 * 3_600;
        let imported = refund(10 * day, 1_000, RefundKind::Goods);
        let of_platform = |second, amount| refund(second, amount, RefundKind::Goods);
        let together = |platform: &Refund| named(&[(&row, &imported), (&own, platform)]);
        for same in [of_platform(10 * day + 35 * 3_600, 1_000), of_platform(10 * day - 14 * 3_600, 1_000)] {
            assert_eq!(together(&same), 1_000);
        }
        for other in [of_platform(10 * day + 36 * 3_600, 1_000), of_platform(10 * day - 15 * 3_600, 1_000)] {
            assert_eq!(together(&other), 2_000, "of another day");
        }
        assert_eq!(together(&of_platform(10 * day, 999)), 1_999, "of another amount");
        let taxed = Refund {
            goods: Goods { amount: 800, tax: 200, tax_included: false },
            ..of_platform(10 * day, 0)
        };
        assert_eq!(together(&taxed), 800, "the row tells it with tax");
        let twice = [(&row, &imported), (&row_again, &imported), (&own, &of_platform(10 * day, 1_000))];
        assert_eq!(named(&twice), 2_000, "of two rows one is another refund");
        let sum = of_platform(11 * day, 1_200);
        let sum = Refund { kind: RefundKind::SoFar, ..sum };
        assert_eq!(named(&[(&row, &imported), (&own, &sum)]), 1_000, "a sum contains it");
    }

    fn telling() -> impl Strategy<Value = Refund> {
        let kind = prop_oneof![
            Just(RefundKind::Goods),
            Just(RefundKind::Money),
            Just(RefundKind::SoFar),
            (0_i64..20).prop_map(|second| RefundKind::Failed { at: at(second) }),
        ];
        (0_i64..20, 0_i64..5_000, kind).prop_map(|(second, amount, kind)| refund(second, amount, kind))
    }

    proptest! {
        #[test]
        fn the_order_of_telling_does_not_matter(told in prop::collection::vec(telling(), 0..8)) {
            let names: Vec<_> = (0..told.len()).map(|place| id(&place.to_string())).collect();
            let mut together: Vec<_> = names.iter().zip(&told).collect();
            let forwards = named(&together);
            together.reverse();
            prop_assert_eq!(forwards, named(&together));
        }

        /// Each pair: what is left under one identifier is the same, whichever was told first.
        #[test]
        fn of_two_tellings_the_same_one_is_left(a in telling(), b in telling(), versions in (0_i64..20, 0_i64..20)) {
            let left = |first: &Refund, second: &Refund| {
                if second.supersedes(first) { second.clone() } else { first.clone() }
            };
            prop_assume!((a.kind == RefundKind::SoFar) == (b.kind == RefundKind::SoFar));
            prop_assume!((a.kind == RefundKind::Goods) == (b.kind == RefundKind::Goods));
            prop_assume!(versions.0 != versions.1);
            let (a, b) = (a.as_of(at(versions.0)), b.as_of(at(versions.1)));
            // One that fails fails once, at whichever moment that is told of it.
            let both_failed = matches!((a.kind, b.kind), (RefundKind::Failed { .. }, RefundKind::Failed { .. }));
            prop_assume!(a.kind != b.kind || !both_failed);
            prop_assume!(a.kind != RefundKind::SoFar || a.goods != b.goods || a.refunded_at != b.refunded_at);
            prop_assert_eq!(left(&a, &b), left(&b, &a));
        }
    }
}
