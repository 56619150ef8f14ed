//! An order as a shop sees it, in no platform's words: what can happen to it, and what it is worth by plain
//! calculation.

/// Every order's shipping, in minor units; it never earns.
pub const SHIPPING: i64 = 500;
/// A gift card bought, in minor units; it never earns either.
pub const GIFT_CARD: i64 = 5_000;
/// Points per 1.00, in tenths: a rate under which almost every amount must be rounded.
const TENTHS_OF_POINTS: i64 = 37;
/// Refunds of one order; their numbers are the order's and one digit more.
const MAX_REFUNDS: usize = 9;

/// What a platform's orders can go through, and how it tells of that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    pub pays_in_parts: bool,
    pub edits_unpaid: bool,
    pub edits_paid: bool,
    pub cancels: bool,
    pub completes_again: bool,
    pub deletes: bool,
    pub restores: bool,
    pub refunds_fail: bool,
    pub sells_gift_cards: bool,
    pub adds_tax: bool,
    pub has_tests: bool,
    pub names_customers_late: bool,
    /// A refund tells only a sum, which is goods first, also where it was for shipping.
    pub refunds_are_money: bool,
}

/// An order at a moment of its life. Amounts are minor units, moments are seconds of the day.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: u64,
    /// Nobody while the platform does not say who it is.
    pub customer: Option<u64>,
    pub placed_at: i64,
    pub updated_at: i64,
    pub price: i64,
    pub pieces: i64,
    pub removed: i64,
    pub gift_card: i64,
    /// A fifth of the goods on top; otherwise a sixth is within.
    pub tax_on_top: bool,
    pub test: bool,
    pub payment: Payment,
    pub cancelled: bool,
    pub deleted: bool,
    pub restored: bool,
    pub refunds: Vec<Refund>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Payment {
    Unpaid,
    Part(i64),
    Paid,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: u64,
    pub at: i64,
    pub pieces: i64,
    /// What of the pieces' price the shop keeps.
    pub fee: i64,
    /// Money without goods.
    pub gesture: i64,
    pub shipping: i64,
    pub failed_at: Option<i64>,
}

/// What an order has posted in all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Earned {
    pub points: i64,
    pub lifetime_points: i64,
    pub status_points: i64,
    pub counts: i64,
}

impl Order {
    /// The goods before refunds, without what was taken off the order.
    pub fn goods(&self) -> i64 {
        (self.pieces - self.removed) * self.price
    }

    pub fn total(&self) -> i64 {
        let tax = if self.tax_on_top { self.goods() / 5 } else { 0 };
        self.goods() + tax + SHIPPING + self.gift_card
    }

    pub fn refunded_pieces(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.pieces).sum()
    }

    /// All money given back, where there is no tax on top.
    pub fn money_back(&self) -> i64 {
        let done = self.refunds.iter().filter(|refund| refund.failed_at.is_none());
        done.map(|refund| self.goods_back(refund) + refund.shipping).sum()
    }

    pub fn goods_back(&self, refund: &Refund) -> i64 {
        refund.pieces * self.price - refund.fee + refund.gesture
    }

    /// Goods kept at the end, times the rate, floored.
    pub fn earned(&self, shape: Shape) -> Earned {
        let (paid, total) = match self.payment {
            Payment::Part(paid) => (paid, self.total()),
            Payment::Paid => (1, 1),
            Payment::Unpaid => return Earned::default(),
        };
        if self.cancelled || self.deleted || self.test {
            return Earned::default();
        }
        let done = self.refunds.iter().filter(|refund| refund.failed_at.is_none());
        let back: i64 = if shape.refunds_are_money {
            self.money_back().min(self.goods())
        } else {
            done.map(|refund| self.goods_back(refund)).sum()
        };
        let points = |shares: i64| shares * TENTHS_OF_POINTS / (1_000 * total);
        let lifetime_points = points(self.goods() * paid);
        let kept = (self.goods() * paid - back * total).max(0);
        if back > 0 && kept == 0 {
            return Earned { lifetime_points, ..Earned::default() };
        }
        let points = points(kept);
        let status_points = if self.goods() > 0 { 10 } else { 0 };
        Earned { points, lifetime_points, status_points, counts: 1 }
    }
}

/// What a webhook is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happened {
    Placed,
    PaidInPart,
    Paid,
    Edited,
    Fulfilled,
    Refunded,
    RefundFailed,
    Cancelled,
    Completed,
    Deleted,
    Restored,
}

/// What somebody does to an order.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    PayPart { percent: i64 },
    Pay,
    Add,
    Remove,
    Fulfil,
    RefundPiece { with_fee: bool },
    RefundMoney { percent: i64 },
    RefundShipping,
    RefundAll,
    FailRefund,
    Cancel,
    Complete,
    Delete,
    Restore,
}

impl Order {
    /// Whether of two webhooks of one platform's time this state is known for the earlier: it was paid less, refunded
    /// less, or not yet cancelled.
    pub fn comes_first_at_one_time(&self, happened: Happened) -> bool {
        let failure_is_newest = self.refunds.iter().any(|refund| refund.failed_at == Some(self.updated_at));
        match happened {
            Happened::Paid | Happened::PaidInPart | Happened::Refunded => !failure_is_newest,
            Happened::Cancelled | Happened::Fulfilled | Happened::Deleted => true,
            _ => false,
        }
    }

