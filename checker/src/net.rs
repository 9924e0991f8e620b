//! The facts of a snapshot, looked up in the way that a walk asks for them. Every unknown permits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use reachproof_model::certificate::Family;
use reachproof_model::id::{AclId, EniId, Id, NatId, Ref, RouteTableId, SubnetId, VpcId};
use reachproof_model::snapshot::{
    AssociationEvidence, AssociationTarget, Entry, Interface, Meta, NatAddress, NatGateway, Scope, Snapshot,
    State, TableAssociation,
};

use crate::area::{Interval, intervals};
use crate::block::{GLOBAL, LINK_LOCAL, blocks};
use crate::component::{Component, components};
use crate::gateway::{Gateway, GatewayId, Kind, gateways};
use crate::route::{Region, regions};
use crate::state::{certain, shown_live, transitional, usable};
use crate::work::Work;

/// A snapshot made ready for walks.
pub(crate) struct Net<'s> {
    pub(crate) s: &'s Snapshot,
    pub(crate) live_only: bool,
    /// How many interfaces are there; those behind are supposed.
    pub(crate) shown: usize,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) components: BTreeMap<Box<str>, Component>,
    pub(crate) associations: Vec<Association>,
    pub(crate) in_vpc: BTreeMap<VpcId, Vec<EniId>>,
    pub(crate) in_subnet: BTreeMap<SubnetId, Vec<EniId>>,
    pub(crate) regions: BTreeMap<(RouteTableId, Family), Vec<Region>>,
    pub(crate) work: Work,
}

/// A public address of an interface's private one (R-ADDR-5).
pub(crate) struct Association {
    pub(crate) public: u128,
    pub(crate) private: u128,
    pub(crate) interface: EniId,
    /// Whether the address is certainly ours.
    pub(crate) firm: bool,
}

/// What is looked up for a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Listed(RouteTableId),
    /// No table but the local route (R-ROUTE-3).
    Implicit,
    /// One that nobody knows (R-DATA-3).
    Unknown,
}

impl<'s> Net<'s> {
    pub(crate) fn of(s: &'s Snapshot, live_only: bool, work: Work) -> Self {
        let mut net = Self {
            s,
            live_only,
            shown: s.interfaces.len(),
            gateways: gateways(s),
            components: components(s),
            associations: associations(s),
            in_vpc: BTreeMap::new(),
            in_subnet: BTreeMap::new(),
            regions: BTreeMap::new(),
            work,
        };
        for (id, interface) in s.interfaces.iter() {
            if let Some(vpc) = interface.vpc.known() {
                net.in_vpc.entry(vpc).or_default().push(id);
            }
            subnets_of(interface).for_each(|subnet| net.in_subnet.entry(subnet).or_default().push(id));
        }
        for table in s.route_tables.ids() {
            for family in [Family::V4, Family::V6] {
                let found = regions(&net, table, family);
                net.regions.insert((table, family), found);
            }
        }
        net
    }

