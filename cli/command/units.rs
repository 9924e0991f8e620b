//! Interfaces that are listed as one until rows are made, because nothing that a question asks tells them apart.

use std::collections::BTreeSet;

use reachproof_engine::network::{Sink, SourcePlace};
use reachproof_engine::region::Spot;
use reachproof_model::id::{EniId, Id};

/// A unit, by position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UnitId(pub u32);

/// One end of some pairs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum End<P> {
    /// Each member of a unit.
    Unit(UnitId),
    /// One place.
    One(P),
}

/// The source of some pairs.
pub type From = End<SourcePlace>;

/// The destination of some pairs.
pub type To = End<Sink>;

/// Disjoint units of interfaces; there may be none at all.
#[derive(Default)]
pub struct Units {
    /// The members of each unit, ascending.
    members: Vec<Vec<EniId>>,
    of: Vec<Option<UnitId>>,
}

impl Units {
    /// Units with these members, of a network with so many interfaces.
    pub fn of(members: Vec<Vec<EniId>>, interfaces: usize) -> Self {
        let mut of = vec![None; interfaces];
        for (unit, members) in (0..).zip(&members) {
            let places = members.iter().map(|member| member.index());
            places
                .for_each(|place| of.iter_mut().skip(place).take(1).for_each(|of| *of = Some(UnitId(unit))));
        }
        Self { members, of }
    }

    /// The members of a unit, ascending.
    pub fn members(&self, unit: UnitId) -> &[EniId] {
        self.members.get(unit.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether an interface is one of the first two members of its unit: an example of a destination, also of the first one.
    pub fn is_example(&self, interface: EniId) -> bool {
        let unit = self.of_interface(interface).map(|unit| self.members(unit)).unwrap_or_default();
        unit.iter().take(2).any(|member| *member == interface)
    }

    /// The unit of an interface.
    pub fn of_interface(&self, interface: EniId) -> Option<UnitId> {
        self.of.get(interface.index()).copied().flatten()
    }

    /// The unit of a source.
    pub fn of_source(&self, place: SourcePlace) -> Option<UnitId> {
        let SourcePlace::Interface(id) = place else { return None };
        self.of_interface(id)
    }

    /// The unit of a sink.
    pub fn of_sink(&self, sink: Sink) -> Option<UnitId> {
        let Sink::Interface(id) = sink else { return None };
        self.of_interface(id)
    }

    /// The unit of a source, or it alone.
    pub fn start(&self, place: SourcePlace) -> From {
        self.of_source(place).map_or(End::One(place), End::Unit)
    }

    /// The unit of a sink, or it alone.
    pub fn end(&self, sink: Sink) -> To {
        self.of_sink(sink).map_or(End::One(sink), End::Unit)
    }

    /// The sources that are meant.
    pub fn sources(&self, from: From) -> Vec<SourcePlace> {
        match from {
            End::One(place) => vec![place],
            End::Unit(unit) => self.members(unit).iter().copied().map(SourcePlace::Interface).collect(),
        }
    }

    /// The sinks that are meant.
    pub fn sinks(&self, to: To) -> Vec<Sink> {
        match to {
            End::One(sink) => vec![sink],
            End::Unit(unit) => self.members(unit).iter().copied().map(Sink::Interface).collect(),
        }
    }

    /// The same sinks with no unit in parts that is there as a whole.
    pub fn tidy(&self, sinks: &BTreeSet<To>) -> BTreeSet<To> {
        let ones = sinks.iter().filter_map(|to| match to {
            End::One(sink) => self.of_sink(*sink),
            End::Unit(_) => None,
        });
        let parts: BTreeSet<UnitId> = ones.collect();
        let mut tidy = sinks.clone();
        for unit in parts {
            let members = || self.members(unit).iter().map(|member| End::One(Sink::Interface(*member)));
            if sinks.contains(&End::Unit(unit)) || members().all(|member| sinks.contains(&member)) {
                tidy.retain(|to| !matches!(to, End::One(sink) if self.of_sink(*sink) == Some(unit)));
                tidy.insert(End::Unit(unit));
            }
        }
        tidy
    }

    /// The sinks with that of a source, which counts among those that send to it; tidy.
    pub fn with_itself(&self, sinks: &BTreeSet<To>, place: SourcePlace) -> BTreeSet<To> {
        let mut with = sinks.clone();
        with.extend(itself(place).map(End::One));
        self.tidy(&with)
    }

    /// The sinks without that of a source.
    pub fn without_itself(&self, sinks: &BTreeSet<To>, place: SourcePlace) -> BTreeSet<To> {
        let mut without = sinks.clone();
        let Some(itself) = itself(place) else { return without };
        without.remove(&End::One(itself));
        if let Some(unit) = self.of_source(place).filter(|unit| without.remove(&End::Unit(*unit))) {
            let others = self.sinks(End::Unit(unit)).into_iter().filter(|sink| *sink != itself);
            without.extend(others.map(End::One));
        }
        without
    }
}

fn itself(place: SourcePlace) -> Option<Sink> {
    Spot::source_of(place).map(Spot::sink)
}
