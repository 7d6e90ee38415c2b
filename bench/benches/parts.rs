//! Parts: what an event comes past on its way, each for itself.

#![expect(clippy::expect_used, reason = "a bench whose input is wrong has nothing to measure")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use segue_bench::{
    packs,
    random::Random,
    stream::{Shape, Stream},
};
use segue_compiler::{
    decode,
    event::{Call, Incoming},
    execution::{Execution, Output},
    json::JsonText,
    pack::Packer,
    settings::Settings,
    types::{Field, Type},
};
use segue_runtime::{
    deadlines::Deadlines,
    engine::{Customer, Engine},
    source::Envelope,
};
use std::{hint::black_box, sync::Arc};

/// As in the command itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 2026-01-05 08:00 UTC, in milliseconds.
const START: i64 = 1_767_600_000_000;

fn lines(shape: Shape) -> Vec<String> {
    let mut stream = Stream::new(shape);
    let mut lines = Vec::new();
    let mut line = String::new();
    while stream.next(&mut line) {
        lines.push(line.trim_end().to_owned());
        line.clear();
    }
    lines
}

fn parse(criterion: &mut Criterion) {
    let lines = lines(Shape { customers: 1_000, events: 1_000 });
    let mut group = criterion.benchmark_group("lines");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("parse 1,000 envelopes", |bencher| {
        bencher
            .iter(|| lines.iter().filter(|line| Envelope::parse(black_box(line.as_bytes())).is_ok()).count());
    });
    group.finish();
}

fn properties(criterion: &mut Criterion) {
    let field = |name: &str, ty| Field { name: Arc::from(name), ty, optional: true };
    let ty = Type::Object(
        [field("product_id", Type::Text), field("category", Type::Text), field("price", Type::Number)].into(),
    );
    let Ok(json) = JsonText::parse(r#"{"product_id":"p17","category":"bags","price":129.17,"cart_id":"c1"}"#)
    else {
        return;
    };
    criterion.bench_function("decode three of four properties", |bencher| {
        bencher.iter(|| decode::value(black_box(json), &ty).is_ok());
    });
}

/// An engine, a customer of it, and a view of a product that is applied again and again, each time a second later.
struct Applied {
    engine: Engine,
    customer: Customer,
    ids: Vec<String>,
    number: usize,
    output: Output,
}

impl Applied {
    fn new(rules: &str) -> Self {
        let engine = compiled(rules);
        let customer = engine.customer(Arc::from("u1"));
        // More than are remembered, and far apart.
        let ids = (0..4_096).map(|number| format!("m{number}")).collect();
        Self { engine, customer, ids, number: 0, output: Output::default() }
    }

    fn apply(&mut self, properties: JsonText<'_>) -> usize {
        let incoming = Incoming {
            message_id: &self.ids[self.number % self.ids.len()],
            at: START + 1_000 * self.number as i64,
            received_at: None,
            time_zone: None,
            call: Call::Track { event: "Product Viewed", properties: Some(properties), name: None },
        };
        self.number += 1;
        self.engine.apply(&mut self.customer, &incoming, &mut self.output);
        self.output.fired.clear();
        self.output.records.drain(..).len()
    }
}

fn compiled(rules: &str) -> Engine {
    Engine::new(packs::checked(rules), Settings::default()).expect("the pack compiles")
}

fn apply(criterion: &mut Criterion) {
    let text = r#"{"product_id":"p499","category":"scarves","price":12.99}"#;
    let properties = JsonText::parse(text).expect("it is JSON");
    let deciding = "event \"Product Viewed\" { product_id: text, category: text, price: number }\n\
        rule looked_at { when \"Product Viewed\" where price > 10\n  call crm { product: event.product_id } }\n";
    let mut group = criterion.benchmark_group("apply an event");
    let mut silent = Applied::new(&packs::of_a_constant(10));
    assert_eq!(silent.apply(properties), 0, "it stays silent");
    group.bench_function("rules stay silent", |bencher| bencher.iter(|| silent.apply(properties)));
    let mut decides = Applied::new(deciding);
    assert_eq!(decides.apply(properties), 1, "it decides");
    group.bench_function("a rule decides", |bencher| bencher.iter(|| decides.apply(properties)));
    group.finish();
}

fn rest(criterion: &mut Criterion) {
    let engine = compiled(packs::ORDINARY);
    let mut customer = engine.customer(Arc::from("u1"));
    let mut output = Output::default();
    for line in lines(Shape { customers: 1, events: 100 }) {
        let envelope = Envelope::parse(line.as_bytes()).expect("it is a call");
        engine.apply(&mut customer, &envelope.incoming(), &mut output);
    }
    let mut packer = Packer::default();
    let mut kept = Some(customer);
    criterion.bench_function("rest and wake a customer of 100 events", |bencher| {
        bencher.iter(|| {
            let customer = kept.take().expect("it was put back");
            let mut resting = engine.rest(customer, &mut packer);
            kept = Some(engine.wake(black_box(&mut resting)));
        });
    });
}

fn deadlines(criterion: &mut Criterion) {
    const COUNT: u32 = 1_000_000;
    const DAY: u64 = 86_400_000;
    let filled = || {
        let (mut deadlines, mut random) = (Deadlines::new(START), Random::new(1));
        (0..COUNT).for_each(|place| deadlines.schedule(place, START + random.below(30 * DAY) as i64));
        (deadlines, random)
    };
    let mut group = criterion.benchmark_group("a million deadlines");
    let (mut queue, mut random) = filled();
    group.bench_function("move one", |bencher| {
        bencher.iter(|| {
            let place = random.below(u64::from(COUNT)) as u32;
            queue.schedule(place, START + random.below(30 * DAY) as i64);
        });
    });
    let (mut queue, mut random) = filled();
    group.bench_function("pop one and schedule it anew", |bencher| {
        bencher.iter(|| {
            if let Some(due) = queue.pop(i64::MAX) {
                queue.schedule(due.place, due.at + random.below(60 * DAY) as i64);
            }
        });
    });
    group.sample_size(10).throughput(Throughput::Elements(u64::from(COUNT)));
    group.bench_function("pop all", |bencher| {
        bencher.iter_batched(|| filled().0, |mut queue| queue.due(i64::MAX).count(), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(parts, parse, properties, apply, rest, deadlines);
criterion_main!(parts);
