//! Whatever is changed in a certificate or in the facts: what is accepted is still so.

use ipnet::IpNet;
use reachproof_checker::verify;
use reachproof_engine::check::{Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_model::certificate::{Area, Certificate, Start};
use reachproof_model::policy::Policy;
use reachproof_model::snapshot::{
    Action, AssociationEvidence, Destination, GroupPeer, PublicAddress, Snapshot, State, Target,
};
use reachproof_model::traffic::Traffic;

use crate::support::{TODAY, certificates, examples, parse, small_networks};

/// One change of a snapshot, with its name.
type Change = (String, Snapshot);

/// The snapshot changed at one place, if there is something to change.
fn changed(snapshot: &Snapshot, name: String, change: impl FnOnce(&mut Snapshot)) -> Change {
    let mut copy = snapshot.clone();
    change(&mut copy);
    (name, copy)
}

fn flip(state: &mut State, up: &str, down: &str) {
    *state = Some(if state.as_deref().is_none_or(|state| state == up) { down.into() } else { up.into() });
}

/// Each rule opened, each entry turned round, each route moved, each state flipped, each interface exposed.
fn changes(s: &Snapshot) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    for (id, group) in s.groups.iter() {
        for at in 0..group.ingress.as_ref().map_or(0, Vec::len) {
            found.push(changed(s, format!("{} ingress {at} from anywhere", group.meta.id), |s| {
                let rule = &mut s.groups.get_mut(id).unwrap().ingress.as_mut().unwrap()[at];
                rule.peer = GroupPeer::Cidr(IpNet::default());
            }));
            found.push(changed(s, format!("{} ingress {at} any traffic", group.meta.id), |s| {
                s.groups.get_mut(id).unwrap().ingress.as_mut().unwrap()[at].traffic = Traffic::All;
            }));
        }
        for at in 0..group.egress.as_ref().map_or(0, Vec::len) {
            found.push(changed(s, format!("{} egress {at} to anywhere", group.meta.id), |s| {
                let rule = &mut s.groups.get_mut(id).unwrap().egress.as_mut().unwrap()[at];
                (rule.peer, rule.traffic) = (GroupPeer::Cidr(IpNet::default()), Traffic::All);
            }));
        }
        found.push(changed(s, format!("{} not shown", group.meta.id), |s| {
            let group = s.groups.get_mut(id).unwrap();
            (group.ingress, group.egress) = (None, None);
        }));
    }
    for (id, acl) in s.acls.iter() {
        for at in 0..acl.entries.len() {
            found.push(changed(s, format!("{} entry {at} turned round", acl.meta.id), |s| {
                let entry = &mut s.acls.get_mut(id).unwrap().entries[at];
                entry.action = if entry.action == Action::Allow { Action::Deny } else { Action::Allow };
            }));
        }
    }
    for (id, table) in s.route_tables.iter() {
        for at in 0..table.routes.len() {
            let mut route = |name: &str, change: fn(&mut reachproof_model::snapshot::Route)| {
                let name = format!("{} route {at} {name}", table.meta.id);
                found.push(changed(s, name, |s| change(&mut s.route_tables.get_mut(id).unwrap().routes[at])));
            };
            route("state", |route| flip(&mut route.state, "active", "blackhole"));
            route("to everywhere", |route| route.destination = Destination::Cidr(IpNet::default()));
            route("learned", |route| route.origin = Some("EnableVgwRoutePropagation".into()));
            route("local", |route| route.target = Target::Local);
            for igw in s.internet_gateways.ids() {
                let name = format!("{} route {at} by an internet gateway", table.meta.id);
                found.push(changed(s, name, |s| {
                    let route = &mut s.route_tables.get_mut(id).unwrap().routes[at];
                    (route.target, route.state) =
                        (Target::InternetGateway(reachproof_model::id::Ref::Known(igw)), None);
                }));
            }
            found.push(changed(s, format!("{} without route {at}", table.meta.id), |s| {
                s.route_tables.get_mut(id).unwrap().routes.remove(at);
            }));
        }
        for at in 0..table.associations.len() {
            found.push(changed(s, format!("{} without association {at}", table.meta.id), |s| {
                s.route_tables.get_mut(id).unwrap().associations.remove(at);
            }));
        }
    }
    found.extend(states(s));
    for (id, interface) in s.interfaces.iter() {
        let name = &interface.meta.id;
        found.push(changed(s, format!("{name} unchecked"), |s| {
            s.interfaces.get_mut(id).unwrap().source_dest_check = Some(false);
        }));
        found.push(changed(s, format!("{name} without groups"), |s| {
            s.interfaces.get_mut(id).unwrap().groups = None;
        }));
        for address in interface.addresses.iter().filter_map(|one| match one.ip {
            std::net::IpAddr::V4(ip) => Some(ip),
            std::net::IpAddr::V6(_) => None,
        }) {
            found.push(changed(s, format!("{name} public"), |s| {
                let interface = s.interfaces.get_mut(id).unwrap();
                interface.public = vec![PublicAddress {
                    public: [198, 51, 100, 222].into(),
                    private: address,
                    evidence: AssociationEvidence::Direct,
                    source: interface.meta.source.clone(),
                }];
            }));
        }
    }
    found
}

