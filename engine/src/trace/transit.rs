//! Transit gateways (section 13).

use reachproof_model::flow::World;
use reachproof_model::id::{AttachmentId, PolicyTableId, Ref, SubnetId, TgwId, TgwTableId, VpcId};
use reachproof_model::snapshot::PolicyEntry;

use super::Tracer;
use super::filter::Direction;
use super::leg::{Branch, Leg, Notes, decision};
use super::packet::{Field, Packet, Tag, Transport};
use super::place::{Entrance, Place};
use super::route::{Contender, Selection, alike, select};
use crate::evidence::{Disposition, HopKind, Outcome};
use crate::network::{Crossing, LookUp, Origin, Sink, SourcePlace, TgwEffectiveRoute, TgwTarget};

impl Tracer<'_, '_> {
    /// R-TGW-2: from a VPC into a transit gateway.
    pub(super) fn transit(&self, leg: Leg, tgw: TgwId, vpc: VpcId, from: Option<SubnetId>) -> Vec<Branch> {
        let attachments = self.settled(self.network.tgw_attachments_of_vpc(tgw, vpc, self.world));
        if attachments.is_empty() {
            return leg.dropped("R-TGW-1", "no usable attachment of this VPC");
        }
        attachments
            .into_iter()
            .map(|attachment| self.by_attachment(leg.clone(), attachment, vpc, from))
            .collect()
    }

    fn by_attachment(&self, mut leg: Leg, id: AttachmentId, vpc: VpcId, from: Option<SubnetId>) -> Branch {
        if !leg.take(self.network.encryption_allows(vpc, None, self.world)) {
            return leg.drop("R-BPA-9", "encryption is enforced", Disposition::Dropped);
        }
        let subnets = leg.take(self.network.entry_subnets(id, from, self.world));
        let admitted = match subnets {
            None => self.world == World::Over,
            Some(subnets) if subnets.is_empty() => {
                return leg.drop(
                    "R-TGW-2",
                    "no attachment subnet in the sender's zone",
                    Disposition::Dropped,
                );
            }
            Some(subnets) => self.enters_transit(&mut leg, &subnets, from),
        };
        if !admitted {
            return leg.fail(Disposition::DeniedIn);
        }
        leg.state.entered = from;
        leg.to(Place::LookUp(id))
    }

    /// R-NACL-8, workload to transit gateway. Of several subnets the permissive world takes any, the other wants all.
    fn enters_transit(&self, leg: &mut Leg, subnets: &[SubnetId], from: Option<SubnetId>) -> bool {
        let mut admitted = Vec::new();
        for subnet in subnets {
            if from == Some(*subnet) {
                leg.assume(&[14]);
            }
            if from == Some(*subnet) && self.world == World::Over {
                admitted.push(true);
                continue;
            }
            leg.visit(HopKind::Subnet, &self.network.subnet(*subnet).meta.id);
            let ruling = self.acl(*subnet, Direction::In, &leg.state.packet);
            admitted.push(leg.ruled(ruling));
        }
        match self.world {
            World::Over => admitted.contains(&true),
            World::Under => !admitted.contains(&false),
        }
    }

    /// R-TGW-4: where the ingress attachment's packets are looked up.
    pub(super) fn look_up(&self, mut leg: Leg, ingress: AttachmentId) -> Vec<Branch> {
        let attachment = self.network.attachment(ingress);
        leg.visit(HopKind::Attachment, &attachment.meta.id);
        let tgw: &str = match &attachment.tgw {
            Ref::Known(id) => &self.network.snapshot.transit_gateways[*id].meta.id,
            Ref::Missing(name) => name,
        };
        leg.visit(HopKind::TransitGateway, tgw);
        let look_ups = leg.take(self.network.look_ups(ingress, self.world));
        if look_ups.is_empty() {
            return leg.dropped("R-TGW-4", "the attachment is associated with no table that is known");
        }
        let mut branches = Vec::new();
        for look_up in look_ups {
            branches.extend(match look_up {
                LookUp::Table(table) => self.tgw_table(leg.clone(), table, ingress),
                LookUp::Policy(policy) => self.tgw_policy(leg.clone(), policy, ingress),
                LookUp::Unknown => self.any_attachment(leg.clone(), ingress),
            });
        }
        branches
    }

