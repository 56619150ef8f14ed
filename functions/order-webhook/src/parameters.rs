//! Sources in Parameter Store: one SecureString each, `/laurel/{stack}/sources/{name}`.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;
use domain::SourceName;

use crate::fields::without_values;
use crate::sources::{Found, Source, SourceDocument, SourceError, SourcesError};

/// Parameters that a page holds; Parameter Store gives no more.
const PAGE_SIZE: i32 = 10;

/// Where the sources are written down.
pub(crate) struct Parameters {
    client: Client,
    path: String,
}

impl Parameters {
    pub(crate) fn new(client: Client, path: String) -> Self {
        Self { client, path }
    }

    /// Reads every page. One that is not as it should be is reported, so that a slip with one shop does not stop the
    /// others.
    pub(crate) async fn read(&self) -> Result<Found, SourcesError> {
        let mut sources = HashMap::new();
        let mut pages = self
            .client
            .get_parameters_by_path()
            .path(&self.path)
            .with_decryption(true)
            .into_paginator()
            .page_size(PAGE_SIZE)
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| SourcesError::Parameters(told(&error)))?;
            for parameter in page.parameters() {
                let (name, source) = (name_of(parameter), source_of(parameter));
                if let Err(error) = name.as_ref().and(source.as_ref().map(|_| ())) {
                    tracing::error!(parameter = parameter.name(), %error, "a source cannot be used");
                }
                if let Ok(name) = name {
                    sources.insert(name, source);
                }
            }
        }
        Ok(sources)
    }
}

fn name_of(parameter: &Parameter) -> Result<SourceName, SourceError> {
    let name = parameter.name().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    SourceName::new(name).map_err(|_| SourceError::Name)
}

fn source_of(parameter: &Parameter) -> Result<Source, SourceError> {
    let document: SourceDocument = serde_json::from_str(parameter.value().unwrap_or_default())
        .map_err(|error| SourceError::Document(without_values(&error.to_string())))?;
    Source::new(&document)
}

/// An error with its causes. Not the SDK's own long form, which may quote an answer, and so a secret.
fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
