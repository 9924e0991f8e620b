//! Small random networks in which rules meet the same traffic.
//!
//! A [`Shape`] is plain data: how many VPCs there are, and a list of [`Piece`]s, each of which adds one thing. Every
//! shape is a network: picks choose among what is there, modulo its number, and a piece that finds nothing to attach to
//! adds nothing. So a shape can be shrunk by leaving pieces out and by lowering picks; the lowest pick is the plainest.
//!
//! INVARIANT (shapes are networks): [`Shape::scenario`] is a pure function, defined for every shape. Blocks, addresses
//! and ports come from a small pool, so that routes and rules are about traffic that occurs.

mod draft;
mod piece;
mod pool;
pub(crate) mod seed;
mod skeleton;

#[cfg(test)]
mod tests;

use crate::error::ScenarioError;
use crate::scenario::{Scenario, parse};
use draft::Draft;
pub use piece::{Piece, PieceKind};
use seed::Stream;

/// A random network, as the choices that make it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The VPCs, at most three of which are used.
    pub vpcs: Vec<VpcShape>,
    /// What is added to them, in this order.
    pub pieces: Vec<Piece>,
}

/// A VPC with its subnets, a main table and a table for its first subnet, one open interface a subnet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VpcShape {
    /// How many subnets it has, beyond the first two; 3 and more count as 2.
    pub more_subnets: u8,
    /// Whether it and its subnets have IPv6 blocks, too.
    pub dual_stack: bool,
    /// Whether its last subnet lies in a secondary block.
    pub secondary: bool,
    /// Whether its first subnet routes to an internet gateway and its first interface has a public address.
    pub internet: bool,
}

impl Shape {
    /// The shape of a seed: equal seeds give equal shapes. It has up to `pieces` pieces.
    pub fn of_seed(seed: u64, pieces: u8) -> Self {
        let mut stream = Stream::of(seed);
        let vpcs = (0..=stream.below(3)).map(|_| VpcShape::of(&mut stream)).collect();
        let count = stream.below(pieces.saturating_add(1));
        Self { vpcs, pieces: (0..count).map(|_| Piece::of(&mut stream)).collect() }
    }

    /// The network as a scenario file without expectations. JSON, which is YAML, too.
    pub fn text(&self) -> String {
        let mut draft = Draft::default();
        for (number, vpc) in (0..3).zip(&self.vpcs) {
            skeleton::add_vpc(&mut draft, number, *vpc);
        }
        for piece in &self.pieces {
            piece.add_to(&mut draft);
        }
        draft.into_text()
    }

    /// The network as a scenario.
    ///
    /// # Errors
    /// Never, by INVARIANT (shapes are networks); a caller may still want to show the text.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        parse("random", &self.text())
    }
}

impl VpcShape {
    fn of(stream: &mut Stream) -> Self {
        Self {
            more_subnets: stream.below(3),
            dual_stack: stream.below(3) == 0,
            secondary: stream.below(4) == 0,
            internet: stream.below(4) > 0,
        }
    }
}
