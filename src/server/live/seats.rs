//! How many connections somebody has open on this instance: sockets and feeds together.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel::Caller;
use crate::kernel::id::UserId;
use crate::server::caller::network;

/// Whose connections are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Those of one user, wherever they are.
    User(UserId),
    /// Those from one network while nobody is signed in.
    Network(IpAddr),
}

impl Holder {
    /// Who a caller counts as.
    pub fn of(caller: &Caller) -> Self {
        match caller.viewer {
            Some(viewer) => Holder::User(viewer.user),
            None => Holder::Network(caller.ip.map_or(Ipv4Addr::UNSPECIFIED.into(), network)),
        }
    }
}

/// The seats that are taken.
#[derive(Clone, Debug, Default)]
pub struct Seats(Arc<Mutex<HashMap<Holder, usize>>>);

impl Seats {
    /// One more for a holder who may have `most`.
    pub fn take(&self, holder: Holder, most: usize) -> Option<Seat> {
        let mut all = self.lock();
        let taken = all.entry(holder).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Seat { seats: self.clone(), holder })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of one holder.
pub struct Seat {
    seats: Seats,
    holder: Holder,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.seats.lock();
        if let Some(taken) = all.get_mut(&self.holder) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::id::TypedId;

    #[test]
    fn seats_are_given_back() {
        let seats = Seats::default();
        let user = |number| Holder::User(UserId::of(Uuid::from_u128(number)));
        let (one, two) = (seats.take(user(1), 2), seats.take(user(1), 2));
        assert!(one.is_some() && two.is_some() && seats.take(user(1), 2).is_none());
        assert!(seats.take(user(2), 2).is_some());
        drop((one, two));
        assert!(seats.lock().is_empty());
    }

    #[test]
    fn strangers_count_by_their_network() {
        let of =
            |ip: Option<&str>| Holder::of(&Caller { ip: ip.map(|ip| ip.parse().unwrap()), ..Caller::system("test") });
        assert_eq!(of(Some("2001:db8:1:2::1")), of(Some("2001:db8:1:2::9")));
        assert_ne!(of(Some("2001:db8:1:2::1")), of(Some("2001:db8:1:3::1")));
        assert_ne!(of(Some("192.0.2.1")), of(Some("192.0.2.2")));
        assert_eq!(of(None), of(None));
    }
}
