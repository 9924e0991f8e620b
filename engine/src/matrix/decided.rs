//! Reading what was decided for the receivers of one part.

use std::collections::BTreeMap;

use super::Run;
use super::class::StationId;
use super::domain::{Cell, Decided, Span};

impl Decided {
    /// The number of a lane's block.
    pub(super) fn number(&self, lane: u32) -> Option<u32> {
        let at = self.lanes.binary_search_by_key(&lane, |(lane, _)| *lane).ok()?;
        self.lanes.get(at).map(|(_, block)| *block)
    }

    /// Adds a block and says its number, if anything is in it.
    pub(super) fn keep(&mut self, block: Vec<Span>) -> Option<u32> {
        if block.is_empty() {
            return None;
        }
        self.blocks.push(block);
        u32::try_from(self.blocks.len() - 1).ok()
    }

    /// Adds what was decided for other lanes of the same part.
    pub(super) fn append(&mut self, other: Self) {
        let first = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        self.blocks.extend(other.blocks);
        self.lanes.extend(other.lanes.into_iter().map(|(lane, block)| (lane, first.saturating_add(block))));
        self.lanes.sort_unstable();
        self.single.extend(other.single);
        self.single.sort_unstable_by_key(|(station, position, _)| (*station, *position));
    }

    /// The cells of a block, those that are empty included.
    pub(super) fn dense(&self, number: Option<u32>, receivers: usize) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); receivers];
        for span in number.and_then(|number| self.blocks.get(number as usize)).into_iter().flatten() {
            let within = cells.iter_mut().take(span.last as usize + 1).skip(span.first as usize);
            within.for_each(|cell| *cell = span.cell);
        }
        cells
    }

    fn block(&self, lane: u32) -> Option<&Vec<Span>> {
        self.blocks.get(self.number(lane)? as usize)
    }

    pub(super) fn cell(&self, lane: u32, from: StationId, position: u32) -> Option<Cell> {
        let own = self.single.binary_search_by_key(&(from, position), |(from, at, _)| (*from, *at)).ok();
        if let Some((.., cell)) = own.and_then(|at| self.single.get(at)) {
            return Some(*cell);
        }
        let block = self.block(lane)?;
        let span = block.get(block.partition_point(|span| span.last < position))?;
        (span.first <= position).then_some(span.cell)
    }

    /// The runs of a sender in this part, its own cells instead of those of its lane.
    pub(super) fn row(&self, receivers: &[StationId], lane: u32, from: StationId) -> Vec<Run> {
        let block = self.block(lane);
        let start = self.single.partition_point(|(station, ..)| *station < from);
        let own = self.single.iter().skip(start).take_while(|(station, ..)| *station == from);
        let own: BTreeMap<u32, Cell> = own.map(|(_, position, cell)| (*position, *cell)).collect();
        let mut spans: Vec<Span> = own
            .iter()
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(position, cell)| Span { first: *position, last: *position, cell: *cell })
            .collect();
        block.into_iter().flatten().for_each(|span| spans.extend(without(*span, &own)));
        spans.sort_unstable_by_key(|span| span.first);
        let at = |position: u32| receivers.get(position as usize).copied();
        let runs = spans
            .into_iter()
            .filter_map(|span| Some(Run { first: at(span.first)?, last: at(span.last)?, cell: span.cell }));
        runs.collect()
    }
}

/// The parts of a span at other positions.
fn without(span: Span, positions: &BTreeMap<u32, Cell>) -> Vec<Span> {
    let mut found = Vec::new();
    let mut first = span.first;
    for position in positions.range(span.first..=span.last).map(|(position, _)| *position) {
        if let Some(last) = position.checked_sub(1).filter(|last| *last >= first) {
            found.push(Span { first, last, cell: span.cell });
        }
        first = position + 1;
    }
    if first <= span.last {
        found.push(Span { first, ..span });
    }
    found
}
