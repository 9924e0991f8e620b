//! A small palette, and text that is safe to show.

use std::borrow::Cow;

/// Whether to paint, and how. With colours off every method returns its text unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether escape sequences may be written.
    pub colours: bool,
}

impl Style {
    /// Text without colours.
    #[cfg(test)]
    pub const PLAIN: Self = Self { colours: false };

    /// Holds, reaches as wished.
    pub fn good(self, text: &str) -> Cow<'_, str> {
        self.paint("32", text)
    }

    /// Violated, blocked, errors.
    pub fn bad(self, text: &str) -> Cow<'_, str> {
        self.paint("31", text)
    }

    /// Unknown, warnings.
    pub fn unsure(self, text: &str) -> Cow<'_, str> {
        self.paint("33", text)
    }

    /// Names and headings.
    pub fn strong(self, text: &str) -> Cow<'_, str> {
        self.paint("1", text)
    }

    /// Provenance and other small print.
    pub fn dim(self, text: &str) -> Cow<'_, str> {
        self.paint("2", text)
    }

    fn paint<'a>(self, code: &str, text: &'a str) -> Cow<'a, str> {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m").into() } else { text.into() }
    }
}

/// The text with control characters made visible: names and tags come from others, and a terminal obeys what it reads.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(unsafe_to_show) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().flat_map(|character| {
        let escape = unsafe_to_show(character).then(|| character.escape_default());
        let plain = escape.is_none().then_some(character);
        escape.into_iter().flatten().chain(plain)
    });
    Cow::Owned(escaped.collect())
}

/// Control characters and those that turn the direction of text around.
fn unsafe_to_show(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_only_if_wanted() {
        assert_eq!(Style::PLAIN.bad("x"), "x");
        assert_eq!(Style { colours: true }.bad("x"), "\x1b[31mx\x1b[0m");
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(visible("web server"), "web server");
        assert_eq!(visible("a\x1b[2Jb\nü\u{202e}"), "a\\u{1b}[2Jb\\nü\\u{202e}");
    }
}
