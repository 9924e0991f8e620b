//! Ways to the internet that a service keeps for its workloads outside of the VPC: SageMaker notebooks with direct internet
//! access, Studio domains with public internet access.
//!
//! Both are what AWS gives unless somebody says otherwise, and no answer of EC2 shows them. So an interface of either kind
//! has such a way unless an answer of SageMaker says that it has none (R-MENI-4, A-7).

use std::collections::{BTreeMap, BTreeSet};

use super::described::only_one_a_file;
use super::facts::Facts;
use super::{Found, Inventories, Paths};
use crate::snapshot::{ComponentKind, Entry, Exit, Interface};

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    let shown = Shown::of(facts.inventories);
    for (id, interface) in facts.snapshot.interfaces.iter() {
        if let Some(why) = shown.why(interface) {
            let paths = Paths::new([Entry::Sender(id)], [Exit::Internet]);
            found.add(ComponentKind::Other, &interface.meta.id, why, &interface.meta.source, paths);
        }
    }
}

/// What answers say of a thing; `None` for one that does not say it.
type Settings<'a> = BTreeMap<&'a str, BTreeSet<Option<&'a str>>>;

/// What answers of SageMaker show.
struct Shown<'a> {
    /// `DirectInternetAccess` by interface.
    notebooks: Settings<'a>,
    /// `AppNetworkAccessType` by domain.
    domains: Settings<'a>,
}

impl<'a> Shown<'a> {
    fn of(inventories: &'a Inventories) -> Self {
        let mut notebooks = Settings::new();
        let settings = only_one_a_file(&inventories.direct_internet);
        for (file, interface) in inventories.notebook_interfaces_by_file() {
            notebooks.entry(interface).or_default().insert(settings.get(&file).copied().flatten());
        }
        let mut domains = Settings::new();
        let settings = only_one_a_file(&inventories.access_types);
        for (file, domain) in only_one_a_file(&inventories.domain_ids) {
            let Some((domain, setting)) = domain.zip(settings.get(&file)) else { continue };
            domains.entry(domain).or_default().insert(*setting);
        }
        Self { notebooks, domains }
    }

    /// Why an interface's workload may have a way of its own; `None` if it has none.
    fn why(&self, interface: &Interface) -> Option<String> {
        let id = &interface.meta.id;
        let (settings, closed, what, call) = match &*interface.label {
            "sagemaker-notebook" => (
                self.notebooks.get(&**id),
                "Disabled",
                "notebook instance with direct internet access",
                "sagemaker describe-notebook-instance",
            ),
            // A domain that an answer describes counts whatever else the description says.
            label if label == "sagemaker-studio" || self.domain(interface).is_some() => (
                self.domain(interface),
                "VpcOnly",
                "Studio domain with public internet access",
                "sagemaker describe-domain",
            ),
            _ => return None,
        };
        let sends =
            "what its workload sends may leave for the internet by an interface of SageMaker's own (A-7)";
        match settings {
            Some(settings) if settings.iter().all(|setting| *setting == Some(closed)) => None,
            Some(settings) if settings.iter().any(Option::is_some) => {
                Some(format!("{id} is of a SageMaker {what}: {sends}"))
            }
            _ => Some(format!(
                "{id} may be of a SageMaker {what}, which is the default and which no answer rules out; \
                 collect: {call}; {sends}"
            )),
        }
    }

    /// What answers say of the domain that the description of an interface names.
    fn domain(&self, interface: &Interface) -> Option<&BTreeSet<Option<&'a str>>> {
        if self.domains.is_empty() {
            return None;
        }
        let parts = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
        let mut named =
            interface.description.split(parts).filter_map(|word| self.domains.get(word)).collect::<Vec<_>>();
        named.pop().filter(|_| named.is_empty())
    }
}
