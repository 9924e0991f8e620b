//! The snapshot and the inventories seen together: ids to resources, load balancers to interfaces.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Inventories;
use super::dto::Name;
use super::load_balancer::{Balancer, balancers};
use crate::id::{EniId, GroupId, Id, Ref, ScopeId, SubnetId, Table, VpcId};
use crate::snapshot::{Exit, Interface, Meta, Scope, Snapshot};

/// Ids of resources by their AWS id, built when first needed: most snapshots have no inventory to resolve.
pub(super) struct Facts<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) inventories: &'a Inventories,
    vpcs: OnceCell<BTreeMap<&'a str, VpcId>>,
    subnets: OnceCell<BTreeMap<&'a str, SubnetId>>,
    groups: OnceCell<BTreeMap<&'a str, GroupId>>,
    interfaces: OnceCell<BTreeMap<&'a str, EniId>>,
    instance_interfaces: OnceCell<BTreeMap<&'a str, Vec<EniId>>>,
    subnet_interfaces: OnceCell<BTreeMap<SubnetId, Vec<EniId>>>,
    vpc_subnets: OnceCell<BTreeMap<VpcId, Vec<SubnetId>>>,
    balancers: OnceCell<Vec<Balancer>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, inventories: &'a Inventories) -> Self {
        Self {
            snapshot,
            inventories,
            vpcs: OnceCell::new(),
            subnets: OnceCell::new(),
            groups: OnceCell::new(),
            interfaces: OnceCell::new(),
            instance_interfaces: OnceCell::new(),
            subnet_interfaces: OnceCell::new(),
            vpc_subnets: OnceCell::new(),
            balancers: OnceCell::new(),
        }
    }

    pub(super) fn vpc(&self, id: &str) -> Option<VpcId> {
        self.vpcs.get_or_init(|| by_name(&self.snapshot.vpcs, |vpc| &vpc.meta)).get(id).copied()
    }

    pub(super) fn subnet(&self, id: &str) -> Option<SubnetId> {
        self.subnets.get_or_init(|| by_name(&self.snapshot.subnets, |subnet| &subnet.meta)).get(id).copied()
    }

    pub(super) fn interface(&self, id: &str) -> Option<EniId> {
        let table = &self.snapshot.interfaces;
        self.interfaces.get_or_init(|| by_name(table, |interface| &interface.meta)).get(id).copied()
    }

    /// References to groups, sorted.
    pub(super) fn group_refs(&self, ids: &[Name]) -> Vec<Ref<GroupId>> {
        let known = self.groups.get_or_init(|| by_name(&self.snapshot.groups, |group| &group.meta));
        let reference =
            |id: &Name| known.get(&**id).map_or_else(|| Ref::Missing((**id).into()), |id| Ref::Known(*id));
        ids.iter().map(reference).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The interfaces attached to an instance, whether or not the instance itself is in the snapshot.
    pub(super) fn instance_interfaces(&self, instance: &str) -> &[EniId] {
        let map = self.instance_interfaces.get_or_init(|| {
            let mut map: BTreeMap<&str, Vec<EniId>> = BTreeMap::new();
            for (id, interface) in self.snapshot.interfaces.iter() {
                if let Some(instance) = self.instance_of(interface) {
                    map.entry(instance).or_default().push(id);
                }
            }
            map
        });
        map.get(instance).map_or(&[], Vec::as_slice)
    }

    /// The AWS id of the instance that an interface is attached to.
    pub(super) fn instance_of(&self, interface: &'a Interface) -> Option<&'a str> {
        match interface.attachment.as_ref()?.instance.as_ref()? {
            Ref::Known(id) => self.snapshot.instances.get(*id).map(|instance| &*instance.meta.id),
            Ref::Missing(id) => Some(id),
        }
    }

    /// The interfaces that lie in a subnet (also as one of several, R-ADDR-16).
    pub(super) fn subnet_interfaces(&self, subnet: SubnetId) -> &[EniId] {
        let map = self.subnet_interfaces.get_or_init(|| {
            let mut map: BTreeMap<SubnetId, Vec<EniId>> = BTreeMap::new();
            for (id, interface) in self.snapshot.interfaces.iter() {
                for subnet in subnets_of(interface) {
                    map.entry(subnet).or_default().push(id);
                }
            }
            map
        });
        map.get(&subnet).map_or(&[], Vec::as_slice)
    }

    pub(super) fn vpc_subnets(&self, vpc: VpcId) -> &[SubnetId] {
        let map = self.vpc_subnets.get_or_init(|| {
            let mut map: BTreeMap<VpcId, Vec<SubnetId>> = BTreeMap::new();
            for (id, subnet) in self.snapshot.subnets.iter() {
                subnet.vpc.known().into_iter().for_each(|vpc| map.entry(vpc).or_default().push(id));
            }
            map
        });
        map.get(&vpc).map_or(&[], Vec::as_slice)
    }

    /// Every load balancer of the inventories, and one for each set of nodes that no inventory lists.
    pub(super) fn balancers(&self) -> &[Balancer] {
        self.balancers.get_or_init(|| balancers(self))
    }

    /// The load balancers that an ARN names: one, or none if nothing shows it.
    pub(super) fn balancers_of(&self, arn: &str) -> impl Iterator<Item = &Balancer> {
        let path = balancer_path(arn).map(str::to_owned);
        self.balancers().iter().filter(move |balancer| path.as_deref() == Some(&*balancer.path))
    }

    /// Whether the call was collected for the account and Region (R-DATA-9).
    pub(super) fn collected(&self, scope: ScopeId, call: &str) -> bool {
        self.snapshot.scopes.get(scope).is_some_and(|scope| scope.collected(call))
    }

    /// Whether the call, of a service without Regions, was collected anywhere in the account of `scope`.
    pub(super) fn collected_in_account(&self, scope: ScopeId, call: &str) -> bool {
        let Some(home) = self.snapshot.scopes.get(scope) else { return false };
        self.snapshot.scopes.values().any(|scope| scope.account == home.account && scope.collected(call))
    }

    /// The account id of a scope; empty if the input does not tell.
    pub(super) fn account(&self, scope: ScopeId) -> &str {
        self.snapshot.scopes.get(scope).map_or("", |scope| &scope.account)
    }

    /// How a managed service enters these subnets with these groups: by its interfaces where the snapshot shows some
    /// with exactly these groups, which are then no wider than a hidden one.
    ///
    /// A subnet that is not shown may be any of the account and Region (R-DATA-3); so may all, where none is named.
    pub(super) fn service_exits(&self, subnets: &[Name], groups: &[Name], scope: ScopeId) -> Vec<Exit> {
        let groups = self.group_refs(groups);
        let known: Option<Vec<SubnetId>> = subnets.iter().map(|subnet| self.subnet(subnet)).collect();
        let known = known.filter(|known| !known.is_empty()).unwrap_or_else(|| self.subnets_of_scope(scope));
        known.into_iter().flat_map(|subnet| self.subnet_exits(subnet, &groups)).collect()
    }

    /// The subnets of an account and Region.
    pub(super) fn subnets_of_scope(&self, scope: ScopeId) -> Vec<SubnetId> {
        let Some(scope) = self.snapshot.scopes.get(scope) else { return Vec::new() };
        self.subnets_of_home(&Home { account: &scope.account, region: &scope.region })
    }

    /// Whether a resource belongs to the account that was asked about it, as far as the input shows (R-ADDR-13).
    pub(super) fn owns(&self, meta: &Meta) -> bool {
        let (owner, account) = (meta.owner.as_deref().unwrap_or_default(), self.account(meta.scope));
        owner.is_empty() || account.is_empty() || owner == account
    }

    fn subnet_exits(&self, subnet: SubnetId, groups: &[Ref<GroupId>]) -> Vec<Exit> {
        let shown = self.subnet_interfaces(subnet).iter().copied().filter(|id| {
            let interface = self.snapshot.interfaces.get(*id);
            interface.is_some_and(|interface| is_service(interface) && carries_exactly(interface, groups))
        });
        let shown: Vec<Exit> =
            shown.map(|interface| Exit::Interface { interface, keeps_groups: true }).collect();
        if shown.is_empty() { vec![hidden(subnet, groups.to_vec())] } else { shown }
    }

    /// The subnets where traffic for `target` arrives: an instance, interface, subnet, Elastic IP allocation, load
    /// balancer, or an ARN of one. What the snapshot does not show may be in any subnet of its account and Region.
    pub(super) fn landing(&self, target: &str, account: &str, region: &str) -> Vec<SubnetId> {
        let home = Home::of(target, account, region);
        let id = target.rsplit('/').next().unwrap_or(target);
        let interfaces: Vec<EniId> = if balancer_path(target).is_some() {
            self.balancers_of(target).flat_map(|balancer| balancer.nodes.iter().copied()).collect()
        } else if id.starts_with("eipalloc-") {
            // The snapshot does not keep allocation ids: any interface with a public address may hold it.
            self.interfaces_of(&home, |interface| !interface.public.is_empty())
        } else {
            self.instance_interfaces(id).iter().copied().chain(self.interface(id)).collect()
        };
        let of_interfaces =
            interfaces.into_iter().filter_map(|id| self.snapshot.interfaces.get(id)).flat_map(subnets_of);
        let hidden = self.balancers_of(target).flat_map(|balancer| balancer.hidden.iter().copied());
        let found: BTreeSet<SubnetId> = of_interfaces.chain(hidden).chain(self.subnet(id)).collect();
        if found.is_empty() { self.subnets_of_home(&home) } else { found.into_iter().collect() }
    }

    /// The interfaces of an account and Region that `wanted` accepts.
    fn interfaces_of(&self, home: &Home<'_>, wanted: impl Fn(&Interface) -> bool) -> Vec<EniId> {
        let table = self.snapshot.interfaces.iter();
        let found = table.filter(|(_, interface)| wanted(interface) && self.is_home(home, &interface.meta));
        found.map(|(id, _)| id).collect()
    }

    fn subnets_of_home(&self, home: &Home<'_>) -> Vec<SubnetId> {
        let table = self.snapshot.subnets.iter();
        table.filter(|(_, subnet)| self.is_home(home, &subnet.meta)).map(|(id, _)| id).collect()
    }

    fn is_home(&self, home: &Home<'_>, meta: &Meta) -> bool {
        self.snapshot.scopes.get(meta.scope).is_some_and(|scope| home.may_be(scope))
    }

    /// Exits into subnets without a filter list, carrying the groups of the subnet's VPC whose name `wanted` accepts:
    /// what a service does that delivers without an interface of its own or with one in another subnet.
    pub(super) fn exits_with_named_groups(
        &self,
        subnets: &[SubnetId],
        wanted: fn(&str) -> bool,
    ) -> Vec<Exit> {
        let named: Vec<_> =
            self.snapshot.groups.iter().filter(|(_, group)| wanted(&group.group_name)).collect();
        let exit = |subnet: &SubnetId| {
            let vpc = self.snapshot.subnets.get(*subnet).map(|subnet| &subnet.vpc);
            let groups = named.iter().filter(|(_, group)| Some(&group.vpc) == vpc);
            hidden(*subnet, groups.map(|(id, _)| Ref::Known(*id)).collect())
        };
        subnets.iter().map(exit).collect()
    }
}

/// An account and a Region; an empty word is any.
struct Home<'a> {
    account: &'a str,
    region: &'a str,
}

