//! "Did you mean": the nearest known word to a mistyped one.

/// A clause for the end of a message, or nothing if no known word is near.
pub fn hint<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(found, known).map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
}

/// The known word that the fewest edits lead to, if they are few for its length; the first of several.
fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (found.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|word| (strsim::osa_distance(found, word), word))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(hint("form", ["to", "from"]), "; did you mean `from`?");
        assert_eq!(hint("ports", ["port", "from"]), "; did you mean `port`?");
        assert_eq!(hint("x", ["from"]), "");
        assert_eq!(hint("colour", ["from"]), "");
    }
}
