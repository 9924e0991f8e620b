//! Reading one file: a streaming walk over its top-level keys that keeps what is known and skips the rest unparsed.
//!
//! The main function is [`Collected::read`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::calls::{Origin, call_named, origin};
use super::collected::{CallAnswer, Collected};
use super::error::LoadError;
use super::group::GroupShape;
use super::interface::ReservationShape;
use super::inventory::{Inventories, call_of};
use super::manifest::ManifestCall;
use super::name::FileName;
use super::record::{Answer, Record};
use super::transit::TgwWrapperShape;
use super::value::{Flag, List, Text};
use crate::id::FileId;
use crate::source::Source;

impl<'a> Collected<'a> {
    /// Reads one file.
    pub(super) fn read(&mut self, file: FileId, path: &'a str, bytes: &'a [u8]) -> Result<(), LoadError> {
        let text = json_text(path, bytes)?;
        let name = FileName::parse(path);
        let call = call_named(name.service, name.operation);
        let manifest = Default::default();
        let walk = Walk {
            collected: self,
            file,
            name,
            read: false,
            additional: false,
            token: false,
            caller: None,
            manifest,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read =
            walk.deserialize(&mut deserializer).and_then(|answered| deserializer.end().map(|()| answered));
        let answered = read.map_err(|error| LoadError::json(path, &error))?;
        if !answered {
            self.strangers.push(file);
        }
        match call {
            Some(call) if !answered => Err(LoadError::no_answer(path, call)),
            _ => Ok(()),
        }
    }
}

/// The text of a file: UTF-8, with or without a byte order mark.
fn json_text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, LoadError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let found = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => "UTF-16",
        _ if bytes.iter().all(u8::is_ascii_whitespace) => "an empty file",
        [0x1F, 0x8B, ..] => "a compressed file",
        _ => {
            return std::str::from_utf8(bytes)
                .map_err(|_| LoadError::encoding(path, "bytes that are not UTF-8"));
        }
    };
    Err(LoadError::encoding(path, found))
}

/// What a file is that describes a network and holds no answers, by its keys: left out in silence, it would be missed.
fn of_another_kind(keys: &BTreeSet<Cow<'_, str>>) -> Option<&'static str> {
    const BESIDE_RESOURCES: [&str; 6] =
        ["AWSTemplateFormatVersion", "Parameters", "Rules", "Mappings", "Conditions", "Outputs"];
    if keys.contains("terraform_version") {
        return Some("a Terraform plan");
    }
    let is_template = keys.contains("Resources") && BESIDE_RESOURCES.iter().any(|key| keys.contains(*key));
    is_template.then_some("a CloudFormation template")
}

/// The walk over one file.
struct Walk<'w, 'a> {
    collected: &'w mut Collected<'a>,
    file: FileId,
    name: FileName<'a>,
    /// Whether some key was known.
    read: bool,
    /// `AdditionalRoutesAvailable`.
    additional: bool,
    /// A pagination token.
    token: bool,
    /// The account that called, from `sts get-caller-identity`.
    caller: Option<Text<'a>>,
    /// `account` and `region` of a manifest.
    manifest: [Text<'a>; 2],
}

/// Reads the file; false if it holds something, and nothing that is known.
impl<'de: 'a, 'a> DeserializeSeed<'de> for Walk<'_, 'a> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Walk<'_, 'a> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of the AWS CLI: an object with a key like `Vpcs`")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let first = self.first_answer();
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format_args!(
                    "the key `{key}` stands twice; keep one of them"
                )));
            }
            self.key(&key, &mut map)?;
        }
        if let Some(what) = of_another_kind(&seen) {
            return Err(de::Error::custom(format_args!(
                "found {what}, which this version does not read; expected answers of `aws ec2 describe-vpcs` and the \
                 like; take the file out"
            )));
        }
        let answered = self.read || seen.is_empty();
        self.finish(first);
        Ok(answered)
    }

    /// What `--query` leaves is a bare list: nothing tells what it lists.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.collected.stranger.get_or_insert_with(|| "[…]".to_owned());
        Ok(false)
    }
}

