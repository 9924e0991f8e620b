//! Globs for ids, names and tag values.
//!
//! `*` stands for any text, `?` for one character, `[ab]` for one of several; a backslash makes the next character
//! ordinary. Matching is case-sensitive and covers the whole text; `/` and `:` are ordinary characters.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

/// A literal text or a glob.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it was written.
    text: Box<str>,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// Exactly this text.
    Literal(Box<str>),
    Glob(Box<GlobMatcher>),
}

impl Pattern {
    /// Reads a glob; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let matcher = match literal(text) {
            Some(literal) => Matcher::Literal(literal.into()),
            None => Matcher::Glob(Box::new(compile(text)?)),
        };
        Ok(Self { text: text.into(), matcher })
    }

    /// Whether the whole of `candidate` matches.
    pub fn matches(&self, candidate: &str) -> bool {
        match &self.matcher {
            Matcher::Literal(literal) => **literal == *candidate,
            Matcher::Glob(glob) => glob.is_match(candidate),
        }
    }

    /// The only text that matches, unless this is a glob.
    pub fn literal(&self) -> Option<&str> {
        match &self.matcher {
            Matcher::Literal(literal) => Some(literal),
            Matcher::Glob(_) => None,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// The text without its backslashes, or `None` if it has a glob character that no backslash makes ordinary.
fn literal(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '*' | '?' | '[' => return None,
            '\\' => plain.push(rest.next().unwrap_or('\\')),
            other => plain.push(other),
        }
    }
    Some(plain)
}

fn compile(text: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(&plain_glob(text))
        .literal_separator(false)
        .backslash_escape(true)
        .build()
        .map_err(|error| format!("`{text}` is not a glob: {}", error.kind()))?;
    Ok(glob.compile_matcher())
}

/// Takes away what the glob library knows beyond our three forms: alternatives in braces, and `**`.
fn plain_glob(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut in_class = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if !in_class => {
                plain.push('\\');
                plain.extend(characters.next());
                continue;
            }
            '{' | '}' | ',' if !in_class => plain.push('\\'),
            '*' if !in_class && characters.peek() == Some(&'*') => continue,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let parsed = Pattern::parse(pattern).unwrap();
        for text in yes {
            assert!(parsed.matches(text), "`{pattern}` should match `{text}`");
        }
        for text in no {
            assert!(!parsed.matches(text), "`{pattern}` should not match `{text}`");
        }
        assert_eq!(parsed.to_string(), pattern);
    }

    #[test]
    fn literals_match_themselves_only() {
        check("i-0abc", &["i-0abc"], &["i-0abcd", "I-0ABC", ""]);
        check("SubnetId:27", &["SubnetId:27"], &["SubnetId:2"]);
        check("a{b,c}", &["a{b,c}"], &["ab", "ac"]);
    }

    #[test]
    fn globs_cover_the_whole_text() {
        check("i-*", &["i-", "i-0abc", "i-a/b:c"], &["x-i-0", "j-1"]);
        check("*", &["", "anything/at:all"], &[]);
        check("a**/b", &["a/b", "ax/y/b"], &["a", "ab"]);
        check("web-?", &["web-1"], &["web-", "web-12"]);
        check("web-[ab]", &["web-a"], &["web-c"]);
        check("{a,b}*", &["{a,b}c"], &["a", "bc"]);
        check("arn:aws:ec2:*:instance/*", &["arn:aws:ec2:eu-west-1:1:instance/i-1"], &["arn:aws:s3:::b"]);
    }

    #[test]
    fn a_backslash_makes_the_next_character_ordinary() {
        check(r"a\*", &["a*"], &["ab"]);
        check(r"a\**", &["a*", "a*b"], &["ab"]);
        assert_eq!(Pattern::parse(r"\[x\]").unwrap().literal(), Some("[x]"));
    }

    #[test]
    fn an_open_class_is_an_error() {
        let message = Pattern::parse("web-[a").unwrap_err();
        assert_eq!(message, "`web-[a` is not a glob: unclosed character class; missing ']'");
    }
}
