//! Somebody enrols: what the shop's own system sends, and vouches for.

use domain::contact::{self, Email};
use domain::{Contact, CustomerId, Phone, SourceName};
use runtime::Problem;
use serde::Deserialize;
use store::{DirectoryKey, Enrolment};

/// The largest body we read: two identifiers, an address, a number, a name and a language.
const MAX_BODY_BYTES: usize = 8 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrolmentRequest {
    source: Option<String>,
    customer: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    consent: Option<bool>,
}

/// Reads who enrols. The problem says what to mend.
pub(crate) fn parse(body: &[u8]) -> Result<Enrolment, Problem> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Problem::too_large(format!("A body may have at most {MAX_BODY_BYTES} bytes.")));
    }
    let request: EnrolmentRequest = serde_json::from_slice(body).map_err(|_| {
        Problem::bad_request(
            "The body is JSON with source and customer, or email, or phone, or all of them; and perhaps name and locale, all texts; and perhaps consent, true or false.",
        )
    })?;
    let customer = customer_of(request.source.as_deref(), request.customer.as_deref())?;
    let email = request.email.as_deref().map(Email::new).transpose();
    let email = email.map_err(|error| Problem::bad_request(format!("email: {error}")))?.map(String::from);
    let phone = request.phone.as_deref().map(Phone::new).transpose();
    let phone = phone.map_err(|error| Problem::bad_request(format!("phone: {error}")))?;
    let by_email = email.clone().map(DirectoryKey::Email);
    let by_phone = phone.clone().map(DirectoryKey::Phone);
    let keys: Vec<_> = customer.into_iter().chain(by_email).chain(by_phone).collect();
    if keys.is_empty() {
        let problem = "Say who enrols: the source and its customer, an email, a phone, or all of them.";
        return Err(Problem::bad_request(problem));
    }
    let contact = Contact {
        email_verified: email.is_some(),
        email,
        phone_verified: phone.is_some(),
        phone,
        name: request.name.as_deref().and_then(contact::name),
        locale: request.locale.as_deref().map(locale_of).transpose()?,
        consent: request.consent,
        ..Contact::default()
    };
    Ok(Enrolment { keys, contact })
}

fn customer_of(source: Option<&str>, customer: Option<&str>) -> Result<Option<DirectoryKey>, Problem> {
    let wrong = |field: &str, error| Problem::bad_request(format!("{field}: {error}"));
    match (source, customer) {
        (Some(source), Some(customer)) => {
            let source = SourceName::new(source).map_err(|error| wrong("source", error))?;
            let customer = CustomerId::new(customer).map_err(|error| wrong("customer", error))?;
            Ok(Some(DirectoryKey::Customer(source, customer)))
        }
        (None, Some(_)) => Err(Problem::bad_request("source: is missing; a customer is one of a source.")),
        (_, None) => Ok(None),
    }
}

fn locale_of(text: &str) -> Result<String, Problem> {
    let problem = "locale: is not a language tag such as fr or pt-BR";
    contact::locale(text).ok_or_else(|| Problem::bad_request(problem))
}