    pub(crate) fn interface(&self, id: EniId) -> &'s Interface {
        &self.s.interfaces[id]
    }

    /// Whether an interface does not exist.
    pub(crate) fn is_supposed(&self, id: EniId) -> bool {
        id.index() >= self.shown
    }

    /// R-STATE-2: every interface counts, unless only live ones are meant.
    pub(crate) fn live(&self, id: EniId) -> bool {
        !self.live_only || shown_live(self.s, self.interface(id))
    }

    pub(crate) fn interfaces_of(&self, vpc: VpcId) -> &[EniId] {
        self.in_vpc.get(&vpc).map_or(&[], Vec::as_slice)
    }

    /// R-ADDR-3: the addresses that an interface owns.
    pub(crate) fn own(&self, id: EniId, family: Family) -> Vec<Interval> {
        let interface = self.interface(id);
        let addresses: Vec<IpNet> = interface.addresses.iter().map(|address| address.ip.into()).collect();
        intervals(addresses.iter().chain(&interface.prefixes), family)
    }

    /// R-ENI-2, R-ADDR-15, A-33: what an interface may send from: its own, and in a subnet with IPv6 link-local addresses.
    pub(crate) fn may_send_from(&self, id: EniId, family: Family) -> Vec<Interval> {
        let dual = subnets_of(self.interface(id)).any(|subnet| !self.link(subnet, Family::V6).is_empty());
        let local = if dual { intervals(&blocks(&LINK_LOCAL), family) } else { Vec::new() };
        [self.own(id, family), local].concat()
    }

    /// The components behind an interface.
    pub(crate) fn behind(&self, id: EniId) -> Vec<&str> {
        let entered = self.components.iter().filter(|(_, row)| row.entries.contains(&Entry::Interface(id)));
        entered.map(|(name, _)| &**name).collect()
    }

    /// The components behind an interface, and those that take in what it sends.
    pub(crate) fn around(&self, id: EniId) -> Vec<&str> {
        let entries = [Entry::Interface(id), Entry::Sender(id)];
        let entered =
            self.components.iter().filter(|(_, row)| entries.iter().any(|one| row.entries.contains(one)));
        entered.map(|(name, _)| &**name).collect()
    }

    /// R-ADDR-1.
    pub(crate) fn vpc_blocks(&self, vpc: VpcId, family: Family) -> Vec<Interval> {
        let blocks = self.s.vpcs[vpc].cidrs.iter().filter(|block| usable(&block.state));
        intervals(blocks.map(|block| &block.cidr), family)
    }

    /// R-ADDR-2.
    pub(crate) fn link(&self, subnet: SubnetId, family: Family) -> Vec<Interval> {
        let blocks = self.s.subnets[subnet].cidrs.iter().filter(|block| usable(&block.state));
        intervals(blocks.map(|block| &block.cidr), family)
    }

    /// R-VPN-2, R-VPCE-3: what live interfaces of a VPC may send as their own.
    pub(crate) fn vpc_sources(&self, vpc: VpcId, family: Family) -> Vec<Interval> {
        let live = self.interfaces_of(vpc).iter().filter(|id| self.live(**id));
        live.flat_map(|id| self.own(*id, family)).collect()
    }

    /// R-NACL-1, R-NACL-15: the list of a subnet; `None` where it is not known which one filters.
    pub(crate) fn acl(&self, subnet: SubnetId) -> Option<AclId> {
        let vpc = self.s.subnets[subnet].vpc.known();
        let ids =
            |wanted: &dyn Fn(AclId) -> bool| self.s.acls.ids().filter(|id| wanted(*id)).collect::<Vec<_>>();
        let own = ids(&|id| self.s.acls[id].subnets.contains(&Ref::Known(subnet)));
        let default =
            || ids(&|id| self.s.acls[id].is_default && vpc.is_some() && self.s.acls[id].vpc.known() == vpc);
        match (if own.is_empty() { default() } else { own }).as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// R-ROUTE-1: the tables that may apply to a subnet.
    pub(crate) fn tables(&self, subnet: SubnetId) -> Vec<Table> {
        let Some(vpc) = self.s.subnets[subnet].vpc.known() else { return Vec::new() };
        let is = |row: &TableAssociation| matches!(&row.target, AssociationTarget::Subnet(one) if one.known() == Some(subnet));
        let is_main = |row: &TableAssociation| row.target == AssociationTarget::Main;
        let main = self.associated(Some(vpc), is_main).into_iter().map(|(table, _)| Table::Listed(table));
        let unplaced = |id: &str| id.is_empty();
        let found = self.choose(&self.associated(None, is), main.collect(), vpc, unplaced);
        if found.is_empty() { vec![Table::Unknown] } else { found }
    }

    /// R-ROUTE-3: the tables for what comes in by a gateway.
    pub(crate) fn edge_tables(&self, gateway: &Gateway) -> Vec<Table> {
        let s = self.s;
        let named = |row: &TableAssociation| match (&row.target, gateway.kind) {
            (AssociationTarget::InternetGateway(Ref::Known(id)), Kind::Internet) => {
                s.internet_gateways[*id].meta.id == *gateway.id
            }
            (AssociationTarget::VirtualGateway(Ref::Known(id)), Kind::Virtual) => {
                s.virtual_gateways[*id].meta.id == *gateway.id
            }
            (AssociationTarget::InternetGateway(Ref::Missing(id)), Kind::Internet)
            | (AssociationTarget::VirtualGateway(Ref::Missing(id)), Kind::Virtual) => *id == gateway.id,
            _ => false,
        };
        // R-STATE-5: one that changes its VPC has the tables of the VPC where it is looked at, if there are gateways of it
        // at the VPCs of its tables.
        let at = |vpc| {
            let mut rows =
                self.gateways.iter().filter(|row| row.kind == gateway.kind && row.id == gateway.id);
            rows.any(|row| Some(row.vpc) == vpc)
        };
        let mut explicit = self.associated(None, named);
        explicit.retain(|(table, _)| {
            let vpc = s.route_tables[*table].vpc.known();
            vpc == Some(gateway.vpc) || !at(vpc)
        });
        self.choose(&explicit, vec![Table::Implicit], gateway.vpc, |_| true)
    }

    fn associated(
        &self,
        vpc: Option<VpcId>,
        wanted: impl Fn(&TableAssociation) -> bool,
    ) -> Vec<(RouteTableId, &'s State)> {
        let tables = self.s.route_tables.iter();
        let tables = tables.filter(|(_, table)| vpc.is_none() || table.vpc.known() == vpc);
        let rows = tables.flat_map(|(id, table)| table.associations.iter().map(move |row| (id, row)));
        rows.filter(|(_, row)| wanted(row)).map(|(id, row)| (id, &row.state)).collect()
    }

    /// R-ROUTE-1, R-DATA-3: explicit tables, what applies while none of them is settled, and tables of the VPC of which
    /// nobody knows where they apply.
    fn choose(
        &self,
        explicit: &[(RouteTableId, &State)],
        fallback: Vec<Table>,
        vpc: VpcId,
        unplaced: impl Fn(&str) -> bool,
    ) -> Vec<Table> {
        let present: Vec<_> = explicit.iter().filter(|(_, state)| usable(state)).collect();
        let mut found: BTreeSet<Table> = present.iter().map(|(table, _)| Table::Listed(*table)).collect();
        if present.iter().all(|(_, state)| transitional(state, "associated")) {
            found.extend(fallback);
        }
        let unshown = |kind, id: &str| !self.gateways.iter().any(|row| row.kind == kind && *row.id == *id);
        let strange = |row: &TableAssociation| match &row.target {
            AssociationTarget::Unknown(id) => unplaced(id),
            AssociationTarget::InternetGateway(Ref::Missing(id)) => {
                unplaced(id) && unshown(Kind::Internet, id)
            }
            AssociationTarget::VirtualGateway(Ref::Missing(id)) => unplaced(id) && unshown(Kind::Virtual, id),
            _ => false,
        };
        found.extend(self.associated(Some(vpc), strange).into_iter().map(|(table, _)| Table::Listed(table)));
        found.into_iter().collect()
    }

    /// The gateways of a kind that serve a VPC.
    pub(crate) fn serving(&self, vpc: VpcId, kind: Kind) -> impl Iterator<Item = GatewayId> {
        let rows = self.gateways.iter().enumerate();
        rows.filter(move |(_, row)| row.kind == kind && row.vpc == vpc).map(|(id, _)| id)
    }

    /// R-NAT-1, R-NAT-9: the addresses that a NAT gateway may send from: its own, or a regional one's public ones.
    pub(crate) fn nat_addresses(&self, id: NatId) -> Vec<u128> {
        let nat = &self.s.nat_gateways[id];
        let address =
            |row: &NatAddress| if is_regional(nat) { row.public } else { private(self.s, nat, row) };
        live_rows(nat).filter_map(address).map(number).collect()
    }

    /// R-ADDR-8: the public IPv6 blocks of a VPC; `firm` for those that are so for certain.
    pub(crate) fn public_v6(&self, vpc: VpcId, firm: bool) -> Vec<Interval> {
        let global = blocks(&GLOBAL);
        let rows = self.s.vpcs[vpc].cidrs.iter().filter(|block| {
            let counts = if firm { certain(&block.state, "associated") } else { usable(&block.state) };
            counts
                && match block.attribute.as_deref() {
                    Some("private") => false,
                    Some("public") => true,
                    Some(_) => !firm,
                    None => global.iter().any(|global| global.contains(&block.cidr)),
                }
        });
        intervals(rows.map(|block| &block.cidr), Family::V6)
    }
}

