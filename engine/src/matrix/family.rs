//! The cells of one family: surveyed, decided, kept, and decided again where something has become stale.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::flow::{Question, World};
use reachproof_model::id::VpcId;

use super::chain::{Carriers, Chains, Start};
use super::class::{ClassId, Partition, StationId};
use super::delta::{self, DeltaRow};
use super::domain::{Cell, Decided, Ground, Part};
use super::lane::{Lanes, Relet};
use super::plain;
use super::pool::Pool;
use super::renew::{Job, Renewal};
use super::stale::Stale;
use super::way::Homings;
use super::{Counters, Run, Stage};
use crate::header::{Arena, Family, Frozen, Set};
use crate::network::{Network, Role};
use crate::reach::{Exhausted, Reach};

/// Receivers that are decided together at most.
const PART: usize = 512;

/// What a matrix is to tell.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// Whether what arrives with another source than it was sent with is asked for, too.
    pub(super) translated: bool,
}

/// What the matrix of a network is made of.
pub(super) struct Terms<'t, 'n, 's> {
    pub(super) reach: &'t Reach<'n, 's>,
    pub(super) partition: &'t Partition,
    pub(super) carriers: &'t Carriers,
    pub(super) asked: Asked,
}

/// How packets get to doors, and which senders have to be explored alone: what has to be known before cells are decided.
pub(super) struct Survey<'t, 'n, 's> {
    pub(super) pool: Pool<'t, 'n, 's>,
    pub(super) chains: Chains,
    pub(super) singular: BTreeSet<ClassId>,
}

/// The rows of one family.
pub(super) struct OfFamily {
    pub(super) shared: Arc<Frozen>,
    pub(super) chains: Chains,
    /// Receivers by part, the parts ascending.
    pub(super) parts: Vec<(Part, Decided)>,
    lanes: Lanes,
    /// Classes that are explored alone, and what they send.
    pub(super) singular: BTreeSet<ClassId>,
    alone: plain::Rows,
    homings: Arc<Homings>,
    operations: u64,
}

/// What was done again.
#[derive(Default)]
pub(super) struct Redone {
    pub(super) rows: Vec<DeltaRow>,
    pub(super) explored: u64,
    pub(super) parts: u64,
    pub(super) cells: u64,
}

impl<'t, 'n, 's> Survey<'t, 'n, 's> {
    pub(super) fn of(
        terms: &Terms<'t, 'n, 's>,
        mut pool: Pool<'t, 'n, 's>,
        earlier: Option<(&OfFamily, &Stale)>,
    ) -> Result<Self, Exhausted> {
        let known = earlier.map(|(family, stale)| (&family.chains, stale));
        let chains = Chains::of(&mut pool, terms.partition, terms.carriers, known)?;
        let same = earlier.map(|(family, _)| family).filter(|family| chains.lead_as(&family.chains));
        let singular = match same {
            Some(family) => family.singular.clone(),
            None => singular(terms, &chains, pool.family),
        };
        Ok(Self { pool, chains, singular })
    }
}

impl OfFamily {
    /// Decides everything.
    pub(super) fn of(
        terms: &Terms<'_, '_, '_>,
        survey: Survey<'_, '_, '_>,
        done: &mut dyn FnMut(Stage),
    ) -> Result<Self, Exhausted> {
        let nothing = Self {
            shared: Arc::clone(&survey.pool.shared),
            chains: Chains::default(),
            parts: Vec::new(),
            lanes: Lanes::default(),
            singular: BTreeSet::new(),
            alone: plain::Rows::new(),
            homings: Arc::new(Homings::of(terms.partition, terms.reach.network())),
            operations: 0,
        };
        let (family, _) = nothing.renewed(terms, survey, None, done)?;
        Ok(family)
    }

