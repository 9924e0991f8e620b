//! Load balancers: opaque relays between their nodes and whatever those may reach (section 16, R-LB-20).

use std::collections::{BTreeMap, BTreeSet};

use super::dto::{ClassicLoadBalancer, Lenient, Listener, LoadBalancer, Name, Placed};
use super::facts::{Facts, balancer_path, hidden, kind_of, relayed, subnets_of};
use super::{Found, Paths};
use crate::id::{EniId, GroupId, Ref, ScopeId, SubnetId, VpcId};
use crate::snapshot::{ComponentKind, Entry, Exit, Interface};
use crate::source::Source;

/// A load balancer, from an inventory or known by its nodes alone.
pub(super) struct Balancer {
    /// Its ARN, its name (Classic), or the id of its first node.
    pub(super) id: Box<str>,
    /// `net/name/0123`, or the name of a Classic Load Balancer; empty if unknown.
    pub(super) path: Box<str>,
    pub(super) kind: BalancerKind,
    /// Whether an inventory lists it.
    pub(super) listed: bool,
    /// Its interfaces in the snapshot, ascending.
    pub(super) nodes: Vec<EniId>,
    /// Its subnets in which the snapshot shows no node.
    pub(super) hidden: Vec<SubnetId>,
    pub(super) scope: ScopeId,
    pub(super) source: Source,
    groups: Vec<Ref<GroupId>>,
    internet_facing: bool,
    forwards: bool,
}

/// The kinds of load balancers that differ here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BalancerKind {
    Network,
    Gateway,
    Other,
}

impl Balancer {
    /// R-LB-6: whether any target group may receive from it. `false` only if the target groups were collected and
    /// none names it.
    pub(super) fn forwards(&self) -> bool {
        self.forwards
    }

    /// Where it sends to targets: by its nodes, with their groups (R-LB-3, R-LB-9).
    pub(super) fn exits(&self) -> Vec<Exit> {
        let nodes = self.nodes.iter().copied().map(relayed);
        nodes.chain(self.hidden.iter().map(|subnet| hidden(*subnet, self.groups.clone()))).collect()
    }

    /// R-LB-4: the nodes, by the addresses they own; hidden ones by any address of their subnets.
    fn entries(&self) -> Vec<Entry> {
        let nodes = self.nodes.iter().copied().map(Entry::Interface);
        let hidden = self.hidden.iter().copied().map(Entry::HiddenInterface);
        let public = (self.internet_facing && !self.hidden.is_empty()).then_some(Entry::Internet);
        nodes.chain(hidden).chain(public).collect()
    }
}

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    for balancer in facts.balancers().iter().filter(|balancer| balancer.forwards()) {
        let paths = Paths::new(balancer.entries(), balancer.exits());
        found.add(ComponentKind::LoadBalancer, &balancer.id, why(balancer), &balancer.source, paths);
    }
}

fn why(balancer: &Balancer) -> String {
    let id = &balancer.id;
    if balancer.listed {
        return format!("{id} is a load balancer: which listener forwards to which target is not modelled");
    }
    let calls = "elbv2 describe-load-balancers, describe-target-groups, elb describe-load-balancers";
    format!("{id} is a node of a load balancer that no inventory lists; collect: {calls}")
}

/// All load balancers: those of the inventories in their order, then one for each set of further nodes.
pub(super) fn balancers(facts: &Facts<'_>) -> Vec<Balancer> {
    let mut nodes = nodes_by_path(facts);
    let elastic = facts.inventories.load_balancers.iter().map(|listed| elastic(facts, listed));
    let classic = facts.inventories.classic.iter().map(|listed| classic(facts, listed));
    // Two files may hold the same answer; Classic Load Balancers of different scopes may share a name.
    let mut seen = BTreeSet::new();
    let mut all: Vec<Balancer> = elastic
        .chain(classic)
        .filter(|balancer| seen.insert((balancer.id.clone(), balancer.scope)))
        .collect();
    for balancer in &mut all {
        take_nodes(facts, balancer, &mut nodes);
    }
    let rest = nodes.into_iter().flat_map(|((path, _), nodes)| unlisted(facts, &path, nodes));
    all.extend(rest);
    all
}

