//! A platform's list against what webhooks brought, through the code of the handler: with a store, and a stand-in for
//! the platform's API that answers as the platform documents it.

mod adobe_commerce;
mod bigcommerce;
mod shopify;
mod square;
mod stripe;
mod walk;
mod woocommerce;

use domain::{OrderKey, OrderState, Timestamp};
use lambda_http::Body;
use lambda_http::http::Request;
use runtime::Clock;
use serde_json::Value;
use store::Store;

use super::stand_in::StandIn;
use super::{at, embedded_store, source};
use crate::api::Api;
use crate::api::tests::IMPATIENT;
use crate::{OrderWebhook, Outcome, ReconcileError, Reconciliation, Sources, path_of};

const NOW: &str = "2026-03-10T10:00:00Z";
const SINCE: &str = "2026-03-01T00:00:00Z";

/// A source named `shop`, and its platform.
struct Shop {
    platform: StandIn,
    store: Store,
    sources: Sources,
}

impl Shop {
    /// A shop of a platform; `api` is the rest of its configuration, in which `BASE` is the stand-in's address.
    async fn of(platform: &str, further: &str) -> Self {
        let stand_in = StandIn::start();
        let text = format!("[shop]\nplatform = \"{platform}\"\nsecrets = [\"a-secret\"]\n{further}\n");
        let sources = Sources::from_toml(&text.replace("BASE", &stand_in.base)).unwrap();
        Self { platform: stand_in, store: embedded_store().await, sources }
    }

    /// A webhook that arrives.
    async fn deliver(&self, topic: Option<(&str, &str)>, body: &Value) {
        let (name, body) = (source("shop"), body.to_string().into_bytes());
        let mut request = Request::post(path_of(&name));
        let signed = self.sources.sign(&name, "msg_1", at(NOW), &body).unwrap();
        for (header, value) in signed.iter().map(|(header, value)| (*header, value.as_str())).chain(topic) {
            request = request.header(header, value);
        }
        let mut webhook = OrderWebhook::new(self.store.clone(), self.sources.clone(), Clock::fixed(at(NOW)));
        webhook.api = Api::with(IMPATIENT);
        let answer = webhook.handle(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 202, "{:?}", answer.body());
    }

    fn begin(&self, since: Timestamp) -> Result<Reconciliation, ReconcileError> {
        let clock = Clock::fixed(at(NOW));
        let mut walk =
            Reconciliation::begin(self.store.clone(), &self.sources, &source("shop"), since, clock)?;
        walk.be_impatient();
        Ok(walk)
    }

    /// Reads the whole list, and tells what became of each entry.
    async fn reconcile(&self) -> Result<Vec<(String, Outcome)>, ReconcileError> {
        let mut walk = self.begin(at(SINCE))?;
        let recorder = walk.recorder();
        let mut outcomes = Vec::new();
        while let Some(page) = walk.next_page().await? {
            for listed in page {
                outcomes.push((listed.name().to_owned(), recorder.record(&listed).await?));
            }
        }
        Ok(outcomes)
    }

    async fn order(&self, id: &str) -> Option<OrderState> {
        self.store.order(&OrderKey::new(format!("shop#{id}")).unwrap()).await.unwrap()
    }
}

fn stored(name: &str) -> (String, Outcome) {
    (name.to_owned(), Outcome::Stored)
}

fn known(name: &str) -> (String, Outcome) {
    (name.to_owned(), Outcome::Known)
}

fn rejected(name: &str, why: &str) -> (String, Outcome) {
    (name.to_owned(), Outcome::Rejected(why.to_owned()))
}
