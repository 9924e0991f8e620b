//! The matrix of a changed network, from that of the network before the change.
//!
//! What is kept is found by comparing what the old matrix was made from with what a new one would be made from, stage by
//! stage: facts, explorations with what they read, chains, lanes, what comes to the receivers of a part. Whatever this
//! does not look at makes everything be built anew, and [`Changed::recomputed`] says so.
//!
//! INVARIANT (what-if exact): the cells are those that [`Matrix::of`] finds for the changed network.

use super::Matrix;
use super::delta::Delta;
use super::family::{OfFamily, Survey, Terms};
use super::places;
use super::pool::Pool;
use super::stale::{Reason, Stale};
use crate::header::{Arena, Family};
use crate::reach::{Exhausted, Reach};

/// The matrix of a changed network.
pub struct Changed {
    /// The matrix.
    pub matrix: Matrix,
    /// What passes in one network and not in the other.
    pub delta: Delta,
    /// What was done for it.
    pub recomputed: Recomputed,
}

/// What was done to get the matrix of a changed network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recomputed {
    /// What depends on the change was done again.
    Stale(Work),
    /// Everything was.
    All(Reason),
}

/// How much was done again; the same on every run and any number of threads.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Work {
    /// Explorations from contexts and portals.
    pub explorations: u64,
    /// Parts of receivers of which some cells were decided.
    pub parts: u64,
    /// Cells that were decided.
    pub cells: u64,
}

impl Matrix {
    /// The matrix of another network, from this one, which was made of `before`.
    ///
    /// # Errors
    /// If the sets of headers outgrow the limit of nodes; nothing is decided then.
    pub fn changed(mut self, before: &Reach<'_, '_>, after: &Reach<'_, '_>) -> Result<Changed, Exhausted> {
        match Stale::between(before.network(), after.network(), &mut self.partition) {
            Ok(stale) => self.renewed(before, after, &stale),
            Err(reason) => self.rebuilt(before, after, reason),
        }
    }

    fn rebuilt(
        self,
        before: &Reach<'_, '_>,
        after: &Reach<'_, '_>,
        reason: Reason,
    ) -> Result<Changed, Exhausted> {
        let mut matrix = Self::asked(after, self.asked, &mut |_| {})?;
        let delta = places::between((&self, before.network()), (&mut matrix, after.network()))?;
        Ok(Changed { matrix, delta, recomputed: Recomputed::All(reason) })
    }

    fn renewed(
        mut self,
        before: &Reach<'_, '_>,
        after: &Reach<'_, '_>,
        stale: &Stale,
    ) -> Result<Changed, Exhausted> {
        let terms =
            Terms { reach: after, partition: &self.partition, carriers: &self.carriers, asked: self.asked };
        let [v4, v6] = &mut self.families;
        let surveys = [survey(&terms, v4, Family::V4, stale)?, survey(&terms, v6, Family::V6, stale)?];
        let same = |family: &OfFamily, survey: &Survey<'_, '_, '_>| family.singular == survey.singular;
        if !(same(v4, &surveys[0]) && same(v6, &surveys[1])) {
            let [own_v4, own_v6] = surveys;
            (v4.shared, v6.shared) = (own_v4.pool.shared, own_v6.pool.shared);
            return self.rebuilt(before, after, Reason::Rewrites);
        }
        let [of_v4, of_v6] = surveys;
        let [v4, v6] = self.families;
        let (v4, redone_v4) = v4.renewed(&terms, of_v4, Some(stale), &mut |_| {})?;
        let (v6, redone_v6) = v6.renewed(&terms, of_v6, Some(stale), &mut |_| {})?;
        let mut work = Work::default();
        let mut delta = Delta::default();
        for redone in [redone_v4, redone_v6] {
            work.explorations += redone.explored;
            work.parts += redone.parts;
            work.cells += redone.cells;
            delta.rows.extend(redone.rows);
        }
        let matrix = Self { families: [v4, v6], ..self };
        Ok(Changed { matrix, delta, recomputed: Recomputed::Stale(work) })
    }
}

/// The survey of a changed network. The sets of the family go with it.
fn survey<'t, 'n, 's>(
    terms: &Terms<'t, 'n, 's>,
    family: &mut OfFamily,
    kind: Family,
    stale: &Stale,
) -> Result<Survey<'t, 'n, 's>, Exhausted> {
    let shared = std::mem::replace(&mut family.shared, Arena::new(kind).freeze());
    Survey::of(terms, Pool::after(terms.reach, kind, shared), Some((family, stale)))
}
