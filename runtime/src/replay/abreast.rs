//! A batch on several threads, part by part: each applies the calls of its own customers, and whoever is done with them
//! shares out lines of the next part, so that nobody waits for another who has more to do.
//!
//! Lines are shared out by whom they name, and read by the thread that applies them: what is read of a line stays near its
//! processor until it is applied, and is never handed from one to another.

use super::{
    Options, Replay, Summary, call_of,
    errand::Errand,
    lanes::{self, Call, Piece, Placed},
    shard::Shard,
    visits::Visits,
};
use crate::{
    identities::Identities,
    limits::SHARED_LINES,
    source::{Batch, Envelope, Reject, Whose},
    threads::{Crew, lock},
};
use segue_compiler::{execution::Execution, typed::Program};
use std::{
    iter,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The lines that are worked on.
#[derive(Clone, Copy)]
struct Work<'b, 'p> {
    batch: &'b Batch,
    /// Whose declarations they must keep to, if they must.
    declared: Option<&'p Program>,
    options: Options,
}

impl<E: Execution + Sync> Replay<E> {
    /// Applies the calls of a batch in parts of so many bytes; gives the lines that were none, and those that break what is
    /// `declared`. One of the threads does `meanwhile` once for each part.
    pub(super) fn apply_abreast<'b>(
        &mut self,
        batch: &'b Batch,
        declared: Option<&Program>,
        part_bytes: usize,
        meanwhile: &mut (dyn FnMut() + Send),
    ) -> Vec<Reject<'b>> {
        let work = Work { batch, declared, options: self.options };
        let Self { execution, shards, crew, identities, summary, .. } = self;
        let mut abreast = Abreast { execution: &*execution, shards, crew, identities, summary };
        let mut rejects = Vec::new();
        crew.lead(|| {
            let mut shared_out = Vec::new();
            for next in batch.parts(part_bytes).chain(iter::once(Range::default())) {
                shared_out = abreast.step(work, shared_out, next, meanwhile, &mut rejects);
            }
        });
        rejects.sort_by_key(|(position, _)| *position);
        rejects.into_iter().map(|(_, reject)| reject).collect()
    }
}

/// A replay whose threads work.
struct Abreast<'r, E: Execution> {
    execution: &'r E,
    shards: &'r mut Vec<Shard<E>>,
    crew: &'r Crew,
    identities: &'r mut Identities,
    summary: &'r mut Summary,
}

impl<E: Execution + Sync> Abreast<'_, E> {
    /// Applies what was shared out, each shard its own. Whoever is done with that does `meanwhile`, once, and then shares out
    /// some of the lines that come next.
    fn step<'b>(
        &mut self,
        work: Work<'b, '_>,
        mut pieces: Vec<Piece<'b>>,
        lines: Range<usize>,
        meanwhile: &mut (dyn FnMut() + Send),
        rejects: &mut Vec<Placed<Reject<'b>>>,
    ) -> Vec<Piece<'b>> {
        let Self { execution, shards, crew, identities, summary } = self;
        let (execution, count) = (*execution, shards.len());
        let is_call = |position| work.read(position).is_some_and(|call| call.is_ok());
        let errands = lanes::link(identities, execution, shards, &mut pieces, is_call);
        summary.unmerged += errands.refused;
        let mut lanes: Vec<Vec<Vec<Call<'b>>>> = (0..count).map(|_| Vec::new()).collect();
        for piece in pieces {
            rejects.extend(piece.rejects);
            lanes.iter_mut().zip(piece.calls).for_each(|(lane, calls)| lane.push(calls));
        }
        let (lines, identities) = (&lines, &*identities);
        let (meanwhile, next) = (&Mutex::new(Some(meanwhile)), &AtomicUsize::new(0));
        let each = shards.iter_mut().zip(errands.of_shards).zip(lanes).map(|((shard, errands), lane)| {
            move || {
                let rejects = work.apply(shard, execution, lane, errands);
                let meanwhile = lock(meanwhile).take();
                if let Some(meanwhile) = meanwhile {
                    meanwhile();
                }
                let starts = iter::repeat_with(|| {
                    lines.start.saturating_add(next.fetch_add(SHARED_LINES, Ordering::Relaxed))
                });
                let share = |start: usize| {
                    let some = start..lines.end.min(start + SHARED_LINES);
                    (start, work.share_out(some, count, identities))
                };
                (rejects, starts.take_while(|start| *start < lines.end).map(share).collect::<Vec<_>>())
            }
        });
        let mut shared_out = Vec::new();
        for (refused, pieces) in crew.work(each.collect()) {
            rejects.extend(refused);
            shared_out.extend(pieces);
        }
        shared_out.sort_unstable_by_key(|(start, _)| *start);
        shared_out.into_iter().map(|(_, piece)| piece).collect()
    }
}

