//! Who owns an address of a VPC (R-ADDR-3).

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reachproof_model::id::{EniId, VpcId};
use reachproof_model::snapshot::{Interface, Snapshot};

/// The owner function of every VPC.
#[derive(Debug, Default)]
pub struct Owners {
    vpcs: BTreeMap<VpcId, Owned>,
}

#[derive(Debug, Default)]
struct Owned {
    addresses: BTreeMap<IpAddr, Vec<EniId>>,
    prefixes: Vec<(IpNet, EniId)>,
}

impl Owners {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut owners = Self::default();
        for (id, interface) in snapshot.interfaces.iter() {
            let Some(vpc) = interface.vpc.known() else { continue };
            let owned = owners.vpcs.entry(vpc).or_default();
            for address in &interface.addresses {
                owned.addresses.entry(address.ip).or_default().push(id);
            }
            owned.prefixes.extend(interface.prefixes.iter().map(|prefix| (*prefix, id)));
        }
        owners
    }

    /// The interfaces that own an address, ascending; more than one only in contradictory input (R-ADDR-12, A-34).
    pub fn of_address(&self, vpc: VpcId, ip: IpAddr) -> Vec<EniId> {
        let Some(owned) = self.vpcs.get(&vpc) else { return Vec::new() };
        let mut owners = owned.addresses.get(&ip).cloned().unwrap_or_default();
        owners.extend(owned.prefixes.iter().filter(|(prefix, _)| prefix.contains(&ip)).map(|(_, id)| *id));
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}

/// R-ADDR-3: every block that an interface owns: its addresses and its delegated prefixes, sorted.
pub fn owned_blocks(interface: &Interface) -> Vec<IpNet> {
    let mut blocks: Vec<IpNet> = interface.addresses.iter().map(|address| host(address.ip)).collect();
    blocks.extend(interface.prefixes.iter().copied());
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}

/// Whether the interface owns the address.
pub fn owns(interface: &Interface, ip: IpAddr) -> bool {
    interface.addresses.iter().any(|address| address.ip == ip)
        || interface.prefixes.iter().any(|prefix| prefix.contains(&ip))
}

/// The block of one address.
pub fn host(ip: IpAddr) -> IpNet {
    match ip {
        IpAddr::V4(ip) => IpNet::V4(Ipv4Net::from(ip)),
        IpAddr::V6(ip) => IpNet::V6(Ipv6Net::from(ip)),
    }
}
