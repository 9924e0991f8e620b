//! Decisions: what passes from every sender to the receivers of one VPC.
//!
//! What passes between two stations is a product: the chains between their contexts, what the groups of the sender let
//! out to the receiver's address, and what the groups of the receiver let in from the sender's. A *lane* gathers senders
//! of one context whose addresses are in one atom and that carry the same groups; how it comes to a part is worked out at
//! a [`super::desk`], and lanes that come alike share one block of cells.

use std::sync::Arc;

use reachproof_model::id::{EniId, VpcId};

use super::chain::{Carriers, Chains};
use super::class::{Partition, StationId};
use super::lane::Lanes;
use super::pool::Holds;
use super::way::Homings;
use crate::header::Set;
use crate::network::Network;
use crate::reach::Approach;

/// What passes between two stations, as sets of protocols and ports. They are sets of the arena that
/// [`super::Matrix::arena`] gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Cell {
    /// Arrives unless an unknown forbids it.
    pub over: Set,
    /// Arrives whatever the unknowns are.
    pub under: Set,
    /// As `over`, and the reply may come back. Empty if replies were not asked for.
    pub answered_over: Set,
    /// As `under`, and the reply comes back. Empty if replies were not asked for.
    pub answered_under: Set,
}

impl Cell {
    /// Whether nothing passes.
    pub fn is_empty(&self) -> bool {
        self.over.is_empty() && self.under.is_empty()
    }

    pub(super) fn sets(&self) -> [Set; 4] {
        [self.over, self.under, self.answered_over, self.answered_under]
    }

    pub(super) fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        [&mut self.over, &mut self.under, &mut self.answered_over, &mut self.answered_under]
            .into_iter()
            .for_each(visit);
    }
}

/// Neighbouring receivers, by position in the part, with equal cells that are not empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Span {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) cell: Cell,
}

/// Senders of one context whose addresses nothing tells apart and that carry the same groups.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) context: u32,
    /// One of their addresses.
    pub(super) address: u128,
    /// The number of their groups.
    pub(super) groups: u32,
    /// What their groups let out.
    pub(super) out: [Set; 2],
    pub(super) stations: Vec<StationId>,
}

/// What comes to the doors of a VPC, by world.
pub(super) type Doors = [Vec<(Approach, Set)>; 2];

/// Receivers of one VPC, decided together.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) vpc: Option<VpcId>,
    /// Whether it is the first of its VPC.
    pub(super) leading: bool,
    pub(super) receivers: Arc<[StationId]>,
    /// The first and the last of their addresses.
    pub(super) addresses: (u128, u128),
}

/// What passes to the receivers of a part.
#[derive(Default)]
pub(super) struct Decided {
    /// Rows that several lanes share.
    pub(super) blocks: Vec<Vec<Span>>,
    /// The block of each lane that has one with something in it, ascending.
    pub(super) lanes: Vec<(u32, u32)>,
    /// How many cells were decided.
    pub(super) cells: u64,
    pub(super) met: Met,
}

/// What comes to a part.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Met {
    /// Stations that send to it.
    pub(super) senders: u64,
    /// Sets of headers that lead from their contexts to its doors.
    pub(super) chains: u64,
}

impl Met {
    /// Adds what comes from one context.
    pub(super) fn add(&mut self, lanes: &Lanes, context: u32, doors: &Doors) {
        self.senders += lanes.stations_in(context);
        self.chains += doors.iter().map(|doors| doors.len() as u64).sum::<u64>();
    }
}

impl Holds for Decided {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        self.blocks.iter_mut().flatten().for_each(|span| span.cell.each(visit));
    }
}

/// What all parts of one family read.
pub(super) struct Ground<'g, 'n, 's> {
    pub(super) network: &'n Network<'s>,
    pub(super) partition: &'g Partition,
    pub(super) chains: &'g Chains,
    pub(super) lanes: &'g Lanes,
    pub(super) carriers: &'g Carriers,
    pub(super) homings: &'g Homings,
    pub(super) replies: bool,
    /// The number of the groups of an interface.
    pub(super) group_set: &'g (dyn Fn(EniId) -> u32 + Sync),
}
