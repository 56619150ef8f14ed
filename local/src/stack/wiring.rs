//! What each `main` does on Lambda: the clients, and the handlers built over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_credential_types::Credentials;
use erasure::ErasureFunction;
use member_api::{MemberApi, PlatformApplications};
use notifications::{Notifications, Topics};
use order_sweep::OrderSweep;
use order_webhook::{OrderWebhook, Sources};
use points_accrual::PointsAccrual;
use runtime::{Clients, Config, Random};
use store::{Store, Tables};
use tier_review::TierReview;
use tokio::sync::watch;

use super::StackError;
use crate::clock::LocalClock;
use crate::dynamodb::Engine;
use crate::functions::{Functions, Handler};
use crate::in_process::InProcess;
use crate::schedule::Schedule;
use crate::sns::Sns;
use crate::state::State;
use crate::streams::Pump;
use crate::template::{FunctionTemplate, LocalNames, Template, TemplateError};

const ORDER_WEBHOOK: &str = "OrderWebhookFunction";
const POINTS_ACCRUAL: &str = "PointsAccrualFunction";
const TIER_REVIEW: &str = "TierReviewFunction";
const ORDER_SWEEP: &str = "OrderSweepFunction";
const NOTIFICATIONS: &str = "NotificationsFunction";
const MEMBER_API: &str = "MemberApiFunction";
const ERASURE: &str = "ErasureFunction";

/// The functions' own clients, over a transport that ends in this process. Only DynamoDB's protocol names a target.
pub(super) fn clients(
    template: &Template,
    engine: &Engine,
    sns: &Arc<Sns>,
) -> Result<Clients, TemplateError> {
    let config = config(template)?;
    let (engine, sns) = (engine.clone(), Arc::clone(sns));
    let transport = InProcess::client(move |target, body| match target {
        Some(target) => engine.answer(target, body),
        None => sns.answer(body),
    });
    Ok(Clients::over(config, transport, credentials()))
}

/// What the functions are told by their environment.
pub(super) fn config(template: &Template) -> Result<Config, TemplateError> {
    let table = |name| template.variable(ORDER_WEBHOOK, name).map(str::to_owned);
    Ok(Config {
        region: LocalNames::default().region.to_owned(),
        dynamodb_endpoint: None,
        sns_endpoint: None,
        ssm_endpoint: None,
        tables: Tables {
            orders: table("LAUREL_ORDERS_TABLE")?,
            members: table("LAUREL_MEMBERS_TABLE")?,
            directory: table("LAUREL_DIRECTORY_TABLE")?,
            programmes: table("LAUREL_PROGRAMMES_TABLE")?,
            erasures: table("LAUREL_ERASURES_TABLE")?,
        },
    })
}

/// The embedded engine asks for some, whichever.
pub(super) fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "local")
}

