//! Boolean operations, by sweeping the intervals of two nodes at once.

use super::memo::Key;
use super::{Arena, Set};

/// A Boolean operation on two sets. The discriminant is its number in the operation cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection = 1,
    Union = 2,
    Difference = 3,
}

/// The number of the question whether an operation gives a non-empty set is the operation's plus this.
const QUESTION: u8 = 4;

impl Operation {
    /// The result where it follows without looking into the diagrams.
    fn trivial(self, left: Set, right: Set) -> Option<Set> {
        match self {
            Self::Intersection if left == right || right.is_full() => Some(left),
            Self::Intersection if left.is_full() => Some(right),
            Self::Union if left == right || right.is_empty() => Some(left),
            Self::Union if left.is_empty() => Some(right),
            Self::Difference if left == right => Some(Set::EMPTY),
            Self::Difference if right.is_empty() => Some(left),
            _ if self.settled_by_left(left) => Some(self.settled()),
            _ if self.settled_by_right(right) => Some(self.settled()),
            _ => None,
        }
    }

    /// Whether the result is [`settled`](Self::settled) whatever the right operand is.
    fn settled_by_left(self, left: Set) -> bool {
        left == self.settled()
    }

    /// Whether the result is [`settled`](Self::settled) whatever the left operand is.
    fn settled_by_right(self, right: Set) -> bool {
        match self {
            Self::Intersection => right.is_empty(),
            Self::Union | Self::Difference => right.is_full(),
        }
    }

    fn settled(self) -> Set {
        Set::terminal(self == Self::Union)
    }

    /// The operands in the order under which the result is remembered.
    fn ordered(self, left: Set, right: Set) -> (Set, Set) {
        if self != Self::Difference && left > right { (right, left) } else { (left, right) }
    }
}

/// A place among the intervals of a node, or the single interval of a set that does not depend on the field.
#[derive(Clone, Copy)]
struct Cursor {
    bound: u128,
    child: Set,
    position: u32,
    end: u32,
    frozen: bool,
}

impl Arena {
    /// The headers in either set.
    pub fn union(&mut self, left: Set, right: Set) -> Set {
        self.apply(Operation::Union, left, right)
    }

    /// The headers in both sets.
    pub fn intersection(&mut self, left: Set, right: Set) -> Set {
        self.apply(Operation::Intersection, left, right)
    }

    /// The headers in the left set that are not in the right one.
    pub fn difference(&mut self, left: Set, right: Set) -> Set {
        self.apply(Operation::Difference, left, right)
    }

    /// The headers not in the set.
    pub fn complement(&mut self, set: Set) -> Set {
        self.difference(Set::FULL, set)
    }

    /// The headers in any of the sets; empty for no sets.
    pub fn union_all(&mut self, sets: &[Set]) -> Set {
        match sets {
            [] => Set::EMPTY,
            [only] => *only,
            _ => {
                let (left, right) = sets.split_at(sets.len() / 2);
                let (left, right) = (self.union_all(left), self.union_all(right));
                self.union(left, right)
            }
        }
    }

    /// Whether some header is in both sets. Makes no nodes.
    pub fn intersects(&mut self, left: Set, right: Set) -> bool {
        self.gives_some(Operation::Intersection, left, right)
    }

    /// Whether every header of the left set is in the right one. Makes no nodes.
    pub fn is_subset(&mut self, left: Set, right: Set) -> bool {
        !self.gives_some(Operation::Difference, left, right)
    }

    fn apply(&mut self, operation: Operation, left: Set, right: Set) -> Set {
        if let Some(result) = operation.trivial(left, right) {
            return result;
        }
        if self.overflowed() {
            return Set::EMPTY;
        }
        let (left, right) = operation.ordered(left, right);
        let key = Key::new(operation as u8, left.0, right.0);
        if let Some(result) = self.memo.get(key) {
            return Set(result);
        }
        let result = self.sweep(operation, left, right);
        self.memo.put(key, result.0);
        result
    }

    fn sweep(&mut self, operation: Operation, left: Set, right: Set) -> Set {
        self.operations += 1;
        let level = self.level(left).min(self.level(right));
        let greatest = self.domain.greatest_at(level);
        let (mut x, mut y) = (self.cursor(left, level), self.cursor(right, level));
        let start = self.begin();
        loop {
            let bound = reach(operation, &x, &y);
            let child = self.apply(operation, x.child, y.child);
            self.push(start, bound, child);
            if bound >= greatest {
                return self.finish(level, start);
            }
            self.pass(&mut x, bound);
            self.pass(&mut y, bound);
        }
    }

    /// Whether the operation gives a non-empty set.
    fn gives_some(&mut self, operation: Operation, left: Set, right: Set) -> bool {
        if let Some(result) = operation.trivial(left, right) {
            return !result.is_empty();
        }
        let (left, right) = operation.ordered(left, right);
        let key = Key::new(operation as u8 + QUESTION, left.0, right.0);
        if let Some(answer) = self.memo.get(key) {
            return answer != 0;
        }
        let answer = self.sweep_for_some(operation, left, right);
        self.memo.put(key, u32::from(answer));
        answer
    }

    fn sweep_for_some(&mut self, operation: Operation, left: Set, right: Set) -> bool {
        self.operations += 1;
        let level = self.level(left).min(self.level(right));
        let greatest = self.domain.greatest_at(level);
        let (mut x, mut y) = (self.cursor(left, level), self.cursor(right, level));
        loop {
            if self.gives_some(operation, x.child, y.child) {
                return true;
            }
            let bound = reach(operation, &x, &y);
            if bound >= greatest {
                return false;
            }
            self.pass(&mut x, bound);
            self.pass(&mut y, bound);
        }
    }

    /// The first interval of a set at a level; the whole domain if the set does not depend on that level.
    fn cursor(&self, set: Set, level: u8) -> Cursor {
        let frozen = self.is_frozen(set);
        let store = self.store_of(frozen);
        if store.level(set) != level {
            return Cursor { bound: u128::MAX, child: set, position: 0, end: 0, frozen };
        }
        let (position, end) = store.span(set);
        let (bound, child) = store.edge(position);
        Cursor { bound, child, position, end, frozen }
    }

    /// Moves a cursor, if it has to move, to the interval after the value `passed`, which is not the greatest.
    fn pass(&self, cursor: &mut Cursor, passed: u128) {
        if cursor.bound > passed {
            return;
        }
        let store = self.store_of(cursor.frozen);
        cursor.position += 1;
        (cursor.bound, cursor.child) = store.edge(cursor.position);
        if cursor.bound <= passed {
            cursor.position = store.position_of(passed + 1, cursor.position, cursor.end);
            (cursor.bound, cursor.child) = store.edge(cursor.position);
        }
    }
}

/// Where the next interval of the result ends: one operand may settle more than the other's current interval.
fn reach(operation: Operation, x: &Cursor, y: &Cursor) -> u128 {
    if operation.settled_by_left(x.child) {
        x.bound
    } else if operation.settled_by_right(y.child) {
        y.bound
    } else {
        x.bound.min(y.bound)
    }
}