impl<'a> Walk<'_, 'a> {
    /// Positions in the collection where this file's answers with a parent start.
    fn first_answer(&self) -> [usize; 4] {
        let c = &self.collected;
        [c.tgw_routes.len(), c.prefix_entries.len(), c.tgw_propagations.len(), c.policy_entries.len()]
    }

    /// Tokens may stand before or behind the list they belong to.
    fn finish(self, [routes, entries, propagations, policies]: [usize; 4]) {
        let collected = self.collected;
        if self.token {
            collected.unfinished.insert(self.file);
        }
        if let Some(account) = self.caller {
            collected.callers.insert(self.file, account);
        }
        let [account, region] = self.manifest;
        for (_, call) in collected.manifest.iter_mut().filter(|(file, _)| *file == self.file) {
            call.default_scope(&account, &region);
        }
        let truncated = self.additional || self.token;
        collected.tgw_routes.iter_mut().skip(routes).for_each(|answer| answer.truncated |= truncated);
        collected.prefix_entries.iter_mut().skip(entries).for_each(|answer| answer.truncated |= truncated);
        collected
            .tgw_propagations
            .iter_mut()
            .skip(propagations)
            .for_each(|answer| answer.truncated |= truncated);
        collected.policy_entries.iter_mut().skip(policies).for_each(|answer| answer.truncated |= truncated);
    }

    fn key<'de: 'a, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "NextToken" | "nextToken" | "NextMarker" | "Marker" | "position" => {
                self.token |= !map.next_value::<Text<'a>>()?.is_empty();
            }
            "AdditionalRoutesAvailable" => self.additional |= map.next_value::<Flag>()?.is_set(),
            "Account" => {
                self.caller = Some(map.next_value()?);
                self.answered("sts get-caller-identity");
            }
            "calls" if self.name.operation.is_none() => self.manifest(map)?,
            "account" => self.manifest[0] = word(map)?,
            "region" => self.manifest[1] = word(map)?,
            _ => match origin(key, self.name.service, self.name.operation) {
                Origin::Call(call) => self.value(key, Some(call), map)?,
                Origin::Known => self.value(key, None, map)?,
                Origin::Unknown if Inventories::accepts(key) => self.value(key, call_of(key), map)?,
                Origin::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    self.collected.stranger.get_or_insert_with(|| key.to_owned());
                }
            },
        }
        Ok(())
    }

    /// Reads the value of a known key; `call` is what it proves to have been collected.
    fn value<'de: 'a, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        call: Option<&'static str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.collected.known = true;
        self.read = true;
        let read = match key {
            "PrefixLists" => return self.prefix_lists(map),
            "SecurityGroups" => return self.groups(map),
            "VpcBlockPublicAccessOptions" => {
                let source = self.source(key);
                self.collected.block_public_access.push(Record { source, item: map.next_value()? });
                true
            }
            "Reservations" => self.reservations(map)?,
            _ => self.network(key, map)? || self.gateways(key, map)? || self.transit(key, call, map)?,
        };
        if !read {
            if Inventories::accepts(key) {
                let value: &'de RawValue = map.next_value()?;
                self.token |= key == "VpcOriginList" && is_cut(value);
                self.collected.inventories.push((self.file, key.to_owned(), value));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match call {
            Some(_) if self.name.parent.is_none() && NEEDS_PARENT.contains(&key) => {
                let source = self.source(key);
                self.collected.orphans.push(source);
            }
            Some(call) => self.answered(call),
            None => {}
        }
        Ok(())
    }

    fn network<'de: 'a, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let (c, at) = (&mut *self.collected, (self.file, key));
        match key {
            "Vpcs" => list(at, &mut c.vpcs, map),
            "VpcEncryptionControls" => list(at, &mut c.encryption, map),
            "Subnets" => list(at, &mut c.subnets, map),
            "RouteTables" => list(at, &mut c.route_tables, map),
            "NetworkAcls" => list(at, &mut c.acls, map),
            "SecurityGroupRules" => list(at, &mut c.group_rules, map),
            "SecurityGroupVpcAssociations" => list(at, &mut c.group_associations, map),
            "NetworkInterfaces" => list(at, &mut c.interfaces, map),
            "Addresses" => list(at, &mut c.addresses, map),
            "AvailabilityZones" => list(at, &mut c.zones, map),
            "VpcBlockPublicAccessExclusions" => list(at, &mut c.bpa_exclusions, map),
            "PublicIpv4Pools" => list(at, &mut c.public_pools, map),
            _ => Ok(false),
        }
    }

    fn gateways<'de: 'a, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let (c, at) = (&mut *self.collected, (self.file, key));
        match key {
            "InternetGateways" => list(at, &mut c.internet_gateways, map),
            "EgressOnlyInternetGateways" => list(at, &mut c.egress_gateways, map),
            "VpnGateways" => list(at, &mut c.virtual_gateways, map),
            "NatGateways" => list(at, &mut c.nat_gateways, map),
            "VpcEndpoints" => list(at, &mut c.endpoints, map),
            "VpcPeeringConnections" => list(at, &mut c.peerings, map),
            "VpnConnections" => list(at, &mut c.vpn_connections, map),
            "TransitGateways" => list(at, &mut c.transit_gateways, map),
            "TransitGatewayAttachments" => list(at, &mut c.attachments, map),
            "TransitGatewayVpcAttachments" => list(at, &mut c.vpc_attachments, map),
            "TransitGatewayPeeringAttachments" => list(at, &mut c.peering_attachments, map),
            "TransitGatewayConnects" => list(at, &mut c.connects, map),
            "TransitGatewayRouteTables" => list(at, &mut c.tgw_tables, map),
            "TransitGatewayPolicyTables" => list(at, &mut c.policy_tables, map),
            "TransitGatewayPrefixListReferences" => list(at, &mut c.tgw_references, map),
            _ => Ok(false),
        }
    }

    /// Answers about one parent, which the file name or a wrapper names.
    fn transit<'de: 'a, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        call: Option<&str>,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        let parent = self.name.parent.unwrap_or_default();
        let (c, at) = (&mut *self.collected, (self.file, key));
        match key {
            "Entries" => answer(at, parent, &mut c.prefix_entries, map),
            "Routes" if call == Some("ec2 search-transit-gateway-routes") => {
                answer(at, parent, &mut c.tgw_routes, map)
            }
            "Associations" => answer(at, parent, &mut c.tgw_associations, map),
            "TransitGatewayRouteTablePropagations" => answer(at, parent, &mut c.tgw_propagations, map),
            "TransitGatewayPolicyTableEntries" => answer(at, parent, &mut c.policy_entries, map),
            "TransitGatewayStaticRoutes" | "TransitGatewayPropagations" => {
                let wrappers: List<TgwWrapperShape<'a>> = map.next_value()?;
                for (index, wrapper) in wrappers.0.into_iter().enumerate() {
                    c.wrapper(&Source { file: at.0, pointer: format!("/{key}/{index}").into() }, wrapper);
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn reservations<'de: 'a, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error> {
        let (file, instances) = (self.file, &mut self.collected.instances);
        map.next_value_seed(Items::to(|outer, reservation: ReservationShape<'a>| {
            for (inner, mut item) in reservation.instances.0.into_iter().enumerate() {
                item.owner.clone_from(&reservation.owner_id);
                let pointer = format!("/Reservations/{outer}/Instances/{inner}").into();
                instances.push(Record { source: Source { file, pointer }, item: Box::new(item) });
            }
        }))?;
        Ok(true)
    }

    /// Some calls print bare group ids under the same key: those say nothing about groups.
    fn groups<'de: 'a, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let List(items): List<GroupOrId<'a>> = map.next_value()?;
        if !items.iter().any(|item| matches!(item, GroupOrId::Id)) {
            self.answered("ec2 describe-security-groups");
        }
        for (index, item) in items.into_iter().enumerate() {
            if let GroupOrId::Group(item) = item {
                let pointer = format!("/SecurityGroups/{index}").into();
                self.collected
                    .groups
                    .push(Record { source: Source { file: self.file, pointer }, item: *item });
            }
        }
        Ok(())
    }

    /// Two calls share the key; `Cidrs` tells the one that prints content.
    fn prefix_lists<'de: 'a, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let start = self.collected.prefix_lists.len();
        list((self.file, "PrefixLists"), &mut self.collected.prefix_lists, map)?;
        let managed = self.name.operation == Some("describe-managed-prefix-lists");
        let shown = self.collected.prefix_lists.get(start..).unwrap_or_default();
        let content = shown.is_empty() || shown.iter().any(|record| record.item.cidrs.is_some());
        let call = if managed || !content {
            "ec2 describe-managed-prefix-lists"
        } else {
            "ec2 describe-prefix-lists"
        };
        self.answered(call);
        Ok(())
    }

    fn manifest<'de: 'a, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let List(calls): List<ManifestCall<'a>> = map.next_value()?;
        if calls.iter().any(|call| !call.is_whole()) {
            return Err(de::Error::custom(
                "a call of a manifest lacks `service`, `operation` or `result`: found an entry of another shape, expected one like {\"service\": \"ec2\", \"operation\": \"describe-vpcs\", \"result\": \"ok\"}; correct it, or remove the manifest",
            ));
        }
        self.read = true;
        self.collected.manifest.extend(calls.into_iter().map(|call| (self.file, call)));
        Ok(())
    }

    fn answered(&mut self, call: &'static str) {
        self.collected.known = true;
        self.read = true;
        let parent = self.name.parent.unwrap_or_default().into();
        self.collected.answers.push(CallAnswer { file: self.file, call, parent });
    }

    fn source(&self, key: &str) -> Source {
        Source { file: self.file, pointer: format!("/{key}").into() }
    }
}

