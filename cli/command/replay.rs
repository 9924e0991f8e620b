//! Flows that the search has found, confirmed by the concrete evaluator with an example.

use reachproof_engine::asked::example;
use reachproof_engine::evidence::{Trace, TraceVerdict};
use reachproof_engine::header::{Arena, Set};
use reachproof_engine::name::{sink_name, source_name};
use reachproof_engine::network::{Network, Sink, SourcePlace};
use reachproof_engine::trace::{Query, trace};
use reachproof_model::flow::Question;

use super::flows::{Answered, Flows};
use crate::answer::header_text;
use crate::exit::Failure;

/// What is replayed of some flows between two ends.
pub struct Replay<'n, 's> {
    /// The network.
    pub network: &'n Network<'s>,
    /// What the search was asked.
    pub question: Question,
    /// The source.
    pub from: SourcePlace,
    /// The sink.
    pub to: Sink,
}

impl Replay<'_, '_> {
    /// The flows with what an example of them, replayed, rests on.
    ///
    /// INVARIANT (rows replayed): an example of flows that are certain reaches in the replay, and no example is blocked;
    /// else the engine contradicts itself and nothing is answered. What `--strict` doubts is certain no longer.
    pub fn confirmed(&self, arena: &mut Arena, set: Set, mut flows: Flows) -> Result<Flows, Failure> {
        for question in self.questions(flows.answered) {
            let found = self.example(arena, set, &flows, question)?;
            let certain = flows.certain && (question == self.question || flows.answered == Answered::All);
            let doubted = self.network.options.strict && found.verdict == TraceVerdict::Unknown;
            if found.verdict == TraceVerdict::Blocked
                || (certain && !doubted && found.verdict != TraceVerdict::Reaches)
            {
                return Err(self.contradiction(&flows, &found));
            }
            flows.certain &= !(certain && doubted);
            flows.assumptions = flows.assumptions.and(found.assumptions);
        }
        Ok(flows)
    }

    /// The question asked, and that of the reply where the row says that it may come back.
    fn questions(&self, answered: Answered) -> Vec<Question> {
        let reply = self.question == Question::Packet && answered != Answered::None;
        let more = reply.then_some(Question::Connection);
        std::iter::once(self.question).chain(more).collect()
    }

    fn example(
        &self,
        arena: &mut Arena,
        set: Set,
        flows: &Flows,
        question: Question,
    ) -> Result<Trace, Failure> {
        let area = flows.area(arena);
        let meant = arena.intersection(set, area);
        let flow = example(arena, flows.family, meant, self.from);
        let flow = flow.ok_or_else(|| self.internal("flows have no example"))?;
        Ok(trace(self.network, &Query { from: self.from, flow, goal: Some(self.to), question }))
    }

    fn contradiction(&self, flows: &Flows, found: &Trace) -> Failure {
        let (flow, question) = (header_text(&found.flow), found.question);
        let (certain, answered, verdict) = (flows.certain, flows.answered, found.verdict);
        self.internal(&format!(
            "the search and the replay disagree about {flow} (search: certain {certain}, answered {answered:?}; replay: {verdict:?} as {question:?})"
        ))
    }

    fn internal(&self, what: &str) -> Failure {
        let (from, to) = (source_name(self.network, self.from), sink_name(self.network, self.to));
        Failure::new(format!(
            "internal error: from {from} to {to}: {what}; nothing was answered; please report this"
        ))
    }
}