impl<'a> Home<'a> {
    /// What an ARN says about itself; otherwise what its context says.
    fn of(target: &'a str, account: &'a str, region: &'a str) -> Self {
        let mut parts = target.split(':').skip(3);
        let (own_region, own_account) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        if target.starts_with("arn:") {
            Self { account: own_account, region: own_region }
        } else {
            Self { account, region }
        }
    }

    fn may_be(&self, scope: &Scope) -> bool {
        let same = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        same(self.account, &scope.account) && same(self.region, &scope.region)
    }
}

/// What follows `loadbalancer/` in an ARN: `net/name/0123`, or the name of a Classic Load Balancer.
pub(super) fn balancer_path(arn: &str) -> Option<&str> {
    arn.split_once(":loadbalancer/").map(|(_, path)| path)
}

/// An exit by an interface that the input does not show.
pub(super) fn hidden(subnet: SubnetId, groups: Vec<Ref<GroupId>>) -> Exit {
    Exit::HiddenInterface { subnet, groups }
}

/// An exit by an interface whose groups travel along.
pub(super) fn relayed(interface: EniId) -> Exit {
    Exit::Interface { interface, keeps_groups: true }
}

/// Every subnet that an interface lies in.
pub(super) fn subnets_of(interface: &Interface) -> impl Iterator<Item = SubnetId> {
    std::iter::once(&interface.subnet).chain(&interface.more_subnets).filter_map(Ref::known)
}

/// The kind of an interface; one that is not shown is an ordinary interface (R-DATA-12).
pub(super) fn kind_of(interface: &Interface) -> &str {
    interface.kind.as_deref().unwrap_or("interface")
}

/// Whether a state says that the thing is no longer there.
pub(super) fn is_gone(state: &str) -> bool {
    ["deleted", "delete-complete", "disassociated", "rejected", "failed", "expired"]
        .iter()
        .any(|gone| state.eq_ignore_ascii_case(gone))
}

fn is_service(interface: &Interface) -> bool {
    interface.attachment.as_ref().is_none_or(|attachment| attachment.instance.is_none())
}

fn carries_exactly(interface: &Interface, groups: &[Ref<GroupId>]) -> bool {
    let carried = interface.groups.iter().flatten().cloned().collect::<BTreeSet<_>>();
    !groups.is_empty() && carried.iter().eq(groups)
}

fn by_name<'a, I: Id, T>(table: &'a Table<I, T>, meta: impl Fn(&'a T) -> &'a Meta) -> BTreeMap<&'a str, I> {
    table.iter().map(|(id, entry)| (&*meta(entry).id, id)).collect()
}