impl<'a> Collected<'a> {
    /// One element of a wrapper that names the parent of the answer inside.
    fn wrapper(&mut self, source: &Source, wrapper: TgwWrapperShape<'a>) {
        let parent: Box<str> = Box::from(&*wrapper.transit_gateway_route_table_id);
        let truncated = wrapper.additional_routes_available.is_set();
        if let Some(List(items)) = wrapper.routes {
            let source = source.below("/Routes");
            self.tgw_static_routes.push(Answer { source, parent: parent.clone(), items, truncated });
        }
        if let Some(List(items)) = wrapper.transit_gateway_route_table_propagations {
            let source = source.below("/TransitGatewayRouteTablePropagations");
            self.tgw_propagations.push(Answer { source, parent, items, truncated });
        }
    }
}

/// Keys of answers that do not repeat what the call asked about.
const NEEDS_PARENT: &[&str] = &[
    "Associations",
    "Entries",
    "Routes",
    "TransitGatewayPolicyTableEntries",
    "TransitGatewayRouteTablePropagations",
];

/// A group, or the bare id of one.
enum GroupOrId<'a> {
    Group(Box<GroupShape<'a>>),
    Id,
}

impl<'de: 'a, 'a> Deserialize<'de> for GroupOrId<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GroupOrIdVisitor(PhantomData))
    }
}

