//! CloudFormation's conditions: which of two values holds, and whether a resource is there.

use serde_json::Value;

use super::TemplateError;
use super::intrinsic::{Resolver, single, text_of};

impl Resolver<'_> {
    /// Whether a resource is made, by its `Condition`, if it has one.
    pub(super) fn is_made(&self, id: &str, resource: &Value) -> Result<bool, TemplateError> {
        match resource.get("Condition").and_then(Value::as_str) {
            Some(name) => self.holds(id, name),
            None => Ok(true),
        }
    }

    /// `Fn::If`: the value that holds; nothing where that is `AWS::NoValue`.
    pub(super) fn choose<'v>(
        &self,
        place: &str,
        parts: &'v Value,
    ) -> Result<Option<&'v Value>, TemplateError> {
        let [condition, then, otherwise] = parts.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err(TemplateError::new(place, "has a Fn::If that is not a condition and two values"));
        };
        let name = condition.as_str().unwrap_or_default();
        let chosen = if self.holds(place, name)? { then } else { otherwise };
        let is_none = chosen
            .as_object()
            .and_then(single)
            .is_some_and(|pair| matches!(pair, ("Ref", target) if target == "AWS::NoValue"));
        Ok(Some(chosen).filter(|_| !is_none))
    }

    fn holds(&self, place: &str, name: &str) -> Result<bool, TemplateError> {
        let condition = self.conditions.and_then(|conditions| conditions.get(name));
        let condition = condition.ok_or_else(|| {
            TemplateError::new(place, format!("refers to the condition {name}, which is not there"))
        })?;
        self.is_true(name, condition)
    }

    fn is_true(&self, place: &str, condition: &Value) -> Result<bool, TemplateError> {
        let parts = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match condition.as_object().and_then(single) {
            Some(("Condition", name)) => self.holds(place, name.as_str().unwrap_or_default()),
            Some(("Fn::Equals", values)) => {
                let texts: Vec<_> = parts(values)
                    .iter()
                    .map(|value| Ok(self.resolve(place, value)?.as_ref().and_then(text_of)))
                    .collect::<Result<_, TemplateError>>()?;
                Ok(matches!(texts.as_slice(), [Some(one), Some(other)] if one == other))
            }
            Some(("Fn::Not", values)) => match parts(values).as_slice() {
                [one] => Ok(!self.is_true(place, one)?),
                _ => Err(TemplateError::new(place, "has a Fn::Not of more than one condition")),
            },
            _ => Err(TemplateError::new(place, "is a condition that the local stack does not know")),
        }
    }
}
