//! What files declare besides rules.

use super::{Clause, Duration, Expr, Name, NumberText};
use crate::span::Span;

/// `use ecommerce` or `use "path"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The pack's name or the path.
    pub target: Name,
    /// Whether it was quoted, that is, a path.
    pub is_path: bool,
    /// The whole declaration.
    pub span: Span,
}

/// `event "Name" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDecl {
    /// Whether `passive` stands before it.
    pub passive: bool,
    /// The event's name.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// The whole declaration.
    pub span: Span,
}

/// `profile { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileDecl {
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// The whole declaration.
    pub span: Span,
}

/// `name: type? = literal`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// The field.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// Whether `?` follows.
    pub optional: bool,
    /// The default, only meaningful in a profile.
    pub default: Option<Expr>,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `text`, `number`, … or a word that is no type.
    Named(String),
    /// `list of T`.
    List(Box<TypeExpr>),
    /// `{ name: T, … }`.
    Object(Vec<FieldDecl>),
}

/// `let name = …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// `value if condition` arms; empty for a plain `let`.
    pub arms: Vec<(Expr, Expr)>,
    /// The value, or the one after `otherwise`; `None` when arms stand without `otherwise`.
    pub value: Option<Expr>,
    /// The whole declaration.
    pub span: Span,
}

/// `segment name "title" { condition }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: Option<Name>,
    /// The condition.
    pub condition: Expr,
    /// The whole declaration.
    pub span: Span,
}

/// `topic name "title" within other { rates else … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: Option<Name>,
    /// The topic it lies within.
    pub within: Option<Name>,
    /// Its rates.
    pub rates: Vec<Rate>,
    /// What happens above a rate.
    pub otherwise: Option<TopicElse>,
    /// The whole declaration.
    pub span: Span,
}

/// `sms 1 per 1 day`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// The channel it is for; all when absent.
    pub channel: Option<Name>,
    /// How many.
    pub count: NumberText,
    /// In how long, rolling.
    pub per: Duration,
    /// The whole rate.
    pub span: Span,
}

/// What happens to a message above a topic's rate.
#[derive(Clone, Debug, PartialEq)]
pub enum TopicElse {
    /// `else skip`.
    Skip(Span),
    /// `else hold up to DURATION`; the span is the whole phrase.
    Hold(Duration, Span),
}

/// `defaults { clauses }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// The clauses.
    pub clauses: Vec<Clause>,
    /// The whole declaration.
    pub span: Span,
}

/// `suppress topic on channel for segment name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppress {
    /// The topic.
    pub topic: Name,
    /// The channel; all when absent.
    pub channel: Option<Name>,
    /// The segment.
    pub segment: Name,
    /// The whole declaration.
    pub span: Span,
}
