//! Lists and maps of a few. `slice::sort` and `BTreeMap` bring kilobytes of Wasm for each type that they are used with, and
//! are no quicker here.

/// Puts a list in order, stably. The work grows with the square of its length: for lists that nobody outside can make long.
pub(crate) fn sort_few<T>(list: &mut [T], mut is_before: impl FnMut(&T, &T) -> bool) {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && matches!(list.get(at - 1..=at), Some([left, right]) if is_before(right, left)) {
            list.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// A map of a few, in the order in which they came.
#[derive(Clone)]
pub(crate) struct FewByName<V>(Vec<(String, V)>);

impl<V> Default for FewByName<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> FewByName<V> {
    /// From names that are each there once.
    pub(crate) fn of(pairs: Vec<(String, V)>) -> Self {
        Self(pairs)
    }

    /// What has this name.
    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Puts a value under a name that has none. What has one stays.
    pub(crate) fn add(&mut self, name: String, value: V) {
        if self.get(&name).is_none() {
            self.0.push((name, value));
        }
    }

    /// The names and what they stand for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_stable_order(list: Vec<(u8, u8)>) {
            let (mut ours, mut theirs) = (list.clone(), list);
            sort_few(&mut ours, |one, other| one.0 < other.0);
            theirs.sort_by_key(|pair| pair.0);
            prop_assert_eq!(ours, theirs);
        }
    }
}
