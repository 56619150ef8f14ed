//! What members, checkouts and the shop's own systems ask: who becomes a member, the account as it is now, the journal,
//! where push messages go, and how a member is rated.
//!
//! Nothing here changes points. An account is settled to the present moment in memory, so that an answer is right
//! also between two reviews.

mod account;
mod device;
mod enrolment;
mod journal;
mod rating;
mod route;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use domain::{CustomerId, DecideError, DeviceId, MemberId, RatingId, SourceName};
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Error, Request, RequestExt, Response};
use runtime::{Budget, Engine, EngineError, Enrolled, Problem, Settled, UNDOABLE_FOR, Unmerged, json};
use serde::Deserialize;
use store::{Consistency, Device, DirectoryKey, Store, StoreError};

use self::account::AccountDocument;
pub use self::device::PlatformApplications;
use self::device::{DeviceDocument, DeviceRequest, Endpoints};
use self::journal::JournalDocument;
use self::rating::{RatedDocument, RatingDocument};
use self::route::Route;

/// The most devices of one member; each is a message to pay for.
const MAX_DEVICES_PER_MEMBER: usize = 20;

/// The function.
#[derive(Debug, Clone)]
pub struct MemberApi {
    engine: Engine,
    endpoints: Endpoints,
}

/// Why there is no answer.
#[derive(Debug)]
enum Failure {
    /// The caller must mend something.
    Refused(Problem),
    /// We must; the reason is for the log.
    Ours(String),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownMember => Self::Refused(unknown_member()),
            StoreError::BadCursor => Self::Refused(journal::bad_cursor()),
            StoreError::Conflict(_) | StoreError::Retryable(_) | StoreError::Permanent(_) => {
                Self::Ours(error.to_string())
            }
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        Self::Ours(error.to_string())
    }
}

impl MemberApi {
    /// The function over an engine, SNS and the platform applications.
    pub fn new(engine: Engine, sns: aws_sdk_sns::Client, applications: PlatformApplications) -> Self {
        Self { engine, endpoints: Endpoints::new(sns, applications) }
    }

