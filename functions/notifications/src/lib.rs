//! Tells members and integrators what happened.
//!
//! Woken by the stream of the `members` table with new journal entries that have an audience. Each goes without the
//! person to the integrators, and where it is for everybody, to the member's devices as a push message and to the
//! member's address as an e-mail, all through SNS.
//!
//! **At least once.** A message is sent, then remembered as sent; a crash between the two sends it once more. The
//! announcement to the integrators comes last, so that its mark stands for the whole entry, and carries the
//! entry's key, by which they drop a duplicate.

mod announcement;
mod language;
mod notice;
#[cfg(feature = "preview")]
mod preview;
mod publish;
#[cfg(test)]
mod tests;
mod wording;

use std::time::Instant;

use aws_lambda_events::event::dynamodb::{Event as StreamEvent, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use domain::order::Contact;
use domain::{Audience, Cause, Coupon, Entry, Kind, MemberId, Programme};
use lambda_runtime::LambdaEvent;
use runtime::{Budget, Clock, EngineError, ProgrammeCache, caught};
use store::{Consistency, Device, Sent, Store, StoreError, journal_entry_of_image};

use self::announcement::Announcement;
use self::notice::{Event, News};
#[cfg(feature = "preview")]
pub use self::preview::{Preview, mistakes, previews};
pub use self::publish::Topics;
use self::publish::{PublishFailure, Publisher};
use self::wording::{Channel, Reader, Wording, Words};

/// The only kind of change that tells something new; the template's filter lets no other through.
const INSERTION: &str = "INSERT";
/// What an image has where there is somebody to tell: who, or as entries of before have it, that there is. The template's
/// filters look for them, too.
const AUDIENCE: [&str; 2] = ["audience", "notify"];
/// The channel of the announcement, whose mark says that the whole entry is done.
const ANNOUNCEMENT: &str = "event";

/// The function.
#[derive(Debug)]
pub struct Notifications {
    store: Store,
    programmes: ProgrammeCache,
    publisher: Publisher,
    wording: Wording,
    clock: Clock,
}

/// Why an entry was not told, by who must act.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Report the record and stop.
    #[error("{0}")]
    Retryable(String),
    /// Tell the operator and go on: it must not block what is behind it.
    #[error("{0}")]
    Permanent(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) | StoreError::Retryable(_) => Self::Retryable(error.to_string()),
            StoreError::Permanent(_) | StoreError::UnknownMember | StoreError::BadCursor => {
                Self::Permanent(error.to_string())
            }
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Retryable(reason) => Self::Retryable(reason),
            EngineError::Permanent(reason) => Self::Permanent(reason),
        }
    }
}

/// A journal entry with what is announced of it.
struct Notice {
    member: MemberId,
    key: String,
    entry: Entry,
    event: Event,
    /// The coupons of which the message tells, where they are several.
    coupons: Vec<Coupon>,
}

impl Notice {
    fn sent_over(&self, channel: impl Into<String>) -> Sent {
        Sent { entry: self.key.clone(), channel: channel.into() }
    }
}

impl Notifications {
    /// The function over its store, SNS, the topics and a clock.
    pub fn new(store: Store, sns: aws_sdk_sns::Client, topics: Topics, clock: Clock) -> Self {
        Self {
            programmes: ProgrammeCache::new(store.clone()),
            publisher: Publisher::new(sns, topics),
            wording: Wording::new(),
            store,
            clock,
        }
    }

    /// What can be done before the first event: see [`ProgrammeCache::warm`].
    pub async fn warm(&self) {
        self.programmes.warm().await;
    }

    /// Tells every record of a batch, in order. At the first that has to wait it stops and reports it: Lambda sends
    /// that one and those behind it again.
    pub async fn handle(
        &self,
        event: LambdaEvent<StreamEvent>,
    ) -> Result<DynamoDbEventResponse, lambda_runtime::Error> {
        let budget = Budget::until(event.context.deadline);
        let mut passed_over = 0_usize;
        for record in event.payload.records {
            let sequence_number = record.change.sequence_number.clone();
            let told = if budget.is_spent() {
                Err(Failure::Retryable("the invocation's time is spent".to_owned()))
            } else {
                // Boxed: the type of the whole way through SNS is too deep for the compiler to lay out at once.
                let told = caught(Box::pin(self.tell_record(record))).await;
                told.unwrap_or_else(|panicked| Err(Failure::Permanent(panicked.to_string())))
            };
            match told {
                Ok(()) => {}
                Err(Failure::Permanent(reason)) => {
                    passed_over += 1;
                    tracing::error!(sequence_number, reason, "a record is passed over");
                }
                Err(Failure::Retryable(reason)) => {
                    tracing::warn!(sequence_number, reason, "a record has to wait");
                    return waiting_from(sequence_number);
                }
            }
        }
        if passed_over > 0 {
            tracing::error!(passed_over, "records of this batch were passed over");
        }
        Ok(DynamoDbEventResponse::default())
    }

    async fn tell_record(&self, record: EventRecord) -> Result<(), Failure> {
        if record.event_name != INSERTION || !has_an_audience(&record) {
            return Ok(());
        }
        let (member, key, entry) = journal_entry_of_image(record.change.new_image)
            .map_err(|error| Failure::Permanent(error.to_string()))?;
        let Some(event) = Event::of(&entry) else { return Ok(()) };
        self.tell(Notice { member, key, entry, event, coupons: Vec::new() }).await
    }