struct GroupOrIdVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for GroupOrIdVisitor<'a> {
    type Value = GroupOrId<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a security group")
    }
    fn visit_str<E>(self, _id: &str) -> Result<GroupOrId<'a>, E> {
        Ok(GroupOrId::Id)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GroupOrId<'a>, A::Error> {
        let map = serde::de::value::MapAccessDeserializer::new(map);
        GroupShape::deserialize(map).map(|group| GroupOrId::Group(Box::new(group)))
    }
}

/// Whether a list that wraps its own pagination, as CloudFront's do, has more (R-DATA-2).
fn is_cut(list: &RawValue) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Page<'a> {
        is_truncated: Flag,
        #[serde(borrow)]
        next_marker: Text<'a>,
    }
    let page: Page<'_> = serde_json::from_str(list.get()).unwrap_or_default();
    page.is_truncated.is_set() || !page.next_marker.is_empty()
}

/// Reads a string; a value of another shape is somebody else's.
fn word<'de: 'a, 'a, A: MapAccess<'de>>(map: &mut A) -> Result<Text<'a>, A::Error> {
    let raw: &'de RawValue = map.next_value()?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Reads a list of records; true, for the callers' chains.
fn list<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    (file, key): (FileId, &str),
    into: &mut Vec<Record<T>>,
    map: &mut A,
) -> Result<bool, A::Error> {
    map.next_value_seed(Items::to(|index, item| {
        let pointer = format!("/{key}/{index}").into();
        into.push(Record { source: Source { file, pointer }, item });
    }))?;
    Ok(true)
}

/// A list whose items are handed on as soon as each is read, with its position: an answer may be gigabytes long.
struct Items<T, F> {
    hand: F,
    item: PhantomData<T>,
}

impl<T, F: FnMut(usize, T)> Items<T, F> {
    fn to(hand: F) -> Self {
        Self { hand, item: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(usize, T)> DeserializeSeed<'de> for Items<T, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(usize, T)> Visitor<'de> for Items<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(item) = seq.next_element()? {
            (self.hand)(index, item);
            index += 1;
        }
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads the answer about one parent.
fn answer<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    (file, key): (FileId, &str),
    parent: &str,
    into: &mut Vec<Answer<T>>,
    map: &mut A,
) -> Result<bool, A::Error> {
    let List(items) = map.next_value()?;
    let source = Source { file, pointer: format!("/{key}").into() };
    into.push(Answer { source, parent: Box::from(parent), items, truncated: false });
    Ok(true)
}
