use serde_json::json;

use super::support::{Net, place};
use crate::id::Ref;

/// R-MBX-2, R-MBX-3, T-MBX-9: in and out by every interface of the instance, in any VPC, also if it is not described.
#[test]
fn a_guest_without_the_check_joins_the_interfaces_of_its_instance() {
    let mut net = Net::new();
    let first = net.eni("eni-1", "subnet-a", "interface");
    let second = net.eni("eni-2", "subnet-z", "interface");
    let _other = net.eni("eni-3", "subnet-z", "interface");
    net.attach(first, Ref::Missing("i-1".into()));
    net.attach(second, Ref::Missing("i-1".into()));
    net.get(first).source_dest_check = Some(false);
    net.check(&["Middlebox eni-1: eni-1 eni-2 -> eni-1 eni-2"]);
}

#[test]
fn a_guest_without_an_instance_forwards_by_itself() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-a", "branch");
    net.get(eni).source_dest_check = Some(false);
    net.check(&["Middlebox eni-1: eni-1 -> eni-1"]);
}

/// R-MBX-8: NAT gateways and the like show no check either; a missing flag is the default (R-DATA-12, T-DATA-6).
#[test]
fn managed_interfaces_and_missing_flags_are_no_middlebox() {
    let mut net = Net::new();
    for kind in ["natgateway", "vpcendpoint", "transitgateway", "lambda", "efaonly"] {
        let eni = net.eni(&format!("eni-{kind}"), "subnet-a", kind);
        net.get(eni).source_dest_check = Some(false);
    }
    let eni = net.eni("eni-1", "subnet-a", "interface");
    net.get(eni).source_dest_check = None;
    net.check(&[]);
}

/// R-MENI-1: a description never takes the guest's freedom away.
#[test]
fn a_description_does_not_hide_a_middlebox() {
    let mut net = Net::new();
    let eni = net.described("eni-1", "subnet-a", "interface", "ELB imitation");
    net.get(eni).source_dest_check = Some(false);
    net.check(&["Middlebox eni-1: eni-1 -> eni-1", "LoadBalancer eni-1: eni-1 -> eni-1+groups"]);
}

/// R-DATA-11, last row; R-MBX-8 for the check.
#[test]
fn an_unknown_type_is_a_relay_of_unknown_source() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-a", "somethingnew");
    net.check(&["UnknownInterface eni-1: eni-1 anywhere -> eni-1+groups"]);
    net.get(eni).source_dest_check = Some(false);
    let relay = "UnknownInterface eni-1: eni-1 anywhere -> eni-1+groups";
    net.check(&["Middlebox eni-1: eni-1 -> eni-1", relay]);
    net.get(eni).requester_managed = true;
    net.check(&[relay]);
}

/// R-ADDR-14.
#[test]
fn an_evs_vlan_owns_its_subnet() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-b", "evs");
    net.check(&["Other eni-1: eni-1 internet hidden(subnet-b) -> eni-1+groups hidden(subnet-b;)"]);
}

/// who sends by an interface of a notebook may leave by one of SageMaker's, unless every answer about it says no.
#[test]
fn a_notebook_may_have_a_way_of_its_own() {
    let of = |answers: &[&str]| {
        let mut net = Net::new();
        let eni = net.eni("eni-1", "subnet-a", "interface");
        net.get(eni).label = "sagemaker-notebook".into();
        for (file, access) in answers.iter().enumerate() {
            let mut read = |key, value: &str| net.inventories.read(place(key, file), json!(value)).unwrap();
            read("NotebookInstanceName", "n");
            read("NetworkInterfaceId", "eni-1");
            read("DirectInternetAccess", access);
        }
        net
    };
    let way = &["Other eni-1: from(eni-1) -> internet"][..];
    of(&[]).check(way);
    of(&[""]).check(way);
    of(&["Enabled"]).check(way);
    of(&["Disabled", "Enabled"]).check(way);
    of(&["Disabled", ""]).check(way);
    of(&["Disabled"]).check(&[]);
}

/// so may Studio, unless an answer says of the domain of the interface that it is inside the VPC only.
#[test]
fn a_studio_domain_may_have_a_way_of_its_own() {
    let of = |domain: &str, access: &str| {
        let mut net = Net::new();
        let eni = net.described("eni-1", "subnet-a", "interface", "ENI for Studio Domain(d-1) - f7-1");
        net.get(eni).label = "sagemaker-studio".into();
        let mut read = |key, value: &str| net.inventories.read(place(key, 0), json!(value)).unwrap();
        read("DomainId", domain);
        read("AppNetworkAccessType", access);
        net
    };
    let way = &["Other eni-1: from(eni-1) -> internet"][..];
    of("d-1", "PublicInternetOnly").check(way);
    of("d-1", "").check(way);
    of("d-12", "VpcOnly").check(way);
    of("d", "VpcOnly").check(way);
    of("d-1", "VpcOnly").check(&[]);
    // Whatever else the description says: the domain that an answer describes is named.
    let mut plain = of("d-1", "PublicInternetOnly");
    plain.snapshot.interfaces.values_mut().for_each(|row| row.label = "interface".into());
    plain.check(way);
}