/// Nodes by the path in their description and their VPC; the path is empty where the description does not tell.
type Nodes = BTreeMap<(Box<str>, Ref<VpcId>), Vec<EniId>>;

fn nodes_by_path(facts: &Facts<'_>) -> Nodes {
    let mut nodes = Nodes::new();
    for (id, interface) in facts.snapshot.interfaces.iter().filter(|(_, interface)| is_node(interface)) {
        let path = interface.description.strip_prefix("ELB ").unwrap_or("");
        nodes.entry((path.into(), interface.vpc.clone())).or_default().push(id);
    }
    nodes
}

/// R-LB-2, R-DATA-11: what makes an interface a node of a load balancer.
fn is_node(interface: &Interface) -> bool {
    let owner = interface.attachment.as_ref().and_then(|attachment| attachment.instance_owner.as_deref());
    matches!(kind_of(interface), "loadbalancer" | "networkloadbalancer" | "gatewayloadbalancer")
        || interface.requester.as_deref() == Some("amazon-elb")
        || owner == Some("amazon-elb")
        || interface.description.starts_with("ELB ")
}

fn elastic(facts: &Facts<'_>, listed: &Placed<LoadBalancer>) -> Balancer {
    let path = balancer_path(&listed.load_balancer_arn).unwrap_or("");
    let subnets: Vec<&Name> = listed.availability_zones.iter().map(|zone| &zone.subnet_id).collect();
    Balancer {
        id: listed.load_balancer_arn.boxed(),
        path: path.into(),
        kind: match &*listed.kind {
            "network" => BalancerKind::Network,
            "gateway" => BalancerKind::Gateway,
            _ => BalancerKind::Other,
        },
        listed: true,
        nodes: Vec::new(),
        hidden: hidden_subnets(facts, &subnets, &listed.vpc_id, listed.scope),
        scope: listed.scope,
        source: listed.source.clone(),
        groups: shown_groups(
            facts,
            &listed.security_groups,
            !matches!(&*listed.kind, "network" | "gateway"),
            &listed.vpc_id,
        ),
        internet_facing: !listed.scheme.eq_ignore_ascii_case("internal"),
        forwards: may_forward(facts, listed),
    }
}

/// R-LB-18.
fn classic(facts: &Facts<'_>, listed: &Placed<ClassicLoadBalancer>) -> Balancer {
    let subnets: Vec<&Name> = listed.subnets.iter().collect();
    Balancer {
        id: listed.load_balancer_name.boxed(),
        path: listed.load_balancer_name.boxed(),
        kind: BalancerKind::Other,
        listed: true,
        nodes: Vec::new(),
        hidden: hidden_subnets(facts, &subnets, &listed.vpc_id, listed.scope),
        scope: listed.scope,
        source: listed.source.clone(),
        groups: shown_groups(facts, &listed.security_groups, true, &listed.vpc_id),
        internet_facing: !listed.scheme.eq_ignore_ascii_case("internal"),
        forwards: listed.instances.as_ref().is_none_or(|instances| !instances.is_empty()),
    }
}

/// The groups of a load balancer. Application and Classic Load Balancers always have one (R-LB-17): if the inventory
/// shows none, it may be any of the VPC (R-SG-23).
fn shown_groups(facts: &Facts<'_>, shown: &[Name], always: bool, vpc: &str) -> Vec<Ref<GroupId>> {
    let vpc = facts.vpc(vpc).filter(|_| always && shown.is_empty());
    let Some(vpc) = vpc else { return facts.group_refs(shown) };
    let groups = facts.snapshot.groups.iter().filter(|(_, group)| group.vpc.known() == Some(vpc));
    groups.map(|(id, _)| Ref::Known(id)).collect()
}

