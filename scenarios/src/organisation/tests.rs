//! The plan: sizes, and faults that do not meet.

use super::fault::Fault;
use super::*;

fn planned(parameters: Parameters) -> Organisation {
    Organisation::plan(parameters).unwrap()
}

#[test]
fn sizes_add_up_whatever_they_are_shared_among() {
    for (interfaces, vpcs, regions) in [(300, 8, 1), (12_345, 17, 2), (1_000_000, 1_000, 4)] {
        let organisation = planned(Parameters { vpcs, regions, ..Parameters::of_size(3, interfaces) });
        let sum: u32 = organisation.vpcs.iter().map(|vpc| vpc.size).sum();
        assert_eq!(sum, interfaces);
        assert_eq!(organisation.vpcs.len(), (vpcs + 3 * regions) as usize);
    }
}

#[test]
fn every_vpc_is_at_one_place() {
    let organisation = planned(Parameters { vpcs: 30, regions: 3, ..Parameters::of_size(3, 1_000) });
    let at = |(account, region): &(u32, u32)| organisation.vpcs_at(*account, *region).count();
    assert_eq!(organisation.places.iter().map(at).sum::<usize>(), organisation.vpcs.len());
    assert!(organisation.described(organisation.places()).is_none());
}

#[test]
fn faults_do_not_meet_and_every_kind_occurs() {
    let organisation = planned(Parameters { faults: 40, ..Parameters::of_size(3, 4_000).with_vpcs(64) });
    let mut touched: Vec<u32> = organisation.faults.iter().flat_map(|fault| fault.vpcs.clone()).collect();
    let count = touched.len();
    touched.sort_unstable();
    touched.dedup();
    assert_eq!(touched.len(), count);
    let kinds: BTreeSet<FaultKind> = organisation.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds.len(), 8);
    let regions = |fault: &&Fault| fault.kind == FaultKind::BlackholeRemoved;
    assert_eq!(organisation.faults.iter().filter(regions).count(), 2);
}

#[test]
fn the_digest_depends_on_every_parameter() {
    let usual = Parameters::of_size(1, 300);
    let others = [
        Parameters { seed: 2, ..usual },
        Parameters { interfaces: 301, ..usual },
        Parameters { vpcs: 9, ..usual },
        Parameters { regions: 2, ..usual },
        Parameters { workload: 26, ..usual },
        Parameters { ipv6_percent: 26, ..usual },
        Parameters { faults: 1, ..usual },
    ];
    let digests: BTreeSet<String> = others.iter().chain([&usual]).map(Parameters::digest).collect();
    assert_eq!(digests.len(), others.len() + 1);
}
