//! The connections of one instance: how many each user has, and who has just left.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::kernel::page::Page;

/// The users who are here.
pub(super) struct Table {
    users: BTreeMap<Uuid, Here>,
    /// Who changed since the last look, and whether it was here then.
    changed: BTreeMap<Uuid, bool>,
    /// Who has no connection any more, and when it will have left, soonest first.
    leaving: VecDeque<(Instant, Uuid)>,
    grace: Duration,
}

#[derive(Default)]
struct Here {
    connections: u32,
    leaves_at: Option<Instant>,
}

/// A user whose connections have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) user: Uuid,
    /// How many there are now; nothing when it has left.
    pub(super) connections: Option<u32>,
    /// Whether it was here at the last look.
    pub(super) was_here: bool,
}

impl Change {
    /// Whether the user came or left, as far as this instance knows: then, whether it is here.
    pub(super) fn turn(&self) -> Option<(Uuid, bool)> {
        let is_here = self.connections.is_some();
        (is_here != self.was_here).then_some((self.user, is_here))
    }
}

impl Table {
    pub(super) fn new(grace: Duration) -> Self {
        Table { users: BTreeMap::new(), changed: BTreeMap::new(), leaving: VecDeque::new(), grace }
    }

    /// Adds a connection, unless there are so many already.
    pub(super) fn enter(&mut self, user: Uuid, at_most: usize) -> bool {
        let was_here = self.users.contains_key(&user);
        let taken = usize::try_from(self.connections(user)).unwrap_or(usize::MAX);
        if taken >= at_most {
            return false;
        }
        let here = self.users.entry(user).or_default();
        here.connections += 1;
        here.leaves_at = None;
        self.changed.entry(user).or_insert(was_here);
        true
    }

    /// Takes a connection away. After the last one, the user is here for the grace yet.
    pub(super) fn exit(&mut self, user: Uuid, now: Instant) {
        let Some(here) = self.users.get_mut(&user) else { return };
        here.connections = here.connections.saturating_sub(1);
        if here.connections == 0 {
            let at = now + self.grace;
            here.leaves_at = Some(at);
            self.leaving.push_back((at, user));
        }
        self.changed.entry(user).or_insert(true);
    }

    /// Lets those leave whose grace is over.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some((at, user)) = self.leaving.front().copied().filter(|(at, _)| *at <= now) {
            self.leaving.pop_front();
            // Who came back meanwhile leaves at another time, or not at all.
            if self.users.get(&user).is_some_and(|here| here.leaves_at == Some(at)) {
                self.users.remove(&user);
                self.changed.entry(user).or_insert(true);
            }
        }
    }

    /// When the next one leaves.
    pub(super) fn next_leave(&self) -> Option<Instant> {
        self.leaving.front().map(|(at, _)| *at)
    }

    /// Up to so many of the changes since the last look.
    pub(super) fn take_changes(&mut self, at_most: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        while changes.len() < at_most
            && let Some((user, was_here)) = self.changed.pop_first()
        {
            changes.push(Change { user, connections: self.users.get(&user).map(|here| here.connections), was_here });
        }
        changes
    }

    /// Everybody behind this user who is here, up to so many, as if they had just come.
    pub(super) fn all_behind(&self, user: Option<Uuid>, at_most: usize) -> Vec<Change> {
        let behind = self.users.range((user.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        let change =
            |(user, here): (&Uuid, &Here)| Change { user: *user, connections: Some(here.connections), was_here: false };
        behind.take(at_most).map(change).collect()
    }

    pub(super) fn has(&self, user: Uuid) -> bool {
        self.users.contains_key(&user)
    }

    pub(super) fn connections(&self, user: Uuid) -> u64 {
        self.users.get(&user).map_or(0, |here| u64::from(here.connections))
    }

    pub(super) fn len(&self) -> u64 {
        self.users.len() as u64
    }

    /// Up to one user more than the page has, in reading direction.
    pub(super) fn page(&self, page: &Page) -> Vec<Uuid> {
        let after = page.after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.id));
        let before = page.before.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.id));
        let limit = usize::try_from(page.size).unwrap_or(0) + 1;
        if let (Bound::Excluded(after), Bound::Excluded(before)) = (after, before)
            && after >= before
        {
            return Vec::new();
        }
        let found = self.users.range((after, before)).map(|(user, _)| *user);
        if page.forward { found.take(limit).collect() } else { found.rev().take(limit).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::page::Cursor;

    const GRACE: Duration = Duration::from_secs(5);

    fn user(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn turns(table: &mut Table) -> Vec<(Uuid, bool)> {
        table.take_changes(100).iter().filter_map(Change::turn).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_within_the_grace_was_never_away() {
        let (mut table, now) = (Table::new(GRACE), Instant::now());
        assert!(table.enter(user(1), 9));
        assert_eq!(turns(&mut table), [(user(1), true)]);
        table.exit(user(1), now);
        assert!(table.has(user(1)) && table.connections(user(1)) == 0);
        table.settle(now + GRACE / 2);
        assert!(table.enter(user(1), 9));
        table.settle(now + GRACE);
        assert_eq!(turns(&mut table), []);
        // The grace begins anew with the next goodbye.
        table.exit(user(1), now + GRACE);
        table.settle(now + GRACE + GRACE / 2);
        assert!(table.has(user(1)));
        table.settle(now + GRACE * 2);
        assert_eq!(turns(&mut table), [(user(1), false)]);
        assert_eq!((table.len(), table.next_leave()), (0, None));
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_counted_and_bounded() {
        let (mut table, now) = (Table::new(GRACE), Instant::now());
        assert!(table.enter(user(1), 2) && table.enter(user(1), 2) && !table.enter(user(1), 2));
        let change = Change { user: user(1), connections: Some(2), was_here: false };
        assert_eq!(table.take_changes(9), [change]);
        table.exit(user(1), now);
        table.settle(now + GRACE * 2);
        assert_eq!(table.take_changes(9), [Change { connections: Some(1), was_here: true, ..change }]);
        assert!(table.enter(user(1), 2));
    }

    #[test]
    fn pages_go_both_ways() {
        let mut table = Table::new(GRACE);
        (1..=5).for_each(|n| assert!(table.enter(user(n), 1)));
        let cursor = |n| Some(Cursor { key: 0, id: user(n) });
        let page = |forward, after, before| Page { size: 2, forward, after, before };
        assert_eq!(table.page(&page(true, None, None)), [1, 2, 3].map(user));
        assert_eq!(table.page(&page(true, cursor(3), None)), [4, 5].map(user));
        assert_eq!(table.page(&page(false, None, cursor(4))), [3, 2, 1].map(user));
        assert!(table.page(&page(true, cursor(4), cursor(2))).is_empty());
        assert_eq!(table.all_behind(Some(user(3)), 9).len(), 2);
    }
}
