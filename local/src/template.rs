//! The stack as `template.yaml` declares it: tables, functions with what wakes them, and topics. The local stack
//! declares nothing a second time; what CloudFormation makes in an account is made here from the same text.

mod conditions;
mod intrinsic;
mod model;
mod yaml;

#[cfg(test)]
mod tests;

pub use self::intrinsic::LocalNames;
pub use self::model::{FunctionTemplate, Mapping, Rate, Route, Table, Template};

/// The repository's template, as it was when this program was built.
pub const DEPLOYED: &str = include_str!("../../template.yaml");

/// The template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template.yaml: {place} {problem}")]
pub struct TemplateError {
    place: String,
    problem: String,
}

impl TemplateError {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}
