//! Prefix lists, from the three calls that show their names or content (R-PL-1).

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::context::{Context, Identity};
use super::error::LoadError;
use super::record::{Answer, Record, Resource, Scoped, fill, share_tags};
use super::value::{List, Tag, Text, shape};
use crate::snapshot::PrefixList;
use crate::text::SharedText;

shape! {
    /// `DescribeManagedPrefixLists.PrefixLists[]`, and with `Cidrs` that of `DescribePrefixLists`.
    PrefixListShape<'a> as "a prefix list" {
        prefix_list_id: Text<'a>,
        prefix_list_name: Text<'a>,
        prefix_list_arn: Text<'a>,
        state: Text<'a>,
        owner_id: Text<'a>,
        cidrs: Option<List<Text<'a>>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `GetManagedPrefixListEntries.Entries[]`.
    PrefixEntryShape<'a> as "a prefix list entry" { cidr: Text<'a>, }
}

impl Resource for PrefixListShape<'_> {
    const ID_FIELD: &'static str = "PrefixListId";
    fn id(&self) -> &str {
        &self.prefix_list_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
        // Two calls describe the lists of AWS, each with fields that the other lacks.
        fill(&mut self.prefix_list_name, &mut other.prefix_list_name);
        fill(&mut self.prefix_list_arn, &mut other.prefix_list_arn);
        fill(&mut self.state, &mut other.state);
        fill(&mut self.owner_id, &mut other.owner_id);
        let cidrs = self.cidrs.take().or_else(|| other.cidrs.clone());
        if other.cidrs.is_none() {
            other.cidrs.clone_from(&cidrs);
        }
        self.cidrs = cidrs;
    }
}

/// Entries by list id; a list that no call describes gets an entry in `lists`.
pub(super) fn entries_by_list<'a>(
    answers: Vec<Answer<PrefixEntryShape<'a>>>,
    lists: &mut Vec<Record<PrefixListShape<'a>>>,
) -> BTreeMap<Box<str>, Vec<Answer<PrefixEntryShape<'a>>>> {
    let mut by_list: BTreeMap<Box<str>, Vec<Answer<PrefixEntryShape<'a>>>> = BTreeMap::new();
    for answer in answers.into_iter().filter(|answer| !answer.parent.is_empty()) {
        by_list.entry(answer.parent.clone()).or_default().push(answer);
    }
    let described: BTreeSet<Box<str>> =
        lists.iter().map(|list| Box::from(&*list.item.prefix_list_id)).collect();
    for (id, answers) in by_list.iter().filter(|(id, _)| !described.contains(*id)) {
        let Some(first) = answers.first() else { continue };
        let item =
            PrefixListShape { prefix_list_id: Text(id.to_string().into()), ..PrefixListShape::default() };
        lists.push(Record { source: first.source.clone(), item });
    }
    by_list
}

/// Converts a prefix list.
///
/// The entries are unknown if no complete answer shows them. The call made for this list wins over the list of all.
pub(super) fn prefix_list(
    record: Scoped<PrefixListShape<'_>>,
    answers: Option<&Vec<Answer<PrefixEntryShape<'_>>>>,
    context: &mut Context<'_>,
) -> Result<PrefixList, LoadError> {
    let Scoped { scope, source, item } = record;
    agree(&item.prefix_list_id, answers.map_or(&[], Vec::as_slice), context)?;
    let entries = match answers.filter(|parts| parts.iter().any(|part| !part.truncated)) {
        Some(answers) => Some(listed(&item.prefix_list_id, answers, context)?),
        None => match &item.cidrs {
            Some(cidrs) => {
                let place = source.below("/Cidrs");
                let blocks = cidrs.iter().map(|cidr| context.block(&item.prefix_list_id, &place, cidr));
                Some(blocks.collect::<Result<Vec<_>, _>>()?)
            }
            None => None,
        },
    };
    let list_name = SharedText::from(&*item.prefix_list_name);
    Ok(PrefixList {
        meta: Identity {
            id: &item.prefix_list_id,
            owner: &item.owner_id,
            arn: &item.prefix_list_arn,
            tags: &item.tags,
        }
        .meta(scope, &source),
        state: item.state.lower(),
        aws_managed: item.owner_id.is("AWS") || list_name.starts_with("com.amazonaws."),
        list_name,
        entries: entries.map(sorted),
    })
}

/// Two whole answers about one list show the same entries (R-DATA-5).
fn agree(id: &str, answers: &[Answer<PrefixEntryShape<'_>>], context: &Context<'_>) -> Result<(), LoadError> {
    let blocks = |answer: &Answer<PrefixEntryShape<'_>>| {
        answer.items.iter().map(|entry| entry.cidr.to_string()).collect::<BTreeSet<_>>()
    };
    let mut whole = answers.iter().filter(|answer| !answer.truncated);
    let Some(first) = whole.next() else { return Ok(()) };
    match whole.find(|other| blocks(other) != blocks(first)) {
        Some(other) => Err(LoadError::disagreement(
            id,
            [&first.source, &other.source].map(|place| context.places.show(place)),
        )),
        None => Ok(()),
    }
}

fn listed(
    id: &str,
    answers: &[Answer<PrefixEntryShape<'_>>],
    context: &mut Context<'_>,
) -> Result<Vec<IpNet>, LoadError> {
    let mut blocks = Vec::new();
    for answer in answers {
        for (index, entry) in answer.items.iter().enumerate() {
            blocks.push(context.block(id, &answer.source.below(&format!("/{index}/Cidr")), &entry.cidr)?);
        }
    }
    Ok(blocks)
}

fn sorted(mut blocks: Vec<IpNet>) -> Vec<IpNet> {
    blocks.sort();
    blocks.dedup();
    blocks
}
