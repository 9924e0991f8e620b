//! Compiles first-match rule lists into sets, in one pass from the first field to the last.
//!
//! A rule becomes a *chain*: the fields it constrains, in order, ending in its decision. At each field the interval ends
//! of the rules still alive cut the domain; within one piece the same rules go on, each as the rest of its chain. Equal
//! rests are one chain, so rules that differ only in fields already passed are no longer told apart.

use super::hash::FixedMap;
use super::store::TERMINAL;
use super::{Arena, Field, HeaderBox, Set};

/// The rest of a rule: an index into [`Compiler::links`]. Chains 0 (deny) and [`PERMIT`] constrain nothing.
type Chain = u32;

const PERMIT: Chain = 1;

/// The first field that a chain constrains, with the chain for the fields after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Link {
    level: u8,
    lo: u128,
    hi: u128,
    permit: bool,
    rest: Chain,
}

/// Working memory of one compilation, kept to be used again.
#[derive(Default)]
pub(super) struct Compiler {
    links: Vec<Link>,
    known: FixedMap<Link, Chain>,
    /// For each chain the last list it was put into, by number.
    listed_in: Vec<u64>,
    lists: u64,
    done: FixedMap<Vec<Chain>, Set>,
    buffers: Vec<Buffers>,
}

/// Working memory for one level.
#[derive(Default)]
struct Buffers {
    /// Where a rule of the list, given by its place, starts or stops to match.
    events: Vec<(u128, u32)>,
    /// Places in the list of the rules that match, ascending.
    alive: Vec<u32>,
    next: Vec<Chain>,
}

impl Arena {
    /// The headers whose first matching rule says `true`, or that match no rule if `default` is `true`.
    pub fn first_match(&mut self, rules: &[(HeaderBox, bool)], default: bool) -> Set {
        self.compile(rules.iter().copied(), default)
    }

    /// The headers in any of the boxes.
    pub fn any_of(&mut self, boxes: &[HeaderBox]) -> Set {
        self.compile(boxes.iter().map(|header_box| (*header_box, true)), false)
    }

    fn compile(&mut self, rules: impl Iterator<Item = (HeaderBox, bool)>, default: bool) -> Set {
        let mut compiler = std::mem::take(&mut self.compiler);
        compiler.reset();
        let mut list = Vec::new();
        compiler.start_list();
        for (header_box, permit) in rules {
            if let Some(chain) = self.chain(&mut compiler, &header_box, permit) {
                compiler.append(&mut list, chain);
            }
        }
        list.push(Chain::from(default));
        let set = self.compile_list(&mut compiler, &mut list);
        self.compiler = compiler;
        set
    }

    /// The chain of a rule; `None` iff its box holds no header.
    fn chain(&self, compiler: &mut Compiler, header_box: &HeaderBox, permit: bool) -> Option<Chain> {
        Field::ALL.into_iter().rev().try_fold(Chain::from(permit), |rest, field| {
            let greatest = self.domain.greatest(field);
            let (lo, hi) = header_box.interval(field);
            let hi = hi.min(greatest);
            if lo > hi {
                return None;
            }
            let irrelevant = lo == 0 && hi == greatest;
            let link = Link { level: field as u8, lo, hi, permit, rest };
            Some(if irrelevant { rest } else { compiler.intern(link) })
        })
    }

    /// The set of a list that ends with its default.
    fn compile_list(&mut self, compiler: &mut Compiler, list: &mut Vec<Chain>) -> Set {
        compiler.normalise(list);
        if let [only] = list.as_slice() {
            return Set::terminal(*only == PERMIT);
        }
        if let Some(set) = compiler.done.get(list.as_slice()) {
            return *set;
        }
        self.operations += 1;
        let level = list.iter().map(|chain| compiler.link(*chain).level).min().unwrap_or(TERMINAL);
        let set = self.sweep_list(compiler, list, level);
        compiler.done.insert(list.clone(), set);
        set
    }

