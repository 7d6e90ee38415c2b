//! zen-expression: byte code on a stack machine, with decimal numbers.

use super::{Fault, PREDICATES, Peer, bits_or};
use crate::events::{Line, Properties};
use zen_expression::{
    Expression, Scope, Variable, compile_expression,
    expression::Standard,
    variable::{Symbol, VariableMap},
    vm::VM,
};

const EXPRESSIONS: [&str; PREDICATES] = [
    r#"total >= 100 and category == "shoes""#,
    r#"category in ["shoes", "bags", "coats"] and price >= 50 and price <= 200"#,
    r#"country == "NO" and (coupon != null or quantity >= 3) and not (category == "socks")"#,
];

const NAMES: [&str; 6] = ["total", "price", "quantity", "category", "country", "coupon"];

pub(super) struct Zen {
    expressions: Vec<Expression<Standard>>,
    names: [Symbol; NAMES.len()],
    vm: VM,
    bound: Vec<Scope>,
}

impl Zen {
    pub(super) fn new() -> Result<Self, Fault> {
        let expressions: Result<Vec<_>, _> =
            EXPRESSIONS.iter().map(|text| compile_expression(text)).collect();
        Ok(Self {
            expressions: expressions?,
            names: NAMES.map(Symbol::from),
            vm: VM::new(),
            bound: Vec::new(),
        })
    }

    fn scope(&self, event: &Properties<'_>) -> Scope {
        let number = |amount| Variable::Number(rust_decimal::Decimal::new(Properties::hundredths(amount), 2));
        let text = |text: &str| Variable::String(text.into());
        let values = [
            number(event.total),
            number(event.price),
            number(event.quantity),
            text(event.category),
            text(event.country),
            event.coupon.map_or(Variable::Null, text),
        ];
        let mut map = VariableMap::with_capacity(NAMES.len());
        for (name, value) in self.names.iter().zip(values) {
            map.insert(name.clone(), value);
        }
        Scope::new(Variable::from_object(map))
    }
}

fn ask(expressions: &[Expression<Standard>], scope: &Scope, vm: &mut VM) -> Result<u8, Fault> {
    bits_or(|number| {
        let expression = expressions.get(number).ok_or("an expression is missing")?;
        Ok(expression.evaluate_with_scope(scope, vm)?.as_bool() == Some(true))
    })
}

impl<'d> Peer<'d> for Zen {
    fn name(&self) -> &'static str {
        "zen-expression 2.1.6"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound = events.iter().map(|event| self.scope(&event.properties)).collect();
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (scope, answer) in self.bound.iter().zip(answers) {
            *answer = ask(&self.expressions, scope, &mut self.vm)?;
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in events.iter().zip(answers) {
            let scope = self.scope(&event.properties);
            *answer = ask(&self.expressions, &scope, &mut self.vm)?;
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let event: Line<'d> = serde_json::from_str(line)?;
            let scope = self.scope(&event.properties);
            *answer = ask(&self.expressions, &scope, &mut self.vm)?;
        }
        Ok(())
    }
}
