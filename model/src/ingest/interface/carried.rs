//! What an interface is and which groups it carries, as far as its answer tells.

use super::{GroupIdShape, InterfaceShape};
use crate::ingest::value::List;
use crate::snapshot::State;
use crate::text::SharedText;

const SEPARATORS: [char; 2] = ['_', '-'];

/// The type in lower case without separators: AWS writes `natGateway` and `nat_gateway`.
pub(super) fn kind(item: &InterfaceShape<'_>) -> State {
    item.interface_type
        .lower()
        .map(|kind| if kind.contains(SEPARATORS) { kind.replace(SEPARATORS, "").into() } else { kind })
}

pub(super) fn is_kind(item: &InterfaceShape<'_>, wanted: &str) -> bool {
    kind(item).as_deref() == Some(wanted)
}

/// The groups that an interface shows; `None` where it may carry others: an entry without an id, or no entry at an
/// interface that AWS always gives a group (R-SG-2, R-DATA-12).
pub(super) fn groups<'i, 'a>(item: &'i InterfaceShape<'a>) -> Option<&'i List<GroupIdShape<'a>>> {
    let may_have_none = |kind: SharedText| {
        matches!(
            &*kind,
            "natgateway"
                | "transitgateway"
                | "gatewayloadbalancer"
                | "gatewayloadbalancerendpoint"
                | "networkloadbalancer"
        )
    };
    let groups = item.groups.as_ref()?;
    let whole = groups.iter().all(|group| group.group_id.shown().is_some());
    let known = !groups.is_empty() || kind(item).is_some_and(may_have_none);
    (whole && known).then_some(groups)
}
