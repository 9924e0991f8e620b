//! Security groups, network ACLs and prefix lists.

use serde_json::{Map, Value, json};

use super::tags;
use crate::expand::Place;

/// Who may be at the other end of a security group's rule.
#[derive(Clone, Debug)]
pub(in crate::organisation) enum Peer {
    /// A block of either family.
    Block(String),
    /// A prefix list.
    List(String),
    /// A group of the same VPC and account.
    Group(String),
    /// A group beyond a peering connection.
    Peered(PeeredGroup),
}

/// A group of another VPC, with the peering connection that leads there.
#[derive(Clone, Debug)]
pub(in crate::organisation) struct PeeredGroup {
    pub(in crate::organisation) group: String,
    pub(in crate::organisation) account: String,
    pub(in crate::organisation) vpc: String,
    pub(in crate::organisation) peering: String,
    /// `active`, or `deleted` for a stale rule.
    pub(in crate::organisation) status: &'static str,
}

/// A rule of a security group: a protocol, its ports, and who is at the other end.
#[derive(Clone, Debug)]
pub(in crate::organisation) struct Permission {
    protocol: &'static str,
    ports: Option<(i32, i32)>,
    peers: Vec<Peer>,
}

impl Permission {
    /// One TCP port.
    pub(in crate::organisation) fn tcp(port: u16, peers: impl IntoIterator<Item = Peer>) -> Self {
        Self::new("tcp", Some((i32::from(port), i32::from(port))), peers)
    }

    /// One UDP port.
    pub(in crate::organisation) fn udp(port: u16, peers: impl IntoIterator<Item = Peer>) -> Self {
        Self::new("udp", Some((i32::from(port), i32::from(port))), peers)
    }

    /// Every ICMP message.
    pub(in crate::organisation) fn icmp(peers: impl IntoIterator<Item = Peer>) -> Self {
        Self::new("icmp", Some((-1, -1)), peers)
    }

    /// Everything.
    pub(in crate::organisation) fn all(peers: impl IntoIterator<Item = Peer>) -> Self {
        Self::new("-1", None, peers)
    }

    fn new(protocol: &'static str, ports: Option<(i32, i32)>, peers: impl IntoIterator<Item = Peer>) -> Self {
        Self { protocol, ports, peers: peers.into_iter().collect() }
    }

    /// How many rules this is: one for each peer.
    pub(in crate::organisation) fn count(&self) -> u64 {
        u64::try_from(self.peers.len()).unwrap_or(u64::MAX)
    }

    fn json(&self, account: &str) -> Value {
        let (mut ipv4, mut ipv6, mut lists, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for peer in &self.peers {
            match peer {
                Peer::Block(block) if block.contains(':') => ipv6.push(json!({"CidrIpv6": block})),
                Peer::Block(block) => ipv4.push(json!({"CidrIp": block})),
                Peer::List(list) => lists.push(json!({"PrefixListId": list})),
                Peer::Group(group) => groups.push(json!({"GroupId": group, "UserId": account})),
                Peer::Peered(peered) => groups.push(peered.json()),
            }
        }
        let mut row = json!({
            "IpProtocol": self.protocol, "IpRanges": ipv4, "Ipv6Ranges": ipv6, "PrefixListIds": lists,
            "UserIdGroupPairs": groups,
        });
        if let (Some((from, to)), Some(row)) = (self.ports, row.as_object_mut()) {
            row.extend([("FromPort".to_owned(), json!(from)), ("ToPort".to_owned(), json!(to))]);
        }
        row
    }
}

impl PeeredGroup {
    fn json(&self) -> Value {
        json!({
            "GroupId": self.group, "UserId": self.account, "VpcId": self.vpc,
            "VpcPeeringConnectionId": self.peering, "PeeringStatus": self.status,
        })
    }
}

/// A security group.
pub(in crate::organisation) struct GroupRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) name: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    pub(in crate::organisation) ingress: &'a [Permission],
    pub(in crate::organisation) egress: &'a [Permission],
    pub(in crate::organisation) tags: &'a [(&'static str, String)],
}

