//! Flows to one address, wherever it may lie.

use std::net::IpAddr;

use reachproof_model::flow::Question;
use reachproof_model::policy::TrafficSpec;

use crate::asked::{among, senders, traffic};
use crate::header::{Field, Set};
use crate::network::{Sink, SourcePlace};
use crate::reach::{Delivery, Exhausted, Explored, Reach, Request, classes, for_every_client};
use crate::region::{Region, Spot};

/// Whether some flow sent to an address certainly arrives anywhere, and whether one may.
pub(crate) fn sent_to(
    reach: &Reach<'_, '_>,
    from: &Region,
    address: IpAddr,
    specs: &[TrafficSpec],
    question: Question,
) -> Result<(bool, bool), Exhausted> {
    let network = reach.network();
    let sources: Vec<SourcePlace> = from.iter().filter_map(|(spot, _)| spot.source()).collect();
    let explored = reach.explore(&classes(network, &sources), &Request::of(question), |mut explored| {
        let family = explored.family;
        let there = among(explored.arena, family, Field::Destination, &[crate::network::host(address)]);
        let asked = traffic(explored.arena, family, specs);
        let asked = explored.arena.intersection(there, asked);
        let mut found = (false, false);
        for sender in senders(network, from, explored.source) {
            let source = sender.place;
            let sent = among(explored.arena, family, Field::Source, &sender.extent.blocks);
            let asked = explored.arena.intersection(asked, sent);
            let home = Spot::source_of(source).map(Spot::sink);
            for delivery in explored.deliveries().into_iter().filter(|delivery| Some(delivery.sink) != home) {
                let (certain, possible) = passing(&mut explored, question, delivery, asked);
                found = (found.0 || certain, found.1 || certain || possible);
            }
        }
        found
    })?;
    let all = explored.into_iter().flatten();
    Ok(all.fold((false, false), |found, part| (found.0 || part.0, found.1 || part.1)))
}

fn passing(explored: &mut Explored<'_>, question: Question, delivery: Delivery, asked: Set) -> (bool, bool) {
    let family = explored.family;
    let arena = &mut *explored.arena;
    let (over, under) = match question {
        Question::Packet => (delivery.over, delivery.under),
        Question::Connection if matches!(delivery.sink, Sink::Component(_)) => (delivery.over, Set::EMPTY),
        Question::Connection => {
            (delivery.answered_over, for_every_client(arena, family, delivery.answered_under))
        }
    };
    (arena.intersects(under, asked), arena.intersects(over, asked))
}
