//! Builds DynamoDB's expressions. Every name and value goes through a placeholder: many good names are
//! reserved words, and no text from outside may become part of an expression.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

/// Names and values with their placeholders.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Placeholders {
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

impl Placeholders {
    pub(crate) fn name(&mut self, attribute: &str) -> String {
        let known =
            self.names.iter().find(|(_, name)| *name == attribute).map(|(placeholder, _)| placeholder);
        if let Some(placeholder) = known {
            return placeholder.clone();
        }
        let placeholder = format!("#{}", self.names.len());
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    pub(crate) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

/// A change of one item.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Update {
    pub(crate) placeholders: Placeholders,
    pub(crate) condition: Option<String>,
    sets: Vec<String>,
    adds: Vec<String>,
    removes: Vec<String>,
    asks_for_nothing: bool,
}

impl Update {
    /// The item is not wanted back, neither as it is after it nor as it was where a condition refuses it: a right to
    /// write some attributes alone does not cover that.
    pub(crate) fn asks_for_nothing(&mut self) {
        self.asks_for_nothing = true;
    }

    /// What is wanted back.
    pub(crate) fn returns(&self) -> (ReturnValue, ReturnValuesOnConditionCheckFailure) {
        if self.asks_for_nothing {
            (ReturnValue::None, ReturnValuesOnConditionCheckFailure::None)
        } else {
            (ReturnValue::AllNew, ReturnValuesOnConditionCheckFailure::AllOld)
        }
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.placeholders.name(attribute), self.placeholders.value(value));
        self.sets.push(format!("{name}={value}"));
    }

    /// Sets an attribute once and for all.
    pub(crate) fn pin(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.placeholders.name(attribute), self.placeholders.value(value));
        self.sets.push(format!("{name}=if_not_exists({name},{value})"));
    }

    /// Adds one to a number, which is 0 while it is missing.
    pub(crate) fn count(&mut self, attribute: &str) {
        let name = self.placeholders.name(attribute);
        let one = self.placeholders.value(AttributeValue::N("1".to_owned()));
        self.adds.push(format!("{name} {one}"));
    }

    /// Adds texts to a set of them, which is empty while it is missing.
    pub(crate) fn add(&mut self, attribute: &str, texts: Vec<String>) {
        let (name, texts) =
            (self.placeholders.name(attribute), self.placeholders.value(AttributeValue::Ss(texts)));
        self.adds.push(format!("{name} {texts}"));
    }

    /// Removes an attribute, if it is there.
    pub(crate) fn remove(&mut self, attribute: &str) {
        let name = self.placeholders.name(attribute);
        self.removes.push(name);
    }

    /// Only if the attribute is there.
    pub(crate) fn if_there(&mut self, attribute: &str) {
        self.condition = Some(format!("attribute_exists({})", self.placeholders.name(attribute)));
    }

    /// Only if the attribute is not there.
    pub(crate) fn if_missing(&mut self, attribute: &str) {
        self.condition = Some(format!("attribute_not_exists({})", self.placeholders.name(attribute)));
    }

    /// Only if the attribute has this value.
    pub(crate) fn if_equal(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.placeholders.name(attribute), self.placeholders.value(value));
        self.condition = Some(format!("{name}={value}"));
    }

    /// And only if the attribute has this value; after another condition.
    pub(crate) fn and_if_equal(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.placeholders.name(attribute), self.placeholders.value(value));
        let other = self.condition.take().map_or_else(String::new, |condition| format!("({condition}) AND "));
        self.condition = Some(format!("{other}{name}={value}"));
    }

    /// Only if the attribute is missing or has a smaller value.
    pub(crate) fn if_missing_or_below(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.placeholders.name(attribute), self.placeholders.value(value));
        self.condition = Some(format!("attribute_not_exists({name}) OR {name}<{value}"));
    }

    /// And only if the attribute is not there; after another condition.
    pub(crate) fn and_if_missing(&mut self, attribute: &str) {
        let name = self.placeholders.name(attribute);
        let other = self.condition.take().map_or_else(String::new, |condition| format!("({condition}) AND "));
        self.condition = Some(format!("{other}attribute_not_exists({name})"));
    }

    /// Or if the attribute is there; after another condition.
    pub(crate) fn or_if_there(&mut self, attribute: &str) {
        let name = self.placeholders.name(attribute);
        let other = self.condition.take().map_or_else(String::new, |condition| format!("{condition} OR "));
        self.condition = Some(format!("{other}attribute_exists({name})"));
    }

    /// Or if the attribute is there and has a smaller value; after another condition.
    pub(crate) fn or_if_below(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.placeholders.name(attribute), self.placeholders.value(value));
        let other = self.condition.take().map_or_else(String::new, |condition| format!("{condition} OR "));
        self.condition = Some(format!("{other}{name}<{value}"));
    }

    /// The update expression.
    pub(crate) fn expression(&self) -> String {
        [("SET", &self.sets), ("ADD", &self.adds), ("REMOVE", &self.removes)]
            .into_iter()
            .filter(|(_, clauses)| !clauses.is_empty())
            .map(|(verb, clauses)| format!("{verb} {}", clauses.join(",")))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_names_each_attribute_once() {
        let mut update = Update::default();
        update.pin("owner", AttributeValue::S("a".to_owned()));
        update.set("goods", AttributeValue::S("b".to_owned()));
        update.count("revision");
        update.remove("parked");
        update.if_missing_or_below("goods", AttributeValue::S("b".to_owned()));

        assert_eq!(update.expression(), "SET #0=if_not_exists(#0,:0),#1=:1 ADD #2 :2 REMOVE #3");
        assert_eq!(update.condition.as_deref(), Some("attribute_not_exists(#1) OR #1<:3"));
        assert_eq!(update.placeholders.names.len(), 4);
    }
}