impl GroupRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let permissions =
            |list: &[Permission]| list.iter().map(|one| one.json(&place.account)).collect::<Vec<_>>();
        json!({
            "GroupId": self.id, "GroupName": self.name, "Description": self.name, "OwnerId": place.account,
            "SecurityGroupArn": place.arn(&place.account, &format!("security-group/{}", self.id)),
            "VpcId": self.vpc, "IpPermissions": permissions(self.ingress),
            "IpPermissionsEgress": permissions(self.egress),
            "Tags": self.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>(),
        })
    }
}

/// An entry of a network ACL. Without ports it is about every protocol.
#[derive(Clone, Debug)]
pub(in crate::organisation) struct Entry {
    pub(in crate::organisation) number: u16,
    pub(in crate::organisation) egress: bool,
    pub(in crate::organisation) allow: bool,
    pub(in crate::organisation) block: String,
    pub(in crate::organisation) tcp_ports: Option<(u16, u16)>,
}

impl Entry {
    /// Allows everything from or to a block.
    pub(in crate::organisation) fn allow(number: u16, egress: bool, block: impl ToString) -> Self {
        Self { number, egress, allow: true, block: block.to_string(), tcp_ports: None }
    }

    /// The same, but denies it.
    #[must_use]
    pub(in crate::organisation) fn denied(self) -> Self {
        Self { allow: false, ..self }
    }

    /// The same for TCP to these ports.
    #[must_use]
    pub(in crate::organisation) fn tcp(self, from: u16, to: u16) -> Self {
        Self { tcp_ports: Some((from, to)), ..self }
    }

    fn json(&self) -> Value {
        let block = if self.block.contains(':') { "Ipv6CidrBlock" } else { "CidrBlock" };
        let mut row = Map::from_iter([
            ("RuleNumber".to_owned(), json!(self.number)),
            ("Egress".to_owned(), json!(self.egress)),
            ("RuleAction".to_owned(), json!(if self.allow { "allow" } else { "deny" })),
            ("Protocol".to_owned(), json!(if self.tcp_ports.is_some() { "6" } else { "-1" })),
            (block.to_owned(), json!(self.block)),
        ]);
        if let Some((from, to)) = self.tcp_ports {
            row.insert("PortRange".to_owned(), json!({"From": from, "To": to}));
        }
        Value::Object(row)
    }
}

/// A network ACL; the entries that nobody can remove come by themselves.
pub(in crate::organisation) struct AclRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    pub(in crate::organisation) name: &'a str,
    pub(in crate::organisation) default: bool,
    pub(in crate::organisation) subnets: &'a [String],
    pub(in crate::organisation) entries: &'a [Entry],
    pub(in crate::organisation) ipv6: bool,
}

impl AclRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let associations = self.subnets.iter().map(|subnet| {
            let association = format!("aclassoc-{}", subnet.trim_start_matches("subnet-"));
            json!({"NetworkAclAssociationId": association, "NetworkAclId": self.id, "SubnetId": subnet})
        });
        let fixed = [false, true].into_iter().flat_map(|egress| self.fixed(egress));
        let entries = self.entries.iter().cloned().chain(fixed);
        json!({
            "NetworkAclId": self.id, "VpcId": self.vpc, "OwnerId": place.account, "IsDefault": self.default,
            "Associations": associations.collect::<Vec<_>>(),
            "Entries": entries.map(|entry| entry.json()).collect::<Vec<_>>(),
            "Tags": tags(&[("Name", self.name)]),
        })
    }

    fn fixed(&self, egress: bool) -> impl Iterator<Item = Entry> {
        let ipv6 = self.ipv6.then(|| Entry::allow(32_768, egress, "::/0").denied());
        std::iter::once(Entry::allow(32_767, egress, "0.0.0.0/0").denied()).chain(ipv6)
    }
}

/// A prefix list; AWS's own have no version.
pub(in crate::organisation) fn prefix_list(id: &str, name: &str, owner: &str, region: &str) -> Value {
    let arn_owner = if owner == "AWS" { "aws" } else { owner };
    let mut row = json!({
        "PrefixListId": id, "PrefixListName": name, "OwnerId": owner, "AddressFamily": "IPv4",
        "State": "create-complete", "PrefixListArn": format!("arn:aws:ec2:{region}:{arn_owner}:prefix-list/{id}"),
        "Tags": [],
    });
    if let (true, Some(row)) = (owner != "AWS", row.as_object_mut()) {
        row.extend([("Version".to_owned(), json!(3)), ("MaxEntries".to_owned(), json!(20))]);
    }
    row
}
