//! Sources that send to the same destinations, each to all of them but itself.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_engine::network::{Sink, SourcePlace};

use super::units::{End, From, To, Units};

/// Where each source sends. A member of a unit that is a source of its own sends there besides.
pub type Sinks = BTreeMap<From, BTreeSet<To>>;

/// Sources by their sinks, which are tidy.
type BySinks = BTreeMap<BTreeSet<To>, Vec<SourcePlace>>;

/// Sources that send to the same sinks, both ascending. What one sends to itself is not listed, so that a source is free to
/// count among the sinks of those that send to it.
pub fn with_equal_sinks(units: &Units, sinks: Sinks) -> Vec<(Vec<SourcePlace>, Vec<Sink>)> {
    let (mut meshes, mut stars, mut singles) = (BySinks::new(), BySinks::new(), Vec::new());
    let sinks = apart(units, sinks);
    let in_parts = sinks.values().flatten().any(|to| matches!(to, End::One(Sink::Interface(_))));
    for (from, to) in sinks {
        let sources = units.sources(from);
        let hears_itself = matches!(from, End::Unit(unit) if to.contains(&End::Unit(unit)));
        match sources.as_slice() {
            [_, _, ..] if hears_itself => meshes.entry(to).or_default().extend(sources),
            // Its members hear others than each other, and whoever heard just one of them would hear a part of a unit.
            [_, _, ..] if !in_parts => stars.entry(to).or_default().extend(sources),
            _ => {
                singles.extend(sources.into_iter().map(|source| (source, units.without_itself(&to, source))))
            }
        }
    }
    singles.retain(|(_, to)| !to.is_empty());
    for (source, to) in &singles {
        meshes.entry(units.with_itself(to, *source)).or_default().push(*source);
    }
    meshes.retain(|_, sources| sources.len() > 1);
    let meshed: BTreeSet<SourcePlace> = meshes.values().flatten().copied().collect();
    for (source, to) in singles.into_iter().filter(|(source, _)| !meshed.contains(source)) {
        stars.entry(to).or_default().push(source);
    }
    meshes.into_iter().chain(stars).map(|(to, from)| expanded(units, from, &to)).collect()
}

/// The same with units member by member of which a member sends elsewhere, too, or hears what others of it do not.
fn apart(units: &Units, mut sinks: Sinks) -> Sinks {
    let singles = sinks.keys().filter_map(|from| match from {
        End::One(place) => units.of_source(*place),
        End::Unit(_) => None,
    });
    for unit in singles.collect::<BTreeSet<_>>() {
        let Some(to) = sinks.remove(&End::Unit(unit)) else { continue };
        for source in units.sources(End::Unit(unit)) {
            sinks.entry(End::One(source)).or_default().extend(to.iter().copied());
        }
    }
    sinks.values_mut().for_each(|to| *to = units.tidy(to));
    sinks
}

fn expanded(units: &Units, mut from: Vec<SourcePlace>, to: &BTreeSet<To>) -> (Vec<SourcePlace>, Vec<Sink>) {
    from.sort_unstable();
    let mut to: Vec<Sink> = to.iter().flat_map(|to| units.sinks(*to)).collect();
    to.sort_unstable();
    (from, to)
}

#[cfg(test)]
mod tests {
    use reachproof_engine::region::Spot;
    use reachproof_model::id::{EniId, Id};

    use super::super::units::UnitId;
    use super::*;

    fn spot(letter: char) -> Spot {
        letter.to_digit(10).map_or(Spot::Internet, |digit| Spot::Interface(EniId::from_index(digit as usize)))
    }

    fn name(spot: Spot) -> String {
        match spot {
            Spot::Interface(id) => id.index().to_string(),
            _ => "i".to_owned(),
        }
    }

    fn units(words: &str) -> Units {
        let digits = |word: &str| word.chars().filter_map(|letter| letter.to_digit(10)).collect::<Vec<_>>();
        let members =
            |word| digits(word).into_iter().map(|digit| EniId::from_index(digit as usize)).collect();
        Units::of(words.split_whitespace().map(members).collect(), 10)
    }

