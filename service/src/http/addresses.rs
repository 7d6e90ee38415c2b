//! How many connections each address has open, so that one of them cannot take all there may be.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many bits of an IPv6 address tell whose it is (64): the rest is the client's own to choose.
const PREFIX: u32 = 64;

/// Those that have connections open; copies are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// A connection of an address, as long as it is kept.
#[derive(Debug)]
pub(super) struct Held {
    addresses: Addresses,
    of: IpAddr,
}

impl Addresses {
    /// Counts one more connection of an address; nothing when it has as many as it may.
    pub(super) fn take(&self, address: IpAddr, most: usize) -> Option<Held> {
        let of = whose(address);
        let mut open = self.lock();
        let count = open.entry(of).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Held { addresses: self.clone(), of })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        // Nothing is left half done in here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.addresses.lock();
        if let Some(count) = open.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.of);
            }
        }
    }
}

/// What is counted as one client: an IPv4 address, however it is written, or a network of IPv6.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> (u128::BITS - PREFIX) << (u128::BITS - PREFIX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_client_has_its_own() {
        let addresses = Addresses::default();
        let take = |text: &str| addresses.take(address(text), 2);
        let (one, two) = (take("192.0.2.1"), take("::ffff:192.0.2.1"));
        assert!(one.is_some() && two.is_some() && take("192.0.2.1").is_none());
        assert!(take("192.0.2.2").is_some(), "another has room");
        drop(one);
        assert!(take("192.0.2.1").is_some(), "one has ended");
        drop(two);
        assert!(addresses.lock().is_empty(), "nothing is kept of who has gone");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let addresses = Addresses::default();
        let held = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"].map(|it| addresses.take(address(it), 2));
        assert!(held.iter().all(Option::is_some));
        assert!(addresses.take(address("2001:db8:1:2:3::"), 2).is_none());
        assert!(addresses.take(address("2001:db8:1:3::1"), 2).is_some());
    }
}
