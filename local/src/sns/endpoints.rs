//! Endpoints of devices.

use rusqlite::{OptionalExtension, Row, params};

use super::Sns;
use super::protocol::{Parameters, SnsError, element};

const ENABLED: &str = "Enabled";
const TOKEN: &str = "Token";
const USER_DATA: &str = "CustomUserData";

/// A device as SNS knows it.
#[derive(Debug)]
pub(super) struct Endpoint {
    arn: String,
    token: String,
    pub(super) enabled: bool,
    user_data: String,
}

impl Endpoint {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { arn: row.get(0)?, token: row.get(1)?, enabled: row.get(2)?, user_data: row.get(3)? })
    }
}

impl Sns {
    /// A known token gives its endpoint as it is, even a disabled one; with other attributes it is an error.
    pub(super) fn create_endpoint(&self, parameters: &Parameters) -> Result<String, SnsError> {
        let application = parameters.required("PlatformApplicationArn")?;
        let token = parameters.required("Token")?;
        let attributes = parameters.map("Attributes", "key", "value");
        let user_data =
            parameters.get(USER_DATA).or(attributes.get(USER_DATA).map(String::as_str)).unwrap_or_default();
        let enabled = attributes.get(ENABLED).map(|text| text == "true");
        if let Some(known) = self.endpoint_of_token(application, token)? {
            if known.user_data != user_data || enabled.is_some_and(|enabled| enabled != known.enabled) {
                return Err(SnsError::InvalidParameter(format!(
                    "Token Reason: Endpoint {} already exists with the same Token, but different attributes.",
                    known.arn
                )));
            }
            return Ok(element("EndpointArn", &known.arn));
        }
        let number = self.state.setting("endpoints")?.unwrap_or_default() + 1;
        self.state.set_setting("endpoints", number)?;
        let arn = format!("{}/{number:012}", application.replacen(":app/", ":endpoint/", 1));
        self.state.connection().execute(
            "INSERT INTO endpoints (arn, application, token, enabled, user_data) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![arn, application, token, enabled.unwrap_or(true), user_data],
        )?;
        Ok(element("EndpointArn", &arn))
    }

    pub(super) fn endpoint_attributes(&self, parameters: &Parameters) -> Result<String, SnsError> {
        let endpoint = self.endpoint(parameters.required("EndpointArn")?)?.ok_or(SnsError::NotFound)?;
        let entry = |key: &str, value: &str| {
            format!("<entry>{}{}</entry>", element("key", key), element("value", value))
        };
        let enabled = endpoint.enabled.to_string();
        Ok(format!(
            "<Attributes>{}{}{}</Attributes>",
            entry(ENABLED, &enabled),
            entry(TOKEN, &endpoint.token),
            entry(USER_DATA, &endpoint.user_data)
        ))
    }

    pub(super) fn set_endpoint_attributes(&self, parameters: &Parameters) -> Result<String, SnsError> {
        let endpoint = self.endpoint(parameters.required("EndpointArn")?)?.ok_or(SnsError::NotFound)?;
        let attributes = parameters.map("Attributes", "key", "value");
        let attribute =
            |name: &str, old: &str| attributes.get(name).cloned().unwrap_or_else(|| old.to_owned());
        let enabled = attributes.get(ENABLED).map_or(endpoint.enabled, |text| text == "true");
        self.state.connection().execute(
            "UPDATE endpoints SET token = ?2, enabled = ?3, user_data = ?4 WHERE arn = ?1",
            params![
                endpoint.arn,
                attribute(TOKEN, &endpoint.token),
                enabled,
                attribute(USER_DATA, &endpoint.user_data)
            ],
        )?;
        Ok(String::new())
    }

    /// Deleting what is gone is no error.
    pub(super) fn delete_endpoint(&self, parameters: &Parameters) -> Result<String, SnsError> {
        let arn = parameters.required("EndpointArn")?;
        self.state.connection().execute("DELETE FROM endpoints WHERE arn = ?1", params![arn])?;
        Ok(String::new())
    }

    pub(super) fn endpoint(&self, arn: &str) -> rusqlite::Result<Option<Endpoint>> {
        self.state
            .connection()
            .prepare_cached("SELECT arn, token, enabled, user_data FROM endpoints WHERE arn = ?1")?
            .query_row(params![arn], Endpoint::of)
            .optional()
    }

    fn endpoint_of_token(&self, application: &str, token: &str) -> rusqlite::Result<Option<Endpoint>> {
        self.state
            .connection()
            .prepare_cached(
                "SELECT arn, token, enabled, user_data FROM endpoints WHERE application = ?1 AND token = ?2",
            )?
            .query_row(params![application, token], Endpoint::of)
            .optional()
    }
}