    /// Decides again what a survey of a changed network shows to differ, and says what has become of which cells.
    pub(super) fn renewed(
        self,
        terms: &Terms<'_, '_, '_>,
        survey: Survey<'_, '_, '_>,
        stale: Option<&Stale>,
        done: &mut dyn FnMut(Stage),
    ) -> Result<(Self, Redone), Exhausted> {
        let Survey { mut pool, chains, singular } = survey;
        let (reach, partition, family) = (terms.reach, terms.partition, pool.family);
        drop(self.shared);
        let (before, mut lanes_before) = (self.chains, self.lanes);
        let grouped_alike = stale.is_some_and(|stale| !stale.refined) && singular == self.singular;
        let (relet, regrouped) = if grouped_alike {
            (lanes_before.relet(partition, &before.out, &chains.out), None)
        } else {
            let lanes = Lanes::of(reach, partition, &chains, (family, &singular), &lanes_before);
            (Relet::new(), Some(lanes))
        };
        let lanes = regrouped.as_ref().unwrap_or(&lanes_before);
        let ground = Ground {
            network: reach.network(),
            partition,
            chains: &chains,
            lanes,
            carriers: terms.carriers,
            homings: &self.homings,
            replies: terms.asked.question == Question::Connection,
            group_set: &|id| reach.group_set(id),
        };
        let parts = if stale.is_some() { self.parts } else { parts(partition, family) };
        let renewal = Renewal::of(&ground, (&lanes_before, &before, relet), stale, &mut pool.arena());
        let jobs = renewal.jobs(parts);
        let busy: Vec<&Job> = jobs.iter().filter(|job| job.is_busy()).collect();
        let again = pool.map_by(1, &busy, |explorer, job| renewal.decide(explorer, job))?;
        done(Stage::Cells);
        let alone = plain::rows(&mut pool, reach, partition, &singular, terms.asked.question)?;
        let mut redone = Redone { explored: chains.explored, ..Redone::default() };
        done(Stage::Alone);
        let parts = renewal.finish(jobs, again, &mut redone);
        redone.rows.extend(delta::alone(&self.alone, &alone));
        let (operations, homings) = (pool.operations, self.homings);
        let (shared, lanes) = (pool.shared, regrouped.unwrap_or(lanes_before));
        Ok((Self { shared, chains, parts, lanes, singular, alone, homings, operations }, redone))
    }

    /// Whether something from a context gets to destinations that no cell is about.
    pub(super) fn goes_beyond(&self, context: u32) -> bool {
        let forward = &self.chains.forward;
        forward.roads.beyond.contains(&forward.first(Start::From(context)))
    }

    /// What a station sends, by receiver.
    pub(super) fn row(&self, from: StationId) -> Vec<Run> {
        if let Some(cells) = self.alone.get(&from) {
            return cells.iter().map(|(to, cell)| Run { first: *to, last: *to, cell: *cell }).collect();
        }
        let Some(lane) = self.lanes.of_station.get(&from) else { return Vec::new() };
        self.parts.iter().flat_map(|(part, decided)| decided.row(&part.receivers, *lane)).collect()
    }

    /// What passes between two stations.
    pub(super) fn cell(&self, from: StationId, to: StationId) -> Cell {
        if let Some(cells) = self.alone.get(&from) {
            let found = cells.binary_search_by_key(&to, |(receiver, _)| *receiver).ok();
            return found.and_then(|at| cells.get(at)).map(|(_, cell)| *cell).unwrap_or_default();
        }
        let Some(lane) = self.lanes.of_station.get(&from) else { return Cell::default() };
        let after = self.parts.partition_point(|(part, _)| part.receivers.first() <= Some(&to));
        let part = after.checked_sub(1).and_then(|at| self.parts.get(at));
        part.and_then(|(part, decided)| {
            let position = u32::try_from(part.receivers.binary_search(&to).ok()?).ok()?;
            decided.cell(*lane, position)
        })
        .unwrap_or_default()
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + Clone + '_ {
        let decided = self.parts.iter().map(|(_, decided)| decided);
        let spans = decided.flat_map(|part| part.blocks.iter().flatten().map(|span| span.cell));
        let alone = self.alone.values().flatten().map(|(_, cell)| *cell);
        spans.chain(alone)
    }

    /// The different sets of protocols and ports.
    pub(super) fn sets(&self) -> BTreeSet<Set> {
        self.cells().flat_map(|cell| cell.sets()).collect()
    }

