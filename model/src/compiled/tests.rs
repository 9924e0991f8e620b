//! Round trips, and everything that can be wrong with a compiled file.

use proptest::prelude::*;

use super::*;
use crate::flow::Protocol;
use crate::id::{EniId, FileId, Id, Ref, Table, VpcId};
use crate::ingest::{Input, load};
use crate::snapshot::Interface;
use crate::text::{SharedText, distinct};
use crate::traffic::Traffic;

const NAME: &str = "net.compiled";

const VPCS: &str = r#"{"Vpcs": [
    {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "111111111111",
     "Tags": [{"Key": "Name", "Value": "m\u00e4in"}]},
    {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/16", "OwnerId": "111111111111"}]}"#;
const SUBNETS: &str =
    r#"{"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}]}"#;
const ACLS: &str = r#"{"NetworkAcls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true,
    "Associations": [{"SubnetId": "subnet-1"}], "Entries": [
    {"RuleNumber": 100, "Egress": false, "RuleAction": "allow", "Protocol": "6", "CidrBlock": "10.0.0.0/8",
     "PortRange": {"From": 443, "To": 443}},
    {"RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}]}]}"#;
const GROUPS: &str = r#"{"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "GroupName": "web",
    "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.0/24"}],
     "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}], "UserIdGroupPairs": [{"GroupId": "sg-9"}]}],
    "IpPermissionsEgress": []}]}"#;
const INTERFACES: &str = r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1",
    "SubnetId": "subnet-1", "Groups": [{"GroupId": "sg-1"}], "PrivateIpAddresses": [
    {"PrivateIpAddress": "10.0.0.10", "Primary": true, "Association": {"PublicIp": "198.51.100.10"}}],
    "Ipv6Addresses": [{"Ipv6Address": "2001:db8::10"}],
    "Attachment": {"InstanceId": "i-1", "Status": "attached", "DeviceIndex": 0}}]}"#;
const INSTANCES: &str =
    r#"{"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"}}]}]}"#;

fn snapshot() -> Snapshot {
    let files = [
        ("ec2_describe-vpcs.json", VPCS),
        ("ec2_describe-subnets.json", SUBNETS),
        ("ec2_describe-network-acls.json", ACLS),
        ("ec2_describe-security-groups.json", GROUPS),
        ("ec2_describe-network-interfaces.json", INTERFACES),
        ("ec2_describe-instances.json", INSTANCES),
    ];
    let input = |(name, text): (&str, &str)| Input { name: name.to_owned(), bytes: text.into() };
    load(files.map(input).into()).unwrap()
}

fn file() -> Vec<u8> {
    write_snapshot(&snapshot()).unwrap()
}

/// A file with a header that fits this payload.
fn framed(payload: &[u8]) -> Vec<u8> {
    let mut file = frame::reserve();
    file.extend_from_slice(payload);
    frame::complete(SNAPSHOT, &mut file);
    file
}

fn payload() -> Vec<u8> {
    file().split_off(frame::HEADER)
}

/// What is wrong with the file, behind its name.
fn fault(bytes: &[u8]) -> String {
    let message = read_snapshot(NAME, bytes).unwrap_err().to_string();
    message.strip_prefix("net.compiled: ").expect("the message names the file").to_owned()
}

/// What is wrong with a snapshot that is written nevertheless.
fn forged(change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    fault(&write_snapshot(&snapshot).unwrap())
}

#[test]
fn what_is_written_is_read() {
    let (snapshot, file) = (snapshot(), file());
    assert!(is_compiled(&file));
    let read = read_snapshot(NAME, &file).unwrap();
    assert_eq!(read, snapshot);
    assert_eq!(read.digest(), snapshot.digest());
    assert_eq!(write_snapshot(&read).unwrap(), file);
    let nothing = Snapshot::default();
    assert_eq!(read_snapshot(NAME, &write_snapshot(&nothing).unwrap()).unwrap(), nothing);
}

#[test]
fn the_header_is_as_drawn() {
    let file = framed(b"");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let shown: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(shown, format!("895250520d0a1a0a{}{}{}{empty}", "0100", "0500", "0000000000000000"));
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let file = file();
    for length in 0..file.len() {
        let fault = fault(&file[..length]);
        let expected = match length {
            0..8 => "found other first bytes".to_owned(),
            8..52 => format!("found {length} bytes, expected at least the 52 of a header"),
            _ => format!("found {} bytes behind the header, expected {}", length - 52, file.len() - 52),
        };
        assert!(fault.starts_with(&expected), "{length}: {fault}");
    }
}

