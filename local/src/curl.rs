//! A ready-made order, signed as a shop would sign it, to paste into a shell.

use std::fmt::Write as _;

use domain::SourceName;
use jiff::Timestamp;
use order_webhook::Sources;

/// The source whose orders are the simplest to write.
pub(crate) const SOURCE: &str = "generic-main";
/// Who buys.
pub(crate) const CUSTOMER: &str = "customer-1";
/// 520.00: with the programme that comes with Laurel enough for a coupon.
const AMOUNT_MINOR: i64 = 52_000;

/// Why there is no command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CurlError {
    /// It is not among the sources, or has no secret.
    #[error("the sources' file has no source {0}, or no secret of it: then its platform alone can sign")]
    UnknownSource(String),
}

/// A command that sends an order of this moment. The signature is good for five minutes, as the scheme wants it.
pub(crate) fn order(
    sources: &Sources,
    base: &str,
    currency: &str,
    placed_at: Timestamp,
    signed_at: Timestamp,
) -> Result<String, CurlError> {
    let order = format!("order-{}", signed_at.as_millisecond());
    // Written as a person would write it; a document of `serde_json` would sort the names.
    let body = format!(
        r#"{{"type":"order.updated","order":{{"id":"{order}","placed_at":"{placed_at}","currency":"{currency}","goods":{{"amount_minor":{AMOUNT_MINOR}}},"status":"paid","customer":{{"id":"{CUSTOMER}","email":"{CUSTOMER}@example.com","email_verified":true}}}}}}"#
    );
    let data = format!("--data-raw '{body}'");
    command(sources, base, SOURCE, &order, signed_at, body.as_bytes(), &data)
}

/// A command that sends a body, given to `curl` as `data` says.
pub(crate) fn command(
    sources: &Sources,
    base: &str,
    source: &str,
    id: &str,
    signed_at: Timestamp,
    body: &[u8],
    data: &str,
) -> Result<String, CurlError> {
    let unknown = || CurlError::UnknownSource(source.to_owned());
    let name = SourceName::new(source).map_err(|_| unknown())?;
    let headers = sources.sign(&name, id, signed_at, body).ok_or_else(unknown)?;
    let mut command =
        format!("curl -i '{base}{}' \\\n  -H 'content-type: application/json'", sources.path_of(&name));
    for (name, value) in headers {
        // Writing to a text never fails.
        let _ = write!(command, " \\\n  -H '{name}: {value}'");
    }
    let _ = write!(command, " \\\n  {data}");
    Ok(command)
}