    /// Adds what there is to the counters.
    pub(super) fn count(&self, counters: &mut Counters) {
        counters.services += self.sets().len() as u64;
        counters.runs += self.cells().count() as u64;
        counters.rows += self.lanes.all.iter().filter(|lane| !lane.stations.is_empty()).count() as u64;
        let leading = self.parts.iter().filter(|(part, _)| part.leading);
        counters.chains += leading.map(|(_, decided)| decided.met.chains).sum::<u64>();
        counters.nodes += Arena::overlay(Arc::clone(&self.shared)).counters().nodes;
        counters.operations += self.operations;
        counters.explored_alone += self.singular.len() as u64;
        counters.cells_decided += self.parts.iter().map(|(_, part)| part.cells).sum::<u64>();
        let filled = self.parts.iter().filter(|(_, decided)| decided.met.senders > 0);
        let receivers = filled.map(|(part, decided)| (part.receivers.len() as u64, decided.met.senders));
        let pairs: u64 = receivers.clone().map(|(receivers, senders)| receivers * senders).sum();
        let senders = self.lanes.of_station.len() as u64;
        let receivers: u64 = receivers.map(|(receivers, _)| receivers).sum();
        counters.pairs_decided += pairs;
        counters.pairs_skipped += (senders * receivers).saturating_sub(pairs);
    }
}

/// The classes for which the product does not hold.
fn singular(terms: &Terms<'_, '_, '_>, chains: &Chains, family: Family) -> BTreeSet<ClassId> {
    let (network, partition) = (terms.reach.network(), terms.partition);
    let everybody = family == Family::V4 && (public_inside(network) || has_pools(network))
        || !chains.back.roads.split.is_empty();
    let split = &chains.forward.roads.split;
    let splits =
        |context: u32| terms.asked.translated && split.contains(&chains.forward.first(Start::From(context)));
    let classes = partition.classes.iter().zip(0..).filter(|(class, _)| everybody || splits(class.context));
    let sending = classes.filter(|(class, _)| {
        class.members.first().is_some_and(|id| Role::of(network.interface(*id)).initiates())
    });
    let contested = partition.stations.iter().filter(|station| station.family == family && station.contested);
    sending.map(|(_, id)| ClassId(id)).chain(contested.map(|station| station.class)).collect()
}

/// R-ROUTE-3: whether public addresses come in, or go out, without a translation.
fn has_pools(network: &Network<'_>) -> bool {
    let mut vpcs = network.snapshot.vpcs.ids();
    network.pool_tables().next().is_some()
        || vpcs.any(|vpc| !network.pool_sources(vpc, World::Over).is_empty())
}

/// Whether an interface owns an address that the internet knows as another one's, so that replies to it might come in
/// from there.
fn public_inside(network: &Network<'_>) -> bool {
    let associations = network.snapshot.interfaces.values().flat_map(|row| &row.public);
    let nats = network.snapshot.nat_gateways.values().flat_map(|nat| &nat.addresses);
    let public: BTreeSet<std::net::IpAddr> = associations
        .map(|row| row.public.into())
        .chain(nats.filter_map(|row| row.public).map(Into::into))
        .collect();
    let own = network.snapshot.interfaces.values();
    own.flat_map(|row| &row.addresses).any(|address| public.contains(&address.ip))
}

/// The receivers of each VPC, in parts of which nothing is decided yet, ascending.
fn parts(partition: &Partition, family: Family) -> Vec<(Part, Decided)> {
    let mut receivers: BTreeMap<Option<VpcId>, Vec<StationId>> = BTreeMap::new();
    for (id, station) in partition.station_ids().filter(|(_, station)| station.family == family) {
        receivers.entry(partition.context_of(station.class).vpc()).or_default().push(id);
    }
    let mut found = Vec::new();
    for (vpc, stations) in receivers {
        for (number, chunk) in stations.chunks(PART).enumerate() {
            let addresses = chunk.iter().map(|id| partition.station(*id).address);
            let addresses = (addresses.clone().min().unwrap_or(0), addresses.max().unwrap_or(0));
            let part = Part { vpc, leading: number == 0, receivers: chunk.into(), addresses };
            found.push((part, Decided::default()));
        }
    }
    found.sort_by_key(|(part, _)| part.receivers.first().copied());
    found
}