    /// Dates what just happened.
    pub fn date_changes(&mut self, refunds_before: usize, happened: Happened) {
        for refund in self.refunds.iter_mut().skip(refunds_before) {
            refund.at = self.updated_at;
        }
        if happened == Happened::RefundFailed {
            let newest = self.refunds.iter_mut().rfind(|refund| refund.failed_at.is_some());
            newest.into_iter().for_each(|refund| refund.failed_at = Some(self.updated_at));
        }
    }

    /// Takes a step, where the platform has it and it is possible now.
    pub fn take(&mut self, step: Step, shape: Shape) -> Option<Happened> {
        // A restored order is let be: see `Webhook::restores`.
        let is_over = self.deleted && !matches!(step, Step::Restore);
        if is_over || self.restored {
            return None;
        }
        match step {
            Step::PayPart { .. } | Step::Pay => self.pay(step, shape),
            Step::Add | Step::Remove => self.edit(step, shape),
            Step::Fulfil => (!self.cancelled).then_some(Happened::Fulfilled),
            Step::RefundPiece { .. } | Step::RefundMoney { .. } | Step::RefundShipping | Step::RefundAll => {
                self.refund(step)
            }
            Step::FailRefund => {
                let refund =
                    self.refunds.last_mut().filter(|it| shape.refunds_fail && it.failed_at.is_none())?;
                refund.failed_at = Some(refund.at);
                Some(Happened::RefundFailed)
            }
            Step::Cancel => {
                let cancels = shape.cancels && !self.cancelled;
                self.cancelled |= cancels;
                cancels.then_some(Happened::Cancelled)
            }
            Step::Complete => {
                let completes = shape.completes_again && self.cancelled;
                if completes {
                    (self.cancelled, self.payment) = (false, Payment::Paid);
                }
                completes.then_some(Happened::Completed)
            }
            Step::Delete => {
                self.deleted = shape.deletes;
                shape.deletes.then_some(Happened::Deleted)
            }
            Step::Restore => {
                let restores = shape.restores && self.deleted;
                if restores {
                    (self.deleted, self.restored) = (false, true);
                }
                restores.then_some(Happened::Restored)
            }
        }
    }

    fn pay(&mut self, step: Step, shape: Shape) -> Option<Happened> {
        let so_far = match self.payment {
            Payment::Unpaid => 0,
            Payment::Part(paid) => paid,
            Payment::Paid => return None,
        };
        if self.cancelled {
            return None;
        }
        let Step::PayPart { percent } = step else {
            self.payment = Payment::Paid;
            return Some(Happened::Paid);
        };
        let paid = self.total() * percent / 100;
        if !shape.pays_in_parts || paid <= so_far {
            return None;
        }
        self.payment = Payment::Part(paid);
        Some(Happened::PaidInPart)
    }

    /// Of a paid order that grows a part is still to be paid.
    fn edit(&mut self, step: Step, shape: Shape) -> Option<Happened> {
        let is_open = if self.payment == Payment::Unpaid { shape.edits_unpaid } else { shape.edits_paid };
        let kept = self.pieces - self.removed - self.refunded_pieces();
        if !is_open || self.cancelled {
            return None;
        }
        let before = self.total();
        match step {
            Step::Add if self.refunds.is_empty() => self.pieces += 1,
            Step::Remove if kept > 1 => self.removed += 1,
            _ => return None,
        }
        self.payment = match self.payment {
            Payment::Paid if self.total() > before => Payment::Part(before),
            Payment::Part(paid) if paid >= self.total() => Payment::Paid,
            payment => payment,
        };
        Some(Happened::Edited)
    }

    fn refund(&mut self, step: Step) -> Option<Happened> {
        if self.payment == Payment::Unpaid || self.refunds.len() == MAX_REFUNDS {
            return None;
        }
        let number = u64::try_from(self.refunds.len()).unwrap_or_default();
        let (id, at) = (self.id * 10 + number, self.updated_at);
        let mut refund = Refund { id, at, pieces: 0, fee: 0, gesture: 0, shipping: 0, failed_at: None };
        let left = self.pieces - self.removed - self.refunded_pieces();
        let shipped_back = self.refunds.iter().any(|refund| refund.shipping > 0);
        match step {
            Step::RefundPiece { with_fee } => {
                refund.pieces = left.min(1);
                refund.fee = if with_fee { refund.pieces * self.price / 2 } else { 0 };
            }
            Step::RefundMoney { percent } => {
                let back: i64 = self.refunds.iter().map(|refund| self.goods_back(refund)).sum();
                refund.gesture = (self.goods() - back).max(0) * percent / 100;
            }
            Step::RefundShipping if !shipped_back => refund.shipping = SHIPPING,
            Step::RefundAll => {
                refund.pieces = left;
                refund.shipping = if shipped_back { 0 } else { SHIPPING };
            }
            _ => {}
        }
        let gives_back = refund.pieces > 0 || refund.gesture > 0 || refund.shipping > 0;
        gives_back.then(|| {
            self.refunds.push(refund);
            Happened::Refunded
        })
    }
}
