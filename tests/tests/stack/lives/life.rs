//! Generated lives: the orders of a customer or two, and what becomes of them.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::lives::order::{GIFT_CARD, Happened, Order, Payment, Shape, Step};

/// So that a fifth of any number of pieces is whole, a sixth of them too, and half of either.
const PRICE_STEP: i64 = 60;

/// How an order begins.
#[derive(Debug, Clone)]
struct Start {
    customer: u64,
    placed_at: i64,
    price: i64,
    pieces: i64,
    tax_on_top: bool,
    gift_card: bool,
    test: bool,
    named_late: bool,
}

/// The orders of a customer or two, and what becomes of them.
#[derive(Debug, Clone)]
pub struct Life {
    starts: Vec<Start>,
    steps: Vec<(Index, Step, i64)>,
    /// Whether the platform's time tells any two changes apart. Where it does not, nobody knows which was the last;
    /// but it must be the same one, whichever came first.
    pub told_apart: bool,
}

pub fn lives() -> impl Strategy<Value = Life> {
    let price = prop_oneof![1 => Just(0), 9 => (2_i64..200).prop_map(|steps| steps * PRICE_STEP)];
    let rarely = || prop::bool::weighted(0.15);
    let start = (1_u64..=2, 0_i64..3, price, 1_i64..5, any::<bool>(), any::<bool>(), rarely(), rarely());
    let start =
        start.prop_map(|(customer, placed_at, price, pieces, tax_on_top, gift_card, test, named_late)| {
            Start { customer, placed_at, price, pieces, tax_on_top, gift_card, test, named_late }
        });
    let step = prop_oneof![
        1 => (1_i64..100).prop_map(|percent| Step::PayPart { percent }),
        4 => Just(Step::Pay),
        1 => Just(Step::Add),
        1 => Just(Step::Remove),
        1 => Just(Step::Fulfil),
        2 => any::<bool>().prop_map(|with_fee| Step::RefundPiece { with_fee }),
        1 => (1_i64..=100).prop_map(|percent| Step::RefundMoney { percent }),
        1 => Just(Step::RefundShipping),
        1 => Just(Step::RefundAll),
        1 => Just(Step::FailRefund),
        2 => Just(Step::Cancel),
        2 => Just(Step::Complete),
        1 => Just(Step::Delete),
        1 => Just(Step::Restore),
    ];
    let seconds = prop_oneof![3 => 1_i64..600, 2 => Just(0)];
    let steps = prop::collection::vec((any::<Index>(), step, seconds), 2..14);
    (prop::collection::vec(start, 1..=4), steps, prop::bool::weighted(0.75))
        .prop_map(|(starts, steps, told_apart)| Life { starts, steps, told_apart })
}

impl Life {
    /// Lives it with identifiers above a number of its own; `tell` hears of every change, in order. Returns the orders
    /// as they are in the end.
    pub fn live(&self, shape: Shape, above: u64, mut tell: impl FnMut(&Order, Happened)) -> Vec<Order> {
        let ids = (above + 1..).zip(&self.starts);
        let mut orders: Vec<_> = ids.map(|(id, start)| start.order(shape, id, above)).collect();
        for (order, start) in orders.iter_mut().zip(&self.starts) {
            tell(order, Happened::Placed);
            order.customer = Some(above + start.customer);
        }
        for (which, step, seconds) in &self.steps {
            let order = &mut orders[which.index(self.starts.len())];
            let before = order.clone();
            let Some(happened) = order.take(*step, shape) else { continue };
            let at_once = !self.told_apart || before.comes_first_at_one_time(happened);
            order.updated_at += if at_once { *seconds } else { 1.max(*seconds) };
            order.date_changes(before.refunds.len(), happened);
            tell(order, happened);
        }
        orders
    }
}

impl Start {
    fn order(&self, shape: Shape, id: u64, above: u64) -> Order {
        let placed_at = 8 * 3_600 + self.placed_at;
        let customer = (!(shape.names_customers_late && self.named_late)).then_some(above + self.customer);
        Order {
            id,
            customer,
            placed_at,
            updated_at: placed_at,
            price: self.price,
            pieces: self.pieces,
            removed: 0,
            gift_card: if shape.sells_gift_cards && self.gift_card { GIFT_CARD } else { 0 },
            tax_on_top: shape.adds_tax && self.tax_on_top,
            test: shape.has_tests && self.test,
            payment: Payment::Unpaid,
            cancelled: false,
            deleted: false,
            restored: false,
            refunds: vec![],
        }
    }
}
