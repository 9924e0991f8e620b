//! Waivers: which failures somebody has accepted.
//!
//! INVARIANT (nothing accepted by the way): a waiver accepts the failure of a pair only if every flow that fails is between
//! addresses that the waiver means for certain.

use ipnet::IpNet;

use super::gather::{Pair, Wanted, Way, gather};
use super::{Case, CheckError, Direction, Waived};
use crate::network::{Role, owned_blocks};
use crate::region::{Region, Spot, common, everything, without_blocks};

/// An end of a waiver: its region, or any.
type End = Option<Region>;

impl Case<'_, '_, '_> {
    /// Splits off what a waiver accepts.
    pub(super) fn without_waived(&self, pairs: Vec<Pair>) -> Result<(Vec<Pair>, Vec<Waived>), CheckError> {
        let mut kept = Vec::new();
        let mut counts = vec![0_usize; self.waivers.len()];
        for pair in pairs {
            match self.accepting(&pair)?.and_then(|position| counts.get_mut(position)) {
                Some(count) => *count += 1,
                None => kept.push(pair),
            }
        }
        let mut waived: Vec<Waived> = Vec::new();
        for ((waiver, _, _), pairs) in self.waivers.iter().zip(counts).filter(|(_, pairs)| *pairs > 0) {
            let (owner, why) = (waiver.owner.clone(), waiver.why.clone());
            waived.push(Waived { owner, why, until: waiver.until.to_string(), pairs });
        }
        Ok((kept, waived))
    }

    /// The first waiver that accepts the failure of a pair.
    fn accepting(&self, pair: &Pair) -> Result<Option<usize>, CheckError> {
        for (position, (_, from, to)) in self.waivers.iter().enumerate() {
            if self.accepts(from, to, pair)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    fn accepts(&self, from: &End, to: &End, pair: &Pair) -> Result<bool, CheckError> {
        let [Some(source), Some(sink)] = pair.ends() else { return Ok(from.is_none() && to.is_none()) };
        let meets = |end: &End, spot| end.as_ref().is_none_or(|region| region.get(spot).is_some());
        if !meets(from, source) || !meets(to, sink) {
            return Ok(false);
        }
        let sent = self.own_blocks(source, self.asked(source, |direction| &direction.from), true);
        let received = self.own_blocks(sink, self.asked(sink, |direction| &direction.to), false);
        if covers(from, source, &sent) && covers(to, sink, &received) {
            return Ok(true);
        }
        Ok(self.is_passing(pair) && !self.passes_beside(from, to, [source, sink])?)
    }

    /// The addresses at a place that the property is about; all where it is about none of its own, such as at the other
    /// interfaces of a source's instance.
    fn asked(&self, spot: Spot, side: impl Fn(&Direction) -> &Region) -> Vec<IpNet> {
        let extents = self.directions.iter().filter_map(|direction| side(direction).get(spot));
        let blocks: Vec<IpNet> = extents.flat_map(|extent| extent.blocks.iter().copied()).collect();
        if blocks.is_empty() { everything() } else { IpNet::aggregate(&blocks) }
    }

    /// Those that packets can have there: an interface sends from its own, and receives for others only if it does not
    /// check.
    fn own_blocks(&self, spot: Spot, blocks: Vec<IpNet>, sending: bool) -> Vec<IpNet> {
        let Spot::Interface(id) = spot else { return blocks };
        let interface = self.reach.network().interface(id);
        let checks = interface.source_dest_check != Some(false) && Role::of(interface) == Role::Plain;
        if !sending && !checks {
            return blocks;
        }
        let own = owned_blocks(interface);
        own.iter().flat_map(|own| blocks.iter().filter_map(|block| common(own, block))).collect()
    }

    /// Whether the pair is something that passes, and was asked for as such.
    fn is_passing(&self, pair: &Pair) -> bool {
        use reachproof_model::policy::Form;
        let requiring = matches!(self.property.form, Form::Require(_) | Form::RequireSome(_));
        pair.way == Way::Unsolicited && !requiring
    }

    /// Whether something passes between two places but for what a waiver means for certain.
    fn passes_beside(&self, from: &End, to: &End, [source, sink]: [Spot; 2]) -> Result<bool, CheckError> {
        for direction in &self.directions {
            let Some(destinations) = direction.to.only(sink) else { continue };
            let sources = direction.from.only(source).unwrap_or_else(|| Region::default().with(source));
            let beside = |region: &Region, end: &End| match end {
                Some(end) => region.clone().without(end),
                None => Region::default(),
            };
            let parts = [
                (beside(&sources, from), destinations.clone()),
                (sources.clone(), beside(&destinations, to)),
            ];
            for (from, to) in parts {
                let wanted = Wanted { to: &to, ..self.wanted(direction, &from) };
                if !from.is_empty() && !to.is_empty() && !gather(self.reach, &wanted)?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Whether an end of a waiver means all these addresses of a place for certain.
fn covers(end: &End, spot: Spot, blocks: &[IpNet]) -> bool {
    let Some(region) = end else { return true };
    region.get(spot).is_some_and(|extent| without_blocks(blocks, &extent.certain).is_empty())
}
