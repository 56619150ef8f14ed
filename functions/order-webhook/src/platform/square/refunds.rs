//! What Square's refunds give back of goods.
//!
//! A refund says how much money went back. Where goods came back with it, there is an order whose `returns` name them
//! and the order with which they were sold: then the goods are these lines. Otherwise the money is taken as goods
//! first, up to all of them: who gives goods back never keeps their points. Either way the refund goes by its own
//! identifier, so it is one refund whichever of the two is heard of first.

use std::collections::BTreeMap;

use domain::{Goods, Order, OrderKey, Refund, RefundId, SourceName, UnlinkedRefund};
use serde::Deserialize;
use store::MAX_REFUNDS_PER_ORDER;

use super::order::{Line, Money, OrderBody, minor, sum};
use crate::fields::{BadInput, Id, Instant, PlatformId, null_is_default};
use crate::platform::News;
use crate::platform::priced::Priced;

/// A refund, of an order's list or told by itself.
#[derive(Deserialize)]
pub(super) struct RefundBody {
    id: Id<RefundId>,
    pub(super) order_id: Option<Id<PlatformId>>,
    status: Option<String>,
    amount_money: Money,
    created_at: Option<Instant>,
}

/// Goods that came back.
#[derive(Deserialize)]
pub(super) struct ReturnBody {
    pub(super) source_order_id: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    return_line_items: Vec<Line>,
    return_amounts: Option<Amounts>,
}

#[derive(Deserialize)]
struct Amounts {
    total_money: Option<Money>,
}

/// What is to be stored of an order, of the orders that it gives goods back of, and of a refund told by itself.
pub(super) fn told(
    source: &SourceName,
    mut order: OrderBody,
    sales: Vec<OrderBody>,
    refund: Option<RefundBody>,
) -> Result<Vec<News>, BadInput> {
    if let Some(refund) = refund.filter(|refund| order.refunds.iter().all(|known| known.id.0 != refund.id.0))
    {
        order.refunds.push(refund);
    }
    order.refunds.retain(RefundBody::is_decided);
    if order.refunds.len() > MAX_REFUNDS_PER_ORDER {
        return Err(BadInput::at("order.refunds", format_args!("are more than {MAX_REFUNDS_PER_ORDER}")));
    }
    if order.returns.is_empty() {
        let mut told = order.told(source)?;
        told.refunds = by_amount(&order, &order.refunds)?;
        return Ok(vec![News::Order(told)]);
    }
    let mut news = Vec::new();
    if !order.line_items.is_empty() {
        // An exchange: it sells as well as it gives back.
        news.push(News::Order(order.told(source)?));
    }
    for mut sale in sales {
        sale.refunds.retain(RefundBody::is_decided);
        news.push(News::Order(sale_told(source, &sale, &order)?));
    }
    news.extend(unlinked(source, &order)?);
    if news.is_empty() {
        news.push(News::Nothing("goods came back, and nobody knows whose they are"));
    }
    Ok(news)
}

/// An order that was sold, with what another one gives back of it.
fn sale_told(source: &SourceName, sale: &OrderBody, given_back: &OrderBody) -> Result<Order, BadInput> {
    let mut told = sale.told(source)?;
    told.refunds = by_amount(sale, &sale.refunds)?;
    let parts =
        given_back.returns.iter().filter(|part| part.source_order_id.as_deref() == Some(&sale.id.0.0));
    let parts: Vec<&ReturnBody> = parts.collect();
    told.refunds.extend(by_lines(&sale.priced()?, &parts, given_back)?);
    Ok(told)
}

/// Refunds that tell a sum: goods first.
fn by_amount(order: &OrderBody, refunds: &[RefundBody]) -> Result<BTreeMap<RefundId, Refund>, BadInput> {
    let priced = order.priced()?;
    // In the order of their making, so that what one gives back stays when others follow.
    let mut in_order: Vec<&RefundBody> = refunds.iter().collect();
    in_order.sort_by_key(|refund| (refund.created_at.map(|Instant(at)| at), refund.id.0.clone()));
    let mut sum = 0_i64;
    let mut before = priced.share(0);
    let mut told = BTreeMap::new();
    for refund in in_order {
        sum = sum.saturating_add(refund.money());
        let so_far = priced.share(sum);
        told.insert(refund.id.0.clone(), refund.told(so_far.less(&before).goods(), order));
        before = so_far;
    }
    Ok(told)
}