#[test]
fn a_byte_changed_anywhere_is_an_error() {
    let mut file = file();
    let behind = format!("found {} bytes behind the header, expected ", file.len() - frame::HEADER);
    for at in 0..file.len() {
        file[at] ^= 0x10;
        let fault = fault(&file);
        let expected = match at {
            0..8 => "found other first bytes",
            8..10 => "found a compiled file of kind ",
            10..12 => "found a compiled snapshot of format version ",
            12..20 => behind.as_str(),
            _ => "found content of sha256:",
        };
        assert!(fault.starts_with(expected), "{at}: {fault}");
        file[at] ^= 0x10;
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    let (mut longer, mut payload) = (file(), payload());
    longer.push(0);
    assert!(fault(&longer).contains("cut off or added to"));
    payload.push(0);
    assert_eq!(
        fault(&framed(&payload)),
        "found 1 bytes behind the value, expected none; this is no compiled snapshot, make it again"
    );
}

#[test]
fn another_version_or_kind_is_called_that() {
    let other = Format { version: 2, ..SNAPSHOT };
    let error = read_snapshot(NAME, &pack(other, &0_u8).unwrap()).unwrap_err();
    assert!(error.is_foreign_version());
    assert_eq!(
        error.to_string(),
        "net.compiled: found a compiled snapshot of format version 2, expected 5; make it again with this reachproof"
    );
    let other = Format { kind: 7, ..SNAPSHOT };
    assert_eq!(
        fault(&pack(other, &0_u8).unwrap()),
        "found a compiled file of kind 7, expected 1, a compiled snapshot; give such a file"
    );
}

#[test]
fn content_cut_off_behind_a_fitting_header_is_an_error() {
    let payload = payload();
    for length in 0..payload.len() {
        let fault = fault(&framed(&payload[..length]));
        assert!(fault.starts_with("found the end of the content, expected more of it"), "{length}: {fault}");
    }
}

#[test]
fn content_changed_behind_a_fitting_header_is_read_or_an_error() {
    let mut payload = payload();
    let mut refused = 0;
    for at in 0..payload.len() {
        let byte = payload[at];
        for changed in [byte.wrapping_add(1), byte ^ 0x80, 0, 250, 253, 255] {
            payload[at] = changed;
            if let Ok(read) = read_snapshot(NAME, &framed(&payload)) {
                read.digest();
            } else {
                refused += 1;
            }
        }
        payload[at] = byte;
    }
    assert!(refused > payload.len(), "{refused}");
}

/// Whatever is read next, the file claims that it is as long as numbers go, and then as long as the limit allows.
#[test]
fn a_claimed_length_costs_nothing() {
    let payload = payload();
    for claimed in [u64::MAX, u64::MAX >> 1, 1 << 36, (1 << 36) - 1000, 1 << 32] {
        let claim = [&[253], &claimed.to_le_bytes()[..]].concat();
        for at in 0..payload.len() {
            let forged = [&payload[..at], &claim, &payload[at..]].concat();
            let _read_or_not = read_snapshot(NAME, &framed(&forged));
        }
        assert!(read_snapshot(NAME, &framed(&claim)).is_err());
        assert!(read_snapshot(NAME, &framed(&[&[1], &claim[..]].concat())).is_err());
    }
}

#[test]
fn ids_beyond_their_tables_are_an_error() {
    let found = forged(|s| {
        let vpc = Ref::Known(VpcId::from_index(2));
        s.subnets.values_mut().for_each(|subnet| subnet.vpc = vpc.clone());
    });
    assert_eq!(
        found,
        "found the number 2 among VPCs, expected less than 2; this is no compiled snapshot, make it again"
    );
    let found = forged(|s| {
        let beyond = EniId::from_index(usize::MAX);
        s.instances.values_mut().for_each(|instance| instance.interfaces.push(beyond));
    });
    assert!(
        found.starts_with("found the number 4294967295 among interfaces, expected less than 1"),
        "{found}"
    );
    let found = forged(|s| {
        let beyond = FileId::from_index(6);
        s.interfaces.values_mut().for_each(|one| one.public[0].source.file = beyond);
    });
    assert!(found.starts_with("found the number 6 among files, expected less than 6"), "{found}");
}

#[test]
fn disorder_is_an_error() {
    let found = forged(|s| s.vpcs = s.vpcs.values().rev().cloned().collect());
    assert!(found.starts_with("found VPCs out of order"), "{found}");
    let found = forged(|s| s.acls.values_mut().for_each(|acl| acl.entries.reverse()));
    assert!(found.starts_with("found entries of a network ACL out of order"), "{found}");
    let found = forged(|s| s.interfaces.values_mut().for_each(|one| one.addresses.reverse()));
    assert!(found.starts_with("found addresses out of order"), "{found}");
}

#[test]
fn blocks_and_ports_are_sound() {
    let found = forged(|s| {
        s.subnets.values_mut().for_each(|subnet| subnet.cidrs[0].cidr = "10.0.0.1/24".parse().unwrap())
    });
    assert!(
        found.starts_with("found the block `10.0.0.1/24`, expected no bits behind the prefix"),
        "{found}"
    );
    let found = forged(|s| {
        let traffic = Traffic::Ports { protocol: Protocol(50), from: 1, to: 2 };
        s.acls.values_mut().for_each(|acl| acl.entries[0].traffic = traffic)
    });
    assert!(found.starts_with("found a rule with ports or ICMP types of protocol 50"), "{found}");
}

/// Two texts, `ab` and `c`, and facts that are one list of texts, each a number.
fn texts(numbers: &[u8]) -> Result<Vec<SharedText>, String> {
    let texts = vec!["ab".into(), "c".into()];
    let count = if numbers.len() == 9 { 1 } else { u8::try_from(numbers.len()).unwrap() };
    let payload = [&[count], numbers].concat();
    let ids = HighestIds::default();
    let (read, all_occur) = distinct::handed_out(texts, || codec::decode(&payload, &ids));
    read.and_then(|read| if all_occur { Ok(read) } else { Err("not all".to_owned()) })
}

#[test]
fn texts_are_numbers() {
    let read = |numbers| texts(numbers).map(|texts| texts.join(","));
    assert_eq!(read(&[8, 4]).unwrap(), "ab,c");
    assert_eq!(read(&[6, 4, 0, 6, 1, 3]).unwrap(), "a,b,,c,a,c");
    let absent = "found a value that cannot be read: a text that is not among those of the file";
    // Longer than the chunk, not among those that occur again, beyond the end, and as large as numbers are.
    let largest = [253, 255, 255, 255, 255, 255, 255, 255, 255];
    for numbers in [&[12][..], &[1], &[8, 1], &[6, 3], &[8, 4, 4], &largest] {
        assert_eq!(read(numbers).unwrap_err(), absent, "{numbers:?}");
    }
    assert_eq!(read(&[8]).unwrap_err(), "not all");
    assert_eq!(read(&[0]).unwrap_err(), "not all");
}

#[test]
fn texts_are_cut_at_characters_only() {
    let ids = HighestIds::default();
    for (numbers, is_read) in [([4, 8, 4], true), ([8, 4, 4], false), ([4, 4, 8], false)] {
        let payload = [&[3], &numbers[..]].concat();
        let read = || codec::decode::<Vec<SharedText>>(&payload, &ids);
        assert_eq!(distinct::handed_out(vec!["a\u{e4}b".into()], read).0.is_ok(), is_read, "{numbers:?}");
    }
}

/// A payload of these two sections.
fn joined(interfaces: &[u8], others: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    codec::encode(&interfaces.len(), &mut payload).unwrap();
    [&payload, interfaces, others].concat()
}

#[test]
fn texts_that_no_fact_has_are_an_error() {
    let none = section::section(&Table::<EniId, Interface>::default()).unwrap();
    let nothing = section::section(&Snapshot::default()).unwrap();
    assert!(section::read(&joined(&none, &nothing)).is_ok());
    let mut stranger = Vec::new();
    codec::encode(&vec!["stranger"], &mut stranger).unwrap();
    // In place of the list of no texts.
    stranger.extend(&nothing[1..]);
    assert_eq!(section::read(&joined(&none, &stranger)).unwrap_err(), "found texts that no fact has");
}

#[test]
fn interfaces_are_in_one_section() {
    let none = section::section(&Table::<EniId, Interface>::default()).unwrap();
    let all = section::section(&snapshot()).unwrap();
    assert_eq!(section::read(&joined(&none, &all)).unwrap_err(), "found interfaces in two places");
    // What is beyond the end is no section.
    assert_eq!(section::read(&[200, 0, 0]).unwrap_err(), codec::CUT_OFF);
}

#[test]
fn every_distinct_text_is_there_once() {
    let (_, texts) = distinct::collected(|| codec::encode(&snapshot(), &mut Vec::new()));
    let texts = texts.concat();
    for once in ["vpc-1", "m\u{e4}in", "111111111111", "running", "/Vpcs/0"] {
        assert_eq!(texts.matches(once).count(), 1, "{once} in {texts}");
    }
}

#[test]
fn an_id_type_without_a_table_is_an_error() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct StrangerId(u32);
    let file = pack(SNAPSHOT, &StrangerId(0)).unwrap();
    let error = unpack::<StrangerId>(SNAPSHOT, NAME, &file).err().unwrap().to_string();
    assert!(error.contains("no table is known for ids of type StrangerId"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_content_is_read_or_an_error(content in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _read_or_not = read_snapshot(NAME, &framed(&content));
        prop_assert!(read_snapshot(NAME, &content).is_err());
    }

    #[test]
    fn mixed_up_content_is_read_or_an_error(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut content = payload();
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Ok(read) = read_snapshot(NAME, &framed(&content)) {
            let again = write_snapshot(&read).unwrap();
            prop_assert_eq!(read_snapshot(NAME, &again).unwrap(), read);
        }
    }
}