/// Every function of the template with its handler.
pub(super) fn functions(
    template: &Template,
    clients: &Clients,
    store: &Store,
    sources: &Sources,
    clock: &LocalClock,
) -> Result<Functions, TemplateError> {
    let declared = |id: &str| declared(template, id);
    let variable = |function: &str, name: &str| template.variable(function, name).map(str::to_owned);
    let engine = || runtime::Engine::new(store.clone(), clock.for_functions(), Random::system());

    let webhook = OrderWebhook::new(store.clone(), sources.clone(), clock.for_signatures());
    let webhook = Arc::new(webhook.with_calendar(clock.for_functions()));
    let accrual = Arc::new(PointsAccrual::new(engine()));
    let review = Arc::new(TierReview::new(engine()));
    let sweep = Arc::new(OrderSweep::new(engine()));
    let topics = Topics {
        notifications: variable(NOTIFICATIONS, "LAUREL_NOTIFICATIONS_TOPIC")?,
        events: variable(NOTIFICATIONS, "LAUREL_EVENTS_TOPIC")?,
    };
    let notifications =
        Arc::new(Notifications::new(store.clone(), clients.sns(), topics, clock.for_functions()));
    let applications = PlatformApplications {
        apns: Some(variable(MEMBER_API, "LAUREL_APNS_APPLICATION")?),
        fcm: Some(variable(MEMBER_API, "LAUREL_FCM_APPLICATION")?),
    };
    let members = Arc::new(MemberApi::new(engine(), clients.sns(), applications));
    let erasure = Arc::new(ErasureFunction::new(store.clone(), clients.sns(), clock.for_functions()));

    Ok(Functions::default()
        .with(
            declared(ORDER_WEBHOOK)?,
            Handler::of_requests(move |request| {
                let webhook = Arc::clone(&webhook);
                async move { webhook.handle(request).await }
            }),
        )
        .with(
            declared(POINTS_ACCRUAL)?,
            Handler::of_events(move |event| {
                let accrual = Arc::clone(&accrual);
                async move { accrual.handle(event).await }
            }),
        )
        .with(
            declared(TIER_REVIEW)?,
            Handler::of_events(move |event| {
                let review = Arc::clone(&review);
                async move { review.handle(event).await }
            }),
        )
        .with(
            declared(ORDER_SWEEP)?,
            Handler::of_events(move |event| {
                let sweep = Arc::clone(&sweep);
                async move { sweep.handle(event).await }
            }),
        )
        .with(
            declared(NOTIFICATIONS)?,
            Handler::of_events(move |event| {
                let notifications = Arc::clone(&notifications);
                async move { notifications.handle(event).await }
            }),
        )
        .with(
            declared(MEMBER_API)?,
            Handler::of_requests(move |request| {
                let members = Arc::clone(&members);
                async move { members.handle(request).await }
            }),
        )
        .with(
            declared(ERASURE)?,
            Handler::of_events(move |event| {
                let erasure = Arc::clone(&erasure);
                async move { erasure.handle(event).await }
            }),
        ))
}

/// One pump for each stream that feeds a function, in the order of the way: what accrual writes, notifications read.
pub(super) fn pumps(
    template: &Template,
    engine: &Engine,
    functions: &Functions,
    state: &Arc<State>,
    clock: &LocalClock,
    stop: &watch::Sender<bool>,
) -> Result<Vec<Arc<Pump>>, StackError> {
    let mut followers: BTreeMap<&str, &str> = BTreeMap::new();
    let mut pumps = Vec::new();
    for mapping in template.mappings() {
        if let Some(other) = followers.insert(&mapping.table, &mapping.id) {
            let problem =
                format!("follows {} as {other} does; the local stack knows one follower", mapping.table);
            return Err(TemplateError::new(&mapping.id, problem).into());
        }
        let pump = Pump::open(
            mapping.clone(),
            engine.clone(),
            functions.clone(),
            Arc::clone(state),
            clock.clone(),
            stop.subscribe(),
        )?;
        pumps.push(Arc::new(pump));
    }
    pumps.sort_by_key(|pump| pump.mapping().function != POINTS_ACCRUAL);
    Ok(pumps)
}

/// When the review runs.
pub(super) fn review_schedule(template: &Template) -> Result<Schedule, TemplateError> {
    schedule(template, TIER_REVIEW)
}

/// When the sweep runs.
pub(super) fn sweep_schedule(template: &Template) -> Result<Schedule, TemplateError> {
    schedule(template, ORDER_SWEEP)
}

fn schedule(template: &Template, function: &str) -> Result<Schedule, TemplateError> {
    let rate = declared(template, function)?.schedule;
    rate.map(|rate| Schedule::new(function, rate))
        .ok_or_else(|| TemplateError::new(function, "has no schedule"))
}

/// Where the sources lie in Parameter Store.
pub(super) fn sources_path(template: &Template) -> Result<String, TemplateError> {
    template.variable(ORDER_WEBHOOK, "LAUREL_SOURCES_PATH").map(str::to_owned)
}

fn declared<'a>(template: &'a Template, id: &str) -> Result<&'a FunctionTemplate, TemplateError> {
    template.functions.get(id).ok_or_else(|| TemplateError::new(id, "is missing"))
}
