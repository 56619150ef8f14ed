//! Sources in Parameter Store: one SecureString each, `/laurel/{stack}/sources/{name}`.

use std::collections::HashMap;
use std::error::Error;

use domain::SourceName;
use runtime::{Parameter, ParameterStore};

use crate::fields::without_values;
use crate::sources::{Found, Source, SourceDocument, SourceError, SourcesError};

/// Where the sources are written down.
pub(crate) struct Parameters {
    store: ParameterStore,
    path: String,
}

impl Parameters {
    pub(crate) fn new(store: ParameterStore, path: String) -> Self {
        Self { store, path }
    }

    /// Reads every page. One that is not as it should be is reported, so that a slip with one shop does not stop the
    /// others.
    pub(crate) async fn read(&self) -> Result<Found, SourcesError> {
        let mut sources = HashMap::new();
        let parameters = self.store.under(&self.path).await;
        for parameter in parameters.map_err(|error| SourcesError::Parameters(told(&error)))? {
            let (name, source) = (name_of(&parameter), source_of(&parameter));
            if let Err(error) = name.as_ref().and(source.as_ref().map(|_| ())) {
                tracing::error!(parameter = parameter.name, %error, "a source cannot be used");
            }
            if let Ok(name) = name {
                sources.insert(name, source);
            }
        }
        Ok(sources)
    }
}

fn name_of(parameter: &Parameter) -> Result<SourceName, SourceError> {
    let name = parameter.name.rsplit('/').next().unwrap_or_default();
    SourceName::new(name).map_err(|_| SourceError::Name)
}

fn source_of(parameter: &Parameter) -> Result<Source, SourceError> {
    let document: SourceDocument = serde_json::from_str(&parameter.value)
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
