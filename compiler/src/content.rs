//! Templates to texts, the same for both executors.
//!
//! Templates see only the names that the checker listed for them. Decimals are integers where they are whole, else
//! floating-point numbers; where that would lose digits they are their digits as text. What a template calculates with
//! them is printed as the nearest decimal. Times and dates print as ISO-8601
//! and keep the customer's zone for `date`. Missing values are undefined and print as nothing.

mod filters;
mod plain;
mod writer;

use crate::{
    limits::TEMPLATE_FUEL,
    record::Instant,
    time::{self, Zone},
    typed::{EventRole, FieldId, LetId, Program, TemplateId},
    value::{Decimal, MILLIONTHS, Millis, Text, Value},
};
use minijinja::{
    AutoEscape, Environment, UndefinedBehavior,
    value::{Object, ObjectRepr, Value as Rendered, ValueKind},
};
use plain::Plain;
use std::{cmp::Ordering, collections::BTreeMap, fmt, sync::Arc};
use thiserror::Error;

/// What stands for the link by which a customer unsubscribes; the delivering side replaces it, as it alone knows the
/// address of its service.
pub const UNSUBSCRIBE_PLACEHOLDER: &str = "{{unsubscribe_url}}";

/// Where a template finds its values.
pub trait Scope {
    /// A profile field.
    fn profile(&self, field: FieldId) -> Value;
    /// A named value.
    fn let_value(&self, id: LetId) -> Value;
    /// A top-level field of an event, or its `at`, `message_id` or `event_name`.
    fn event(&self, role: &EventRole, field: &str) -> Value;
    /// The customer's time zone now.
    fn zone(&self) -> Zone;
}

/// A template that could not be rendered.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ContentError(String);

/// What went wrong, without the number that the template has here.
fn words(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (minijinja::ErrorKind::OutOfFuel, _) => format!("it takes more than {TEMPLATE_FUEL} steps"),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    }
}

/// Every template of a program, parsed.
#[derive(Debug)]
pub struct Contents {
    environment: Environment<'static>,
    templates: Vec<Names>,
}

/// What a template reads, by the names it uses.
#[derive(Debug)]
struct Names {
    file: String,
    /// What it says, where that is always the same.
    fixed: Option<Text>,
    /// Its parts, where it only fills in.
    plain: Option<Plain>,
    profile: Vec<(FieldId, Arc<str>)>,
    lets: Vec<(LetId, Arc<str>)>,
    events: Vec<(EventRole, Vec<Arc<str>>)>,
}

impl Contents {
    /// Parses every template of a program. One that does not parse (the checker refuses it) cannot be rendered later.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let mut environment = Self::environment();
        let mut templates = Vec::new();
        for (template, number) in program.templates.iter().zip(0..) {
            let file = format!("{number}.{}", if template.html { "html" } else { "txt" });
            // A template that does not parse stays unknown, so that rendering it reports an error.
            let _ = environment.add_template_owned(file.clone(), template.source.to_string());
            let profile = |id: &FieldId| Some((*id, program.profile.get(id.0 as usize)?.field.name.clone()));
            let named = |id: &LetId| Some((*id, program.lets.get(id.0 as usize)?.name.clone()));
            let mut names = Names {
                fixed: fixed(&environment, &file, &template.source),
                file,
                plain: None,
                profile: template.profile.iter().filter_map(profile).collect(),
                lets: template.lets.iter().filter_map(named).collect(),
                events: template.events.clone(),
            };
            names.plain = Plain::of(&template.source, &names, template.html);
            templates.push(names);
        }
        Self { environment, templates }
    }

    /// The template engine as all templates find it.
    fn environment() -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_escape_callback(|name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        });
        environment
            .set_formatter(|out, state, value| minijinja::escape_formatter(out, state, &printed(value)));
        environment.set_fuel(Some(TEMPLATE_FUEL));
        environment.set_debug(false);
        environment.remove_global("debug");
        filters::add(&mut environment);
        environment
    }

    /// Renders a template.
    ///
    /// # Errors
    /// When the template is unknown, takes too long, writes too much, or applies an operation to values that do not fit.
    pub fn render(&self, template: TemplateId, scope: &dyn Scope) -> Result<Text, ContentError> {
        let failed = |error: minijinja::Error| ContentError(words(&error));
        let names =
            self.templates.get(template.0 as usize).ok_or_else(|| ContentError("it is unknown".into()))?;
        if let Some(fixed) = &names.fixed {
            return Ok(fixed.clone());
        }
        if let Some(text) = names.plain.as_ref().and_then(|plain| plain.render(scope)) {
            return Ok(text);
        }
        let parsed = self.environment.get_template(&names.file).map_err(failed)?;
        let mut writer = writer::Limited::default();
        parsed.render_captured_to(names.context(scope), &mut writer).map_err(failed)?;
        writer.text().map(Text::from).ok_or_else(|| ContentError("it is no text".into()))
    }
}

