//! What one exploration found.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::{ComponentId, EniId};

use super::class::SourceClass;
use super::index::ReceiversId;
use super::{Arrived, Delivery, nothing};
use crate::asked::among;
use crate::header::{Arena, Family, Field, Set};
use crate::network::{Network, Sink, owned_blocks};

/// Interfaces that receive alike.
#[derive(Clone, Copy)]
pub(crate) struct Alike<'w> {
    /// Their class.
    pub(crate) class: ReceiversId,
    /// Their ids, ascending.
    pub(super) members: &'w [EniId],
}

/// What one class of sources reaches with one family, while the diagrams are at hand.
pub struct Explored<'w> {
    /// The sources.
    pub source: &'w SourceClass,
    /// The family of the sent headers.
    pub family: Family,
    /// What arrives, by sink and destination; of interfaces that receive alike once for all, with their class.
    pub(super) arrived: Vec<(Delivery, Option<Alike<'w>>)>,
    pub(super) network: &'w Network<'w>,
    /// The diagrams of the sets.
    pub arena: &'w mut Arena,
}

impl<'w> Explored<'w> {
    /// Whether nothing arrives anywhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.arrived.is_empty()
    }

    /// Works on what each part of the sources reaches that addresses tell from all others: on everything, unless marks tell
    /// parts apart.
    pub(crate) fn each_mark<T>(mut self, mut work: impl FnMut(Explored<'_>) -> T) -> Vec<T> {
        let parts = self.source.by_mark();
        if parts.len() < 2 {
            return vec![work(self)];
        }
        let one = |(mark, source): &(u128, SourceClass)| {
            let own = self.arena.interval(Field::Start, *mark, *mark);
            let arrived = self.arrived.clone().into_iter().filter_map(|(delivery, alike)| {
                let part = self.unmarked(delivery, own);
                (!part.over.is_empty() || !part.under.is_empty()).then_some((part, alike))
            });
            let arrived = arrived.collect();
            let (family, network, arena) = (self.family, self.network, &mut *self.arena);
            work(Explored { source, family, arrived, network, arena })
        };
        parts.iter().map(one).collect()
    }

    /// What is left of a delivery in an area that is about marks alone.
    fn unmarked(&mut self, delivery: Delivery, area: Set) -> Delivery {
        let part = self.restricted(delivery, area);
        let mut any = |set| self.arena.exists(set, Field::Start);
        Delivery {
            over: any(part.over),
            under: any(part.under),
            answered_over: any(part.answered_over),
            answered_under: any(part.answered_under),
            ..part
        }
    }

    /// Everything that arrives, by sink and destination.
    pub fn deliveries(&mut self) -> Vec<Delivery> {
        self.deliveries_at(|_| true)
    }

    /// What arrives at the sinks that are wanted, by sink and destination.
    pub fn deliveries_at(&mut self, wanted: impl Fn(Sink) -> bool) -> Vec<Delivery> {
        let mut found: BTreeMap<Arrived, Delivery> = BTreeMap::new();
        for (delivery, alike) in self.arrived.clone() {
            if alike.is_none() && wanted(delivery.sink) {
                self.add(&mut found, delivery);
            }
            let members = alike.map_or(&[][..], |alike| alike.members);
            for member in members.iter().filter(|member| wanted(Sink::Interface(**member))) {
                let own = among(
                    self.arena,
                    self.family,
                    Field::Destination,
                    &owned_blocks(self.network.interface(*member)),
                );
                let part = self.restricted(delivery, own);
                self.add(&mut found, Delivery { sink: Sink::Interface(*member), ..part });
            }
        }
        found.into_values().collect()
    }

    /// Everything that arrives, once for all interfaces that receive it alike: each takes what is for its own addresses.
    pub(crate) fn arrivals(&self) -> Vec<(Delivery, Option<Alike<'w>>)> {
        self.arrived.clone()
    }

    fn restricted(&mut self, delivery: Delivery, area: Set) -> Delivery {
        let mut part = |set| self.arena.intersection(set, area);
        Delivery {
            over: part(delivery.over),
            under: part(delivery.under),
            answered_over: part(delivery.answered_over),
            answered_under: part(delivery.answered_under),
            ..delivery
        }
    }

    fn add(&mut self, found: &mut BTreeMap<Arrived, Delivery>, part: Delivery) {
        if part.over.is_empty() && part.under.is_empty() {
            return;
        }
        let key = (part.sink, (part.destination, part.embedded));
        let known = found.entry(key).or_insert_with(|| nothing(key.0, key.1));
        known.over = self.arena.union(known.over, part.over);
        known.under = self.arena.union(known.under, part.under);
        known.answered_over = self.arena.union(known.answered_over, part.answered_over);
        known.answered_under = self.arena.union(known.answered_under, part.answered_under);
    }

    /// The unmodelled components that something may enter.
    pub fn components_reached(&self) -> BTreeSet<ComponentId> {
        let components = self.arrived.iter().filter_map(|(delivery, _)| match delivery.sink {
            Sink::Component(id) if !delivery.over.is_empty() => Some(id),
            _ => None,
        });
        components.collect()
    }
}
