//! What a file's name says: the account and Region folders, the operation, and the parent that the call asked about.

/// The parts of a file name that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    /// The folder that one collection run wrote: up to and including the Region folder if there is one, else the
    /// folder of the file.
    pub(super) unit: &'a str,
    /// The account folder.
    pub(super) account: Option<&'a str>,
    /// The Region folder.
    pub(super) region: Option<&'a str>,
    /// `ec2`, where the name has it.
    pub(super) service: Option<&'a str>,
    /// `describe-vpcs`.
    pub(super) operation: Option<&'a str>,
    /// What stands behind the first `__`: the thing the call asked about.
    pub(super) parent: Option<&'a str>,
}

impl<'a> FileName<'a> {
    /// Reads a `/`-separated path.
    pub(super) fn parse(path: &'a str) -> Self {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = file.strip_suffix(".json").unwrap_or(file);
        let (head, parent) = match stem.split_once("__") {
            Some((head, rest)) => (head, rest.split("__").next()),
            None => (stem, None),
        };
        let scope = folder_scope(folder);
        let (service, operation) = call(head);
        Self { service, operation, parent: parent.filter(|parent| !parent.is_empty()), ..scope }
    }
}

/// Finds the account and Region folders; the innermost Region wins.
fn folder_scope(folder: &str) -> FileName<'_> {
    let mut found = FileName { unit: folder, ..FileName::default() };
    let (mut start, mut previous) = (0, "");
    let mut account = None;
    for part in folder.split('/') {
        let end = start + part.len();
        if is_account(part) || (previous == "accounts" && !part.is_empty()) {
            account = Some(part);
            found.account = account;
        } else if is_region(part) || (part == "global" && account.is_some()) {
            found.region = Some(part);
            found.unit = folder.get(..end).unwrap_or(folder);
        }
        previous = part;
        start = end + 1;
    }
    found
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word looks like `us-east-1` or `us-gov-west-1`.
pub(super) fn is_region(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let letters = |part: &&str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = !last.is_empty() && last.len() <= 2 && last.bytes().all(|byte| byte.is_ascii_digit());
    number && letters(first) && first.len() <= 5 && !middle.is_empty() && middle.iter().all(letters)
}

/// The Region of an Availability, Local or Wavelength Zone: `us-west-2` of `us-west-2-lax-1a`.
pub(super) fn zone_region(zone: &str) -> Option<&str> {
    let digits = zone.find(|c: char| c.is_ascii_digit())?;
    let end =
        zone.get(digits..)?.find(|c: char| !c.is_ascii_digit()).map_or(zone.len(), |more| digits + more);
    zone.get(..end).filter(|region| is_region(region))
}

/// The service and operation in `ec2_describe-vpcs`, `ec2-describe-vpcs` or `describe-vpcs`.
fn call(head: &str) -> (Option<&str>, Option<&str>) {
    let verbs = ["describe-", "get-", "list-", "search-"];
    let Some(start) = verbs.iter().filter_map(|verb| verb_start(head, verb)).min() else {
        return (None, None);
    };
    let service = head.get(..start).map(|service| service.trim_end_matches(['_', '-']));
    (service.filter(|service| !service.is_empty()), head.get(start..))
}

/// Where `verb` starts in `head`, at the beginning or behind a separator.
fn verb_start(head: &str, verb: &str) -> Option<usize> {
    let behind = |separator: char| head.find(&format!("{separator}{verb}")).map(|at| at + 1);
    if head.starts_with(verb) { Some(0) } else { behind('_').or_else(|| behind('-')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, scope: (Option<&str>, Option<&str>), call: (Option<&str>, Option<&str>)) {
        let name = FileName::parse(path);
        assert_eq!((name.account, name.region), scope, "{path}");
        assert_eq!((name.operation, name.parent), call, "{path}");
    }

    #[test]
    fn folders_give_account_and_region() {
        let (account, region) = (Some("123456789012"), Some("us-east-1"));
        check(
            "123456789012/us-east-1/ec2_describe-vpcs.json",
            (account, region),
            (Some("describe-vpcs"), None),
        );
        check("a/accounts/222/us-gov-west-1/Vpcs.json", (Some("222"), Some("us-gov-west-1")), (None, None));
        check("demo/us-east-1/ec2-describe-vpcs.json", (None, region), (Some("describe-vpcs"), None));
        check("Vpcs.json", (None, None), (None, None));
    }

    #[test]
    fn the_parent_follows_two_underscores() {
        let call = (Some("get-managed-prefix-list-entries"), Some("pl-1"));
        check("ec2_get-managed-prefix-list-entries__pl-1.json", (None, None), call);
        let call = (Some("describe-vpc-attribute"), Some("vpc-1"));
        check("describe-vpc-attribute__vpc-1__enableDnsSupport.json", (None, None), call);
    }

    #[test]
    fn the_service_stands_before_the_operation() {
        assert_eq!(FileName::parse("vpc-lattice_list-services.json").service, Some("vpc-lattice"));
        assert_eq!(FileName::parse("elb-describe-load-balancers.json").service, Some("elb"));
        assert_eq!(FileName::parse("describe-vpcs.json").service, None);
    }

    #[test]
    fn a_unit_ends_at_the_region_folder() {
        assert_eq!(FileName::parse("demo/us-east-1/iam-get-role/x").unit, "demo/us-east-1");
        assert_eq!(FileName::parse("a/b/Vpcs.json").unit, "a/b");
    }

    #[test]
    fn zones_name_their_region() {
        assert_eq!(zone_region("us-east-1a"), Some("us-east-1"));
        assert_eq!(zone_region("us-west-2-lax-1a"), Some("us-west-2"));
        assert_eq!(zone_region("us-gov-west-1b"), Some("us-gov-west-1"));
        assert_eq!(zone_region("nowhere"), None);
    }
}