impl<'b> Work<'b, '_> {
    /// Shares out some lines by whom they name.
    fn share_out(self, lines: Range<usize>, shards: usize, identities: &Identities) -> Piece<'b> {
        // Chance makes some lanes longer than others.
        let mut piece = Piece::new(shards, lines.len() / shards + lines.len() / 8);
        for position in lines {
            if let Some(Whose { customer, known }) = self.batch.whose(position) {
                piece.push(position, customer, known, identities);
                continue;
            }
            match self.read(position) {
                None => {}
                Some(Err(reject)) => piece.rejects.push((position, reject)),
                Some(Ok(envelope)) => piece.take(position, envelope, identities, self.options.until),
            }
        }
        piece
    }

    /// Applies the calls of a shard, and between them its errands; gives those that turn out to be none.
    fn apply<E: Execution>(
        self,
        shard: &mut Shard<E>,
        execution: &E,
        calls: Vec<Vec<Call<'b>>>,
        errands: Vec<Placed<Errand<E::Customer>>>,
    ) -> Vec<Placed<Reject<'b>>> {
        let (mut visits, mut rejects) = (Visits::of(calls.iter().map(Vec::len).sum()), Vec::new());
        let mut errands = errands.into_iter().peekable();
        for call in calls.into_iter().flatten() {
            while let Some((_, errand)) = errands.next_if(|(place, _)| *place <= call.position) {
                visits.apply(shard, execution, self.options);
                shard.run(execution, self.options, errand);
            }
            match self.read(call.position) {
                None => {}
                Some(Err(reject)) => rejects.push((call.position, reject)),
                Some(Ok(mut envelope)) => {
                    envelope.customer = call.customer;
                    visits.push(call.hash, envelope);
                    visits.apply_enough(shard, execution, self.options);
                }
            }
        }
        visits.apply(shard, execution, self.options);
        errands.for_each(|(_, errand)| shard.run(execution, self.options, errand));
        rejects
    }

    /// Reads a line: a call, or why it is none.
    #[inline(always)]
    fn read(self, position: usize) -> Option<Result<Envelope<'b>, Reject<'b>>> {
        self.batch.item(position).map(|item| call_of(item, self.declared))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::Engine, source::Events};
    use segue_compiler::{
        project::{Project, Source, compile},
        record::Record,
        settings::Settings,
    };
    use std::{fmt::Write, io::Cursor, num::NonZeroUsize, sync::Arc};

    const RULES: &str = r#"
event "Added" { cart: text }
event "Ordered" { cart: text }
rule left { when "Added" then no "Ordered" within 20 minutes with same cart
  call crm { cart: event.cart } }
rule often { when "Added"  only if count of "Added" > 3
  call crm { count: count of "Added" } }