    /// Answers one request. Never an error: whatever goes wrong is an answer of its own.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        Ok(match self.answer(&request).await {
            Ok(response) => response,
            Err(Failure::Refused(problem)) => problem.response(),
            Err(Failure::Ours(reason)) => {
                tracing::error!(reason, "a request could not be answered");
                Problem::unavailable().response()
            }
        })
    }

    async fn answer(&self, request: &Request) -> Result<Response<Body>, Failure> {
        let route = Route::of(request.uri().path())?;
        let methods = route.methods();
        if !methods.contains(request.method()) {
            return Ok(only(methods));
        }
        let query = route::query_of(request.uri());
        match route {
            Route::Members if *request.method() == Method::POST => self.enrol(request).await,
            Route::Members => self.account(StatusCode::OK, &self.find(&query).await?).await,
            Route::Member(member) => self.account(StatusCode::OK, &member).await,
            Route::Journal(member) => self.journal(&member, &query).await,
            Route::Merge(member) => self.merge(&member, request).await,
            Route::Unmerge(member) => self.unmerge(&member, request).await,
            Route::Rating(member, rating) => self.put_rating(&member, rating, request).await,
            Route::Device(member, device) if *request.method() == Method::DELETE => {
                self.remove_device(&member, &device).await
            }
            Route::Device(member, device) => self.put_device(&member, device, request.body()).await,
        }
    }

    async fn find(&self, query: &HashMap<String, String>) -> Result<MemberId, Failure> {
        let (Some(source), Some(customer)) = (query.get("source"), query.get("customer")) else {
            return Err(Problem::bad_request(
                "A member is found by source and customer: /members?source=…&customer=….",
            )
            .into());
        };
        let source =
            SourceName::new(source).map_err(|error| Problem::bad_request(format!("The source {error}.")))?;
        let customer = CustomerId::new(customer)
            .map_err(|error| Problem::bad_request(format!("The customer {error}.")))?;
        let key = DirectoryKey::Customer(source, customer);
        let member = self.store().find_member(&key, Consistency::Strong).await?;
        member.ok_or_else(|| {
            Problem::not_found("No member of this source has this customer identifier.").into()
        })
    }

    /// Makes somebody a member, or finds the one who is. What waited for them follows by the stream.
    async fn enrol(&self, request: &Request) -> Result<Response<Body>, Failure> {
        let who = enrolment::parse(request.body())?;
        let now = self.engine.clock().now();
        match self.engine.enrol(&who, now, budget_of(request)).await? {
            Enrolled::New(member) => self.account(StatusCode::CREATED, &member).await,
            Enrolled::Known(member) => self.account(StatusCode::OK, &member).await,
            Enrolled::Several(one, other) => Err(Problem::refused(format!(
                "These names lead to two members. If they are one person, merge them first: POST /members/{one}/merge with {{\"from\":\"{other}\"}}. If not, leave out the name that is not theirs."
            ))
            .into()),
        }
    }

    async fn account(&self, status: StatusCode, member: &MemberId) -> Result<Response<Body>, Failure> {
        let settled = self.engine.look(member).await?.ok_or_else(unknown_member)?;
        // Who became part of another member is that one.
        let coupons = self.store().coupons(&settled.profile.member, Consistency::Strong).await?;
        let now = self.engine.clock().now();
        Ok(json(status, &AccountDocument::of(&settled.profile, &settled.programmes, &coupons, now)?))
    }

    async fn journal(
        &self,
        member: &MemberId,
        query: &HashMap<String, String>,
    ) -> Result<Response<Body>, Failure> {
        let asked = |name: &str| query.get(name).map(String::as_str);
        let limit = journal::limit_of(asked("limit"))?;
        let cursor = journal::cursor_of(asked("cursor"))?;
        let (entries, next) = self.store().journal_page(member, cursor.as_ref(), limit).await?;
        if entries.is_empty() {
            self.known(member).await?;
        }
        Ok(json(StatusCode::OK, &JournalDocument::of(member, &entries, next.as_ref())))
    }

    /// Adds or replaces a device. Of a token that another device has, that one is forgotten: whoever told it last is
    /// logged in on the phone.
    async fn put_device(
        &self,
        member: &MemberId,
        id: DeviceId,
        body: &[u8],
    ) -> Result<Response<Body>, Failure> {
        let request = DeviceRequest::parse(body)?;
        // Before anything is made at SNS that nobody would use.
        let member = self.known(member).await?;
        self.refuse_erased(&member).await?;
        let devices = self.store().devices(&member).await?;
        let before = devices.iter().find(|device| device.id == id);
        if before.is_none() && devices.len() >= MAX_DEVICES_PER_MEMBER {
            let limit = format!("A member may have at most {MAX_DEVICES_PER_MEMBER} devices.");
            return Err(Problem::refused(limit).into());
        }
        let endpoint = self.endpoints.for_token(&request).await?;
        if let Some(before) = before.filter(|before| before.endpoint != endpoint) {
            // Before what names it is written over, so that no token is left there that nobody knows of.
            self.delete_endpoint(&member, before).await?;
        }
        let device = Device { id, platform: request.platform, endpoint };
        let put = self.store().put_device(&member, &device, self.engine.clock().now()).await;
        if let Err(StoreError::UnknownMember) = put {
            // Erased in this very moment, and nobody will ever delete what was just made.
            if self.store().is_nobodys(&device.endpoint).await? {
                self.endpoints.delete(&device.endpoint).await?;
            }
            self.refuse_erased(&member).await?;
        }
        put?;
        let status = if before.is_none() { StatusCode::CREATED } else { StatusCode::OK };
        Ok(json(status, &DeviceDocument { device: &device.id, platform: device.platform }))
    }

    /// Removes a device, first at SNS. One that is not there is removed already.
    async fn remove_device(&self, member: &MemberId, id: &DeviceId) -> Result<Response<Body>, Failure> {
        let member = self.known(member).await?;
        if let Some(device) = self.store().device(&member, id).await? {
            self.delete_endpoint(&member, &device).await?;
            self.store().delete_device(&member, id).await?;
        }
        let mut nothing = Response::new(Body::Empty);
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        Ok(nothing)
    }

    /// Deletes a device's endpoint at SNS, unless it is another device's since.
    async fn delete_endpoint(&self, member: &MemberId, device: &Device) -> Result<(), Failure> {
        if self.store().is_its_own(member, device).await? {
            self.endpoints.delete(&device.endpoint).await?;
        }
        Ok(())
    }

    /// An erased member's account is left, and nobody's: nothing of a person is taken for it.
    async fn refuse_erased(&self, member: &MemberId) -> Result<(), Failure> {
        if self.store().is_erased(member).await? {
            let problem = "This member was erased. Whoever comes back is a new member; look them up anew.";
            return Err(Problem::refused(problem).into());
        }
        Ok(())
    }

    /// Makes another member part of this one; of two who are one already, nothing.
    async fn merge(&self, into: &MemberId, request: &Request) -> Result<Response<Body>, Failure> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct MergeRequest {
            from: MemberId,
        }
        let MergeRequest { from } = serde_json::from_slice(request.body()).map_err(|_| {
            Problem::bad_request(r#"The body is JSON with from, the member to become part of this one."#)
        })?;
        self.known(into).await?;
        if self.store().profile(&from, Consistency::Strong).await?.is_none() {
            return Err(Problem::refused("There is no member of the name in from.").into());
        }
        self.refuse_erased(into).await?;
        self.engine.merge(&from, into, budget_of(request)).await?;
        self.account(StatusCode::OK, into).await
    }

    /// Makes a member who became part of another one a member of their own again.
    async fn unmerge(&self, member: &MemberId, request: &Request) -> Result<Response<Body>, Failure> {
        self.known(member).await?;
        let refused = match self.engine.unmerge(member, budget_of(request)).await? {
            Unmerged::Done => return self.account(StatusCode::OK, member).await,
            Unmerged::NotMerged => "This member is not part of another one.".to_owned(),
            Unmerged::TooLate { merged_at } => {
                let days = UNDOABLE_FOR.as_hours() / 24;
                format!("They became one at {merged_at}; that can be taken back for {days} days.")
            }
            Unmerged::Unmarked => {
                "An earlier version of Laurel merged them, and did not note what came along; that cannot be taken back."
                    .to_owned()
            }
            Unmerged::MergedOn(into) => {
                format!("Member {into} has become part of another one since; take that back first.")
            }
        };
        Err(Problem::refused(refused).into())
    }

    async fn put_rating(
        &self,
        member: &MemberId,
        id: RatingId,
        request: &Request,
    ) -> Result<Response<Body>, Failure> {
        let now = self.engine.clock().now();
        let told = rating::parse(id, request.body(), now)?;
        let programmes = self.engine.programmes().get().await?;
        if programmes.at(now).programme.tiers.as_ref().is_none_or(|tiers| tiers.rating.is_none()) {
            let reason = "The programme asks for no rating; tiers.minimum_rating in it would.";
            return Err(Problem::refused(reason).into());
        }
        let rated = self.engine.rate(member, &told, budget_of(request)).await?;
        let Settled { profile, programmes } = rated.ok_or_else(unknown_member)?;
        let Some(rating) = RatingDocument::of(&programmes.at(now).programme, &profile) else {
            return Err(Failure::Ours("the programme changed meanwhile".to_owned()));
        };
        let tier = profile.account.tier.as_ref();
        Ok(json(StatusCode::OK, &RatedDocument { member, tier, rating }))
    }

    /// The member of this name, or the one that this one has become part of.
    async fn known(&self, member: &MemberId) -> Result<MemberId, Failure> {
        let profile = self.engine.current(member, Consistency::Strong).await?;
        profile.map(|profile| profile.member).ok_or_else(|| unknown_member().into())
    }

    fn store(&self) -> &Store {
        self.engine.store()
    }
}

fn budget_of(request: &Request) -> Budget {
    Budget::until(request.lambda_context_ref().map_or(0, |context| context.deadline))
}

fn unknown_member() -> Problem {
    Problem::not_found("There is no such member.")
}

fn only(methods: &[Method]) -> Response<Body> {
    let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let mut response = Problem::method_not_allowed(format!("This address understands {allowed}.")).response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
