//! Which known name an unknown one may have been meant to be.

/// How much two names must have in common: below this, a suggestion is a riddle.
const LEAST_SIMILARITY: f64 = 0.72;

/// The known name that is nearest to `name`, if one is near enough; of equally near ones the first in the alphabet.
///
/// ```
/// use segue_compiler::suggest::nearest;
///
/// assert_eq!(nearest("Order Complete", ["Product Added", "Order Completed"]), Some("Order Completed"));
/// assert_eq!(nearest("weather", ["price", "quantity"]), None);
/// ```
#[must_use]
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = plain(name);
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let other = plain(candidate);
        let contained =
            wanted.len() >= 4 && (other.contains(&wanted) || wanted.contains(&other) && other.len() >= 4);
        let mut near = strsim::normalized_damerau_levenshtein(&wanted, &other);
        near = near.max(if contained { LEAST_SIMILARITY } else { 0.0 });
        // Short names differ much by one letter.
        if wanted.chars().count() <= 4 && strsim::damerau_levenshtein(&wanted, &other) == 1 {
            near = near.max(LEAST_SIMILARITY);
        }
        let better = match best {
            None => true,
            Some((most, first)) => near > most || near == most && candidate < first,
        };
        if near >= LEAST_SIMILARITY && better && candidate != name {
            best = Some((near, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A name without case and without what stands between its words.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