"#;

    /// Calls of known and anonymous customers, some of whom say who they are; some lines are none, or break the declaration.
    fn stream() -> String {
        let mut text = String::new();
        for number in 0..3_000_u64 {
            // Odd factors, so that customers and kinds are mixed.
            let (customer, kind) = (number * 7 % 43, number * 11 % 29);
            let at = 1_767_600_000_000 + 60_000 * number - 90_000 * (number % 3);
            let id = match number * 5 % 3 {
                0 => format!(r#""userId":"u{customer}""#),
                // Some are known by the id that others have as an anonymous one.
                _ if number % 97 == 0 => format!(r#""userId":"a{customer}""#),
                _ => format!(r#""anonymousId":"a{customer}""#),
            };
            let cart = if kind == 3 { "[7]".to_owned() } else { format!(r#""c{}""#, number % 4) };
            let call = match kind {
                0 => format!(r#""type":"identify","userId":"u{}","anonymousId":"a{customer}""#, customer / 2),
                1 => format!(r#""type":"alias","userId":"u{customer}","previousId":"a{}""#, customer / 3),
                2 => format!(r#""type":"track",{id},"event":"Added","event":"twice""#),
                4..9 => format!(r#""type":"track",{id},"event":"Ordered","properties":{{"cart":{cart}}}"#),
                _ => format!(r#""type":"track",{id},"event":"Added","properties":{{"cart":{cart}}}"#),
            };
            writeln!(text, r#"{{{call},"messageId":"m{number}","timestamp":{at}}}"#).unwrap();
        }
        text
    }

    /// What comes of a stream in parts of so many bytes: records, lines that were none, how many were joined and were not.
    fn replayed(
        program: &Arc<Program>,
        batch: &Batch,
        threads: usize,
        part: usize,
        strict: bool,
    ) -> Replayed {
        let engine = Arc::new(Engine::new(program.clone(), Settings::default()).unwrap());
        let options = Options { threads: NonZeroUsize::new(threads), ..Options::default() };
        let mut replay = Replay::new(engine, program.clone(), options);
        let declared = strict.then_some(&**program);
        let mut parts = 0;
        let rejects = match threads {
            1 => replay.apply_in_order(batch, declared),
            _ => replay.apply_abreast(batch, declared, part, &mut || parts += 1),
        };
        assert!(threads == 1 || parts == batch.parts(part).count() + 1, "{parts}");
        let rejects = rejects.into_iter().map(|it| (it.number, it.reason)).collect();
        let records = replay.finish().iter().collect();
        (records, rejects, replay.summary().joined, replay.summary().unmerged)
    }

    type Replayed = (Vec<Record>, Vec<(u64, String)>, u64, u64);

    fn program() -> Arc<Program> {
        let source = Source { name: "rules.segue".to_owned(), text: RULES.to_owned() };
        let checked = compile(&Project { sources: vec![source], ..Project::default() });
        Arc::new(checked.program.unwrap_or_else(|| panic!("{:?}", checked.diagnostics)))
    }

    fn batch(text: String) -> Batch {
        let mut batch = Batch::default();
        Events::of("stream", Box::new(Cursor::new(text))).fill(&mut batch, usize::MAX).unwrap();
        batch
    }

    #[test]
    fn lines_that_are_no_calls_make_nobody_known() {
        let program = program();
        let call =
            |rest: &str| format!("{{\"timestamp\":\"2026-01-05T10:00:00Z\",\"event\":\"Added\",{rest}}}\n");
        let (before, link) = (
            call(r#""type":"track","anonymousId":"x""#),
            call(r#""type":"identify","userId":"ada","anonymousId":"x""#),
        );
        let known = call(r#""type":"track","userId":"x""#);
        let broken = call(r#""type":"track","userId":"x","event":"twice""#);
        for (line, expected) in [(known, (0, 1)), (broken, (1, 0))] {
            let batch = batch(format!("{before}{line}{link}"));
            for (threads, part) in [(1, 0), (2, usize::MAX), (2, 1)] {
                let (.., joined, unmerged) = replayed(&program, &batch, threads, part, false);
                assert_eq!((joined, unmerged), expected, "{line}{threads} threads");
            }
        }
    }

    #[test]
    fn parts_and_threads_make_no_difference() {
        let (program, batch) = (program(), batch(stream()));
        for strict in [false, true] {
            let expected = replayed(&program, &batch, 1, 0, strict);
            assert!(
                expected.0.len() > 500 && expected.1.len() > 80,
                "{} {}",
                expected.0.len(),
                expected.1.len()
            );
            assert!(expected.2 > 20 && expected.3 > 5, "{} {}", expected.2, expected.3);
            for threads in [2, 3] {
                for part in [1, 700, 20_000, usize::MAX] {
                    let found = replayed(&program, &batch, threads, part, strict);
                    assert!(found == expected, "{threads} threads, parts of {part} bytes, strict: {strict}");
                }
            }
        }
    }
}
