//! Neighbours that a proof trusts: networks beyond the snapshot that could carry round what nothing in it joins.

use std::collections::BTreeSet;

use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::{Protocol, Question};
use reachproof_model::id::{ComponentId, Ref};
use reachproof_model::policy::protocol_name;

use super::bundle::{Bundle, Examples};
use super::ends::reached_from;
use super::notes::{Footer, LISTED};
use super::{Case, CheckError, Direction};
use crate::name::{sink_name, source_name};
use crate::network::{Network, Sink, SourcePlace};
use crate::region::{Region, Spot, neighbours};

/// A neighbour by name, with what would describe it, where no answer does.
type Neighbour = (String, Option<Box<str>>);

impl Case<'_, '_, '_> {
    /// A-35, R-VERDICT-7: neighbours whose packets may reach the destination, and on which ports; those that may be sent to
    /// where the internet must not be, or may reach the destination from; and those that may pass on what the sources send
    /// them.
    pub(super) fn neighbours(&self, direction: &Direction, footer: &mut Footer) -> Result<(), CheckError> {
        let before = self.neighbours_besides(&direction.from);
        if direction.from.get(Spot::Internet).is_some() {
            self.relaying("relay the internet", &before, direction, footer)?;
        }
        let after = self.neighbours_besides(&direction.to);
        if direction.to.get(Spot::Internet).is_some() {
            self.relayed_to("relay to the internet", after, direction, footer)
        } else if direction.from.get(Spot::Internet).is_none() && !after.is_empty() {
            if self.is_open(direction)? {
                self.relayed_to("relay to the internet", after.on_internet(), direction, footer)?;
            }
            let between = before.without(&direction.to);
            self.passing_on(&between, direction, footer)
        } else {
            Ok(())
        }
    }

    /// neighbours that may send to the destinations, where the sources may send to a neighbour, to the internet, from
    /// which a neighbour may have it, or to an endpoint of a service that somebody else runs.
    fn passing_on(
        &self,
        neighbours: &Region,
        direction: &Direction,
        footer: &mut Footer,
    ) -> Result<(), CheckError> {
        let elsewhere = neighbours.clone().with(Spot::Internet);
        let elsewhere = foreign_services(self.reach.network()).fold(elsewhere, Region::with);
        let towards = direction.towards(elsewhere);
        if self.one_end(&direction.from, &towards, reached_from)?.is_empty() {
            return Ok(());
        }
        self.relaying("pass on what the sources send them", neighbours, direction, footer)
    }

    /// A-35, R-CONN-1: neighbours that might bring an answer back: where packets may arrive and only answers are lost, and
    /// where answers to what the destinations send count, those that the destinations may send to.
    pub(super) fn answering(&self, direction: &Direction, footer: &mut Footer) -> Result<(), CheckError> {
        let others = self.neighbours_besides(&direction.from).without(&direction.to);
        let mut named: Vec<SourcePlace> = Vec::new();
        if self.property.including_replies {
            let asked = direction.towards(others.clone());
            let reached = self.one_end(&direction.to, &asked, reached_from)?;
            let spots = reached.into_iter().filter_map(Spot::of_sink);
            named.extend(spots.filter_map(Spot::source));
        }
        if self.property.question == Question::Connection
            && !others.is_empty()
            && !self.between(&direction.from, direction)?.is_empty()
        {
            named.extend(others.iter().filter_map(|(spot, _)| spot.source()));
        }
        let neighbours = named.into_iter().map(|place| self.described(place)).collect();
        self.assume("bring back answers", neighbours, footer);
        Ok(())
    }

    /// those of some neighbours that may send to the destinations.
    fn relaying(
        &self,
        deed: &str,
        neighbours: &Region,
        direction: &Direction,
        footer: &mut Footer,
    ) -> Result<(), CheckError> {
        let found = self.between(neighbours, direction)?;
        let of = |bundle: &Bundle| bundle.sources.iter().map(|source| self.described(*source)).collect();
        self.trusting(deed, &found, of, footer);
        Ok(())
    }

    /// those of some neighbours that the sources may send to.
    fn relayed_to(
        &self,
        deed: &str,
        neighbours: Region,
        direction: &Direction,
        footer: &mut Footer,
    ) -> Result<(), CheckError> {
        let towards = direction.towards(neighbours);
        let found = self.between(&direction.from, &towards)?;
        let of = |bundle: &Bundle| {
            let named = |sink: &Sink| match sink {
                Sink::Component(id) => (sink_name(self.reach.network(), *sink), self.why_unknown(*id)),
                _ => (sink_name(self.reach.network(), *sink), None),
            };
            bundle.sinks.iter().map(named).collect()
        };
        self.trusting(deed, &found, of, footer);
        Ok(())
    }

    /// R-IGW-5: whether the internet may reach the destination, so that who reaches the internet by a neighbour does, too.
    fn is_open(&self, direction: &Direction) -> Result<bool, CheckError> {
        let internet = Region::default().with(Spot::Internet);
        Ok(!self.between(&internet, direction)?.is_empty())
    }

    fn neighbours_besides(&self, region: &Region) -> Region {
        let others = neighbours(self.reach.network()).into_iter().filter(|spot| region.get(*spot).is_none());
        others.fold(Region::default(), Region::with)
    }

    /// what these neighbours are trusted not to do, each with the ports that are open.
    fn trusting(
        &self,
        deed: &str,
        found: &[Bundle],
        neighbours: impl Fn(&Bundle) -> Vec<Neighbour>,
        footer: &mut Footer,
    ) {
        let with_ports = |bundle: &Bundle| {
            let ports = ports(bundle).join(", ");
            let named = neighbours(bundle).into_iter();
            named.map(|(name, why)| (format!("{name} ({ports})"), why)).collect::<Vec<_>>()
        };
        self.assume(deed, found.iter().flat_map(with_ports).collect(), footer);
    }

    /// notes each of these once, in the order of their names.
    fn assume(&self, deed: &str, neighbours: Vec<Neighbour>, footer: &mut Footer) {
        let (names, reasons): (BTreeSet<String>, BTreeSet<_>) = neighbours.into_iter().unzip();
        if names.is_empty() {
            return;
        }
        let list: Vec<String> = names.into_iter().take(LISTED).collect();
        footer.assumptions = footer.assumptions.and(Assumptions::of(&[35]));
        footer.notes.extend(reasons.into_iter().flatten().take(LISTED));
        let list = list.join("; ");
        footer.notes.push(format!("assuming these neighbours do not {deed}: {list} (A-35)").into());
        self.doubt(footer);
    }

    /// A neighbour that sends.
    fn described(&self, source: SourcePlace) -> Neighbour {
        let why = match source {
            SourcePlace::Component(id) => self.why_unknown(id),
            _ => None,
        };
        (source_name(self.reach.network(), source), why)
    }

    /// What would describe a neighbour that no answer describes.
    fn why_unknown(&self, id: ComponentId) -> Option<Box<str>> {
        self.reach.network().components().get(id).map(|component| component.why.clone())
    }
}

/// R-VPCE-1: interfaces of endpoints of services that are not AWS's.
fn foreign_services<'n>(network: &'n Network<'_>) -> impl Iterator<Item = Spot> + 'n {
    let endpoints = network.snapshot.endpoints.values();
    let foreign =
        endpoints.filter(|row| row.service.contains(".vpce-svc-") || row.service.contains(".vpce."));
    foreign.flat_map(|row| row.interfaces.iter().filter_map(Ref::known)).map(Spot::Interface)
}

/// The stretches of ports that pass.
fn ports(bundle: &Bundle) -> Vec<String> {
    let Examples::Passing { samples, .. } = &bundle.examples else { return Vec::new() };
    samples.iter().map(|sample| stretch(sample.flow.protocol, sample.flow.port)).collect()
}

fn stretch(protocol: Protocol, port: u16) -> String {
    let name = protocol_name(protocol);
    if protocol.has_ports() { format!("{name}/{port}") } else { name.into() }
}
