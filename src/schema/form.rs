//! An object that was held against its table: reading it cannot go wrong any more.

use super::Node;
use crate::time::Timestamp;

/// A checked object. `null` reads as absent, except through [`Form::is_null`].
#[derive(Clone)]
pub struct Form(pub(crate) Node);

impl Form {
    /// An object without fields.
    pub fn empty() -> Self {
        Self(Node::Object(Vec::new()))
    }

    /// Takes an object over that [`super::check`] found nothing wrong with.
    pub fn checked(node: Node) -> Self {
        Self(node)
    }

    /// The node at a dotted path.
    pub fn node(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(&self.0, |node, name| node.get(name)).filter(|node| **node != Node::Null)
    }

    /// Whether the field is there and `null`.
    pub fn is_null(&self, path: &str) -> bool {
        path.split('.').try_fold(&self.0, |node, name| node.get(name)) == Some(&Node::Null)
    }

    /// The text of a field.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.node(path)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a field.
    pub fn integer(&self, path: &str) -> Option<i64> {
        match self.node(path)? {
            Node::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The flag of a field.
    pub fn flag(&self, path: &str) -> Option<bool> {
        match self.node(path)? {
            Node::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The moment of a field.
    pub fn timestamp(&self, path: &str) -> Option<Timestamp> {
        Timestamp::parse(self.text(path)?)
    }

    /// The texts of a list.
    pub fn texts(&self, path: &str) -> Option<Vec<&str>> {
        match self.node(path)? {
            Node::List(items) => Some(
                items
                    .iter()
                    .filter_map(|item| match item {
                        Node::Text(text) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect(),
            ),
            _ => None,
        }
    }
}
