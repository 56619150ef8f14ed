//! Square's search for orders. What it says of an order besides its identifier is not used: as after an event, the order
//! is read, with those that it gives goods back of.
//!
//! Orders are searched for by location, so the seller's locations are asked for first.

use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Square;
use crate::api::{Answer, Resource};
use crate::fields::{BadInput, null_is_default, read};
use crate::platform::listing::{Listed, Listing, rfc3339};

const LOCATIONS: &str = "/v2/locations";
const SEARCH: &str = "/v2/orders/search";
/// The most locations of one search.
const MAX_LOCATIONS: usize = 10;
const PAGE_SIZE: u32 = 100;

/// A walk over the orders of all locations.
pub(super) struct Orders {
    square: Square,
    since: Timestamp,
    place: Place,
}

enum Place {
    Locations,
    /// The locations that are left, the last ones being searched now, and where in them.
    Searches {
        groups: Vec<Vec<String>>,
        cursor: Option<String>,
    },
}

#[derive(Deserialize)]
struct LocationsBody {
    #[serde(default, deserialize_with = "null_is_default")]
    locations: Vec<Location>,
}

#[derive(Deserialize)]
struct Location {
    id: String,
}

#[derive(Deserialize)]
struct OrdersBody {
    #[serde(default, deserialize_with = "null_is_default")]
    orders: Vec<Value>,
    cursor: Option<String>,
}

impl Orders {
    pub(super) fn changed_since(since: Timestamp, square: Square) -> Self {
        Self { square, since, place: Place::Locations }
    }

    /// A search is ordered by what it filters by, or Square refuses it. An order that changes meanwhile comes once more.
    fn search(&self, locations: &[String], cursor: Option<&str>) -> Value {
        let mut search = json!({
            "location_ids": locations,
            "limit": PAGE_SIZE,
            "query": {
                "filter": {"date_time_filter": {"updated_at": {"start_at": rfc3339(self.since)}}},
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
        });
        if let Some(cursor) = cursor {
            search["cursor"] = json!(cursor);
        }
        search
    }
}

impl Listing for Orders {
    fn page(&self) -> Option<Resource> {
        match &self.place {
            Place::Locations => Some(self.square.resource(LOCATIONS)),
            Place::Searches { groups, cursor } => {
                let search = self.search(groups.last()?, cursor.as_deref());
                Some(self.square.resource(SEARCH).asked(&search))
            }
        }
    }

    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput> {
        match &mut self.place {
            Place::Locations => {
                let LocationsBody { locations } = read(&answer.body)?;
                let ids: Vec<String> = locations.into_iter().map(|location| location.id).collect();
                let groups = ids.chunks(MAX_LOCATIONS).map(<[String]>::to_vec).collect();
                self.place = Place::Searches { groups, cursor: None };
                Ok(vec![])
            }
            Place::Searches { groups, cursor } => {
                let body: OrdersBody = read(&answer.body)?;
                *cursor = body.cursor.filter(|cursor| !cursor.is_empty());
                if cursor.is_none() {
                    groups.pop();
                }
                Ok(body.orders.iter().map(event).collect())
            }
        }
    }
}

/// The event that would have told of the order.
fn event(order: &Value) -> Listed {
    let event = json!({"type": "order.updated", "data": {"type": "order_updated", "id": order.get("id")}});
    Listed::of(&event, None).named_by(order)
}