/// The subnets that an interface may be in (R-ADDR-16).
pub(crate) fn subnets_of(interface: &Interface) -> impl Iterator<Item = SubnetId> {
    std::iter::once(&interface.subnet).chain(&interface.more_subnets).filter_map(Ref::known)
}

/// R-DATA-3: whether the input shows the place and every address of a NAT gateway; any other may do what one of its kind can.
pub(crate) fn is_shown(s: &Snapshot, nat: &NatGateway) -> bool {
    let addressed = |row: &NatAddress| {
        let held = row.interface.as_ref().and_then(Ref::known).zip(private(s, nat, row));
        let public = |(interface, private): (EniId, Ipv4Addr)| {
            row.public.is_some() || s.interfaces[interface].public.iter().any(|own| own.private == private)
        };
        match (is_regional(nat), nat.connectivity.as_deref()) {
            (true, _) => row.public.is_some(),
            (false, Some("private")) => held.is_some(),
            (false, _) => held.is_some_and(public),
        }
    };
    let placed = is_regional(nat) || nat.subnet.as_ref().is_some_and(|one| one.known().is_some());
    placed && vpc_of_nat(s, nat).is_some() && live_rows(nat).count() > 0 && live_rows(nat).all(addressed)
}

/// The VPC of a NAT gateway.
pub(crate) fn vpc_of_nat(s: &Snapshot, nat: &NatGateway) -> Option<VpcId> {
    let of_subnet = || s.subnets[nat.subnet.as_ref()?.known()?].vpc.known();
    nat.vpc.known().or_else(of_subnet)
}