/// The subnets that a load balancer is enabled in; all of its VPC if the inventory names none or one that nobody shows,
/// and all of its account and Region if it names no VPC either (R-DATA-3). One in a VPC that nobody shows is elsewhere.
fn hidden_subnets(facts: &Facts<'_>, subnets: &[&Name], vpc: &str, scope: ScopeId) -> Vec<SubnetId> {
    let known: Option<Vec<SubnetId>> = subnets.iter().map(|subnet| facts.subnet(subnet)).collect();
    let known = known.filter(|known| !known.is_empty());
    known.unwrap_or_else(|| match facts.vpc(vpc) {
        Some(vpc) => facts.vpc_subnets(vpc).to_vec(),
        None if vpc.is_empty() => facts.subnets_of_scope(scope),
        None => Vec::new(),
    })
}

/// R-LB-6: rules and default actions reach target groups only, and each group names its load balancers. R-DATA-5: a listener
/// that forwards, and targets of a group that no answer lists, show that there are others.
fn may_forward(facts: &Facts<'_>, balancer: &Placed<LoadBalancer>) -> bool {
    let arn = &balancer.load_balancer_arn;
    !facts.collected(balancer.scope, "elbv2 describe-target-groups")
        || facts.inventories.target_groups.iter().any(|group| {
            let named = group.load_balancer_arns.as_ref();
            named.is_none_or(|named| named.iter().any(|name| name == arn))
        })
        || facts.inventories.shows_health_of_unlisted()
        || listeners(facts).any(|listener| listener.load_balancer_arn == *arn && forwards_on(listener))
}

fn listeners<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a Listener> {
    let plain = facts.inventories.listeners.iter().map(|placed| &placed.value);
    let wrapped = facts.inventories.wrapped_listeners.iter().flat_map(|of_one| of_one.listeners.iter());
    plain.chain(wrapped.filter_map(|lenient| match lenient {
        Lenient::Read(listener) => Some(listener),
        Lenient::Unreadable(_) => None,
    }))
}

/// Whether a default action forwards, or cannot be read (R-DATA-6).
fn forwards_on(listener: &Listener) -> bool {
    listener.default_actions.iter().any(|action| match action {
        Lenient::Read(action) => action.kind.is_empty() || action.kind.eq_ignore_ascii_case("forward"),
        Lenient::Unreadable(_) => true,
    })
}

/// Gives a listed load balancer the nodes that bear its path in its subnets' VPC.
fn take_nodes(facts: &Facts<'_>, balancer: &mut Balancer, nodes: &mut Nodes) {
    for subnet in balancer.hidden.iter().filter_map(|id| facts.snapshot.subnets.get(*id)) {
        let key = (balancer.path.clone(), subnet.vpc.clone());
        balancer.nodes.extend(nodes.remove(&key).unwrap_or_default());
    }
    balancer.nodes.sort();
    let shown = balancer.nodes.iter().filter_map(|id| facts.snapshot.interfaces.get(*id));
    let shown: Vec<SubnetId> = shown.flat_map(subnets_of).collect();
    balancer.hidden.retain(|subnet| !shown.contains(subnet));
}

/// R-LB-20: a load balancer known by its nodes only.
fn unlisted(facts: &Facts<'_>, path: &str, nodes: Vec<EniId>) -> Option<Balancer> {
    let interfaces: Vec<&Interface> =
        nodes.iter().filter_map(|id| facts.snapshot.interfaces.get(*id)).collect();
    let first = interfaces.first()?;
    let is = |kind: &str| interfaces.iter().any(|interface| kind_of(interface) == kind);
    let kind = if path.starts_with("net/") || is("networkloadbalancer") {
        BalancerKind::Network
    } else if path.starts_with("gwy/") || is("gatewayloadbalancer") {
        BalancerKind::Gateway
    } else {
        BalancerKind::Other
    };
    Some(Balancer {
        id: first.meta.id.boxed(),
        path: path.into(),
        kind,
        listed: false,
        hidden: Vec::new(),
        scope: first.meta.scope,
        source: first.meta.source.clone(),
        groups: Vec::new(),
        internet_facing: false,
        forwards: true,
        nodes,
    })
}
