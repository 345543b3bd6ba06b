//! A list of a stack's configuration: texts with `*` for any characters and `?` for one, as IAM has them.

use crate::bootstrap::Environment;

/// The patterns of one list. An empty one allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// Of a function's variable of this name.
    ///
    /// # Errors
    /// It is not set, or is no list.
    pub fn of(environment: &Environment, name: &str) -> Result<Self, lambda_runtime::Error> {
        let text = environment.variable(name)?;
        Self::read(&text).map_err(|problem| format!("{name} {problem}").into())
    }

    /// From a JSON list of texts.
    ///
    /// # Errors
    /// It is no such list.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("is no list of texts: {error}"))
    }

    /// Of whoever lets everything in, or cannot know what a stack lists.
    pub fn open() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Whether one of them is of this text.
    pub fn allow(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, text))
    }

    /// Whether whatever is named is allowed, since the stack's owner has written so.
    pub fn is_open(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*")
    }

    /// They themselves.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether a text is of a pattern: `*` stands for any characters, and `?` for one (IAM user guide, wildcards). In time that grows with both
/// lengths at the most.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place, mut star) = (0, 0, None);
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[place] => (at, place) = (at + 1, place + 1),
            _ => match star {
                Some((before, from)) => {
                    star = Some((before, from + 1));
                    (at, place) = (before + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_matched_as_iam_does() {
        for (pattern, text, does_fit) in [
            ("", "", true),
            ("*", "", true),
            ("a", "", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*-*-x", "a-b-x", true),
            ("?", "", false),
            ("?", "ä", true),
            ("[a]", "a", false),
        ] {
            assert_eq!(fits(pattern, text), does_fit, "{pattern} {text}");
        }
        assert!(!fits(&"*a".repeat(100), &"a".repeat(99)), "in no time");
    }

    #[test]
    fn a_list_that_cannot_be_read_allows_nothing_and_says_so() {
        assert!(Patterns::read("shop-*").is_err() && Patterns::read("").is_err() && Patterns::read("{}").is_err());
        assert!(!Patterns::read("[]").unwrap().allow("") && !Patterns::default().allow("x"));
        let open = |text: &str| Patterns::read(text).unwrap().is_open();
        assert!(open(r#"["a", "*"]"#) && !open(r#"["a*"]"#));
    }
}