/// The text of a template that has nothing to fill in.
fn fixed(environment: &Environment<'_>, file: &str, source: &str) -> Option<Text> {
    if ["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
        return None;
    }
    environment.get_template(file).ok()?.render(()).ok().map(Text::from)
}

impl Names {
    fn context(&self, scope: &dyn Scope) -> Rendered {
        let zone = scope.zone();
        let mut context = BTreeMap::new();
        let profile = self.profile.iter().map(|(id, name)| (name.clone(), scope.profile(*id)));
        context.insert(Arc::from("profile"), object(profile, &zone));
        for (id, name) in &self.lets {
            insert_known(&mut context, name.clone(), &scope.let_value(*id), &zone);
        }
        for (role, fields) in &self.events {
            let name: Arc<str> = match role {
                EventRole::This => continue,
                EventRole::Trigger => Arc::from("event"),
                EventRole::Answer => Arc::from("answer"),
                EventRole::Element(_, name) => name.clone(),
            };
            let fields = fields.iter().map(|field| (field.clone(), scope.event(role, field)));
            context.insert(name, object(fields, &zone));
        }
        let unsubscribe = Rendered::from_safe_string(UNSUBSCRIBE_PLACEHOLDER.into());
        context.insert(Arc::from("unsubscribe_url"), unsubscribe);
        Rendered::from_pairs(context)
    }
}

fn object(fields: impl Iterator<Item = (Arc<str>, Value)>, zone: &Zone) -> Rendered {
    let mut known = BTreeMap::new();
    for (name, value) in fields {
        insert_known(&mut known, name, &value, zone);
    }
    Rendered::from_pairs(known)
}

fn insert_known(context: &mut BTreeMap<Arc<str>, Rendered>, name: Arc<str>, value: &Value, zone: &Zone) {
    if value.is_known() {
        context.insert(name, rendered(value, zone));
    }
}

/// A value as the template engine knows it.
fn rendered(value: &Value, zone: &Zone) -> Rendered {
    match value {
        Value::Missing => Rendered::UNDEFINED,
        Value::Boolean(value) => Rendered::from(*value),
        Value::Number(value) => number(*value),
        Value::Text(text) => Rendered::from(text.as_str()),
        Value::Time(at) => Rendered::from_object(Moment::Time(*at, zone.clone())),
        Value::Date(days) => Rendered::from_object(Moment::Date(*days)),
        Value::Duration(millis) => Rendered::from(*millis),
        Value::List(items) => items.iter().map(|item| rendered(item, zone)).collect(),
        Value::Object(fields) => object(fields.iter().cloned(), zone),
    }
}

/// A decimal as an integer, a floating-point number or, where that would lose digits, its digits.
fn number(value: Decimal) -> Rendered {
    if value.0 % MILLIONTHS == 0 {
        return Rendered::from(value.0 / MILLIONTHS);
    }
    let digits = value.to_string();
    match digits.parse::<f64>() {
        Ok(float) if Decimal::parse(&float.to_string()) == Some(value) => Rendered::from(float),
        Ok(_) | Err(_) => Rendered::from(digits),
    }
}

/// What is printed of a value: nothing of none; numbers and booleans as the language writes them.
fn printed(value: &Rendered) -> Rendered {
    match value.kind() {
        ValueKind::None => Rendered::UNDEFINED,
        ValueKind::Bool => Rendered::from(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if !value.is_integer() => {
            // The sum of 0.1 and 0.2 has an error in the 17th place, which the nearest decimal is rid of.
            let decimal = Decimal::parse(&value.to_string());
            decimal.map_or_else(|| value.clone(), |decimal| Rendered::from(decimal.to_string()))
        }
        _ => value.clone(),
    }
}

/// A time or date in a template.
#[derive(Clone)]
enum Moment {
    /// An instant, and the zone in which `date` prints it.
    Time(Millis, Zone),
    /// A calendar day.
    Date(i32),
}

impl Moment {
    /// The moment printed by a `strftime` format.
    fn format(&self, format: &str) -> Option<String> {
        match self {
            Self::Time(at, zone) => zone.format(*at, format),
            Self::Date(days) => time::format_date(*days, format),
        }
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(at, _) => write!(f, "{}", Instant(*at)),
            Self::Date(days) => f.write_str(&time::print_date(*days)),
        }
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &minijinja::value::DynObject) -> Option<Ordering> {
        match (&**self, other.downcast_ref::<Self>()?) {
            (Self::Time(left, _), Self::Time(right, _)) => Some(left.cmp(right)),
            (Self::Date(left), Self::Date(right)) => Some(left.cmp(right)),
            (Self::Time(..), Self::Date(_)) | (Self::Date(_), Self::Time(..)) => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
