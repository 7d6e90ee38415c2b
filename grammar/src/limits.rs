//! What a source may ask of the parser. Each limit is far above what a person writes and low enough that a hostile
//! file is refused at once.

/// Longest source in bytes (1 MiB): some 20,000 lines; longer ones are data, not rules.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// Deepest nesting of brackets, braces, parentheses and prefixes such as `not`: what is parsed and walked by
/// recursion must fit the stack of any thread.
pub const MAX_DEPTH: usize = 64;

/// Most operands in one chain of `+ - * /`: such a chain is a tree as deep as it is long.
pub const MAX_CHAIN: usize = 64;

/// Most diagnostics kept for one file: nobody reads more, and garbage would give one per byte.
pub const MAX_DIAGNOSTICS: usize = 100;

/// How many characters are searched for the closing partner of a quote that is not the language's own: a guess for the
/// sake of a better message must not make long lines quadratic.
pub const MAX_QUOTE_SCAN: usize = 4096;

/// Nesting up to which a declaration is read on the caller's own stack; deeper ones get a stack of their own. One
/// level of parentheses takes some 40 KiB without optimization, and threads may have as little as 2 MiB.
pub const SHALLOW_DEPTH: usize = 12;

/// Size in bytes of the stack for deeply nested declarations: enough for `MAX_DEPTH` levels, four times over.
pub const DEEP_STACK_BYTES: usize = 16 << 20;