    /// R-TGW-15, R-DATA-3: a table that nobody can describe leads to every attachment, and out of the snapshot.
    fn any_attachment(&self, mut leg: Leg, ingress: AttachmentId) -> Vec<Branch> {
        let tgw = &self.network.attachment(ingress).tgw;
        let reason = "transit gateway routes are not known; collect: ec2 search-transit-gateway-routes";
        leg.notes.add(&Notes::because(&[10, 11], reason));
        let siblings = self.network.snapshot.attachments.iter().filter(|(_, other)| other.tgw == *tgw);
        let exit = |(attachment, _)| leg.clone().to(Place::TransitExit { attachment, ingress });
        let mut branches: Vec<Branch> = siblings.map(exit).collect();
        let mut stranger = leg.clone();
        stranger.state.tag = Tag::None;
        let peerings = self.network.peerings_towards(ingress).into_iter();
        branches.extend(peerings.map(|peering| stranger.clone().to(Place::LookUp(peering))));
        branches.push(leg.arrive(Sink::Attachment(ingress)));
        branches
    }

    /// R-TGW-5: by a route table.
    fn tgw_table(&self, mut leg: Leg, table: TgwTableId, ingress: AttachmentId) -> Vec<Branch> {
        let name = &self.network.snapshot.tgw_tables[table].meta.id;
        leg.visit(HopKind::TransitGatewayTable, name);
        let Some(mut routes) = self.network.tgw_routes(table, self.world) else {
            return self.unknown_routes(leg, ingress);
        };
        routes
            .retain(|route| leg.state.packet.destination.passes(self.world, |ip| route.block.contains(&ip)));
        let contender = |route: &TgwEffectiveRoute<'_>| Contender {
            length: route.block.prefix_len(),
            rank: route.rank,
            optional: route.optional,
            floating: route.floating,
        };
        let contenders: Vec<Contender> = routes.iter().map(contender).collect();
        let every = leg.state.packet.destination == Field::Any;
        match select(&contenders, every, self.world) {
            Selection::None => vec![leg.drop("R-TGW-5", format!("{name}: no route"), Disposition::NoRoute)],
            Selection::Unclear => self.unknown_routes(leg, ingress),
            Selection::These(positions) => {
                let selected: Vec<_> =
                    positions.into_iter().filter_map(|position| routes.get(position)).collect();
                self.by_tgw_routes(leg, name, &selected, ingress)
            }
        }
    }

    fn unknown_routes(&self, leg: Leg, ingress: AttachmentId) -> Vec<Branch> {
        match self.world {
            World::Over => self.any_attachment(leg, ingress),
            World::Under => {
                let mut leg = leg;
                let reason =
                    "transit gateway routes are not known; collect: ec2 search-transit-gateway-routes";
                leg.notes.add(&Notes::because(&[11], reason));
                vec![leg.drop("R-TGW-15", "the routes are not known", Disposition::Unknown)]
            }
        }
    }

    fn by_tgw_routes(
        &self,
        mut leg: Leg,
        table: &str,
        routes: &[&TgwEffectiveRoute<'_>],
        ingress: AttachmentId,
    ) -> Vec<Branch> {
        let agree = alike(routes.iter().map(|route| &route.targets));
        if self.world == World::Under && !agree {
            leg.assume(&[12]);
            return leg.dropped("R-ROUTE-8b", format!("{table}: several routes tie"));
        }
        let mut branches = Vec::new();
        let mut followed = Vec::new();
        for route in routes.iter().take(if self.world == World::Under { 1 } else { usize::MAX }) {
            let source = route.route.map(|route| &route.source);
            if route.open {
                branches.extend(self.unknown_routes(leg.clone(), ingress));
            } else if route.targets.is_empty() {
                let mut leg = leg.clone();
                let by = format!("{table} {} → blackhole", route.block);
                leg.decide(decision("R-TGW-5", Outcome::Deny, by, source));
                branches.push(leg.fail(Disposition::Blackhole));
            }
            let open_ended = route.open && self.world == World::Under;
            for target in self.paths(route).iter().filter(|_| !open_ended) {
                if followed.contains(target) {
                    continue;
                }
                followed.push(*target);
                let mut leg = leg.clone();
                let by = format!("{table} {} → {}", route.block, self.network.attachment(*target).meta.id);
                leg.decide(decision("R-TGW-5", Outcome::Forward, by, source));
                branches.push(leg.to(Place::TransitExit { attachment: *target, ingress }));
            }
        }
        branches
    }

    /// R-TGW-7: the targets of a route. Equal paths are all in use: the restrictive world shows the one that is asked for,
    /// or that leads back to the sender.
    fn paths(&self, route: &TgwEffectiveRoute<'_>) -> Vec<AttachmentId> {
        let goal = match self.goal {
            Some(Sink::Attachment(goal)) => Some(goal),
            _ => None,
        };
        let home = match self.sender {
            SourcePlace::Attachment(sender) => Some(sender),
            _ => None,
        };
        let shown = [goal, home].into_iter().flatten().find(|end| route.targets.contains(end));
        shown.filter(|_| self.world == World::Under).map_or(route.targets.clone(), |end| vec![end])
    }

    /// R-TGW-12: by a policy table.
    fn tgw_policy(&self, mut leg: Leg, policy: PolicyTableId, ingress: AttachmentId) -> Vec<Branch> {
        let record = &self.network.snapshot.policy_tables[policy];
        leg.visit(HopKind::TransitGatewayTable, &record.meta.id);
        let Some(entries) = &record.entries else { return self.unknown_routes(leg, ingress) };
        let mut branches = Vec::new();
        for entry in entries.iter().filter(|entry| matches(entry, &leg.state.packet, World::Over)) {
            let certain = !entry.unreadable && matches(entry, &leg.state.packet, World::Under);
            if !certain && self.world == World::Under {
                return self.unknown_routes(leg, ingress);
            }
            let mut chosen = leg.clone();
            let by = format!("{} rule {}", record.meta.id, entry.number);
            chosen.decide(decision("R-TGW-12", Outcome::Forward, by, Some(&entry.source)));
            branches.extend(match entry.table.known() {
                Some(table) => self.tgw_table(chosen, table, ingress),
                None => self.unknown_routes(chosen, ingress),
            });
            if certain {
                return branches;
            }
        }
        branches.push(leg.drop("R-TGW-12", "no entry matches", Disposition::NoRoute));
        branches
    }

    /// R-TGW-8 … R-TGW-13: out by an attachment.
    pub(super) fn transit_exit(&self, mut leg: Leg, id: AttachmentId, ingress: AttachmentId) -> Vec<Branch> {
        let attachment = self.network.attachment(id);
        leg.visit(HopKind::Attachment, &attachment.meta.id);
        if !self.keeps_identity(ingress, id) {
            leg.state.tag = Tag::None;
        }
        leg.state.origin = Origin::Transit;
        match self.network.tgw_target(id, self.world) {
            TgwTarget::Vpc { vpc, subnets } => self.to_vpc(leg, id, vpc, subnets.is_some()),
            TgwTarget::Peer(peer) => {
                leg.state.tag = Tag::None;
                vec![leg.to(Place::LookUp(peer))]
            }
            TgwTarget::Outside => self.outside(leg, id),
            TgwTarget::Component(component) if self.world == World::Over => {
                self.enter_all(&leg, &[component])
            }
            TgwTarget::Component(_) => leg.dropped("R-TGW-13", "what inspects here is not modelled"),
            TgwTarget::Down => leg.dropped("R-TGW-1", "not usable"),
        }
    }

    /// R-SG-10.
    fn keeps_identity(&self, ingress: AttachmentId, egress: AttachmentId) -> bool {
        let tgw = self.network.attachment(ingress).tgw.known();
        tgw.is_some_and(|tgw| {
            self.network.keeps_identity(Crossing::Transit(tgw, ingress, egress), self.world)
        })
    }

    fn outside(&self, mut leg: Leg, id: AttachmentId) -> Vec<Branch> {
        let name = &self.network.attachment(id).meta.id;
        let component = self.network.component_of_target(name).filter(|_| self.world == World::Over);
        let mut branches: Vec<Branch> =
            component.into_iter().flat_map(|component| self.enter_all(&leg, &[component])).collect();
        if self.world == World::Over {
            branches.extend(self.beyond_peering(&leg, id));
        }
        leg.visit(HopKind::Outside, &format!("onprem:{name}"));
        branches.push(leg.arrive(Sink::Attachment(id)));
        branches
    }

    /// R-TGW-15: an unknown transit gateway may lead to whatever is attached to it.
    fn beyond_peering(&self, leg: &Leg, id: AttachmentId) -> Vec<Branch> {
        let mut leg = leg.clone();
        leg.state.tag = Tag::None;
        let reason = "the transit gateway at the other side of the peering attachment is not in the snapshot";
        leg.notes.add(&Notes::because(&[10, 11], reason));
        let others = self.network.beyond_peering(id).into_iter();
        others.map(|other| leg.clone().to(Place::TransitExit { attachment: other, ingress: other })).collect()
    }

    /// R-TGW-8: into a VPC by an attachment subnet.
    fn to_vpc(&self, mut leg: Leg, id: AttachmentId, vpc: VpcId, collected: bool) -> Vec<Branch> {
        if !leg.take(self.network.encryption_allows(vpc, None, self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        if !collected {
            let reason =
                "attachment subnets are not known; collect: ec2 describe-transit-gateway-vpc-attachments";
            leg.notes.add(&Notes::because(&[11], reason));
            return match self.world {
                World::Over => self.anywhere_in_vpc(&leg, id, vpc),
                World::Under => leg.dropped("R-TGW-8", "the attachment subnets are not known"),
            };
        }
        let subnets = self.network.exit_subnets(id, leg.state.entered, self.world);
        leg.state.entered = None;
        if subnets.is_empty() {
            leg.assume(&[9]);
            return leg.dropped("R-TGW-8", "which attachment subnet is taken is not known");
        }
        subnets.into_iter().flat_map(|subnet| self.by_exit_subnet(leg.clone(), vpc, subnet)).collect()
    }

    /// R-TGW-8, R-DATA-3: straight to its owner, or by the table of any subnet that may be the attachment's.
    fn anywhere_in_vpc(&self, leg: &Leg, id: AttachmentId, vpc: VpcId) -> Vec<Branch> {
        let exits = self.network.possible_exits(id, vpc).into_iter();
        let places = exits.map(|(choice, from)| Place::Table { choice, vpc, from, entry: Entrance::Plain });
        let straight = std::iter::once(Place::Router { vpc, from: None });
        straight.chain(places).map(|place| leg.clone().to(place)).collect()
    }

    /// R-NACL-8, transit gateway to workload.
    fn by_exit_subnet(&self, mut leg: Leg, vpc: VpcId, subnet: SubnetId) -> Vec<Branch> {
        let blocks = self.network.subnet_blocks(subnet, self.world);
        let inside = |ip| blocks.iter().any(|block| block.contains(&ip));
        let destination = leg.state.packet.destination;
        let same = destination.passes(self.world, inside);
        if same {
            leg.assume(&[14]);
        }
        let exempt = same && self.world == World::Over;
        if !exempt && !self.leaves(&mut leg, subnet) {
            let mut branches = self.within_exit_subnet(&leg, vpc, subnet);
            branches.push(leg.fail(Disposition::DeniedOut));
            return branches;
        }
        if same && !exempt && !self.enters(&mut leg, subnet) {
            return vec![leg.fail(Disposition::DeniedIn)];
        }
        let tables = leg.take(self.network.tables_of_subnet(subnet, self.world));
        self.to_tables(leg, &tables, vpc, Some(subnet), Entrance::Plain)
    }

    /// R-NACL-8, A-14: what the attachment subnet's table names in that very subnet is reached past the list.
    fn within_exit_subnet(&self, leg: &Leg, vpc: VpcId, subnet: SubnetId) -> Vec<Branch> {
        if self.world == World::Under || self.is_never_routed(leg) {
            return Vec::new();
        }
        let mut leg = leg.clone();
        leg.assume(&[14]);
        let choices = self.network.tables_of_subnet(subnet, self.world).value.into_iter();
        let hops = choices.flat_map(|choice| self.next_hops(choice, vpc, &leg.state.packet));
        let near = hops.filter(|hop| self.network.may_lie_in(*hop, subnet));
        near.flat_map(|hop| self.follow(leg.clone(), hop, vpc, Some(subnet), Entrance::Plain)).collect()
    }

    /// R-TGW-11, R-TGW-15: from the network behind an attachment.
    pub(super) fn sent_by_attachment(&self, mut leg: Leg, id: AttachmentId) -> Vec<Branch> {
        let attachment = self.network.attachment(id);
        leg.visit(HopKind::Outside, &format!("onprem:{}", attachment.meta.id));
        if self.network.tgw_target(id, self.world) == TgwTarget::Down {
            return leg.dropped("R-TGW-1", "not usable");
        }
        let foreign = self.network.attached_vpc(id).is_some() && self.network.has_strangers(attachment);
        if !foreign {
            return vec![leg.to(Place::LookUp(id))];
        }
        if self.world == World::Under {
            leg.assume(&[10]);
            return leg.dropped("R-TGW-15", "the tables of the transit gateway are not known");
        }
        leg.assume(&[10]);
        if self.keeps_identity(id, id) {
            leg.state.tag = Tag::Stranger;
        }
        vec![leg.to(Place::TransitExit { attachment: id, ingress: id })]
    }
}

/// R-TGW-12: whether an entry matches, in a reading; what it does not say matches everything. That one with ports takes
/// packets without any is not documented, nor that it does not.
fn matches(entry: &PolicyEntry, packet: &Packet, reading: World) -> bool {
    let within =
        |range: Option<(u16, u16)>, port: u16| range.is_none_or(|(from, to)| (from..=to).contains(&port));
    let source = entry.sources.is_none_or(|block| packet.source.passes(reading, |ip| block.contains(&ip)));
    let destination =
        entry.destinations.is_none_or(|block| packet.destination.passes(reading, |ip| block.contains(&ip)));
    let portless = entry.source_ports.is_none() && entry.ports.is_none();
    let by_ports = |it: Transport| {
        if it.protocol.has_ports() {
            within(entry.source_ports, it.source_port) && within(entry.ports, it.port)
        } else {
            portless || reading == World::Over
        }
    };
    let transport = portless && entry.protocol.is_none()
        || packet.transport.passes(reading, |it| {
            entry.protocol.is_none_or(|protocol| protocol == it.protocol) && by_ports(it)
        });
    source && destination && transport
}
