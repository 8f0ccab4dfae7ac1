//! How many connections are open on this instance, sockets and feeds together: those of users are counted with their
//! presence, those of strangers here.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::platform::presence::Stay;
use crate::server::caller::network;

/// One connection that counts.
pub enum Seat {
    /// Of a user, wherever it is.
    User(Stay),
    /// Of somebody who is not signed in.
    Stranger(Stranger),
}

/// The seats of strangers, by their network.
#[derive(Clone, Debug, Default)]
pub struct Seats(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Seats {
    /// One more from this address, whose network may have `most`.
    pub fn take(&self, ip: Option<IpAddr>, most: usize) -> Option<Stranger> {
        let network = ip.map_or(Ipv4Addr::UNSPECIFIED.into(), network);
        let mut all = self.lock();
        let taken = all.entry(network).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Stranger { seats: self.clone(), network })
    }

    /// Networks that have one.
    pub fn networks(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of somebody who is not signed in.
pub struct Stranger {
    seats: Seats,
    network: IpAddr,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut all = self.seats.lock();
        if let Some(taken) = all.get_mut(&self.network) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_count_by_their_network_and_give_their_seats_back() {
        let seats = Seats::default();
        let take = |ip: &str| seats.take(Some(ip.parse().unwrap()), 2);
        let (one, two) = (take("2001:db8:1:2::1"), take("2001:db8:1:2::9"));
        assert!(one.is_some() && two.is_some() && take("2001:db8:1:2::1").is_none());
        assert!(take("2001:db8:1:3::1").is_some() && take("192.0.2.1").is_some());
        drop((one, two));
        assert!(seats.lock().is_empty());
        let (one, two) = (seats.take(None, 2), seats.take(None, 2));
        assert!(one.is_some() && two.is_some() && seats.take(None, 2).is_none());
    }
}
