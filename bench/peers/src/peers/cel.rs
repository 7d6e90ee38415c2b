//! cel: an interpreter of the Common Expression Language. Values are bound by a resolver that lends them, which is the
//! cheapest way it offers.

use super::{Fault, PREDICATES, Peer, bits_or};
use crate::events::{Line, Properties};
use cel::{
    Context, Env, Program, Value,
    common::{
        types::{CelDouble, CelNull, CelString},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use std::sync::Arc;

const EXPRESSIONS: [&str; PREDICATES] = [
    r#"total >= 100.0 && category == "shoes""#,
    r#"category in ["shoes", "bags", "coats"] && price >= 50.0 && price <= 200.0"#,
    r#"country == "NO" && (coupon != null || quantity >= 3.0) && !(category == "socks")"#,
];

/// The values of an event.
struct Bound<'d> {
    total: CelDouble,
    price: CelDouble,
    quantity: CelDouble,
    category: CelString<'d>,
    country: CelString<'d>,
    coupon: Option<CelString<'d>>,
}

static NO_COUPON: CelNull = CelNull;

impl<'d> Bound<'d> {
    fn of(event: &Properties<'d>) -> Self {
        Self {
            total: event.total.into(),
            price: event.price.into(),
            quantity: event.quantity.into(),
            category: event.category.into(),
            country: event.country.into(),
            coupon: event.coupon.map(Into::into),
        }
    }
}

impl VariableResolver for Bound<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value: &dyn Val = match variable {
            "total" => &self.total,
            "price" => &self.price,
            "quantity" => &self.quantity,
            "category" => &self.category,
            "country" => &self.country,
            "coupon" => match &self.coupon {
                Some(coupon) => coupon,
                None => &NO_COUPON,
            },
            _ => return None,
        };
        Some(CowVal::Borrowed(value))
    }
}

pub(super) struct Cel<'d> {
    env: Arc<Env>,
    programs: Vec<Program>,
    bound: Vec<Bound<'d>>,
}

impl Cel<'_> {
    pub(super) fn new() -> Result<Self, Fault> {
        let env = Arc::new(Env::stdlib());
        let programs: Result<Vec<_>, _> = EXPRESSIONS.iter().map(|text| env.compile(text)).collect();
        Ok(Self { env, programs: programs?, bound: Vec::new() })
    }

    fn answer(&self, bound: &Bound<'_>) -> Result<u8, Fault> {
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(bound);
        bits_or(|number| {
            let program = self.programs.get(number).ok_or("a program is missing")?;
            Ok(program.execute(&context)? == Value::Bool(true))
        })
    }
}

impl<'d> Peer<'d> for Cel<'d> {
    fn name(&self) -> &'static str {
        "cel 0.15.0"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound.clear();
        self.bound.extend(events.iter().map(|event| Bound::of(&event.properties)));
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (bound, answer) in self.bound.iter().zip(answers) {
            *answer = self.answer(bound)?;
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in events.iter().zip(answers) {
            *answer = self.answer(&Bound::of(&event.properties))?;
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let event: Line<'d> = serde_json::from_str(line)?;
            *answer = self.answer(&Bound::of(&event.properties))?;
        }
        Ok(())
    }
}
