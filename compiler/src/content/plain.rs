//! Templates that only fill in: most are texts with a name or an amount in between, and need no template engine.

use super::{Names, Scope, filters};
use crate::{
    limits::MAX_CONTENT_BYTES,
    typed::{EventRole, FieldId},
    value::{Text, Value},
};
use minijinja::machinery::{
    ast::{CallArg, Expr, Stmt},
    parse,
};
use std::sync::Arc;

/// A template of which every part is text, or a field.
#[derive(Debug)]
pub(super) struct Plain(Vec<Part>);

#[derive(Debug)]
enum Part {
    Says(String),
    Fills(Source, Way),
}

/// Where a value stands.
#[derive(Debug)]
enum Source {
    Profile(FieldId),
    Event(EventRole, Arc<str>),
}

/// How a value is written.
#[derive(Debug)]
enum Way {
    AsIs,
    /// `default('…')`.
    Or(String),
    /// `money('…')`.
    Money(String),
}

impl Plain {
    /// The parts of a template; nothing where it has others, or is HTML, in which signs have to be escaped.
    pub(super) fn of(source: &str, names: &Names, html: bool) -> Option<Self> {
        let Stmt::Template(template) = parse(source, "template", Default::default()).ok()? else {
            return None;
        };
        let part = |statement: &Stmt<'_>| match statement {
            Stmt::EmitRaw(raw) => Some(Part::Says(raw.raw.to_owned())),
            Stmt::EmitExpr(emit) => names.filled(&emit.expr),
            _ => None,
        };
        (!html).then(|| template.children.iter().map(part).collect::<Option<_>>().map(Self))?
    }

    /// What it says; nothing where a value is of another kind than these templates mostly have.
    pub(super) fn render(&self, scope: &dyn Scope) -> Option<Text> {
        let mut text = Text::new();
        for part in &self.0 {
            match part {
                Part::Says(words) => text.push_str(words),
                Part::Fills(source, way) => {
                    let value = match source {
                        Source::Profile(field) => scope.profile(*field),
                        Source::Event(role, field) => scope.event(role, field),
                    };
                    way.write(&value, &mut text)?;
                }
            }
            if text.len() > MAX_CONTENT_BYTES {
                return None;
            }
        }
        Some(text)
    }
}

impl Way {
    fn write(&self, value: &Value, to: &mut Text) -> Option<()> {
        match (self, value) {
            (Self::AsIs | Self::Money(_), Value::Missing) => {}
            (Self::Or(other), Value::Missing) => to.push_str(other),
            (Self::Or(other), Value::Text(text)) if text.is_empty() => to.push_str(other),
            (Self::AsIs | Self::Or(_), Value::Text(text)) => to.push_str(text),
            (Self::Money(currency), Value::Number(amount)) => {
                to.push_str(&filters::amount(*amount, currency))
            }
            _ => return None,
        }
        Some(())
    }
}

impl Names {
    /// `{{ profile.name }}` or `{{ event.name }}`, as it is or with one filter.
    fn filled(&self, expression: &Expr<'_>) -> Option<Part> {
        let Expr::Filter(filter) = expression else {
            return Some(Part::Fills(self.source(expression)?, Way::AsIs));
        };
        let [CallArg::Pos(Expr::Const(argument))] = filter.args.as_slice() else { return None };
        let argument = argument.value.as_str()?.to_owned();
        let way = match filter.name {
            "default" | "d" => Way::Or(argument),
            "money" => Way::Money(argument),
            _ => return None,
        };
        Some(Part::Fills(self.source(filter.expr.as_ref()?)?, way))
    }

    fn source(&self, expression: &Expr<'_>) -> Option<Source> {
        let Expr::GetAttr(attribute) = expression else { return None };
        let Expr::Var(of) = &attribute.expr else { return None };
        if self.lets.iter().any(|(_, name)| **name == *of.id) {
            return None;
        }
        let is_called = |role: &EventRole| match role {
            EventRole::This => false,
            EventRole::Trigger => of.id == "event",
            EventRole::Answer => of.id == "answer",
            EventRole::Element(_, name) => of.id == &**name,
        };
        if let Some((role, fields)) = self.events.iter().rev().find(|(role, _)| is_called(role)) {
            let field = fields.iter().find(|field| ***field == *attribute.name)?;
            return Some(Source::Event(role.clone(), field.clone()));
        }
        let (field, _) = self.profile.iter().find(|(_, name)| **name == *attribute.name)?;
        (of.id == "profile").then_some(Source::Profile(*field))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Contents, *};
    use crate::{time::Zone, typed::LetId, value::Decimal};

    struct Alike(Value);

    impl Scope for Alike {
        fn profile(&self, _: FieldId) -> Value {
            self.0.clone()
        }

        fn let_value(&self, _: LetId) -> Value {
            Value::Missing
        }

        fn event(&self, _: &EventRole, _: &str) -> Value {
            self.0.clone()
        }

        fn zone(&self) -> Zone {
            Zone::utc()
        }
    }

    fn names(file: &str) -> Names {
        Names {
            file: file.to_owned(),
            fixed: None,
            plain: None,
            profile: vec![(FieldId(0), Arc::from("name"))],
            lets: vec![(LetId(0), Arc::from("spent"))],
            events: vec![(EventRole::Trigger, vec![Arc::from("total")])],
        }
    }

    #[test]
    fn it_says_what_the_template_engine_says() {
        let plain = [
            "Hi {{ profile.name }}!\n",
            "{{ profile.name | default('there') }}{{ event.total | d(\"none\") -}}  .",
            "Total {{ event.total | money('EUR') }} {# never #}{{ event.total|money(\"CHF\") }}\n\n",
            "{{profile.name}}{{event.total}}",
        ];
        let values = [
            Value::Missing,
            Value::text(""),
            Value::text("Ada & <b>"),
            Value::Number(Decimal(19_995_000)),
            Value::Number(Decimal(-5_000)),
            Value::Number(Decimal(7_000_000)),
            Value::Number(Decimal(i64::MAX)),
            Value::Number(Decimal(123_456_789_012_345_678)),
            Value::Boolean(true),
        ];
        let mut written = 0;
        for source in plain {
            let mut environment = Contents::environment();
            environment.add_template("0.txt", source).unwrap();
            let names = names("0.txt");
            let plain = Plain::of(source, &names, false).unwrap();
            for value in &values {
                let scope = Alike(value.clone());
                let engine =
                    environment.get_template("0.txt").unwrap().render(names.context(&scope)).unwrap();
                if let Some(text) = plain.render(&scope) {
                    assert_eq!(*text, *engine, "{source} {value:?}");
                    written += 1;
                }
            }
        }
        assert_eq!(written, 15);
    }

    #[test]
    fn others_are_left_to_it() {
        for source in [
            "{{ spent }}",
            "{{ profile.other }}",
            "{{ profile.name | upper }}",
            "{{ profile.name ~ 'x' }}",
            "{% if profile.name %}x{% endif %}",
            "{{ profile.name | default(event.total) }}",
            "{{ profile.name | date('%d') | default('x') }}",
        ] {
            assert!(Plain::of(source, &names("0.txt"), false).is_none(), "{source}");
        }
        assert!(Plain::of("{{ profile.name }}", &names("0.html"), true).is_none());
    }
}
