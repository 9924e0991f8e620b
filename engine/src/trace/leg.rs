//! One step of a walk while it is being taken: where the packet is, what it visited, what was decided.

use std::collections::BTreeSet;
use std::net::IpAddr;

use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::Flow;
use reachproof_model::id::ComponentId;
use reachproof_model::source::Source;

use super::packet::Field;
use super::place::{Place, State};
use crate::evidence::{Decision, Disposition, Hop, HopKind, Outcome};
use crate::network::{Assumed, Sink};

/// What a decision rests on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Notes {
    pub(super) assumptions: Assumptions,
    pub(super) components: BTreeSet<ComponentId>,
    pub(super) reasons: BTreeSet<Box<str>>,
}

impl Notes {
    /// These assumptions.
    pub(super) fn on(numbers: &[u8]) -> Self {
        Self { assumptions: Assumptions::of(numbers), ..Self::default() }
    }

    /// These assumptions, because of something that is missing.
    pub(super) fn because(numbers: &[u8], reason: impl Into<Box<str>>) -> Self {
        Self { reasons: BTreeSet::from([reason.into()]), ..Self::on(numbers) }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.assumptions = self.assumptions.and(other.assumptions);
        self.components.extend(&other.components);
        self.reasons.extend(other.reasons.iter().cloned());
    }
}

/// What a filter says.
pub(super) struct Ruling {
    pub(super) permitted: bool,
    pub(super) decision: Decision,
    pub(super) notes: Notes,
}

/// A decision as people see it.
pub(super) fn decision(
    rule: &'static str,
    outcome: Outcome,
    by: impl Into<Box<str>>,
    source: Option<&Source>,
) -> Decision {
    Decision { rule, outcome, by: by.into(), source: source.cloned() }
}

/// A step under way.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) state: State,
    pub(super) hops: Vec<Hop>,
    pub(super) notes: Notes,
    example: Flow,
}

/// A step taken: on to `leg.state`, or the end of the walk.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) leg: Leg,
    pub(super) end: Option<(Disposition, Option<Sink>)>,
}

impl Leg {
    /// A step from this state. `example` fills what a component chose where a header is shown.
    pub(super) fn new(state: State, example: Flow) -> Self {
        Self { state, hops: Vec::new(), notes: Notes::default(), example }
    }

    /// Comes to a place that people know.
    pub(super) fn visit(&mut self, kind: HopKind, node: &str) {
        let header = self.state.packet.shown(&self.example);
        self.hops.push(Hop { node: node.into(), kind, decisions: Vec::new(), header });
    }

    /// Whether this step went through a VPC's router, not over the link.
    pub(super) fn comes_by_router(&self) -> bool {
        self.hops.last().is_some_and(|hop| hop.kind == HopKind::Vpc)
    }

    /// Adds a decision to the place visited last.
    pub(super) fn decide(&mut self, decision: Decision) {
        if let Some(hop) = self.hops.last_mut() {
            hop.decisions.push(decision);
        }
    }

    /// Adds what a filter says; true iff it permits.
    pub(super) fn ruled(&mut self, ruling: Ruling) -> bool {
        self.decide(ruling.decision);
        self.notes.add(&ruling.notes);
        ruling.permitted
    }

    /// Takes a resolved fact over, with the assumptions behind it.
    pub(super) fn take<T>(&mut self, assumed: Assumed<T>) -> T {
        self.notes.assumptions = self.notes.assumptions.and(assumed.assumptions);
        assumed.value
    }

    /// Notes assumptions.
    pub(super) fn assume(&mut self, numbers: &[u8]) {
        self.notes.add(&Notes::on(numbers));
    }

    /// Rewrites addresses at the place visited last.
    pub(super) fn rewrite(&mut self, rule: &'static str, source: Field<IpAddr>, destination: Field<IpAddr>) {
        self.state.packet.source = source;
        self.state.packet.destination = destination;
        self.rewritten(rule);
    }

    /// Notes that the place visited last has rewritten the header.
    pub(super) fn rewritten(&mut self, rule: &'static str) {
        let header = self.state.packet.shown(&self.example);
        let by = format!("{} to {}", header.source, header.destination);
        self.decide(decision(rule, Outcome::Rewrite, by, None));
        if let Some(hop) = self.hops.last_mut() {
            hop.header = header;
        }
    }

    /// Goes on from another place.
    pub(super) fn to(mut self, place: Place) -> Branch {
        self.state.place = place;
        Branch { leg: self, end: None }
    }

    /// Ends well.
    pub(super) fn arrive(self, sink: Sink) -> Branch {
        let disposition = match sink {
            Sink::Interface(_) => Disposition::Delivered,
            Sink::Component(_) | Sink::Unseen(_) => Disposition::Unknown,
            _ => Disposition::Exits,
        };
        Branch { leg: self, end: Some((disposition, Some(sink))) }
    }

    /// Ends badly; the last decision says why.
    pub(super) fn fail(self, disposition: Disposition) -> Branch {
        Branch { leg: self, end: Some((disposition, None)) }
    }

    /// Ends badly by this rule.
    pub(super) fn drop(
        mut self,
        rule: &'static str,
        by: impl Into<Box<str>>,
        disposition: Disposition,
    ) -> Branch {
        self.decide(decision(rule, Outcome::Deny, by, None));
        self.fail(disposition)
    }

    /// Dropped by this rule.
    pub(super) fn dropped(self, rule: &'static str, by: impl Into<Box<str>>) -> Vec<Branch> {
        vec![self.drop(rule, by, Disposition::Dropped)]
    }
}
