//! A hand-made network and the text of its components.

use serde_json::Value;

use crate::id::{EniId, FileId, GroupId, Id, InstanceId, Ref, ScopeId, SubnetId, VpcId};
use crate::ingest::inventory::{Inventories, Place, components};
use crate::snapshot::{
    CallStatus, Component, Endpoint, EndpointKind, Entry, Exit, GroupPeer, GroupReference, GroupRule,
    Interface, InterfaceAttachment, Meta, Route, RouteTable, Scope, SecurityGroup, Snapshot, Subnet, Target,
    Vpc,
};
use crate::snapshot::{CidrAssociation, Destination};
use crate::source::Source;
use crate::text::Tags;
use crate::traffic::Traffic;

pub(super) const ACCOUNT: &str = "111111111111";

/// VPCs `vpc-a` (subnets `subnet-a`, `subnet-b`) and `vpc-z` (subnet `subnet-z`) of one account and Region.
pub(super) struct Net {
    pub(super) snapshot: Snapshot,
    pub(super) inventories: Inventories,
}

pub(super) fn scope() -> ScopeId {
    ScopeId::from_index(0)
}

pub(super) fn place(key: &str, file: usize) -> Place<'_> {
    Place { key, scope: scope(), file: FileId::from_index(file), parent: None, told: false }
}

pub(super) fn meta(id: &str) -> Meta {
    let source = Source { file: FileId::from_index(0), pointer: format!("/{id}").into() };
    Meta { id: id.into(), scope: scope(), owner: None, arn: None, tags: Tags::default(), source }
}

impl Net {
    pub(super) fn new() -> Self {
        let mut snapshot = Snapshot::default();
        snapshot.files.push("all.json".into());
        snapshot.scopes.push(Scope {
            account: ACCOUNT.into(),
            region: "us-east-1".into(),
            ..Scope::default()
        });
        for id in ["vpc-a", "vpc-z"] {
            snapshot.vpcs.push(vpc(id));
        }
        for (id, vpc) in [("subnet-a", 0), ("subnet-b", 0), ("subnet-z", 1)] {
            snapshot.subnets.push(subnet(id, VpcId::from_index(vpc)));
        }
        Self { snapshot, inventories: Inventories::default() }
    }

    /// Adds an interface to a subnet.
    pub(super) fn eni(&mut self, id: &str, subnet: &str, kind: &str) -> EniId {
        let subnet = self.subnet(subnet);
        let vpc = self.snapshot.subnets[subnet].vpc.clone();
        self.snapshot.interfaces.push(Interface {
            meta: meta(id),
            vpc,
            subnet: Ref::Known(subnet),
            more_subnets: Vec::new(),
            kind: Some(kind.into()),
            status: None,
            attachment: None,
            requester_managed: false,
            requester: None,
            description: "".into(),
            source_dest_check: Some(true),
            deny_igw: false,
            groups: Some(Vec::new()),
            addresses: Vec::new(),
            prefixes: Vec::new(),
            public: Vec::new(),
            label: "interface".into(),
        })
    }

    pub(super) fn described(&mut self, id: &str, subnet: &str, kind: &str, description: &str) -> EniId {
        let eni = self.eni(id, subnet, kind);
        self.get(eni).description = description.into();
        eni
    }

    pub(super) fn get(&mut self, id: EniId) -> &mut Interface {
        self.snapshot.interfaces.get_mut(id).unwrap()
    }

    pub(super) fn attach(&mut self, eni: EniId, instance: Ref<InstanceId>) {
        self.get(eni).attachment = Some(InterfaceAttachment {
            instance: Some(instance),
            status: None,
            device_index: None,
            instance_owner: None,
        });
    }

    pub(super) fn subnet(&self, id: &str) -> SubnetId {
        self.snapshot.subnets.iter().find(|(_, subnet)| *subnet.meta.id == *id).unwrap().0
    }

    /// Adds a group of `vpc-a`.
    pub(super) fn group(&mut self, id: &str, name: &str, ingress: Vec<GroupPeer>) -> GroupId {
        let source = meta(id).source;
        let rule = |peer| GroupRule { traffic: Traffic::All, peer, index: 0, source: source.clone() };
        self.snapshot.groups.push(SecurityGroup {
            meta: meta(id),
            group_name: name.into(),
            vpc: Ref::Known(VpcId::from_index(0)),
            ingress: Some(ingress.into_iter().map(rule).collect()),
            egress: Some(Vec::new()),
        })
    }

    pub(super) fn endpoint(
        &mut self,
        id: &str,
        kind: EndpointKind,
        name: &str,
        service: &str,
        enis: &[EniId],
    ) {
        self.snapshot.endpoints.push(Endpoint {
            meta: meta(id),
            kind,
            kind_name: name.into(),
            service: service.into(),
            state: None,
            vpc: Ref::Known(VpcId::from_index(0)),
            tables: Vec::new(),
            subnets: Vec::new(),
            interfaces: enis.iter().copied().map(Ref::Known).collect(),
            groups: Vec::new(),
            policy: None,
        });
    }

