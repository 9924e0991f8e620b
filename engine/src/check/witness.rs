//! Witnesses: example flows replayed by the concrete evaluator and grouped by the way they take.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use reachproof_model::finding::Gap;
use reachproof_model::flow::{Flow, Protocol, Question};
use reachproof_model::policy::TrafficSpec;

use super::bundle::{Bundle, Examples, Pair, Sample, Way};
use super::{Case, CheckError, Direction, ErrorKind, Witness};
use crate::evidence::{HopKind, Trace, TraceVerdict};
use crate::name::{sink_name, source_name};
use crate::network::{Network, Sink, SourcePlace};
use crate::region::{Extent, Spot};
use crate::trace::{Query, trace};

/// Pairs whose flows are replayed; of further ones only the number is shown.
const REPLAYED: usize = 1_000;

/// What two flows that fail in the same way have in common: the gateways passed and the rules that let them.
type Signature = Vec<(HopKind, Box<str>, Vec<(&'static str, Box<str>)>)>;

/// The ways found so far: an example of each, and the pairs that were seen to fail so.
#[derive(Default)]
struct Ways {
    found: BTreeMap<Signature, (Witness, BTreeSet<(SourcePlace, Sink)>)>,
}

impl Case<'_, '_, '_> {
    /// Replays what passes or may pass, one witness for each distinct way.
    ///
    /// INVARIANT (witness replayed): a flow that the search calls certain must reach in the replay, and one that it calls
    /// possible must not be blocked there. Of one that should pass and was not found to, nothing is claimed.
    pub(super) fn replay(&self, bundles: &[&Bundle], certain: bool) -> Result<Vec<Witness>, CheckError> {
        let confirmed = |bundle: &Bundle, sample: &Sample, verdict| match verdict {
            _ if matches!(bundle.examples, Examples::Closed { .. }) => true,
            TraceVerdict::Reaches => true,
            TraceVerdict::Unknown => !sample.certain || self.reach.network().options.strict,
            TraceVerdict::Blocked => false,
        };
        self.replay_each(bundles, |sample| sample.certain || !certain, confirmed)
    }

    /// Replays pairs of a requiring form: those that nothing joins must be blocked.
    pub(super) fn replay_closed(
        &self,
        bundles: &[&Bundle],
        closed: bool,
    ) -> Result<Vec<Witness>, CheckError> {
        if !closed {
            return self.replay(bundles, false);
        }
        self.replay_each(bundles, |_| true, |_, _, verdict| verdict == TraceVerdict::Blocked)
    }

    fn replay_each(
        &self,
        bundles: &[&Bundle],
        wanted: impl Fn(&Sample) -> bool,
        confirmed: impl Fn(&Bundle, &Sample, TraceVerdict) -> bool,
    ) -> Result<Vec<Witness>, CheckError> {
        let mut ways = Ways::default();
        for (bundle, source, sink) in replayed(bundles) {
            let pair = self.pair(bundle, source, sink);
            for sample in pair.samples.iter().filter(|sample| wanted(sample)) {
                let trace = self.trace(&pair, sample);
                if !confirmed(bundle, sample, trace.verdict) {
                    return Err(self.mismatch(&pair, sample, &trace));
                }
                ways.add(self.reach.network(), &pair, trace);
            }
        }
        Ok(ways.in_order())
    }

    /// One pair of a bundle, with its example flows.
    pub(super) fn pair(&self, bundle: &Bundle, source: SourcePlace, sink: Sink) -> Pair {
        let samples = match &bundle.examples {
            Examples::Passing { .. } => bundle.samples(self.reach.network(), source, sink),
            Examples::Closed { traffic, direction } => {
                let direction = self.directions.get(*direction);
                let flow = direction.and_then(|direction| self.closed_flow(direction, traffic, source, sink));
                flow.into_iter().map(|flow| Sample { certain: true, flow }).collect()
            }
        };
        Pair { source, sink, samples, way: bundle.way }
    }

    /// Whether the replay cannot confirm that nothing joins a pair: beyond an unmodelled component it judges each header
    /// field alone and may see more than the search. Then nothing is claimed.
    pub(super) fn is_vague(&self, pair: &Pair) -> bool {
        pair.samples.iter().any(|sample| self.trace(pair, sample).verdict == TraceVerdict::Unknown)
    }

    fn trace(&self, pair: &Pair, sample: &Sample) -> Trace {
        let (network, question) = match (pair.way, &self.answering) {
            (Way::Answer, _) => (self.reach.network(), Question::Connection),
            (Way::Solicited, Some(answering)) => (answering, self.property.question),
            (Way::Unsolicited, _) | (Way::Solicited, None) => (self.reach.network(), self.property.question),
        };
        trace(network, &Query { from: pair.source, flow: sample.flow, goal: Some(pair.sink), question })
    }

    fn mismatch(&self, pair: &Pair, sample: &Sample, trace: &Trace) -> CheckError {
        let detail = format!(
            "{:?} from {:?} to {:?} (search: {}, replay: {:?})",
            sample.flow,
            pair.source,
            pair.sink,
            if sample.certain { "certain" } else { "possible" },
            trace.verdict
        );
        CheckError { kind: ErrorKind::Mismatch { property: self.property.name.clone(), detail } }
    }

    /// A flow that should pass between a pair that nothing joins.
    fn closed_flow(
        &self,
        direction: &Direction,
        traffic: &[TrafficSpec],
        source: SourcePlace,
        sink: Sink,
    ) -> Option<Flow> {
        let from = Spot::source_of(source).and_then(|spot| direction.from.get(spot))?;
        self.example(traffic, (source, from), (sink, direction.to.at(sink)?))
    }

    fn example(
        &self,
        traffic: &[TrafficSpec],
        (source, from): (SourcePlace, &Extent),
        (sink, to): (Sink, &Extent),
    ) -> Option<Flow> {
        let (protocol, port) = example_of(traffic);
        let sources = self.addresses(Spot::source_of(source), from);
        let sinks = self.addresses(Spot::of_sink(sink), to);
        let pairs = sources.iter().flat_map(|source| sinks.iter().map(move |sink| (*source, *sink)));
        let suits = |source: &IpAddr| match protocol {
            Protocol::ICMP => source.is_ipv4(),
            Protocol::ICMPV6 => source.is_ipv6(),
            _ => true,
        };
        let (source, destination) =
            pairs.into_iter().find(|(source, sink)| source.is_ipv4() == sink.is_ipv4() && suits(source))?;
        let source_port = if protocol.has_ports() { 49152 } else { 0 };
        Some(Flow { source, destination, protocol, source_port, port })
    }

    /// Addresses of a spot that an example may use: an interface's own, or ones that stand for any other host.
    fn addresses(&self, spot: Option<Spot>, extent: &Extent) -> Vec<IpAddr> {
        let meant = |ip: &IpAddr| extent.blocks.iter().any(|block| block.contains(ip));
        match spot {
            Some(Spot::Interface(id)) => {
                let interface = self.reach.network().interface(id);
                let own = interface.addresses.iter().map(|address| address.ip);
                let blocks = interface.prefixes.iter().map(|prefix| prefix.addr());
                own.chain(blocks).filter(meant).collect()
            }
            _ => {
                let strangers = ["203.0.113.5", "2001:db8::5"].iter().filter_map(|text| text.parse().ok());
                let first = extent.blocks.iter().map(|block| block.addr());
                strangers.filter(meant).chain(first).collect()
            }
        }
    }

    /// The gaps that the witnesses of an unknown verdict met.
    pub(super) fn gaps(&self, witnesses: &[Witness]) -> Vec<Gap> {
        let network = self.reach.network();
        let unknown = witnesses.iter().filter(|witness| witness.trace.verdict == TraceVerdict::Unknown);
        let mut ids: Vec<_> = unknown.flat_map(|witness| witness.trace.components.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        let gap = |id| {
            let component = &network.components()[id];
            Gap {
                resource: component.id.clone(),
                why: component.why.clone(),
                source: Some(component.source.clone()),
            }
        };
        ids.into_iter().map(gap).collect()
    }
}

/// A protocol and port, or ICMP type, of a kind of traffic.
fn example_of(traffic: &[TrafficSpec]) -> (Protocol, u16) {
    match traffic.first() {
        None => (Protocol::TCP, 443),
        Some(TrafficSpec::Ports { protocol, from, .. }) => (*protocol, *from),
        Some(TrafficSpec::Icmp { protocol, kind, .. }) => (*protocol, u16::from(*kind)),
        Some(TrafficSpec::Protocol(Protocol::ICMPV6)) => (Protocol::ICMPV6, 128),
        Some(TrafficSpec::Protocol(protocol)) if protocol.has_ports() => (*protocol, 443),
        Some(TrafficSpec::Protocol(protocol)) if protocol.is_icmp() => (*protocol, 8),
        Some(TrafficSpec::Protocol(protocol)) => (*protocol, 0),
    }
}

impl Ways {
    fn add(&mut self, network: &Network<'_>, pair: &Pair, trace: Trace) {
        let new = |trace| {
            let from = source_name(network, pair.source).into();
            let to = sink_name(network, pair.sink).into();
            let witness = Witness { from, to, source: pair.source, sink: pair.sink, trace, pairs: 0 };
            (witness, BTreeSet::new())
        };
        let (_, pairs) = self.found.entry(signature(&trace)).or_insert_with(|| new(trace));
        pairs.insert((pair.source, pair.sink));
    }

    /// Shortest journeys first, then by source and sink.
    fn in_order(self) -> Vec<Witness> {
        let counted = |(witness, pairs): (Witness, BTreeSet<_>)| Witness { pairs: pairs.len(), ..witness };
        let mut witnesses: Vec<Witness> = self.found.into_values().map(counted).collect();
        witnesses.sort_by_key(|witness| {
            (witness.trace.forward.hops.len(), witness.source, witness.sink, witness.trace.flow)
        });
        witnesses
    }
}

/// The pairs to replay, ascending by source and sink: as many of each bundle as of any other, every pair if they are few.
fn replayed<'b>(bundles: &[&'b Bundle]) -> Vec<(&'b Bundle, SourcePlace, Sink)> {
    let bundles: Vec<&Bundle> = bundles.iter().copied().take(REPLAYED).collect();
    let mut share = REPLAYED.checked_div(bundles.len()).unwrap_or(0).max(1);
    if bundles.iter().map(|bundle| bundle.pairs().take(REPLAYED).count()).sum::<usize>() <= REPLAYED {
        share = REPLAYED;
    }
    let of_one = |bundle: &'b Bundle| {
        bundle.pairs().take(share).map(move |(source, sink)| (bundle, source, sink)).collect::<Vec<_>>()
    };
    let mut pairs: Vec<_> = bundles.into_iter().flat_map(of_one).collect();
    pairs.sort_by_key(|(_, source, sink)| (*source, *sink));
    pairs
}

fn signature(trace: &Trace) -> Signature {
    let walks = std::iter::once(&trace.forward).chain(&trace.reply);
    let hops = walks.flat_map(|walk| &walk.hops);
    hops.map(|hop| {
        let anonymous = matches!(hop.kind, HopKind::Interface | HopKind::Subnet | HopKind::Vpc);
        let node = if anonymous { "".into() } else { hop.node.clone() };
        let decisions = hop.decisions.iter().map(|decision| (decision.rule, decision.by.clone())).collect();
        (hop.kind, node, decisions)
    })
    .collect()
}
