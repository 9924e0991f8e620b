//! What a verdict rests on, in the wording of R-DATA-14 (R-VERDICT-3, §24.2).

use std::collections::BTreeSet;

use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::Question;
use reachproof_model::id::EniId;
use reachproof_model::policy::Form;
use reachproof_model::snapshot::Interface;
use reachproof_model::traffic::Traffic;

use super::bundle::Bundle;
use super::ends::{reached_from, senders_to};
use super::gather::{Wanted, gather};
use super::{Case, CheckError, Direction, Verdict, Witness};
use crate::hypothetical::is_hypothetical;
use crate::name::source_name;
use crate::network::{SourcePlace, missing_calls, missing_inventories};
use crate::reach::{Exhausted, Reach};
use crate::region::{Extent, Region, Spot};

/// The end of a report: the verdict as strictness leaves it, what it rests on, and words for it.
pub(super) struct Footer {
    pub(super) verdict: Verdict,
    pub(super) assumptions: Assumptions,
    pub(super) notes: Vec<Box<str>>,
}

/// Names of endpoints listed in a note before it is cut short.
pub(super) const LISTED: usize = 12;

impl Case<'_, '_, '_> {
    pub(super) fn footer(&self, verdict: Verdict, witnesses: &[Witness]) -> Result<Footer, CheckError> {
        let mut footer = Footer { verdict, assumptions: Assumptions::of(&[30, 31]), notes: Vec::new() };
        for witness in witnesses {
            footer.assumptions = footer.assumptions.and(witness.trace.assumptions);
            footer.notes.extend(witness.trace.reasons.iter().cloned());
        }
        if self.is_proof() && verdict == Verdict::Holds {
            self.proof(&mut footer)?;
        }
        self.calls(&mut footer);
        if verdict == Verdict::Unknown {
            footer.notes.extend(self.unnamed_endpoints());
            footer.notes.extend(self.unlisted_services());
        }
        let requiring = matches!(self.property.form, Form::Require(_) | Form::RequireSome(_));
        if requiring && verdict != Verdict::Unknown {
            self.incomplete(&mut footer);
        }
        footer.notes.sort();
        footer.notes.dedup();
        Ok(footer)
    }

    /// Whether the property is that nothing passes.
    pub(super) fn is_proof(&self) -> bool {
        matches!(self.property.form, Form::Forbid(_) | Form::OnlyThrough { .. } | Form::Isolate { .. })
    }

    /// What a proof that nothing passes rests on.
    fn proof(&self, footer: &mut Footer) -> Result<(), CheckError> {
        self.incomplete(footer);
        self.inventories(footer);
        for direction in &self.directions {
            self.launches(direction, footer);
            self.defaults(direction, footer);
            self.neighbours(direction, footer)?;
            self.answering(direction, footer)?;
            self.relays(direction, footer)?;
            self.pinholes(direction, footer);
            if direction.to.get(Spot::Internet).is_some() {
                footer.assumptions = footer.assumptions.and(Assumptions::of(&[20]));
            }
        }
        Ok(())
    }

    /// What nobody could read or was cut short may carry traffic that no search has seen, and may stop what one has seen:
    /// then it is proved neither that nothing passes nor that something does.
    fn incomplete(&self, footer: &mut Footer) {
        let network = self.reach.network();
        let about_internet = |direction: &Direction| {
            direction.from.get(Spot::Internet).is_some() || direction.to.get(Spot::Internet).is_some()
        };
        let mut doubts = network.doubts();
        if self.directions.iter().any(about_internet) {
            doubts.extend(network.unlisted_addresses());
        }
        if !doubts.is_empty() {
            footer.verdict = Verdict::Unknown;
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[11]));
            footer.notes.extend(doubts.into_iter().take(LISTED).map(Into::into));
        }
        if network.options.live_only {
            footer.notes.push("only live interfaces were considered (--live-only)".into());
        }
    }

    /// R-DATA-10: destinations that may be those of the service that is meant, because nobody tells which one they are of.
    fn unnamed_endpoints(&self) -> Vec<Box<str>> {
        let network = self.reach.network();
        let meant = |id: &EniId| {
            let at =
                |direction: &Direction| direction.to.get(Spot::Interface(*id)).is_some_and(Extent::implied);
            self.directions.iter().any(at)
        };
        let unnamed = network.unnamed_endpoint_interfaces().into_iter().filter(meant).take(LISTED);
        let note = |id| {
            let id = &network.interface(id).meta.id;
            format!("{id} belongs to an endpoint that no answer describes, of any service; collect: ec2 describe-vpc-endpoints (A-11)").into()
        };
        unnamed.map(note).collect()
    }

    /// R-IGW-11, R-PL-3: addresses of the internet that may be, or may not be, those of the service that is meant.
    fn unlisted_services(&self) -> Option<Box<str>> {
        let unsure = |extent: &Extent| extent.certain != extent.blocks;
        let mut meant = self.directions.iter().filter_map(|direction| direction.to.get(Spot::Internet));
        meant.any(unsure).then(|| {
            "no prefix list of AWS shows all addresses of a service that the property names: any public address may be one; where AWS has such a list, collect: ec2 describe-prefix-lists (A-38)".into()
        })
    }

    fn strict(&self) -> bool {
        self.property.strict || self.reach.network().options.strict
    }

    /// managed ingress that was not collected and that nothing hints at. It also leads from one interface to another:
    /// by the internet (R-IGW-13), by a load balancer, by VPC Lattice.
    fn inventories(&self, footer: &mut Footer) {
        let missing = missing_inventories(self.reach.network().snapshot);
        if !missing.is_empty() {
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[23]));
            let list = missing.join(", ");
            footer.notes.push(
                format!("not collected, and nothing in the snapshot hints at them: {list} (A-23)").into(),
            );
            self.doubt(footer);
        }
    }

    /// R-DATA-10, `--strict`: whatever the verdict, calls that were not collected make it unknown.
    fn calls(&self, footer: &mut Footer) {
        let calls = missing_calls(self.reach.network().snapshot);
        if self.strict() && !calls.is_empty() {
            let list: Vec<&str> = calls.into_iter().collect();
            let note = format!("not collected, and --strict asks for them: {}", list.join(", "));
            footer.notes.push(note.into());
            self.doubt(footer);
        }
    }

    /// `--strict`: a trusting assumption makes the answer unknown (R-DATA-10).
    pub(super) fn doubt(&self, footer: &mut Footer) {
        if self.strict() {
            footer.verdict = Verdict::Unknown;
        }
    }

    /// R-ADDR-10, R-STATE-3, A-24: public addresses that a launch in a subnet gives: to interfaces that do not exist yet, of
    /// which nobody said that they have one, and to instances that are started again.
    fn launches(&self, direction: &Direction, footer: &mut Footer) {
        let network = self.reach.network();
        let facing = |near: &Region, far: &Region| -> Vec<EniId> {
            let ids = near.iter().filter(|_| far.get(Spot::Internet).is_some());
            ids.filter_map(|(spot, _)| if let Spot::Interface(id) = spot { Some(id) } else { None }).collect()
        };
        let mut facing_it = facing(&direction.from, &direction.to);
        facing_it.extend(facing(&direction.to, &direction.from));
        let given = facing_it.into_iter().map(|id| network.interface(id)).filter(|row| {
            let subnet = row.subnet.known().map(|id| network.subnet(id));
            row.public.is_empty() && subnet.is_some_and(|subnet| subnet.map_public)
        });
        let (new, old): (Vec<&Interface>, Vec<&Interface>) = given.partition(|row| is_hypothetical(row));
        let stopped = old.into_iter().filter(|row| network.is_stopped(row)).map(|row| &*row.meta.id);
        let stopped: Vec<&str> = stopped.take(LISTED).collect();
        if !stopped.is_empty() {
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[24]));
            let list = stopped.join(", ");
            footer.notes.push(
                format!("stopped, and given a public address when started again: {list} (A-24)").into(),
            );
        }
        for row in new.into_iter().take(LISTED) {
            footer.verdict = Verdict::Unknown;
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[24]));
            let id = &row.meta.id;
            footer.notes.push(format!("the subnet of {id} gives a public address at launch; ask about `{id}+public`, or about a subnet that gives none (A-24)").into());
        }
    }

    /// attributes that the input does not show have their documented defaults.
    fn defaults(&self, direction: &Direction, footer: &mut Footer) {
        let network = self.reach.network();
        let ends = direction.from.iter().chain(direction.to.iter());
        let unshown = ends.filter(|(spot, _)| match spot {
            Spot::Interface(id) => network.interface(*id).source_dest_check.is_none(),
            _ => false,
        });
        if unshown.count() > 0 {
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[36]));
            footer.notes.push("defaults assumed for missing attributes: SourceDestCheck true (A-36)".into());
        }
    }

    /// A-7, R-MBX-7: interfaces that receive from the sources and may send to the destinations.
    fn relays(&self, direction: &Direction, footer: &mut Footer) -> Result<(), CheckError> {
        let network = self.reach.network();
        let mut everywhere = Region::default();
        for id in network.snapshot.interfaces.ids().map(Spot::Interface) {
            if direction.to.get(id).is_none() && direction.from.get(id).is_none() {
                everywhere = everywhere.with(id);
            }
        }
        let sending = self.one_end(&everywhere, direction, senders_to)?;
        let sending = sending.into_iter().filter_map(Spot::source_of).fold(Region::default(), Region::with);
        let first = Direction { from: direction.from.clone(), to: sending, avoid: BTreeSet::new() };
        let receiving = self.one_end(&direction.from, &first, reached_from)?;
        let relays = receiving.into_iter().filter_map(Spot::of_sink).filter_map(Spot::source);
        let sending: BTreeSet<SourcePlace> = relays.collect();
        if !sending.is_empty() {
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[7]));
            let more = sending.len().saturating_sub(LISTED);
            let names: Vec<String> =
                sending.into_iter().take(LISTED).map(|place| source_name(network, place)).collect();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let list = names.join(", ");
            footer.notes.push(
                format!("relay candidates, if compromised or running a proxy: {list}{rest} (A-7)").into(),
            );
        }
        Ok(())
    }

    /// As [`Self::between`], but only which places there are at one end.
    pub(super) fn one_end<T: Default>(
        &self,
        from: &Region,
        direction: &Direction,
        search: impl Fn(&Reach<'_, '_>, &Wanted<'_>) -> Result<T, Exhausted>,
    ) -> Result<T, CheckError> {
        if from.is_empty() || direction.to.is_empty() {
            return Ok(T::default());
        }
        Ok(search(self.reach, &everything(from, direction))?)
    }

    pub(super) fn between(&self, from: &Region, direction: &Direction) -> Result<Vec<Bundle>, CheckError> {
        if from.is_empty() || direction.to.is_empty() {
            return Ok(Vec::new());
        }
        Ok(gather(self.reach, &everything(from, direction))?)
    }

    /// R-SG-14, A-29: destinations that may themselves open a pinhole for replies of other protocols.
    fn pinholes(&self, direction: &Direction, footer: &mut Footer) {
        let network = self.reach.network();
        let of_other = |traffic: Traffic| match traffic {
            Traffic::All => true,
            Traffic::Protocol(protocol) => !protocol.has_ports() && !protocol.is_icmp(),
            _ => false,
        };
        let sends = |id: EniId| {
            let groups = network.groups(id).unwrap_or_default();
            let rules = groups
                .into_iter()
                .filter_map(|group| network.snapshot.groups[group.known()?].egress.as_ref());
            rules.flatten().any(|rule| of_other(rule.traffic))
        };
        let asked = self.property.traffic.is_empty();
        let open = direction.to.iter().any(|(spot, _)| matches!(spot, Spot::Interface(id) if sends(id)));
        if asked && open {
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[29]));
        }
    }
}

/// Every packet from a region to the destinations of a direction.
fn everything<'q>(from: &'q Region, direction: &'q Direction) -> Wanted<'q> {
    let question = Question::Packet;
    Wanted { from, to: &direction.to, traffic: &[], question, avoid: direction.avoid.clone() }
}
