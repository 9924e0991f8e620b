//! What is shown with a verdict: one packet's journey, hop by hop.
//!
//! Plain data, rendered by the command line; [`crate::trace`] makes it.

use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::{Flow, Question};
use reachproof_model::id::ComponentId;
use reachproof_model::source::Source;

use crate::network::Sink;

/// The answer for one flow.
///
/// `Reaches` iff the packet is delivered (and, for [`Question::Connection`], answered) whatever the unknowns are;
/// `Blocked` iff it is not, whatever the unknowns are; `Unknown` otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TraceVerdict {
    /// The flow arrives.
    Reaches,
    /// It does not.
    Blocked,
    /// The snapshot does not tell.
    Unknown,
}

/// The journey of one flow and of its reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// The answer.
    pub verdict: TraceVerdict,
    /// What was asked.
    pub question: Question,
    /// The header as it was sent.
    pub flow: Flow,
    /// The way there.
    pub forward: Walk,
    /// The way back; `None` if the packet did not arrive or the question does not ask.
    pub reply: Option<Walk>,
    /// What the verdict rests on (R-VERDICT-3).
    pub assumptions: Assumptions,
    /// Unmodelled components that decided, ascending.
    pub components: Vec<ComponentId>,
    /// Further reasons of an unknown verdict, for people, sorted: what is missing and what to collect.
    pub reasons: Vec<Box<str>>,
}

/// One direction of a journey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk {
    /// How it ended.
    pub disposition: Disposition,
    /// Where it ended, if well.
    pub sink: Option<Sink>,
    /// Every place visited, in order.
    pub hops: Vec<Hop>,
}

/// How a journey ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Disposition {
    /// At an interface.
    Delivered,
    /// Out of the modelled network, or to an AWS service.
    Exits,
    /// Refused by a filter on the way into an interface or subnet.
    DeniedIn,
    /// Refused by a filter on the way out of an interface or subnet.
    DeniedOut,
    /// No route matches.
    NoRoute,
    /// The best route leads nowhere.
    Blackhole,
    /// Dropped for another reason, which the last decision tells.
    Dropped,
    /// Came to a place where it had been with the same header.
    Loop,
    /// Went into something that the snapshot or the engine does not know.
    Unknown,
}

/// One place visited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The AWS id of the place, or `internet`, `onprem:<id>`.
    pub node: Box<str>,
    /// What kind of place.
    pub kind: HopKind,
    /// What was decided there, in order.
    pub decisions: Vec<Decision>,
    /// The header as it leaves the place. Fields that an unmodelled component chose are the example shown.
    pub header: Flow,
}

/// Kinds of place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HopKind {
    /// A network interface.
    Interface,
    /// A subnet's boundary.
    Subnet,
    /// A VPC route table.
    RouteTable,
    /// A VPC's router.
    Vpc,
    /// An internet gateway.
    InternetGateway,
    /// An egress-only internet gateway.
    EgressOnlyGateway,
    /// A virtual private gateway.
    VirtualGateway,
    /// A NAT gateway.
    NatGateway,
    /// A VPC endpoint.
    Endpoint,
    /// A peering connection.
    Peering,
    /// A transit gateway attachment.
    Attachment,
    /// A transit gateway.
    TransitGateway,
    /// A transit gateway route or policy table.
    TransitGatewayTable,
    /// The internet.
    Internet,
    /// A network on premises, or another network outside the snapshot.
    Outside,
    /// Something that the engine does not model.
    Component,
    /// DNS, metadata, time or the router itself.
    Infrastructure,
}

/// One decision, with the rule that took it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The rule of the semantics: `R-SG-1`.
    pub rule: &'static str,
    /// What it decided.
    pub outcome: Outcome,
    /// What decided, for people: `sg-1 egress #2`, `acl-1 ingress 100`, `rtb-1 0.0.0.0/0 to igw-1`.
    pub by: Box<str>,
    /// Where that stands in the input.
    pub source: Option<Source>,
}

/// The outcome of a decision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// Let through.
    Permit,
    /// Stopped.
    Deny,
    /// Sent on to another place.
    Forward,
    /// Header rewritten.
    Rewrite,
    /// Unknown: permitted in one world, denied in the other.
    Unknown,
}