/// R-NAT-1: the addresses of a NAT gateway, shown or not, but for those that failed.
fn live_rows(nat: &NatGateway) -> impl Iterator<Item = &NatAddress> {
    nat.addresses.iter().filter(|row| row.state.as_deref() != Some("failed"))
}

/// The private address of a row: as it says, or of the only row the only one that its interface has.
fn private(s: &Snapshot, nat: &NatGateway, row: &NatAddress) -> Option<Ipv4Addr> {
    let held = || {
        if nat.addresses.len() != 1 {
            return None;
        }
        let interface = &s.interfaces[row.interface.as_ref()?.known()?];
        let mut own = interface.addresses.iter().filter_map(|one| as_v4(one.ip));
        let prefixed = interface.prefixes.iter().any(|one| one.addr().is_ipv4());
        own.next().filter(|_| own.next().is_none() && !prefixed)
    };
    row.private.or_else(held)
}

/// R-NAT-9.
pub(crate) fn is_regional(nat: &NatGateway) -> bool {
    match nat.mode.as_deref() {
        Some("regional") => true,
        Some("zonal") => false,
        _ => nat.subnet.is_none(),
    }
}

/// R-DATA-9, R-ADDR-13: what was collected of the account that owns something, in the Region where it is shown.
pub(crate) fn scope_of_owner<'s>(s: &'s Snapshot, meta: &Meta) -> Option<&'s Scope> {
    let shown = &s.scopes[meta.scope];
    match meta.owner.as_deref() {
        Some(owner) if !shown.account.is_empty() && *shown.account != *owner => {
            s.scopes.values().find(|row| *row.account == *owner && row.region == shown.region)
        }
        _ => Some(shown),
    }
}

/// R-DATA-9, R-SHARE-1: whether a call was collected of the account that owns something.
pub(crate) fn collected_for_owner(s: &Snapshot, meta: &Meta, call: &str) -> bool {
    scope_of_owner(s, meta).is_some_and(|scope| scope.collected(call))
}

pub(crate) fn number(ip: Ipv4Addr) -> u128 {
    u32::from(ip).into()
}

fn as_v4(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

/// R-ADDR-5, R-NAT-1: every association that the input shows.
fn associations(s: &Snapshot) -> Vec<Association> {
    let own = s.interfaces.iter().flat_map(|(interface, record)| {
        let rows = record.public.iter().filter(|row| row.evidence.is_of_internet_gateway());
        rows.map(move |row| Association {
            public: number(row.public),
            private: number(row.private),
            interface,
            firm: row.evidence == AssociationEvidence::Direct,
        })
    });
    let rows = s.nat_gateways.values().flat_map(|nat| live_rows(nat).map(move |row| (nat, row)));
    let of_nats = rows.filter_map(|(nat, row)| {
        let interface = row.interface.as_ref()?.known()?;
        let (public, private) = (number(row.public?), number(private(s, nat, row)?));
        Some(Association { public, private, interface, firm: certain(&row.state, "succeeded") })
    });
    own.chain(of_nats).collect()
}
