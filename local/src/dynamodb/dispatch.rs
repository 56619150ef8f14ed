//! One request of DynamoDB's JSON protocol, answered without a socket.

use dynoxide::actions::transact_write_items::{TransactWriteItemsRequest, TransactWriteItemsResponse};
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Engine;

impl Engine {
    /// Answers the operation that `x-amz-target` names: a status and a JSON body.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        let operation = target.rsplit('.').next().unwrap_or_default();
        match run(&self.database, operation, body) {
            Ok(body) => {
                if writes(operation) {
                    self.announce_write();
                }
                (StatusCode::OK, body)
            }
            Err(error) => {
                let status =
                    StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, error.to_json())
            }
        }
    }
}

fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

/// The operations on items; tables are made from the template alone.
fn run(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "GetItem" => through(body, |request| database.get_item(request)),
        "PutItem" => through(body, |request| database.put_item(request)),
        "UpdateItem" => through(body, |request| database.update_item(request)),
        "DeleteItem" => through(body, |request| database.delete_item(request)),
        "Query" => through(body, |request| database.query(request)),
        "Scan" => through(body, |request| database.scan(request)),
        "BatchGetItem" => through(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => through(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => through(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => through(body, |request| transact(database, request)),
        "DescribeTable" => through(body, |request| database.describe_table(request)),
        other => {
            Err(DynoxideError::ValidationException(format!("the local stack's clients do not call {other}")))
        }
    }
}

/// Without the request's token. The engine looks through every token of the last ten minutes at each transaction, so
/// that thousands a minute slow each other down; and in one process no answer is lost on its way.
fn transact(
    database: &Database,
    mut request: TransactWriteItemsRequest,
) -> Result<TransactWriteItemsResponse, DynoxideError> {
    request.client_request_token = None;
    database.transact_write_items(request)
}

fn through<Request: DeserializeOwned, Response: Serialize>(
    body: &[u8],
    call: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    serde_json::to_string(&call(request)?)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
