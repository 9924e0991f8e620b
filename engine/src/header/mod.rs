//! Header spaces: sets of packet headers as interval decision diagrams.
//!
//! A diagram has one level for each header [`Field`], in a fixed order. A node splits the whole domain of its field into
//! intervals and gives each a child further down; a path to [`Set::FULL`] is therefore a box, which makes witnesses and
//! printing free. All nodes live in an [`Arena`], and a [`Set`] is a handle into it.
//!
//! INVARIANT (header sets canonical): two sets of one arena are equal iff their handles are equal. It rests on three
//! facts kept by [`Arena`]: no node has a single interval, neighbouring intervals of a node have different children, and
//! no two nodes have the same level, bounds and children.
//!
//! INVARIANT (arena overflow checked): no result of an arena is trusted before [`Arena::overflowed`] was seen to be
//! `false` after the last operation that contributed to it.
//!
//! A rule list is compiled in one pass ([`Arena::first_match`]). Parallel work freezes the arena holding the compiled
//! rules and gives each worker an overlay ([`Arena::overlay`]): handles of the frozen part mean the same in all of them.
//!
//! What rules *mean* is not decided here: this module knows fields and intervals, no protocol and no cloud.

mod apply;
mod arena;
pub(crate) mod hash;
mod inspect;
mod memo;
mod rewrite;
mod rules;
mod store;
mod value;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use arena::{Arena, Counters, Frozen};
pub use inspect::{Boxes, Product};
pub use value::{Family, Field, Header, HeaderBox};

/// A handle to a set of headers in the [`Arena`] that made it, or in one it was frozen into.
///
/// Within one arena, handles are equal iff the sets are; their order is arbitrary but reproducible.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Set(u32);

impl Set {
    /// No header; the same in all arenas.
    pub const EMPTY: Self = Self(0);
    /// Every header; the same in all arenas.
    pub const FULL: Self = Self(1);

    /// Whether no header is in the set.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// Whether every header is in the set.
    pub fn is_full(self) -> bool {
        self == Self::FULL
    }

    /// A number that two sets of one arena share iff they are equal.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    fn terminal(full: bool) -> Self {
        if full { Self::FULL } else { Self::EMPTY }
    }
}