    /// `source>sinks` words of interfaces named by a digit; `i` is the internet.
    fn sinks(words: &str) -> Sinks {
        let parsed = words.split_whitespace().map(|word| {
            let (from, to) = word.split_once('>').unwrap();
            let from = spot(from.chars().next().unwrap()).source().unwrap();
            (End::One(from), to.chars().map(|letter| End::One(spot(letter).sink())).collect())
        });
        parsed.collect()
    }

    fn groups(units: &Units, sinks: Sinks) -> Vec<String> {
        let groups = with_equal_sinks(units, sinks).into_iter().map(|(from, to)| {
            let from: String = from.into_iter().filter_map(Spot::source_of).map(name).collect();
            let to: String = to.into_iter().filter_map(Spot::of_sink).map(name).collect();
            format!("{from}>{to}")
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort();
        groups
    }

    fn check(words: &str, expected: &[&str]) {
        assert_eq!(groups(&Units::default(), sinks(words)), expected);
    }

    #[test]
    fn sources_with_equal_sinks_are_one_group() {
        check("1>3 2>3", &["12>3"]);
        check("1>34 2>3", &["1>34", "2>3"]);
    }

    #[test]
    fn a_mesh_is_one_group() {
        check("1>23 2>13 3>12", &["123>123"]);
        check("1>2i 2>1i i>12", &["12i>12i"]);
    }

    #[test]
    fn nobody_joins_a_mesh_whose_sinks_are_others() {
        check("1>23 2>13 3>1", &["12>123", "3>1"]);
        check("1>2 2>3 3>1", &["1>2", "2>3", "3>1"]);
    }

    /// The same sinks, where possible by units: of sources that all send to the same but each other, and of sinks.
    fn by_unit(units: &Units, ones: &Sinks) -> Sinks {
        let mut sinks = ones.clone();
        for unit in (0..10).map(UnitId).filter(|unit| units.members(*unit).len() > 1) {
            let sources = units.sources(End::Unit(unit));
            let with = |source: &SourcePlace| {
                let to = ones.get(&End::One(*source)).cloned().unwrap_or_default();
                let itself = Spot::source_of(*source).map(Spot::sink).map(End::One);
                (to.iter().copied().chain(itself).collect::<BTreeSet<_>>(), to)
            };
            let all: Vec<_> = sources.iter().map(with).collect();
            let alike = all.iter().all(|(_, to)| *to == all[0].1);
            let mesh = all.iter().all(|(with, _)| *with == all[0].0);
            if alike || mesh {
                sources.iter().for_each(|source| {
                    sinks.remove(&End::One(*source));
                });
                let to = if alike { all[0].1.clone() } else { all[0].0.clone() };
                sinks.extend((!to.is_empty()).then_some((End::Unit(unit), to)));
            }
        }
        sinks.values_mut().for_each(|to| *to = units.tidy(to));
        sinks
    }

    /// Every choice of sinks of four interfaces, of which two and two, or three, are units.
    #[test]
    fn units_change_no_group() {
        let names = ['1', '2', '3', '4'];
        let others =
            |of: usize| names.iter().enumerate().filter(move |(at, _)| *at != of).map(|(_, name)| *name);
        for choice in 0..8_usize.pow(4) {
            let word = |(at, name): (usize, &char)| {
                let bits = choice / 8_usize.pow(u32::try_from(at).unwrap()) % 8;
                let to: String = others(at)
                    .enumerate()
                    .filter(|(bit, _)| bits >> bit & 1 == 1)
                    .map(|(_, to)| to)
                    .collect();
                if to.is_empty() { String::new() } else { format!("{name}>{to} ") }
            };
            let ones = sinks(&names.iter().enumerate().map(word).collect::<String>());
            let expected = groups(&Units::default(), ones.clone());
            for units in [units("12 34"), units("123 4"), units("1 2 34")] {
                assert_eq!(groups(&units, by_unit(&units, &ones)), expected, "{ones:?}");
                assert_eq!(groups(&units, ones.clone()), expected, "{ones:?}");
            }
        }
    }
}
