//! What of an order's goods was given back by everything that was told of its refunds, in whatever order.

use crate::money::{Basis, Goods};
use crate::order::{Refund, RefundKind};
use crate::points::Overflow;

/// The goods given back, on a basis. A sum so far stands for all refunds that were made until then; what was made since
/// is added. There are as many sums as an order has payments of which something was given back, each under a name of its
/// own. A refund that failed counts for nothing, and where the sum was told before that, it comes off the sum.
pub(super) fn given_back(goods: &Goods, refunds: &[&Refund], basis: Basis) -> Result<i64, Overflow> {
    let so_far = || refunds.iter().filter(|refund| refund.kind == RefundKind::SoFar);
    let since = so_far().map(|sum| sum.refunded_at).max();
    let mut money = 0_i64;
    for sum in so_far() {
        money = money.checked_add(sum.goods.amount.max(0)).ok_or(Overflow)?;
    }
    let mut given_back = 0_i64;
    for refund in refunds {
        let is_in_sum = since.is_some_and(|since| refund.refunded_at <= since);
        let sum = refund.goods.amount.max(0);
        match refund.kind {
            RefundKind::Goods if !is_in_sum => {
                let more = refund.goods.on(basis)?.max(0);
                given_back = given_back.checked_add(more).ok_or(Overflow)?;
            }
            RefundKind::Money if !is_in_sum => money = money.checked_add(sum).ok_or(Overflow)?,
            RefundKind::Failed { at } if is_in_sum && since.is_some_and(|since| at >= since) => {
                money = money.checked_sub(sum).ok_or(Overflow)?;
            }
            RefundKind::Goods | RefundKind::Money | RefundKind::Failed { .. } | RefundKind::SoFar => {}
        }
    }
    let paid_back = goods.paid_with(money)?.on(basis)?.max(0);
    given_back.checked_add(paid_back).ok_or(Overflow)
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
        Refund { refunded_at: at(second), currency, goods: Goods::untaxed(amount), kind }
    }

    fn of(refunds: &[Refund]) -> i64 {
        given_back(&GOODS, &refunds.iter().collect::<Vec<_>>(), Basis::AsPriced).unwrap()
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
            let mut turned = told.clone();
            turned.reverse();
            prop_assert_eq!(of(&told), of(&turned));
        }

        /// Each pair: what is left under one identifier is the same, whichever was told first.
        #[test]
        fn of_two_tellings_the_same_one_is_left(a in telling(), b in telling()) {
            let left = |first: &Refund, second: &Refund| {
                if second.supersedes(first) { second.clone() } else { first.clone() }
            };
            prop_assume!(!matches!(
                (a.kind, b.kind),
                (RefundKind::Goods, _) | (_, RefundKind::Goods) | (RefundKind::Money, RefundKind::Money)
            ));
            prop_assume!((a.kind == RefundKind::SoFar) == (b.kind == RefundKind::SoFar));
            // A refund's amount and moment never change; only the moment at which it failed is told anew.
            let b = if a.kind == RefundKind::SoFar { b } else { Refund { kind: b.kind, ..a.clone() } };
            prop_assert_eq!(left(&a, &b), left(&b, &a));
        }
    }
}
