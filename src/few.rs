//! Lists of a few, put in order. `slice::sort` brings kilobytes of Wasm for each type that it is used with, and is no
//! quicker here.

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
