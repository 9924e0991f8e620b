//! The worst case: every interface of an organisation carries a group of its own, whose ports are nobody else's.

use reachproof_scenarios::Document;
use serde_json::{Value, json};

/// Whom a group lets in and what it lets out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A port of its own from everywhere inside, and out all ports up to it: half of all pairs pass, each differently.
    Dense,
    /// A port of its own from a single address, and out everything: every address is told from every other.
    Sparse,
}

/// Takes from each interface of a place its groups, and gives it one of its own.
pub(crate) fn own_groups(documents: &mut [Document], shape: Shape) {
    let mut groups = Vec::new();
    let mut before = "10.0.0.1".to_owned();
    for row in rows(documents, "describe-network-interfaces", "NetworkInterfaces") {
        let carries = row.get("Groups").and_then(Value::as_array).is_some_and(|groups| !groups.is_empty());
        let (Some(id), Some(vpc), Some(owner)) =
            (text(row, "NetworkInterfaceId"), text(row, "VpcId"), text(row, "OwnerId"))
        else {
            continue;
        };
        if !carries {
            continue;
        }
        let group = format!("sg-own-{id}");
        groups.push(own_group(&group, [&vpc, &owner, &before], port(&id), shape));
        if let Some(address) = text(row, "PrivateIpAddress").or_else(|| first_address(row)) {
            before = address;
        }
        if let Some(own) = row.get_mut("Groups") {
            *own = json!([{"GroupId": group, "GroupName": group}]);
        }
    }
    for one in documents.iter_mut().filter(|one| one.name.contains("describe-security-groups.")) {
        if let Some(list) = one.json.get_mut("SecurityGroups").and_then(Value::as_array_mut) {
            list.append(&mut groups);
        }
    }
}

fn rows<'d>(
    documents: &'d mut [Document],
    call: &'d str,
    key: &'d str,
) -> impl Iterator<Item = &'d mut Value> {
    let answers = documents.iter_mut().filter(move |one| one.name.contains(call));
    answers.filter_map(move |one| one.json.get_mut(key)?.as_array_mut()).flatten()
}

fn text(row: &Value, key: &str) -> Option<String> {
    row.get(key)?.as_str().map(str::to_owned)
}

fn first_address(row: &Value) -> Option<String> {
    text(row.get("PrivateIpAddresses")?.get(0)?, "PrivateIpAddress")
}

/// A port that hardly any other interface has; the id ends in hexadecimal digits.
fn port(id: &str) -> u64 {
    let digits = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
    1024 + u64::from_str_radix(digits, 16).unwrap_or(0) % 64_000
}

fn own_group(id: &str, [vpc, owner, before]: [&str; 3], port: u64, shape: Shape) -> Value {
    let (peer, lowest) = match shape {
        Shape::Dense => {
            ("10.0.0.0/8".to_owned(), json!({"IpProtocol": "tcp", "FromPort": 0, "ToPort": port}))
        }
        Shape::Sparse => (format!("{before}/32"), json!({"IpProtocol": "-1"})),
    };
    let mut out = lowest;
    if let Some(out) = out.as_object_mut() {
        out.insert("IpRanges".to_owned(), json!([{"CidrIp": "0.0.0.0/0"}]));
    }
    json!({"GroupId": id, "GroupName": id, "VpcId": vpc, "OwnerId": owner, "Description": "of one interface",
        "IpPermissions": [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": peer}]}],
        "IpPermissionsEgress": [out]})
}
