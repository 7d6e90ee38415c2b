//! wirefilter-engine: filters made of closures. It has whole numbers of 32 bits, so that amounts are hundredths, and no
//! missing values, so that no coupon is an empty one.

use super::{Fault, PREDICATES, Peer, bits_or};
use crate::events::{Line, Properties};
use wirefilter::{ExecutionContext, Filter, Scheme, Type};

const FILTERS: [&str; PREDICATES] = [
    r#"total >= 10000 && category == "shoes""#,
    r#"category in {"shoes" "bags" "coats"} && price >= 5000 && price <= 20000"#,
    r#"country == "NO" && (coupon != "" || quantity >= 3) && not (category == "socks")"#,
];

pub(super) struct Wirefilter<'d> {
    scheme: &'d Scheme,
    filters: [Filter<'d>; PREDICATES],
    /// To be filled anew.
    context: ExecutionContext<'d>,
    bound: Vec<ExecutionContext<'d>>,
}

impl<'d> Wirefilter<'d> {
    pub(super) fn new() -> Result<Self, Fault> {
        let mut scheme = Scheme::default();
        for (name, ty) in [
            ("total", Type::Int),
            ("price", Type::Int),
            ("quantity", Type::Int),
            ("category", Type::Bytes),
            ("country", Type::Bytes),
            ("coupon", Type::Bytes),
        ] {
            scheme.add_field(name.to_owned(), ty).map_err(|error| error.to_string())?;
        }
        // It is needed until the end, and filters and contexts point into it.
        let scheme: &'d Scheme = Box::leak(Box::new(scheme));
        let parsed: Result<Vec<_>, Fault> = FILTERS
            .iter()
            .map(|text| Ok(scheme.parse(text).map_err(|error| error.to_string())?.compile()))
            .collect();
        let filters = parsed?.try_into().map_err(|_| "a filter is missing")?;
        Ok(Self { scheme, filters, context: ExecutionContext::new(scheme), bound: Vec::new() })
    }

    fn fill(context: &mut ExecutionContext<'d>, event: &Properties<'d>) -> Result<(), Fault> {
        let hundredths = |amount| i32::try_from(Properties::hundredths(amount)).unwrap_or(i32::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "quantities are small whole numbers")]
        let quantity = event.quantity as i32;
        let set = [
            context.set_field_value("total", hundredths(event.total)),
            context.set_field_value("price", hundredths(event.price)),
            context.set_field_value("quantity", quantity),
            context.set_field_value("category", event.category),
            context.set_field_value("country", event.country),
            context.set_field_value("coupon", event.coupon.unwrap_or_default()),
        ];
        for done in set {
            done.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn ask<'d>(filters: &[Filter<'d>; PREDICATES], context: &ExecutionContext<'d>) -> Result<u8, Fault> {
    bits_or(|number| {
        let filter = filters.get(number).ok_or("a filter is missing")?;
        Ok(filter.execute(context).map_err(|error| error.to_string())?)
    })
}

impl<'d> Peer<'d> for Wirefilter<'d> {
    fn name(&self) -> &'static str {
        "wirefilter-engine 0.6.1"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound.clear();
        for event in events {
            let mut context = ExecutionContext::new(self.scheme);
            Self::fill(&mut context, &event.properties)?;
            self.bound.push(context);
        }
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (context, answer) in self.bound.iter().zip(answers) {
            *answer = ask(&self.filters, context)?;
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in events.iter().zip(answers) {
            Self::fill(&mut self.context, &event.properties)?;
            *answer = ask(&self.filters, &self.context)?;
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let event: Line<'d> = serde_json::from_str(line)?;
            Self::fill(&mut self.context, &event.properties)?;
            *answer = ask(&self.filters, &self.context)?;
        }
        Ok(())
    }
}
