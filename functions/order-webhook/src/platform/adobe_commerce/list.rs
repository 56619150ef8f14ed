//! The shop's lists of orders and of credit memos, of its REST API. Their fields are those of the events, and each is told
//! as the event by which the shop would have told it.
//!
//! The pages are numbered, in the order of the entities' numbers: one that changes meanwhile stays where it is, so none
//! slips to a page that was read already. After the last page some versions repeat it, so its number is reckoned.

use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Access, Answer, Resource};
use crate::fields::{BadInput, null_is_default, read};
use crate::platform::listing::{Listed, Listing, PAGE, PageNumber, without_offset};
use crate::sources::{SourceDocument, SourceError};

const PAGE_SIZE: u64 = 100;

/// The way to the shop's API, where the source's configuration tells it.
pub(super) fn access(document: &SourceDocument) -> Result<Option<Access>, SourceError> {
    let Some(api) = &document.api else { return Ok(None) };
    if api.store.is_some() {
        return Err(SourceError::Setting(
            "api.store",
            "is not for Adobe Commerce; api.base is the shop's address",
        ));
    }
    Access::of_shop(api).map(Some)
}

/// A walk over the orders, then over the credit memos.
pub(super) struct Orders {
    access: Access,
    since: Timestamp,
    list: List,
    page: PageNumber,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Orders,
    CreditMemos,
}

#[derive(Deserialize)]
struct ItemsBody {
    #[serde(default, deserialize_with = "null_is_default")]
    items: Vec<Value>,
    total_count: u64,
}

impl Orders {
    pub(super) fn changed_since(since: Timestamp, access: Access) -> Self {
        Self { access, since, list: List::Orders, page: PageNumber::FIRST }
    }
}

impl Listing for Orders {
    fn page(&self) -> Option<Resource> {
        let page = self.page.number()?.to_string();
        let since = without_offset(self.since, ' ');
        let query = [
            ("searchCriteria[filter_groups][0][filters][0][field]", "updated_at"),
            ("searchCriteria[filter_groups][0][filters][0][value]", since.as_str()),
            ("searchCriteria[filter_groups][0][filters][0][condition_type]", "gteq"),
            ("searchCriteria[sortOrders][0][field]", "entity_id"),
            ("searchCriteria[sortOrders][0][direction]", "ASC"),
            ("searchCriteria[pageSize]", PAGE),
            ("searchCriteria[currentPage]", page.as_str()),
        ];
        let authorization = ("authorization", format!("Bearer {}", self.access.token()));
        Some(self.access.query(self.list.path(), &query, vec![authorization]))
    }

    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput> {
        let ItemsBody { items, total_count } = read(&answer.body)?;
        let told = items.iter().map(|item| self.list.event(item)).collect();
        let read_so_far = u64::from(self.page.number().unwrap_or_default()) * PAGE_SIZE;
        self.page.go_on(!items.is_empty() && read_so_far < total_count);
        if self.page.number().is_none() && self.list == List::Orders {
            (self.list, self.page) = (List::CreditMemos, PageNumber::FIRST);
        }
        Ok(told)
    }
}

impl List {
    fn path(self) -> &'static str {
        match self {
            Self::Orders => "/rest/V1/orders",
            Self::CreditMemos => "/rest/V1/creditmemos",
        }
    }

    /// The event that would have told of it.
    fn event(self, item: &Value) -> Listed {
        let name = match self {
            Self::Orders => "observer.sales_order_save_commit_after",
            Self::CreditMemos => "observer.sales_order_creditmemo_save_after",
        };
        let listed = Listed::of(&json!({"type": name, "data": {"value": item}}), None).named_by(item);
        match self {
            Self::Orders => listed,
            Self::CreditMemos => listed.called("credit memo"),
        }
    }
}
