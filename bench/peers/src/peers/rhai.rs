//! rhai: a scripting language that walks its tree.

use super::{Fault, PREDICATES, Peer, bits_or};
use crate::events::{Line, Properties};
use rhai::{AST, Dynamic, Engine, Scope};

const EXPRESSIONS: [&str; PREDICATES] = [
    r#"total >= 100.0 && category == "shoes""#,
    r#"category in ["shoes", "bags", "coats"] && price >= 50.0 && price <= 200.0"#,
    r#"country == "NO" && (coupon != () || quantity >= 3.0) && !(category == "socks")"#,
];

pub(super) struct Rhai {
    engine: Engine,
    scripts: Vec<AST>,
    /// To be filled anew.
    scope: Scope<'static>,
    bound: Vec<Scope<'static>>,
}

impl Rhai {
    pub(super) fn new() -> Result<Self, Fault> {
        let engine = Engine::new();
        let scripts: Result<Vec<_>, _> =
            EXPRESSIONS.iter().map(|text| engine.compile_expression(text)).collect();
        Ok(Self { engine, scripts: scripts?, scope: Scope::new(), bound: Vec::new() })
    }
}

fn fill(scope: &mut Scope<'static>, event: &Properties<'_>) {
    scope
        .set_value("total", event.total)
        .set_value("price", event.price)
        .set_value("quantity", event.quantity)
        .set_value("category", Dynamic::from(event.category.to_owned()))
        .set_value("country", Dynamic::from(event.country.to_owned()))
        .set_value("coupon", event.coupon.map_or(Dynamic::UNIT, |coupon| Dynamic::from(coupon.to_owned())));
}

fn ask(engine: &Engine, scripts: &[AST], scope: &mut Scope<'static>) -> Result<u8, Fault> {
    bits_or(|number| {
        let script = scripts.get(number).ok_or("a script is missing")?;
        Ok(engine.eval_ast_with_scope(scope, script)?)
    })
}

impl<'d> Peer<'d> for Rhai {
    fn name(&self) -> &'static str {
        "rhai 1.27.0"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound.clear();
        for event in events {
            let mut scope = Scope::new();
            fill(&mut scope, &event.properties);
            self.bound.push(scope);
        }
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (scope, answer) in self.bound.iter_mut().zip(answers) {
            *answer = ask(&self.engine, &self.scripts, scope)?;
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in events.iter().zip(answers) {
            fill(&mut self.scope, &event.properties);
            *answer = ask(&self.engine, &self.scripts, &mut self.scope)?;
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let event: Line<'d> = serde_json::from_str(line)?;
            fill(&mut self.scope, &event.properties);
            *answer = ask(&self.engine, &self.scripts, &mut self.scope)?;
        }
        Ok(())
    }
}