/// Refunds of an order that gives goods back: each has so much of the goods as of the money.
fn by_lines(
    sold: &Priced,
    parts: &[&ReturnBody],
    given_back: &OrderBody,
) -> Result<BTreeMap<RefundId, Refund>, BadInput> {
    let goods = goods_of(sold, parts)?;
    let money: i128 = given_back.returns.iter().map(ReturnBody::money).sum();
    // Of an exchange only that goes back which the new goods do not cost.
    let money = minor(money - i128::from(given_back.total_money.amount))?;
    if money <= 0 && given_back.is_completed() {
        let id = RefundId::new(given_back.id.0.0.clone()).map_err(|error| BadInput::at("order.id", error))?;
        let (refunded_at, currency) = (given_back.changed_at(), given_back.currency());
        return Ok(BTreeMap::from([(id, Refund::of_goods(refunded_at, currency, goods.goods()))]));
    }
    let told = given_back.refunds.iter().map(|refund| {
        let share = goods.part(refund.money(), money);
        (refund.id.0.clone(), refund.told(share.goods(), given_back))
    });
    Ok(told.collect())
}

/// The goods that came back: lines as they were sold, and sums that name no line, which are taken as goods with their
/// tax; never more than was sold.
fn goods_of(sold: &Priced, parts: &[&ReturnBody]) -> Result<Priced, BadInput> {
    let lines = || parts.iter().flat_map(|part| &part.return_line_items);
    let (gross, net) = sum(lines().filter(|line| line.source_line_item_uid.is_some()));
    let (loose, _) = sum(lines().filter(|line| line.source_line_item_uid.is_none()));
    let loose = sold.share(minor(loose)?);
    let gross = minor(gross + i128::from(loose.gross))?.min(sold.gross);
    let net = minor(net + i128::from(loose.net))?.min(sold.net).min(gross);
    Ok(Priced { gross, net, tax_included: sold.tax_included })
}

/// Goods that came back without a word of when they were sold: an entry of their own, where the customer is known.
fn unlinked(source: &SourceName, order: &OrderBody) -> Result<Option<News>, BadInput> {
    let parts = order.returns.iter().filter(|part| part.source_order_id.is_none());
    let (gross, net) = sum(parts.flat_map(|part| &part.return_line_items));
    let customer = order.customer(source);
    if gross == 0 || customer.is_none() || !order.is_completed() {
        return Ok(None);
    }
    let id = RefundId::new(order.id.0.0.clone()).map_err(|error| BadInput::at("order.id", error))?;
    let key = OrderKey::of_unlinked_refund(source, &id).map_err(|error| BadInput::at("order.id", error))?;
    let goods = Goods { amount: minor(net)?, tax: minor(gross - net)?, tax_included: false };
    let refund = Refund::of_goods(order.changed_at(), order.currency(), goods);
    Ok(Some(News::UnlinkedRefund(UnlinkedRefund { key, customer, refund })))
}

impl RefundBody {
    /// Whether it is known what became of it; one that is pending is told again.
    fn is_decided(&self) -> bool {
        self.is_made() || matches!(self.status.as_deref(), Some("FAILED" | "REJECTED"))
    }

    /// Whether the money is gone for good.
    fn is_made(&self) -> bool {
        matches!(self.status.as_deref(), Some("APPROVED" | "COMPLETED"))
    }

    /// What went back. Nothing of one that failed, also where it had been told as made before.
    fn money(&self) -> i64 {
        if self.is_made() { self.amount_money.amount.max(0) } else { 0 }
    }

    fn told(&self, goods: Goods, order: &OrderBody) -> Refund {
        let refunded_at = self.created_at.map_or_else(|| order.changed_at(), |Instant(at)| at);
        Refund::of_goods(refunded_at, self.amount_money.currency, goods)
    }
}

impl ReturnBody {
    /// What it is worth to the customer, with tax, tips and charges.
    fn money(&self) -> i128 {
        let told = self.return_amounts.as_ref().and_then(|amounts| amounts.total_money);
        told.map_or_else(|| sum(&self.return_line_items).0, |money| i128::from(money.amount))
    }
}