    /// Adds a route table of a VPC with one default route.
    pub(super) fn route(&mut self, vpc: usize, target: Target) {
        let source = meta("route").source;
        let route = Route { destination: Destination::Unknown, target, state: None, origin: None, source };
        self.snapshot.route_tables.push(RouteTable {
            meta: meta("rtb"),
            vpc: Ref::Known(VpcId::from_index(vpc)),
            associations: Vec::new(),
            routes: vec![route],
            propagating: Vec::new(),
        });
    }

    pub(super) fn collected(&mut self, call: &str) {
        self.snapshot.scopes.get_mut(scope()).unwrap().calls.insert(call.into(), CallStatus::Collected);
    }

    pub(super) fn read(&mut self, key: &str, json: Value) {
        self.read_about(None, key, json);
    }

    /// An answer about one thing of several.
    pub(super) fn read_about(&mut self, parent: Option<&str>, key: &str, json: Value) {
        assert!(Inventories::accepts(key), "{key}");
        self.inventories.read(Place { parent, ..place(key, 0) }, json).unwrap();
    }

    /// Asserts that the components are exactly these, as `Kind id: entries -> exits`.
    pub(super) fn check(&self, expected: &[&str]) {
        let shown: Vec<String> = self.components().iter().map(|component| self.show(component)).collect();
        assert_eq!(shown, expected);
    }

    pub(super) fn components(&self) -> Vec<Component> {
        components(&self.snapshot, &self.inventories).0
    }

    pub(super) fn notices(&self) -> Vec<String> {
        let notices = components(&self.snapshot, &self.inventories).1;
        notices.into_iter().map(|notice| format!("{}: {}", notice.resource, notice.message)).collect()
    }

    fn show(&self, component: &Component) -> String {
        let entries: Vec<String> = component.entries.iter().map(|entry| self.entry(entry)).collect();
        let exits: Vec<String> = component.exits.iter().map(|exit| self.exit(exit)).collect();
        format!("{:?} {}: {} -> {}", component.kind, component.id, entries.join(" "), exits.join(" "))
    }

    fn entry(&self, entry: &Entry) -> String {
        match entry {
            Entry::Interface(eni) => self.snapshot.interfaces[*eni].meta.id.to_string(),
            Entry::Sender(eni) => format!("from({})", self.snapshot.interfaces[*eni].meta.id),
            Entry::Internet => "internet".into(),
            Entry::Anywhere => "anywhere".into(),
            Entry::RouteTarget(id) => format!("route({id})"),
            Entry::HiddenInterface(subnet) => format!("hidden({})", self.snapshot.subnets[*subnet].meta.id),
        }
    }

    fn exit(&self, exit: &Exit) -> String {
        match exit {
            Exit::Interface { interface, keeps_groups } => {
                format!(
                    "{}{}",
                    self.snapshot.interfaces[*interface].meta.id,
                    if *keeps_groups { "+groups" } else { "" }
                )
            }
            Exit::Subnet(subnet) => self.snapshot.subnets[*subnet].meta.id.to_string(),
            Exit::HiddenInterface { subnet, groups } => {
                let groups: Vec<&str> = groups.iter().map(|group| self.group_name(group)).collect();
                format!("hidden({};{})", self.snapshot.subnets[*subnet].meta.id, groups.join(","))
            }
            Exit::Vpc(vpc) => self.snapshot.vpcs[*vpc].meta.id.to_string(),
            Exit::Internet => "internet".into(),
            other => format!("{other:?}"),
        }
    }

    fn group_name<'a>(&'a self, group: &'a Ref<GroupId>) -> &'a str {
        match group {
            Ref::Known(id) => &self.snapshot.groups[*id].meta.id,
            Ref::Missing(id) => id,
        }
    }
}

pub(super) fn reference(group: GroupId) -> GroupPeer {
    let group = Ref::Known(group);
    GroupPeer::Group(GroupReference { group, account: None, peering_status: None, peering: None })
}

fn vpc(id: &str) -> Vpc {
    let cidrs: Vec<CidrAssociation> = Vec::new();
    Vpc { meta: meta(id), state: None, cidrs, is_default: false, block_mode: None, encryption: None }
}

fn subnet(id: &str, vpc: VpcId) -> Subnet {
    Subnet {
        meta: meta(id),
        vpc: Ref::Known(vpc),
        state: None,
        cidrs: Vec::new(),
        zone: None,
        zone_id: None,
        map_public: false,
        block_mode: None,
    }
}