    /// Cuts the domain of a level where rules of the list start or stop to match, and compiles each piece.
    fn sweep_list(&mut self, compiler: &mut Compiler, list: &[Chain], level: u8) -> Set {
        let mut buffers = compiler.buffers.pop().unwrap_or_default();
        let greatest = self.domain.greatest_at(level);
        compiler.prepare(list, level, greatest, &mut buffers);
        let start = self.begin();
        let mut met = 0;
        loop {
            compiler.list_alive(list, level, &mut buffers);
            let child = self.compile_list(compiler, &mut buffers.next);
            let Some((value, _)) = buffers.events.get(met) else {
                self.push(start, greatest, child);
                break;
            };
            self.push(start, value - 1, child);
            met = buffers.meet(met, *value);
        }
        compiler.buffers.push(buffers);
        self.finish(level, start)
    }
}

/// Empties a table; one that is mostly unused gives its room back, because emptying takes as long as it is large.
fn clear<K, V>(table: &mut FixedMap<K, V>) {
    if table.capacity() > 16 * (table.len() + 16) {
        *table = FixedMap::default();
    } else {
        table.clear();
    }
}

impl Compiler {
    fn reset(&mut self) {
        let end = |permit| Link { level: TERMINAL, lo: 0, hi: 0, permit, rest: Chain::from(permit) };
        self.links.clear();
        self.links.extend([end(false), end(true)]);
        clear(&mut self.known);
        clear(&mut self.done);
    }

    fn intern(&mut self, link: Link) -> Chain {
        let next = Chain::try_from(self.links.len()).unwrap_or(Chain::MAX);
        let chain = *self.known.entry(link).or_insert(next);
        if chain == next {
            self.links.push(link);
        }
        chain
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT (chains interned): chains are indices of links")]
    fn link(&self, chain: Chain) -> &Link {
        &self.links[chain as usize]
    }

    /// From here on [`append`](Self::append) fills another list.
    fn start_list(&mut self) {
        self.lists += 1;
        self.listed_in.resize(self.listed_in.len().max(self.links.len()), 0);
    }

    /// Adds a chain to the current list unless it is there, where it would match first.
    fn append(&mut self, list: &mut Vec<Chain>, chain: Chain) {
        if self.listed_in.len() <= chain as usize {
            self.listed_in.resize(self.links.len(), 0);
        }
        if let Some(last_list) = self.listed_in.get_mut(chain as usize)
            && *last_list != self.lists
        {
            *last_list = self.lists;
            list.push(chain);
        }
    }

    /// Brings lists that obviously mean the same into the same form: nothing after a chain that always matches, nothing
    /// before the default that decides like the default, neighbours with the same decision sorted.
    fn normalise(&self, list: &mut Vec<Chain>) {
        if let Some(last) = list.iter().position(|chain| *chain <= PERMIT) {
            list.truncate(last + 1);
        }
        let Some(default) = list.pop() else { return };
        while list.last().is_some_and(|chain| self.link(*chain).permit == (default == PERMIT)) {
            list.pop();
        }
        for run in list.chunk_by_mut(|left, right| self.link(*left).permit == self.link(*right).permit) {
            run.sort_unstable();
        }
        list.push(default);
    }

    /// Finds which rules match the value 0 of a level, and at which greater values that changes.
    fn prepare(&self, list: &[Chain], level: u8, greatest: u128, buffers: &mut Buffers) {
        buffers.events.clear();
        buffers.alive.clear();
        for (place, chain) in (0..).zip(list) {
            let link = self.link(*chain);
            if link.level != level || link.lo == 0 {
                buffers.alive.push(place);
            } else {
                buffers.events.push((link.lo, place));
            }
            if link.level == level && link.hi < greatest {
                buffers.events.push((link.hi + 1, place));
            }
        }
        buffers.events.sort_unstable();
    }

    /// Puts the rests of the rules that match into the next list.
    fn list_alive(&mut self, list: &[Chain], level: u8, buffers: &mut Buffers) {
        self.start_list();
        buffers.next.clear();
        for place in &buffers.alive {
            let Some(chain) = list.get(*place as usize).copied() else { continue };
            let link = *self.link(chain);
            self.append(&mut buffers.next, if link.level == level { link.rest } else { chain });
        }
    }
}

impl Buffers {
    /// Lets the rules with an event at this value start or stop to match; gives the number of events met so far.
    fn meet(&mut self, met: usize, value: u128) -> usize {
        let due = self.events.iter().skip(met).take_while(|(at, _)| *at == value);
        let mut count = met;
        for (_, place) in due {
            count += 1;
            match self.alive.binary_search(place) {
                Ok(index) => drop(self.alive.remove(index)),
                Err(index) => self.alive.insert(index, *place),
            }
        }
        count
    }
}
