//! A question that takes several statements, side by side.

use std::collections::HashMap;
use std::hash::Hash;

use futures_util::future::try_join_all;

use crate::kernel::Result;

/// Statements that one question runs at once: it leaves connections for others.
const AT_ONCE: usize = 6;

/// Asks for items of several groups: one read for each group, a few of them at a time. Gives all that they found. A batch of
/// many requests has a group for each viewer, and nobody should wait for them one after the other.
pub async fn by_group<G: Eq + Hash, I, T, F>(
    items: impl IntoIterator<Item = (G, I)>,
    read: impl Fn(G, Vec<I>) -> F,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<Vec<T>>>,
{
    let mut groups: HashMap<G, Vec<I>> = HashMap::new();
    for (group, item) in items {
        groups.entry(group).or_default().push(item);
    }
    side_by_side(groups.into_iter().map(|(group, items)| read(group, items))).await
}

async fn side_by_side<T>(reads: impl IntoIterator<Item = impl Future<Output = Result<Vec<T>>>>) -> Result<Vec<T>> {
    let mut reads: Vec<_> = reads.into_iter().collect();
    let mut found = Vec::new();
    while !reads.is_empty() {
        let next: Vec<_> = reads.drain(..reads.len().min(AT_ONCE)).collect();
        found.extend(try_join_all(next).await?.into_iter().flatten());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Error;

    #[tokio::test]
    async fn all_that_was_found_is_given_or_the_first_failure() {
        let read = |n: usize| async move { if n == 99 { Err(Error::internal("n")) } else { Ok(vec![n; n % 3]) } };
        let found = side_by_side((0..20).map(read)).await.unwrap();
        assert_eq!(found, (0..20).flat_map(|n| vec![n; n % 3]).collect::<Vec<_>>());
        assert!(side_by_side([1, 99, 2].map(read)).await.is_err());
        assert!(side_by_side([] as [std::future::Ready<Result<Vec<u8>>>; 0]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn each_group_is_read_once() {
        let read = |group: i64, items: Vec<i64>| async move { Ok(vec![(group, items)]) };
        let mut found = by_group((0..7).map(|n| (n % 3, n)), read).await.unwrap();
        found.sort();
        assert_eq!(found, [(0, vec![0, 3, 6]), (1, vec![1, 4]), (2, vec![2, 5])]);
    }
}
