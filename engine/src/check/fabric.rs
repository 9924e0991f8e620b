//! Pairs of Elastic Fabric Adapters between which traffic passes that is not IP, so that no search follows it (R-MENI-7).

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_model::assumption::Assumptions;
use reachproof_model::finding::Gap;
use reachproof_model::flow::World;
use reachproof_model::id::{EniId, GroupId, Ref, SubnetId, VpcId};
use reachproof_model::policy::TrafficSpec;

use super::notes::Footer;
use super::{Case, Direction, Verdict, siblings};
use crate::network::Network;
use crate::region::{Region, Spot, everything};

/// Adapters that are alike in all that is asked: the first two are enough to find a pair.
type Alike<'n> = BTreeMap<(Option<VpcId>, Vec<SubnetId>, Option<&'n [Ref<GroupId>]>), Vec<EniId>>;

impl Case<'_, '_, '_> {
    /// R-MENI-7: nothing is proved of adapters that may send to each other by their fabric, unless it is about other protocols.
    pub(super) fn fabric(&self, footer: &mut Footer) -> Vec<Gap> {
        if !self.is_proof() || !may_be_fabric(&self.property.traffic) {
            return Vec::new();
        }
        let found: Vec<Gap> = self.directions.iter().filter_map(|direction| self.joined(direction)).collect();
        if !found.is_empty() {
            footer.verdict = Verdict::Unknown;
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[22]));
        }
        found
    }

    fn joined(&self, direction: &Direction) -> Option<Gap> {
        let network = self.reach.network();
        let accepted = |from: EniId, to: EniId| {
            self.waivers.iter().any(|(_, source, sink)| names(source, from) && names(sink, to))
        };
        let avoided = |id: EniId| direction.avoid.contains(&*network.interface(id).meta.id);
        let senders = direction.from.clone().union(siblings(network, &direction.from));
        let open = |from, to| !avoided(from) && !avoided(to) && !accepted(from, to);
        let (from, to) = pair(network, &senders, &direction.to, open)?;
        let [from, to] = [from, to].map(|id| &network.interface(id).meta);
        let why = format!(
            "{} and {} are Elastic Fabric Adapters whose groups admit every protocol of each other: what they send over their fabric passes no network ACL and no route, and is not modelled (A-22)",
            from.id, to.id
        );
        Some(Gap { resource: from.id.boxed(), why: why.into(), source: Some(from.source.clone()) })
    }
}

/// Whether adapters of two regions may send to each other by their fabric.
pub(super) fn joins(network: &Network<'_>, from: &Region, to: &Region, traffic: &[TrafficSpec]) -> bool {
    may_be_fabric(traffic) && pair(network, from, to, |_, _| true).is_some()
}

/// Traffic that a property names is IP.
fn may_be_fabric(traffic: &[TrafficSpec]) -> bool {
    traffic.is_empty()
}

fn pair(
    network: &Network<'_>,
    from: &Region,
    to: &Region,
    open: impl Fn(EniId, EniId) -> bool,
) -> Option<(EniId, EniId)> {
    let (senders, receivers) = (adapters(network, from), adapters(network, to));
    let pairs = senders.values().flat_map(|some| receivers.values().map(move |others| (some, others)));
    let joined = pairs.filter(|(some, others)| {
        let two = |ids: &[EniId]| ids.iter().copied().take(2).collect::<Vec<EniId>>();
        let (some, others) = (two(some), two(others));
        some.iter().any(|left| others.iter().any(|right| network.may_send_by_fabric(*left, *right)))
    });
    let members = |(some, others): (&Vec<EniId>, &Vec<EniId>)| {
        let each = some.iter().flat_map(|left| others.iter().map(move |right| (*left, *right)));
        each.filter(|(left, right)| left != right).find(|(left, right)| open(*left, *right))
    };
    joined.into_iter().find_map(members)
}

fn adapters<'n>(network: &'n Network<'_>, region: &Region) -> Alike<'n> {
    let mut found = Alike::new();
    for (spot, _) in region.iter() {
        let Spot::Interface(id) = spot else { continue };
        if network.is_on_fabric(id) && network.live(id, World::Over).value {
            let interface = network.interface(id);
            let key = (interface.vpc.known(), network.subnets_of(id), interface.groups.as_deref());
            found.entry(key).or_default().push(id);
        }
    }
    found
}

/// Whether an end of a waiver names an interface with all of its addresses; one that is not there names everything.
fn names(end: &Option<Region>, id: EniId) -> bool {
    let whole = |blocks: &[IpNet]| everything().iter().all(|block| blocks.contains(block));
    end.as_ref()
        .is_none_or(|region| region.get(Spot::Interface(id)).is_some_and(|extent| whole(&extent.certain)))
}
