//! Templates.

use segue_compiler::{
    content::{Contents, Scope},
    time::Zone,
    typed::{EventRole, FieldId, Let, LetId, ProfileField, Program, Template, TemplateId},
    types::{Field, Type},
    value::{Decimal, Value},
};
use std::sync::Arc;

struct Given(Value);

impl Scope for Given {
    fn profile(&self, _: FieldId) -> Value {
        self.0.clone()
    }

    fn let_value(&self, _: LetId) -> Value {
        Value::text("gold")
    }

    fn event(&self, _: &EventRole, field: &str) -> Value {
        match field {
            "at" => Value::Time(0),
            "day" => Value::Date(1),
            "price" => Value::Number(Decimal::parse("19.995").unwrap()),
            "products" => {
                let product = |name: &str| Value::Object([(Arc::from("name"), Value::text(name))].into());
                Value::List([product("Boots"), product("Socks")].into())
            }
            _ => Value::Missing,
        }
    }

    fn zone(&self) -> Zone {
        Zone::named("Europe/Oslo").unwrap()
    }
}

fn try_render(source: &str, html: bool, value: Value) -> Result<String, String> {
    let field = Field { name: "name".into(), ty: Type::Text, optional: true };
    let fields = ["at", "day", "price", "products", "missing"].map(Arc::from).to_vec();
    let literal = segue_compiler::typed::ExprKind::Literal(Value::text("gold"));
    let value_expr = segue_compiler::typed::Expr { kind: literal, ty: Type::Text, span: Default::default() };
    let program = Program {
        profile: vec![ProfileField { field, default: Value::Missing }],
        lets: vec![Let { name: "tier".into(), arms: Vec::new(), value: value_expr }],
        templates: vec![Template {
            source: source.into(),
            html,
            profile: vec![FieldId(0)],
            lets: vec![LetId(0)],
            events: vec![(EventRole::Trigger, fields)],
        }],
        ..Program::default()
    };
    let rendered = Contents::new(&program).render(TemplateId(0), &Given(value));
    rendered.map(String::from).map_err(|error| error.to_string())
}

#[track_caller]
fn renders(source: &str, value: Value, expected: &str) {
    assert_eq!(try_render(source, false, value).as_deref(), Ok(expected), "{source}");
}

fn number(digits: &str) -> Value {
    Value::Number(Decimal::parse(digits).unwrap())
}

#[test]
fn names_and_defaults() {
    renders("Hi {{ profile.name | default('there') }}", Value::text("Ada"), "Hi Ada");
    renders("Hi {{ profile.name | default('there') }}", Value::Missing, "Hi there");
    renders("Hi {{ profile.name | default('there') }}", Value::text(""), "Hi there");
    renders("{{ profile.name }}{{ event.missing.deeper }}{{ none }}", Value::Missing, "");
    renders("{{ tier }}", Value::Missing, "gold");
    renders("{% for p in event.products %}{{ p.name }};{% endfor %}", Value::Missing, "Boots;Socks;");
}

#[test]
fn numbers_print_their_digits() {
    for digits in ["120", "19.99", "0.3", "-0.000001", "9007199254.740993", "9223372036854.775807"] {
        renders("{{ profile.name }}", number(digits), digits);
    }
}

#[test]
fn what_is_calculated_prints_as_a_decimal() {
    renders("{{ profile.name + 0.1 }} {{ profile.name * 3 }}", number("0.2"), "0.3 0.6");
    renders("{{ profile.name / 3 }} {{ 10 / 5 }}", number("1"), "0.333333 2");
    renders("{{ (profile.name - 0.02) | money('EUR') }}", number("0.1"), "€0.08");
    renders("{{ profile.name * 1000000000 }}", number("9000000.5"), "9000000500000000.0");
}

#[test]
fn booleans_print_as_they_are_written() {
    renders("{{ profile.name }} {{ not profile.name }}", Value::Boolean(true), "true false");
}

#[test]
fn money_is_rounded_half_even_from_the_exact_number() {
    for (digits, expected) in [
        ("19.99", "$19.99"),
        ("5", "$5.00"),
        ("0.125", "$0.12"),
        ("0.135", "$0.14"),
        ("1.005", "$1.00"),
        ("1.005001", "$1.01"),
        ("-2.5", "-$2.50"),
        ("9223372036854.775807", "$9223372036854.78"),
    ] {
        renders("{{ profile.name | money('USD') }}", number(digits), expected);
    }
    renders("{{ event.price | money('NOK') }}", Value::Missing, "20.00 kr");
    renders(
        "{{ event.price | money('EUR') }} {{ event.price | money('CHF') }}",
        Value::Missing,
        "€20.00 20.00 CHF",
    );
    renders("{{ profile.name | money('USD') | default('free') }}", Value::Missing, "free");
}

#[test]
fn dates_print_in_the_customers_zone() {
    renders("{{ event.at }}", Value::Missing, "1970-01-01T00:00:00.000Z");
    renders("{{ event.at | date('%d %B %H:%M') }}", Value::Missing, "01 January 01:00");
    renders("{{ event.day }} {{ event.day | date('%d %B') }}", Value::Missing, "1970-01-02 02 January");
    renders("{{ profile.name | date('%d %B') | default('some day') }}", Value::Missing, "some day");
}

#[test]
fn links_and_unsubscribing() {
    renders(
        "{{ profile.name | link('cart') }}",
        Value::text("https://x.y/?a=1#f"),
        "https://x.y/?a=1&segue_link=cart#f",
    );
    renders("{{ 'https://x.y' | link('my cart') }}", Value::Missing, "https://x.y?segue_link=my%20cart");
    renders("{{ unsubscribe_url }}", Value::Missing, "{{unsubscribe_url}}");
    assert_eq!(try_render("{{ profile.name }}", true, Value::text("<b>")).as_deref(), Ok("&lt;b&gt;"));
    renders("{{ profile.name }}", Value::text("<b>"), "<b>");
}

#[test]
fn rendering_is_bounded() {
    let endless = "{% for a in range(10000) %}{% for b in range(10000) %}{{ a }}{% endfor %}{% endfor %}";
    assert!(try_render(endless, false, Value::Missing).is_err());
    let long = format!("{{% for a in range(2000) %}}{}{{% endfor %}}", "x".repeat(10_000));
    assert!(try_render(&long, false, Value::Missing).is_err());
}
