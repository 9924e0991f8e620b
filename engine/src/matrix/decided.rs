//! Reading what was decided for the receivers of one part.

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

    /// The spans of a block.
    pub(super) fn spans(&self, number: Option<u32>) -> &[Span] {
        number.and_then(|number| self.blocks.get(number as usize)).map_or(&[], Vec::as_slice)
    }

    fn block(&self, lane: u32) -> Option<&Vec<Span>> {
        self.blocks.get(self.number(lane)? as usize)
    }

    pub(super) fn cell(&self, lane: u32, position: u32) -> Option<Cell> {
        let block = self.block(lane)?;
        let span = block.get(block.partition_point(|span| span.last < position))?;
        (span.first <= position).then_some(span.cell)
    }

    /// The runs of a lane in this part.
    pub(super) fn row(&self, receivers: &[StationId], lane: u32) -> Vec<Run> {
        let at = |position: u32| receivers.get(position as usize).copied();
        let spans = self.block(lane).into_iter().flatten();
        let runs = spans
            .filter_map(|span| Some(Run { first: at(span.first)?, last: at(span.last)?, cell: span.cell }));
        runs.collect()
    }
}
