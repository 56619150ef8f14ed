//! One request of DynamoDB's JSON protocol, answered without a socket.

use dynoxide::actions::transact_write_items::{TransactWriteItemsRequest, TransactWriteItemsResponse};
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Engine;

impl Engine {
    /// Answers the operation that `x-amz-target` names, asked for in this process: a status and a JSON body.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        self.answer_by(target, body, |request| transact(&self.database, request))
    }

    /// As [`Engine::answer`], for other processes: an answer may be lost on its way to them, so a transaction's token
    /// is heeded.
    pub fn answer_to_others(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        self.answer_by(target, body, |request| self.database.transact_write_items(request))
    }

    fn answer_by(
        &self,
        target: &str,
        body: &[u8],
        transact: impl FnOnce(TransactWriteItemsRequest) -> Result<TransactWriteItemsResponse, DynoxideError>,
    ) -> (StatusCode, String) {
        let operation = target.rsplit('.').next().unwrap_or_default();
        let answered = match operation {
            "TransactWriteItems" => through(body, transact),
            operation => run(&self.database, operation, body),
        };
        match answered {
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
        "ListTables" => through(body, |request| database.list_tables(request)),
        "DescribeTable" => through(body, |request| database.describe_table(request)),
        other => Err(DynoxideError::ValidationException(format!(
            "the local stack has no {other}: it keeps items in the tables of template.yaml"
        ))),
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