fn states(s: &Snapshot) -> Vec<Change> {
    let mut found = Vec::new();
    for (id, row) in s.internet_gateways.iter() {
        found.push(changed(s, format!("{} at every VPC", row.meta.id), |s| {
            let attachments = s.vpcs.ids().map(|vpc| reachproof_model::snapshot::GatewayAttachment {
                vpc: reachproof_model::id::Ref::Known(vpc),
                state: Some("available".into()),
            });
            let attachments = attachments.collect();
            s.internet_gateways.get_mut(id).unwrap().attachments = attachments;
        }));
    }
    for (id, row) in s.nat_gateways.iter() {
        found.push(changed(s, format!("{} state", row.meta.id), |s| {
            flip(&mut s.nat_gateways.get_mut(id).unwrap().state, "available", "deleted");
        }));
        found.push(changed(s, format!("{} regional", row.meta.id), |s| {
            s.nat_gateways.get_mut(id).unwrap().mode = Some("regional".into());
        }));
    }
    for (id, row) in s.peerings.iter() {
        found.push(changed(s, format!("{} state", row.meta.id), |s| {
            flip(&mut s.peerings.get_mut(id).unwrap().state, "active", "deleted");
        }));
    }
    for (id, row) in s.attachments.iter() {
        found.push(changed(s, format!("{} state", row.meta.id), |s| {
            flip(&mut s.attachments.get_mut(id).unwrap().state, "available", "deleted");
        }));
        found.push(changed(s, format!("{} associated with nothing", row.meta.id), |s| {
            s.attachments.get_mut(id).unwrap().associations.clear();
        }));
    }
    for (id, row) in s.endpoints.iter() {
        found.push(changed(s, format!("{} state", row.meta.id), |s| {
            flip(&mut s.endpoints.get_mut(id).unwrap().state, "available", "deleted");
        }));
    }
    for (id, row) in s.tgw_tables.iter() {
        found.push(changed(s, format!("{} not shown", row.meta.id), |s| {
            let table = s.tgw_tables.get_mut(id).unwrap();
            (table.routes, table.propagations) = (None, None);
        }));
    }
    for (id, row) in s.scopes.iter() {
        for call in row.calls.keys() {
            found.push(changed(s, format!("{call} not collected"), |s| {
                s.scopes.get_mut(id).unwrap().calls.remove(call);
            }));
        }
    }
    found
}

/// Whether the property still holds, by the search.
fn still_holds(snapshot: &Snapshot, policy: &Policy) -> bool {
    let Ok(network) = Network::build(snapshot, Options::default()) else { return false };
    let reports = check(&network, policy, TODAY);
    reports.is_ok_and(|reports| reports.iter().all(|report| report.verdict == Verdict::Holds))
}

#[test]
fn a_certificate_is_rejected_or_the_changed_facts_still_prove_it() {
    let (mut rejected, mut harmless, mut wrong) = (0, 0, Vec::new());
    for (name, snapshot, texts) in examples().into_iter().chain(small_networks()) {
        let proofs: Vec<(Policy, Certificate)> = certificates(&snapshot, &texts);
        assert!(!proofs.is_empty(), "{name} has proofs");
        for (change, changed) in changes(&snapshot) {
            let digest: Box<str> = changed.digest().into();
            for (policy, certificate) in &proofs {
                let forged = Certificate { snapshot: digest.clone(), ..certificate.clone() };
                if verify(&forged, &changed).is_err() {
                    rejected += 1;
                } else if still_holds(&changed, policy) {
                    harmless += 1;
                } else {
                    wrong.push(format!("{name}: {change}: {}", certificate.claim.statement));
                }
            }
        }
    }
    println!("{rejected} rejected, {harmless} shown harmless");
    assert!(
        wrong.is_empty(),
        "{} accepted wrongly: {:#?}",
        wrong.len(),
        wrong.iter().take(30).collect::<Vec<_>>()
    );
    assert!(rejected > 100 && harmless > 100, "the changes matter");
}

#[test]
fn a_location_that_is_left_out_is_missed() {
    for (name, snapshot, texts) in examples() {
        for (_, certificate) in certificates(&snapshot, &texts) {
            for [direction, walk, location] in locations(&certificate) {
                let leave_out = |change: &mut Certificate| {
                    change.proofs[direction].walks[walk].invariant.remove(location);
                };
                let found = rejection(&certificate, &snapshot, leave_out);
                assert!(found.contains("leads out of the invariant"), "{name}: {walk} {location}: {found}");
            }
        }
    }
}

