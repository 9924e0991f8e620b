//! Which account and Region each file was collected from: by its folders, else by what its answers say.
//!
//! A wrong account would hide that a resource belongs to somebody outside the snapshot (R-ADDR-13), so owners count as
//! evidence of the caller only where a call shows nothing but the caller's own resources, or where all agree.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::has_parent;
use super::collected::Collected;
use super::manifest::ManifestCall;
use super::name::{FileName, is_region, zone_region};
use super::value::Text;
use crate::id::{FileId, Id, ScopeId, Table};
use crate::snapshot::{CallStatus, Scope};

/// Scopes in canonical order, and that of each file.
pub(super) struct Scopes {
    pub(super) scopes: Table<ScopeId, Scope>,
    pub(super) of_file: Vec<ScopeId>,
}

/// How far an owner id tells who asked, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// `sts get-caller-identity`, and options of the caller's account.
    Caller,
    /// Instances: nobody sees those of others.
    Instance,
    /// Interfaces: the owner of a shared VPC sees those of participants.
    Interface,
    /// Security groups: likewise.
    Group,
    /// VPCs and subnets: participants see those of the owner.
    Network,
    /// Anything else with an owner.
    Other,
}

/// What the answers in some files say about who asked where.
#[derive(Clone, Default)]
struct Evidence<'r> {
    accounts: BTreeMap<Rank, BTreeSet<&'r str>>,
    regions: BTreeSet<&'r str>,
}

impl<'r> Evidence<'r> {
    fn account(&mut self, rank: Rank, account: &'r Text<'_>) {
        if let Some(account) = account.shown().filter(|account| *account != "AWS") {
            self.accounts.entry(rank).or_default().insert(account);
        }
    }

    fn zone(&mut self, zone: &'r Text<'_>) {
        self.regions.extend(zone.shown().and_then(zone_region));
    }

    fn arn(&mut self, arn: &'r Text<'_>) {
        let region = arn.shown().and_then(|arn| arn.split(':').nth(3));
        self.regions.extend(region.filter(|region| is_region(region)));
    }

    fn add(&mut self, other: &Self) {
        for (rank, accounts) in &other.accounts {
            self.accounts.entry(*rank).or_default().extend(accounts);
        }
        self.regions.extend(&other.regions);
    }

    /// The account on which the best evidence agrees.
    fn caller(&self) -> Option<&'r str> {
        self.accounts.values().find_map(only)
    }

    fn region(&self) -> Option<&'r str> {
        only(&self.regions)
    }

    /// Whether the files come from more than one account or Region for sure.
    fn is_mixed(&self) -> bool {
        let sure = [Rank::Caller, Rank::Instance].iter().filter_map(|rank| self.accounts.get(rank));
        self.regions.len() > 1 || sure.flatten().collect::<BTreeSet<_>>().len() > 1
    }
}

fn only<'r>(words: &BTreeSet<&'r str>) -> Option<&'r str> {
    words.first().copied().filter(|_| words.len() == 1)
}