    #[tracing::instrument(skip_all, fields(member.id = %notice.member, event = notice.event.name()))]
    async fn tell(&self, mut notice: Notice) -> Result<(), Failure> {
        let started = Instant::now();
        if self.store.was_sent(&notice.member, &notice.sent_over(ANNOUNCEMENT)).await? {
            return Ok(());
        }
        if notice.entry.audience == Audience::Everybody {
            notice.coupons = self.coupons_told_of(&notice).await?;
            self.tell_the_member(&notice).await?;
        }
        self.announce(&notice).await?;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(duration_ms, "told");
        Ok(())
    }

    async fn tell_the_member(&self, notice: &Notice) -> Result<(), Failure> {
        let contact = self.store.contact(&notice.member).await?.unwrap_or_default();
        if !contact.accepts_messages() {
            return Ok(());
        }
        let versions = self.programmes.get().await?;
        let programme = &versions.at(notice.entry.recorded_at).programme;
        let devices = self.store.devices(&notice.member).await?;
        self.push(notice, programme, &contact, &devices).await?;
        self.email(notice, programme, &contact).await
    }

    /// The coupons of which one message tells: those that were issued together and can still be used, and the entry's
    /// own. A single one stands in the entry.
    async fn coupons_told_of(&self, notice: &Notice) -> Result<Vec<Coupon>, Failure> {
        let Entry { id, kind, .. } = &notice.entry;
        let (Cause::Coupon(last), Kind::CouponIssued { code, told_from: Some(first), .. }) =
            (&id.cause, kind)
        else {
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let mut coupons = self.store.coupons(&notice.member, Consistency::Strong).await?;
        coupons.retain(|coupon| {
            let is_told_of = (*first..=*last).contains(&coupon.number) && coupon.is_live(now);
            is_told_of || coupon.code == *code
        });
        coupons.sort_by_key(|coupon| coupon.number);
        Ok(coupons)
    }

    async fn push(
        &self,
        notice: &Notice,
        programme: &Programme,
        contact: &Contact,
        devices: &[Device],
    ) -> Result<(), Failure> {
        if devices.is_empty() {
            return Ok(());
        }
        let Some(words) = self.words(notice, Channel::Push, programme, contact) else { return Ok(()) };
        for device in devices {
            let sent = Sent::push(&notice.key, &device.id);
            if self.store.was_sent(&notice.member, &sent).await? {
                continue;
            }
            if !self.store.is_its_own(&notice.member, device).await? {
                // Somebody else is logged in on that phone since.
                self.store.delete_device(&notice.member, &device.id).await?;
                continue;
            }
            match self.publisher.push(&device.endpoint, notice.event, &notice.member, &words).await {
                Err(PublishFailure::Gone) => {
                    tracing::info!("a device is gone");
                    self.store.delete_device(&notice.member, &device.id).await?;
                }
                published => self.remember(notice, &sent, published).await?,
            }
        }
        Ok(())
    }

    async fn email(&self, notice: &Notice, programme: &Programme, contact: &Contact) -> Result<(), Failure> {
        let Some(address) = &contact.email else { return Ok(()) };
        let Some(words) = self.words(notice, Channel::Email, programme, contact) else { return Ok(()) };
        let sent = notice.sent_over(Channel::Email.name());
        if self.store.was_sent(&notice.member, &sent).await? {
            return Ok(());
        }
        let published = self.publisher.email(address, notice.event, &notice.member, &words).await;
        self.remember(notice, &sent, published).await
    }

    async fn announce(&self, notice: &Notice) -> Result<(), Failure> {
        let announcement = Announcement::of(notice.event, &notice.member, &notice.key, &notice.entry);
        let published = self.publisher.announce(notice.event, &announcement).await;
        self.remember(notice, &notice.sent_over(ANNOUNCEMENT), published).await
    }

    fn words(
        &self,
        notice: &Notice,
        channel: Channel,
        programme: &Programme,
        contact: &Contact,
    ) -> Option<Words> {
        let reader = Reader { name: contact.name.as_deref(), locale: contact.locale.as_deref() };
        let news = News { event: notice.event, entry: &notice.entry, coupons: &notice.coupons };
        self.wording.of(news, channel, programme, reader)
    }

    /// Marks a message as sent. One that can never go out is marked too: the other channels go on, and it is not
    /// tried again.
    async fn remember(
        &self,
        notice: &Notice,
        sent: &Sent,
        published: Result<(), PublishFailure>,
    ) -> Result<(), Failure> {
        match published {
            Ok(()) => {}
            Err(
                failure @ (PublishFailure::Retryable(_) | PublishFailure::Forbidden | PublishFailure::Gone),
            ) => {
                return Err(Failure::Retryable(failure.to_string()));
            }
            Err(failure @ PublishFailure::Permanent(_)) => {
                tracing::error!(channel = sent.channel, %failure, "a message is given up");
            }
        }
        Ok(self.store.mark_sent(&notice.member, sent, self.clock.now()).await?)
    }
}

/// The stream also carries profiles, coupons and marks, and entries that are bookkeeping.
fn has_an_audience(record: &EventRecord) -> bool {
    AUDIENCE.iter().any(|attribute| record.change.new_image.get(*attribute).is_some())
}

/// A record without a number cannot be reported alone, so its whole batch comes again.
fn waiting_from(sequence_number: Option<String>) -> Result<DynamoDbEventResponse, lambda_runtime::Error> {
    let sequence_number = sequence_number.ok_or("a record without a sequence number has to wait")?;
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    let mut answer = DynamoDbEventResponse::default();
    answer.batch_item_failures.push(failure);
    Ok(answer)
}
