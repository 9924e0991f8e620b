//! `including-replies`: what a destination may receive as the answer to its own packets (R-VERDICT-1, R-SG-14).
//!
//! Two searches cover it. In a network whose groups let in whatever their own rules for the way out may have asked for,
//! the sources' packets are searched for again; that covers every answer that takes the way of a new packet, whatever was
//! sent and wherever that got to. What only an answer can do, such as passing a NAT gateway inwards, is found as the reply
//! to what the destinations send.

use std::collections::BTreeSet;

use reachproof_model::flow::{Protocol, Question};
use reachproof_model::policy::{Property, TrafficSpec};

use super::bundle::{Bundle, Way, without_known};
use super::gather::{Wanted, gather};
use super::{Case, CheckError, Direction};
use crate::reach::Reach;
use crate::region::Region;

impl Case<'_, '_, '_> {
    /// What else passes from some sources in a direction where answers count; pairs that are known already are left out.
    pub(super) fn answers(
        &self,
        answering: &Reach<'_, '_>,
        direction: &Direction,
        sources: &Region,
        known: &[Bundle],
    ) -> Result<Vec<Bundle>, CheckError> {
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let as_new = gather(answering, &self.wanted(direction, sources))?;
        let as_new = as_new.into_iter().map(|found| Bundle { way: Way::Solicited, ..found.only_possible() });
        let replies = |asked: &[TrafficSpec]| {
            let (from, avoid) = (&direction.to, direction.avoid.clone());
            let question = Question::Connection;
            gather(self.reach, &Wanted { from, to: sources, traffic: asked, question, avoid })
        };
        let back = replies(&asked_by_destinations(self.property))?;
        let mut back: Vec<Bundle> = back.into_iter().map(|found| self.as_answer(found)).collect();
        if is_about_errors(self.property) {
            let errors = replies(&[])?.into_iter();
            back.extend(errors.map(|found| Bundle { way: Way::Answer, ..found.only_possible() }));
        }
        let (sure, unsure): (Vec<Bundle>, Vec<Bundle>) = back.into_iter().partition(|found| found.certain);
        // What is only possible hides nothing that is certain.
        let certain: Vec<Bundle> = known.iter().filter(|found| found.certain).cloned().collect();
        let mut more = without_known(sure, &certain);
        more.extend(without_known(unsure, known));
        let as_new = without_known(as_new.collect(), known);
        let as_new = without_known(as_new, &more);
        more.extend(as_new);
        Ok(more)
    }

    /// Certain only where the property does not ask for ports: which one the destination sends from is its own choice.
    fn as_answer(&self, found: Bundle) -> Bundle {
        let whole = |spec: &TrafficSpec| matches!(spec, TrafficSpec::Protocol(_));
        let found = if self.property.traffic.iter().all(whole) { found } else { found.only_possible() };
        Bundle { way: Way::Answer, ..found }
    }
}

/// Whole protocols, as an answer goes to the port that the question came from, which may be any; any header if the property is
/// about any.
pub(crate) fn asked_by_destinations(property: &Property) -> Vec<TrafficSpec> {
    let protocols: BTreeSet<Protocol> = property.traffic.iter().map(|spec| spec.protocol()).collect();
    protocols.into_iter().map(TrafficSpec::Protocol).collect()
}

/// R-SG-17: whether a property is about ICMP, whose errors may be about flows of any protocol.
pub(crate) fn is_about_errors(property: &Property) -> bool {
    property.traffic.iter().any(|spec| spec.protocol().is_icmp())
}
