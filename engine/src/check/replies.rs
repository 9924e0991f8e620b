//! `including-replies`: what a destination may receive as the answer to its own packets (R-VERDICT-1, R-SG-14).
//!
//! Two searches cover it. In a network whose groups let in whatever their own rules for the way out may have asked for,
//! the sources' packets are searched for again; that covers every answer that takes the way of a new packet, whatever was
//! sent and wherever that got to. What only an answer can do, such as passing a NAT gateway inwards, is found as the reply
//! to what the destinations send.

use std::collections::BTreeSet;

use reachproof_model::flow::{Protocol, Question};
use reachproof_model::policy::TrafficSpec;

use super::gather::{Pair, Wanted, Way, gather};
use super::{Case, CheckError, Direction};
use crate::reach::Reach;
use crate::region::Spot;

/// The protocols whose answers every translation lets through.
const ANSWERED: [Protocol; 4] = [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::ICMPV6];

impl Case<'_, '_, '_> {
    /// What else passes in a direction where answers count; pairs that `known` has already are left out.
    pub(super) fn answers(
        &self,
        answering: &Reach<'_, '_>,
        direction: &Direction,
        known: &[Pair],
    ) -> Result<Vec<Pair>, CheckError> {
        let as_new = gather(answering, &self.wanted(direction, &direction.from))?;
        let as_new = as_new.into_iter().map(|pair| Pair { way: Way::Solicited, ..pair.only_possible() });
        let asked = self.asked_by_destinations();
        let back = Wanted {
            from: &direction.to,
            to: &direction.from,
            traffic: &asked,
            question: Question::Connection,
            avoid: direction.avoid.clone(),
        };
        let back = if asked.is_empty() { Vec::new() } else { gather(self.reach, &back)? };
        let back = back.into_iter().map(|pair| self.as_answer(pair));
        let mut seen: BTreeSet<[Option<Spot>; 2]> = known.iter().map(Pair::ends).collect();
        Ok(back.chain(as_new).filter(|pair| seen.insert(pair.ends())).collect())
    }

    /// Whole protocols: an answer goes to the port that the question came from, which may be any.
    fn asked_by_destinations(&self) -> Vec<TrafficSpec> {
        let specs = &self.property.traffic;
        let asks =
            |protocol: &Protocol| specs.is_empty() || specs.iter().any(|spec| spec.protocol() == *protocol);
        ANSWERED.into_iter().filter(asks).map(TrafficSpec::Protocol).collect()
    }

    /// Certain only where the property does not ask for ports: which one the destination sends from is its own choice.
    fn as_answer(&self, pair: Pair) -> Pair {
        let whole = |spec: &TrafficSpec| matches!(spec, TrafficSpec::Protocol(_));
        let pair = if self.property.traffic.iter().all(whole) { pair } else { pair.only_possible() };
        Pair { way: Way::Answer, ..pair }
    }
}
