//! Text to syntax tree.
//!
//! [`parse`] reads one source and answers with a [`ast::File`] and what there is to say about it. It takes any input:
//! mistakes are [`Diagnostic`]s, and where the author certainly meant something else, such as `=` for `==`, that is
//! what the tree holds, so that later stages find further mistakes.
//!
//! ```
//! use segue_grammar::{SourceId, ast, parse};
//!
//! let (file, diagnostics) = parse(SourceId(0), r#"
//! rule cart_reminder {
//!   when "Product Added" then no "Order Completed" within 2 hours
//!   limit 1 per 7 days
//!   send sms "Hi {{ profile.first_name | default('there') }}!"
//! }
//! "#);
//! assert!(diagnostics.is_empty());
//! let ast::Item::Rule(rule) = &file.items[0] else { panic!("a rule") };
//! assert_eq!(rule.name.text, "cart_reminder");
//! assert_eq!(rule.clauses.len(), 2);
//! assert_eq!(rule.steps.len(), 1);
//! ```
//!
//! Nothing is resolved here: names, types and meaning are the checker's.

pub mod span;

pub mod diagnostic;

pub mod ast;

pub mod codes;

pub mod limits;

mod parse;

pub use diagnostic::{Diagnostic, Severity};
pub use parse::{constructs, parse};
pub use span::{SourceId, Span};
