//! Waivers: which failures somebody has accepted.
//!
//! INVARIANT (nothing accepted by the way): a waiver accepts the failure of a pair only if every flow that fails is between
//! addresses that the waiver means for certain.

use ipnet::IpNet;

use super::affected::affected;
use super::bundle::{Bundle, Way};
use super::gather::gather;
use super::{Case, CheckError, Direction, Waived};
use crate::network::{Role, owned_blocks};
use crate::reach::Reach;
use crate::region::{Region, Spot, common, everything, without_blocks};

/// An end of a waiver: its region, or any.
type End = Option<Region>;

impl Case<'_, '_, '_> {
    /// Splits off what a waiver accepts.
    pub(super) fn without_waived(
        &self,
        bundles: Vec<Bundle>,
    ) -> Result<(Vec<Bundle>, Vec<Waived>), CheckError> {
        let (mut left, mut waived) = (bundles, Vec::new());
        for (waiver, from, to) in &self.waivers {
            let (mut kept, mut accepted) = (Vec::new(), Vec::new());
            for bundle in left {
                self.split(from, to, &bundle, &mut kept, &mut accepted)?;
            }
            left = kept;
            let pairs = affected(&accepted.iter().collect::<Vec<_>>()).pairs;
            if pairs > 0 {
                waived.push(Waived { waiver: (*waiver).clone(), pairs });
            }
        }
        Ok((left, waived))
    }

    /// Splits a bundle by what a waiver accepts: whole stretches where it means all addresses of the places, else pair by
    /// pair.
    fn split(
        &self,
        from: &End,
        to: &End,
        bundle: &Bundle,
        kept: &mut Vec<Bundle>,
        accepted: &mut Vec<Bundle>,
    ) -> Result<(), CheckError> {
        let meets_from = |spot: Option<Spot>| meets(from, spot);
        let meets_to = |spot: Option<Spot>| meets(to, spot);
        let covers_from = |spot: Option<Spot>| meets(from, spot) && self.covers_source(from, spot);
        let covers_to = |spot: Option<Spot>| meets(to, spot) && self.covers_sink(to, spot);
        kept.extend(bundle.part(|spot| !meets_from(spot), |_| true));
        kept.extend(bundle.part(meets_from, |spot| !meets_to(spot)));
        accepted.extend(bundle.part(covers_from, covers_to));
        let doubtful = [
            bundle.part(|spot| meets_from(spot) && !covers_from(spot), meets_to),
            bundle.part(covers_from, |spot| meets_to(spot) && !covers_to(spot)),
        ];
        for part in doubtful.into_iter().flatten() {
            for (source, sink) in part.pairs() {
                let single = Bundle { sources: [source].into(), sinks: [sink].into(), ..part.clone() };
                let fine = self.is_passing(&single) && !self.passes_beside(from, to, &single)?;
                if fine { accepted.push(single) } else { kept.push(single) }
            }
        }
        Ok(())
    }

    fn covers_source(&self, end: &End, spot: Option<Spot>) -> bool {
        spot.is_none_or(|spot| {
            covers(end, spot, &self.own_blocks(spot, self.asked(spot, |direction| &direction.from), true))
        })
    }

    fn covers_sink(&self, end: &End, spot: Option<Spot>) -> bool {
        spot.is_none_or(|spot| {
            covers(end, spot, &self.own_blocks(spot, self.asked(spot, |direction| &direction.to), false))
        })
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
    fn is_passing(&self, bundle: &Bundle) -> bool {
        use reachproof_model::policy::Form;
        let requiring = matches!(self.property.form, Form::Require(_) | Form::RequireSome(_));
        bundle.way == Way::Unsolicited && !requiring
    }

    /// Whether something passes between two places, also as an answer where these count, but for what a waiver means for
    /// certain.
    fn passes_beside(&self, from: &End, to: &End, pair: &Bundle) -> Result<bool, CheckError> {
        let [sources, sinks] = pair.ends();
        let (Some(Some(source)), Some(Some(sink))) = (sources.first().copied(), sinks.first().copied())
        else {
            return Ok(true);
        };
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
                let part = Direction { from, to, avoid: direction.avoid.clone() };
                if self.passes_in(&part)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether something passes in a direction, also as an answer where these count.
    fn passes_in(&self, part: &Direction) -> Result<bool, CheckError> {
        if part.from.is_empty() || part.to.is_empty() {
            return Ok(false);
        }
        if !gather(self.reach, &self.wanted(part, &part.from))?.is_empty() {
            return Ok(true);
        }
        match &self.answering {
            Some(answering) => Ok(!self.answers(&Reach::of(answering), part, &part.from, &[])?.is_empty()),
            None => Ok(false),
        }
    }
}

/// Whether an end of a waiver means a place at all; places that no selector names only where it means any.
fn meets(end: &End, spot: Option<Spot>) -> bool {
    end.as_ref().is_none_or(|region| spot.is_some_and(|spot| region.get(spot).is_some()))
}

/// Whether an end of a waiver means all these addresses of a place for certain.
fn covers(end: &End, spot: Spot, blocks: &[IpNet]) -> bool {
    let Some(region) = end else { return true };
    region.get(spot).is_some_and(|extent| without_blocks(blocks, &extent.certain).is_empty())
}