/// Every location of every walk, by direction, walk and position.
fn locations(certificate: &Certificate) -> Vec<[usize; 3]> {
    let proofs = certificate.proofs.iter().enumerate();
    let walks =
        proofs.flat_map(|(direction, proof)| (0..proof.walks.len()).map(move |walk| (direction, walk)));
    let all = walks.flat_map(|(direction, walk)| {
        let locations = certificate.proofs[direction].walks[walk].invariant.len();
        (0..locations).map(move |location| [direction, walk, location])
    });
    all.collect()
}

#[test]
fn a_box_that_is_shrunk_is_missed() {
    let (mut shrunk, mut missed) = (0, 0);
    for (_, snapshot, texts) in examples().into_iter().chain(small_networks()) {
        for (_, certificate) in certificates(&snapshot, &texts) {
            for [direction, walk, location] in locations(&certificate) {
                let area = certificate.proofs[direction].walks[walk].invariant[location].1[0];
                let protocol = (area.protocol.0, area.protocol.1.saturating_sub(1).max(area.protocol.0));
                let destination = (area.destination.0, area.destination.0);
                let less = Area { protocol, destination, ..area };
                if less == area {
                    continue;
                }
                let shrink = |change: &mut Certificate| {
                    change.proofs[direction].walks[walk].invariant[location].1[0] = less;
                };
                shrunk += 1;
                missed += usize::from(!rejection(&certificate, &snapshot, shrink).is_empty());
            }
        }
    }
    println!("{missed} of {shrunk} shrunk boxes missed");
    assert!(shrunk > 20 && missed == shrunk, "{missed} of {shrunk} shrunk boxes were missed");
}

#[test]
fn classes_walks_and_admissions_are_looked_at() {
    let (_, snapshot, texts) = examples().into_iter().next().unwrap();
    let (_, certificate) = certificates(&snapshot, &texts)
        .into_iter()
        .find(|(_, certificate)| matches!(certificate.proofs[0].walks[0].start, Start::Class(_)))
        .unwrap();
    assert_eq!(rejection(&certificate, &snapshot, |_| {}), "");
    let member = rejection(&certificate, &snapshot, |change| {
        let Start::Class(members) = &mut change.proofs[0].walks[0].start else { panic!() };
        members.pop();
    });
    assert!(member.contains("no walk starts there"), "{member}");
    let walk = rejection(&certificate, &snapshot, |change| {
        change.proofs[0].walks.clear();
    });
    assert!(walk.contains("no walk starts there"), "{walk}");
    let admission = rejection(&certificate, &snapshot, |change| {
        change.claim.assumptions = Default::default();
    });
    assert!(admission.contains("A-30"), "{admission}");
    let other = rejection(&certificate, &snapshot, |change| change.snapshot = "00".into());
    assert!(other.contains("another snapshot"), "{other}");
    let policy = parse("forbid: {from: internet, to: any}");
    assert_ne!(*certificate.policy, *reachproof_model::certificate::policy_digest(&policy.properties[0]));
}

#[test]
fn whether_answers_count_is_no_matter_of_taste() {
    let mut flipped = [0; 2];
    for (name, snapshot, texts) in small_networks() {
        for (_, certificate) in certificates(&snapshot, &texts) {
            let counts = certificate.claim.directions[0].answers;
            flipped[usize::from(counts)] += 1;
            let found = rejection(&certificate, &snapshot, |change| {
                change.claim.directions.iter_mut().for_each(|direction| direction.answers = !counts);
            });
            assert_ne!(found, "", "{name} {}", certificate.claim.statement);
            let unturned = rejection(&certificate, &snapshot, |change| {
                let mut proofs = std::mem::take(&mut change.proofs).into_iter();
                change.proofs =
                    std::iter::from_fn(|| proofs.next().inspect(|_| drop(proofs.next()))).collect();
            });
            let lost = !certificate.claim.directions[0].unreplied.is_empty();
            let missed =
                if lost { !unturned.is_empty() } else { unturned == "a part of its claim has no proof" };
            assert!(!counts || missed, "{name}: {unturned}");
        }
    }
    assert!(flipped[0] > 4 && flipped[1] > 4, "{flipped:?}");
}

/// Why a changed certificate is rejected; empty if it is not.
fn rejection(
    certificate: &Certificate,
    snapshot: &Snapshot,
    change: impl FnOnce(&mut Certificate),
) -> String {
    let mut copy = certificate.clone();
    change(&mut copy);
    verify(&copy, snapshot).err().map(|rejection| rejection.to_string()).unwrap_or_default()
}
