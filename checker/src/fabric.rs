//! Traffic of Elastic Fabric Adapters, which is not IP and which no walk follows (R-MENI-7).

use reachproof_model::id::{EniId, Ref};
use reachproof_model::snapshot::{GroupPeer, GroupRule, Interface, SecurityGroup, Snapshot};
use reachproof_model::traffic::Traffic;

use crate::Rejection;
use crate::net::{Net, subnets_of};
use crate::part::{Part, interface};

/// Rejects a part about all protocols in which one adapter may send to another by their fabric.
pub(crate) fn refuse(net: &Net<'_>, part: &Part<'_>) -> Result<(), Rejection> {
    let areas = part.traffic.v4.iter().chain(&part.traffic.v6);
    if !areas.map(|area| area.protocol).any(|(lo, hi)| lo < hi) {
        return Ok(());
    }
    let adapters = |places: Vec<EniId>| -> Vec<EniId> {
        places.into_iter().filter(|id| is_adapter(net.interface(*id)) && net.live(*id)).collect()
    };
    let senders = adapters(part.sources.keys().filter_map(interface).collect());
    let receivers = adapters(part.destinations.keys().filter_map(interface).collect());
    let avoided = |id: EniId| part.avoided.iter().any(|name| net.interface(id).meta.id == **name);
    for from in senders.iter().filter(|id| !avoided(**id)) {
        net.work.spend(receivers.len());
        net.work.require()?;
        if let Some(to) = receivers.iter().find(|to| !avoided(**to) && joined(net.s, *from, **to)) {
            let [from, to] = [*from, *to].map(|id| &net.interface(id).meta.id);
            let why = format!("cannot check what {from} sends to {to} over the fabric of their adapters");
            return Err(Rejection::of(why));
        }
    }
    Ok(())
}

fn is_adapter(interface: &Interface) -> bool {
    interface.kind.as_deref().is_some_and(|kind| kind.starts_with("efa"))
}

/// R-MENI-7: whether two adapters of one VPC and perhaps one zone let in and out every protocol of each other by reference.
fn joined(s: &Snapshot, from: EniId, to: EniId) -> bool {
    let (sender, receiver) = (&s.interfaces[from], &s.interfaces[to]);
    from != to
        && sender.vpc == receiver.vpc
        && near(s, sender, receiver)
        && lets(s, sender, receiver, |group| &group.egress)
        && lets(s, receiver, sender, |group| &group.ingress)
}

fn near(s: &Snapshot, one: &Interface, other: &Interface) -> bool {
    let zones = |row: &Interface| -> Vec<Option<&str>> {
        subnets_of(row).map(|id| s.subnets[id].zone_id.as_deref()).collect()
    };
    let (here, there) = (zones(one), zones(other));
    let unknown = |zones: &[Option<&str>]| zones.is_empty() || zones.contains(&None);
    unknown(&here) || unknown(&there) || here.iter().any(|zone| there.contains(zone))
}

/// R-DATA-3: what is not known lets everything pass.
fn lets(
    s: &Snapshot,
    own: &Interface,
    other: &Interface,
    rules: impl Fn(&SecurityGroup) -> &Option<Vec<GroupRule>>,
) -> bool {
    let carried = own.groups.as_deref().unwrap_or_default();
    let admits = |rule: &GroupRule| {
        let others = other.groups.as_deref().unwrap_or_default();
        let by_reference = match &rule.peer {
            GroupPeer::Group(reference) => others.is_empty() || others.contains(&reference.group),
            GroupPeer::Unknown => true,
            _ => false,
        };
        by_reference && matches!(rule.traffic, Traffic::All | Traffic::Unknown)
    };
    let open = |group: &Ref<_>| match group {
        Ref::Known(id) => rules(&s.groups[*id]).as_ref().is_none_or(|rules| rules.iter().any(admits)),
        Ref::Missing(_) => true,
    };
    carried.is_empty() || carried.iter().any(open)
}
