use serde_json::json;

use super::support::{Net, place};
use crate::ingest::inventory::{Inventories, Place, call_of, components};

/// R-DATA-9: a key proves a call only where no other call prints it.
#[test]
fn keys_name_their_call_unless_several_print_them() {
    assert_eq!(call_of("LoadBalancers"), Some("elbv2 describe-load-balancers"));
    assert_eq!(call_of("LoadBalancerDescriptions"), Some("elb describe-load-balancers"));
    assert_eq!(call_of("VpcOriginList"), Some("cloudfront list-vpc-origins"));
    for generic in ["Items", "items", "Listeners", "NetworkInterfaceId", "Vpcs"] {
        assert_eq!(call_of(generic), None, "{generic}");
    }
    assert!(Inventories::accepts("items") && !Inventories::accepts("Vpcs"));
}

/// R-DATA-6: missing, null and unknown members are no error, nor are values of another shape; the latter are told.
#[test]
fn lenient_reading_notes_what_it_cannot_read() {
    let mut net = Net::new();
    net.read(
        "LoadBalancers",
        json!([{"LoadBalancerArn": null, "AvailabilityZones": null, "New": {"a": 1}}, 7]),
    );
    net.read("TargetGroups", json!(null));
    net.read("ServiceConfigurations", json!({"not": "a list"}));
    net.read("Items", json!([1, "two", {"three": 3}]));
    net.read("NetworkInterfaceId", json!({"of": "another call"}));
    let odd = net.inventories.unreadable().map(|gap| gap.resource.to_string()).collect::<Vec<_>>();
    assert_eq!(odd, ["/LoadBalancers/1", "/ServiceConfigurations"]);
    assert_eq!(net.inventories.load_balancers.len(), 1);
}

/// A list in an object's place is not an object with nothing shown, and keys that many calls print are this one's where
/// the name of the file says so.
#[test]
fn what_stands_in_the_place_of_an_object_is_noted() {
    let odd = |key: &str, told, json| {
        let mut inventories = Inventories::default();
        inventories.read(Place { told, ..place(key, 0) }, json).unwrap();
        inventories.unreadable().map(|gap| gap.resource.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(odd("VerifiedAccessEndpoints", false, json!([[]])), ["/VerifiedAccessEndpoints/0"]);
    assert_eq!(odd("VpcOriginList", false, json!([])), ["/VpcOriginList"]);
    assert_eq!(odd("Accelerators", false, json!(["arn"])), ["/Accelerators/0"]);
    assert_eq!(odd("items", false, json!([5])), [""; 0]);
    assert_eq!(odd("items", true, json!([5])), ["/items/0"]);
    assert_eq!(odd("Items", true, json!(7)), ["/Items"]);
}

/// Every accepted key reads an empty list, an empty object and null without an error.
#[test]
fn every_key_survives_emptiness() {
    for key in super::super::reading::keys() {
        for value in [json!([]), json!({}), json!(null), json!("text"), json!([{}])] {
            let mut inventories = Inventories::default();
            inventories.read(place(key, 0), value).unwrap();
        }
    }
}

#[test]
fn elements_keep_their_place() {
    let mut net = Net::new();
    net.read("VpcOriginList", json!({"Items": [{"Id": "vo_1"}, {"Id": "vo_2"}]}));
    net.read("LoadBalancers", json!([{"LoadBalancerArn": "a"}]));
    let pointers: Vec<&str> =
        net.inventories.vpc_origins.iter().map(|origin| &*origin.source.pointer).collect();
    assert_eq!(pointers, ["/VpcOriginList/Items/0", "/VpcOriginList/Items/1"]);
    assert_eq!(&*net.inventories.load_balancers[0].source.pointer, "/LoadBalancers/0");
}

#[test]
fn direct_connect_is_read_in_both_spellings() {
    let mut net = Net::new();
    net.read("DirectConnectGateways", json!([{"DirectConnectGatewayId": "dx-1"}]));
    net.read("DirectConnectGatewayAssociations", json!([{"DirectConnectGatewayId": "dx-1", "AssociatedGateway": {"Id": "tgw-2"}}, {"DirectConnectGatewayId": "dx-1", "AssociationState": "disassociated", "AssociatedGateway": {"Id": "tgw-3"}}]));
    net.read(
        "directConnectGatewayAssociations",
        json!([{"directConnectGatewayId": "dx-1", "virtualGatewayId": "vgw-1"}]),
    );
    let gateways = net.inventories.dx_gateways();
    assert_eq!(gateways.len(), 1);
    assert_eq!(gateways[0].associated.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["tgw-2", "vgw-1"]);
}

#[test]
fn a_notebook_answer_names_its_interface() {
    let mut inventories = Inventories::default();
    let mut read = |key: &str, file, value: &str| inventories.read(place(key, file), json!(value)).unwrap();
    read("NotebookInstanceName", 0, "explore");
    read("NetworkInterfaceId", 0, "eni-1");
    // An interface's attribute, and a file of two notebooks: neither says which is which.
    read("NetworkInterfaceId", 1, "eni-2");
    read("NotebookInstanceName", 2, "first");
    read("NetworkInterfaceId", 2, "eni-3");
    read("NotebookInstanceName", 2, "second");
    read("NetworkInterfaceId", 2, "eni-4");
    assert_eq!(inventories.notebook_interfaces().into_iter().collect::<Vec<_>>(), ["eni-1"]);
}

#[test]
fn a_listed_firewall_must_be_described() {
    let mut net = Net::new();
    net.read("Firewalls", json!([{"FirewallArn": "arn:1"}, {"FirewallArn": "arn:2"}]));
    net.read("Firewall", json!({"FirewallArn": "arn:2", "VpcId": "vpc-a"}));
    let notices = net.notices();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].starts_with("arn:1: this firewall is listed and not described"));
}

/// The order in which answers are read does not matter.
#[test]
fn components_do_not_depend_on_the_order_of_answers() {
    let answers = [
        (
            "CarrierGateways",
            json!([{"CarrierGatewayId": "cagw-1", "VpcId": "vpc-a"}, {"CarrierGatewayId": "cagw-0", "VpcId": "vpc-z"}]),
        ),
        (
            "Items",
            json!([{"VpcLinkId": "l2", "SubnetIds": ["subnet-b"]}, {"VpcLinkId": "l1", "SubnetIds": ["subnet-a"]}]),
        ),
        (
            "TrafficMirrorSessions",
            json!([{"TrafficMirrorSessionId": "tms-1", "NetworkInterfaceId": "eni-0"}]),
        ),
    ];
    let read = |order: &[usize]| {
        let mut net = Net::new();
        for index in order {
            let (key, value) = &answers[*index];
            net.read(key, value.clone());
        }
        components(&net.snapshot, &net.inventories)
    };
    let first = read(&[0, 1, 2]);
    assert_eq!(first.0.len(), 4);
    assert_eq!(first, read(&[2, 1, 0]));
    assert_eq!(first, read(&[1, 0, 2]));
}
