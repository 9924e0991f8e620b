//! Ranges of addresses as selectors name them: who has one of them, here or beyond.

use std::net::IpAddr;

use ipnet::IpNet;
use reachproof_model::flow::World;

use super::{Meaning, Region, Spot, common, meaning_of, neighbours, service};
use crate::network::{Network, SpecialBlock, host, owned_blocks};

/// A range: the interfaces with addresses in it (also public ones), and the places beyond where it may extend to.
pub(super) fn add(network: &Network<'_>, region: &mut Region, range: IpNet) {
    for (id, interface) in network.snapshot.interfaces.iter() {
        let mut blocks: Vec<IpNet> =
            owned_blocks(interface).iter().filter_map(|block| common(block, &range)).collect();
        let public = interface.public.iter().filter(|row| range.contains(&IpAddr::V4(row.public)));
        blocks.extend(public.map(|row| host(IpAddr::V4(row.private))));
        region.add(Spot::Interface(id), blocks, Meaning::Named);
    }
    let single = range.prefix_len() == range.max_prefix_len();
    if single && !region.is_empty() {
        return;
    }
    add_unseen_in(network, region, range);
    service::add_behind_endpoints(network, region, range);
    let meaning = if region.is_only_perhaps() { Meaning::Named } else { Meaning::Among };
    if !is_private(&range) {
        region.add(Spot::Internet, vec![range], meaning);
    }
    for spot in neighbours(network) {
        region.add(spot, vec![range], meaning_of(spot, meaning));
    }
}

/// R-ADDR-13: what no call shows of the subnets that a range covers a part of.
fn add_unseen_in(network: &Network<'_>, region: &mut Region, range: IpNet) {
    let foreign =
        network.snapshot.subnets.iter().filter(|(_, subnet)| network.hides_interfaces(&subnet.meta));
    for (id, _) in foreign {
        let blocks = network.subnet_blocks(id, World::Over);
        let inside = blocks.iter().filter_map(|block| common(block, &range)).collect();
        region.add(Spot::Unseen(id), inside, Meaning::Among);
    }
}

fn is_private(range: &IpNet) -> bool {
    let blocks = [SpecialBlock::PrivateV4.blocks(), SpecialBlock::PrivateV6.blocks()].concat();
    blocks.iter().any(|block| block.contains(range))
}
