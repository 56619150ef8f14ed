//! The rules of a loyalty programme.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no float, no AWS type. Time and entropy are
//! arguments, arithmetic is checked, and the one entry point is [`decide()`].

pub mod audience;
pub mod contact;
pub mod correction;
pub mod coupon;
pub mod decide;
pub mod entropy;
pub mod ids;
pub mod journal;
pub mod member;
pub mod money;
pub mod opening;
pub mod order;
pub mod person;
pub mod points;
pub mod programme;
pub mod rating;
pub mod request;
pub mod time;

pub use audience::Audience;
pub use correction::{Correction, Facts, Says};
pub use coupon::{Coupon, CouponState, CouponUse};
pub use decide::{Command, DecideError, Decision, Need, Outcome, decide};
pub use entropy::Entropy;
pub use ids::{
    CouponCode, CustomerId, DeviceId, ErasureId, LevelId, MemberId, OrderKey, RaterId, RatingId, RefundId,
    RequestId, RewardId, SourceName,
};
pub use journal::{Cause, Entry, EntryId, Kind, Posting};
pub use member::{Account, Bookkeeping, Known, Pending, Profile};
pub use money::{Currency, Goods, Money};
pub use opening::{Once, Opening, Reason};
pub use order::{
    Contact, Customer, CustomerMerge, Order, OrderState, Payment, Refund, RefundKind, Snapshot,
    UnlinkedRefund,
};
pub use person::{CardFingerprint, Phone};
pub use points::Points;
pub use programme::{Programme, ProgrammeError, Programmes, Version};
pub use rating::{Rated, Rater, RaterChange, RaterHistory, Rating, Score};
pub use request::{OnRequest, RewardRequest};
pub use time::{Date, Period, TimeZone, Timestamp};