/// Finds the scope of every file, and what was collected of each scope.
pub(super) fn scopes(files: &Table<FileId, Box<str>>, collected: &Collected<'_>) -> Scopes {
    let names: Vec<FileName<'_>> = files.values().map(|path| FileName::parse(path)).collect();
    let evidence = evidence(files.len(), collected);
    let mut located = locate(&names, &evidence);
    let mut manifest: Vec<((&str, &str), &ManifestCall<'_>)> = Vec::new();
    for (file, call) in &collected.manifest {
        let Some(own) = located.get_mut(file.index()) else { continue };
        *own = (call.account.shown().unwrap_or(own.0), call.region.shown().unwrap_or(own.1));
        manifest.push((*own, call));
    }
    let told = manifest.iter().map(|(place, _)| *place);
    let keys: BTreeSet<(&str, &str)> = located.iter().copied().chain(told).collect();
    let mut scopes: Table<ScopeId, Scope> = keys
        .iter()
        .map(|(account, region)| Scope {
            account: (*account).into(),
            region: (*region).into(),
            ..Scope::default()
        })
        .collect();
    let ids: BTreeMap<(&str, &str), ScopeId> = keys.iter().copied().zip(scopes.ids()).collect();
    let first = ScopeId::from_index(0);
    let of_file: Vec<ScopeId> = located.iter().map(|key| ids.get(key).copied().unwrap_or(first)).collect();
    record_calls(&mut scopes, &of_file, collected);
    for (place, call) in manifest.into_iter().filter(|(_, call)| call.failed()) {
        let scope = ids.get(&place).and_then(|id| scopes.get_mut(*id));
        if let Some(scope) = scope {
            refuse(scope, call.call(), call.has_parent());
        }
    }
    Scopes { scopes, of_file }
}

/// R-DATA-9: what the manifest says goes before what lies there: an answer of a call that failed is a part, or an old one.
fn refuse(scope: &mut Scope, call: Box<str>, has_parent: bool) {
    let answered = scope.calls.contains_key(&call) && !has_parent;
    let status = if answered { CallStatus::Truncated } else { CallStatus::Refused };
    let known = scope.calls.entry(call).or_insert(status);
    *known = (*known).max(status);
}

/// The account and Region of each file, empty where nothing tells.
fn locate<'r>(names: &[FileName<'r>], evidence: &[Evidence<'r>]) -> Vec<(&'r str, &'r str)> {
    let mut units: BTreeMap<&str, Evidence<'r>> = BTreeMap::new();
    for (name, own) in names.iter().zip(evidence) {
        units.entry(name.unit).or_default().add(own);
    }
    // Runs in several Regions of one account often ask for the caller only once.
    let mut parents: BTreeMap<&str, Evidence<'r>> = BTreeMap::new();
    for (unit, found) in units.iter().filter(|(unit, _)| unit.rsplit('/').next().is_some_and(is_region)) {
        parents.entry(parent(unit)).or_default().add(found);
    }
    let of_file = |(name, own): (&FileName<'r>, &Evidence<'r>)| {
        let unit = units.get(name.unit).filter(|unit| !unit.is_mixed()).unwrap_or(own);
        let siblings = parents.get(parent(name.unit)).filter(|_| name.region.is_some());
        let account = name.account.or_else(|| unit.caller()).or_else(|| siblings.and_then(Evidence::caller));
        (account, name.region.or_else(|| unit.region()))
    };
    let found: Vec<_> = names.iter().zip(evidence).map(of_file).collect();
    let mut told: BTreeMap<&str, [BTreeSet<&'r str>; 2]> = BTreeMap::new();
    for (name, (account, region)) in names.iter().zip(&found) {
        let [accounts, regions] = told.entry(name.unit).or_default();
        accounts.extend(account);
        regions.extend(region);
    }
    names.iter().zip(&found).map(|(name, own)| inherit(name.unit, *own, &told)).collect()
}

/// Fills what a file does not tell from its own folder and those around and below it, where they agree.
fn inherit<'r>(
    unit: &str,
    (account, region): (Option<&'r str>, Option<&'r str>),
    told: &BTreeMap<&str, [BTreeSet<&'r str>; 2]>,
) -> (&'r str, &'r str) {
    let near = || told.iter().filter(|(other, _)| nested(unit, other)).map(|(_, told)| told);
    let account = account.or_else(|| only(&near().flat_map(|[accounts, _]| accounts).copied().collect()));
    let region = region.or_else(|| only(&near().flat_map(|[_, regions]| regions).copied().collect()));
    (account.unwrap_or_default(), region.unwrap_or_default())
}

/// Whether one folder holds the other, or both are one.
fn nested(one: &str, other: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        outer.is_empty()
            || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    holds(one, other) || holds(other, one)
}

fn parent(unit: &str) -> &str {
    unit.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn evidence<'r>(files: usize, collected: &'r Collected<'_>) -> Vec<Evidence<'r>> {
    let mut found = vec![Evidence::default(); files];
    let mut at = |file: FileId, tell: &dyn Fn(&mut Evidence<'r>)| {
        if let Some(evidence) = found.get_mut(file.index()) {
            tell(evidence);
        }
    };
    for (file, account) in &collected.callers {
        at(*file, &|e| e.account(Rank::Caller, account));
    }
    for r in &collected.block_public_access {
        at(r.source.file, &|e| {
            e.account(Rank::Caller, &r.item.aws_account_id);
            e.regions.extend(r.item.aws_region.shown());
        });
    }
    for r in &collected.instances {
        at(r.source.file, &|e| {
            e.account(Rank::Instance, &r.item.owner);
            r.item.placement.iter().for_each(|placement| e.zone(&placement.availability_zone));
        });
    }
    for r in &collected.interfaces {
        at(r.source.file, &|e| {
            e.account(Rank::Interface, &r.item.owner_id);
            e.zone(&r.item.availability_zone);
        });
    }
    for r in &collected.groups {
        at(r.source.file, &|e| {
            e.account(Rank::Group, &r.item.owner_id);
            e.arn(&r.item.security_group_arn);
        });
    }
    for r in &collected.vpcs {
        at(r.source.file, &|e| e.account(Rank::Network, &r.item.owner_id));
    }
    for r in &collected.subnets {
        at(r.source.file, &|e| {
            e.account(Rank::Network, &r.item.owner_id);
            e.zone(&r.item.availability_zone);
        });
    }
    for r in &collected.zones {
        at(r.source.file, &|e| e.regions.extend(r.item.region_name.shown()));
    }
    for r in &collected.transit_gateways {
        at(r.source.file, &|e| e.arn(&r.item.transit_gateway_arn));
    }
    for r in &collected.acls {
        at(r.source.file, &|e| e.account(Rank::Other, &r.item.owner_id));
    }
    for r in &collected.internet_gateways {
        at(r.source.file, &|e| e.account(Rank::Other, &r.item.owner_id));
    }
    found
}

/// Whether what follows the call in a file's name is nothing or the number of a page, and not a thing asked about.
fn is_page(parent: &str) -> bool {
    parent.len() < 6 && parent.bytes().all(|byte| byte.is_ascii_digit())
}

/// Calls without which there is no network (R-DATA-10).
const SPINE: [&str; 3] = ["ec2 describe-vpcs", "ec2 describe-subnets", "ec2 describe-network-interfaces"];

/// Notes each answered call with the worst status among its parents. R-DATA-9: an answer about one thing of a call that
/// asks about all completes nothing; of the spine it is a part.
fn record_calls(scopes: &mut Table<ScopeId, Scope>, of_file: &[ScopeId], collected: &Collected<'_>) {
    let mut complete: BTreeMap<(ScopeId, &str, &str), bool> = BTreeMap::new();
    for answer in &collected.answers {
        let Some(scope) = of_file.get(answer.file.index()) else { continue };
        let part = !is_page(&answer.parent) && !has_parent(answer.call);
        if part && !SPINE.contains(&answer.call) {
            continue;
        }
        let finished = !part && !collected.unfinished.contains(&answer.file);
        let parent = if has_parent(answer.call) { &*answer.parent } else { "" };
        *complete.entry((*scope, answer.call, parent)).or_default() |= finished;
    }
    for ((scope, call, _), finished) in complete {
        let status = if finished { CallStatus::Collected } else { CallStatus::Truncated };
        if let Some(scope) = scopes.get_mut(scope) {
            let known = scope.calls.entry(call.into()).or_insert(status);
            *known = (*known).max(status);
        }
    }
}
