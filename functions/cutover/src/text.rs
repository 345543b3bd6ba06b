//! Texts that somebody else wrote, made fit to be shown and carried: on one line, of bounded length, without a character that
//! could make one text look like another, and, within a sentence of ours, in quotes.

use serde_json::Value;

/// A text of about so many bytes at the most, cut with a note. Control characters, and those that change the direction or
/// cannot be seen, are written as escapes: in a terminal or a message they could make one text look like another.
pub fn shown(text: &str, most_bytes: usize) -> String {
    if text.len() <= most_bytes && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let mut shown = String::new();
    for c in text.chars() {
        if shown.len() >= most_bytes {
            shown.push_str("... (cut)");
            break;
        }
        if is_plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// A text within HTML or SVG, as [`shown`].
pub fn escaped(text: &str, most_bytes: usize) -> String {
    let mut escaped = String::new();
    for c in shown(text, most_bytes).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A text within a sentence of ours: in quotes, as [`shown`]. Quotes of its own become single ones, so that it cannot end
/// before its end.
pub fn quoted(text: &str, most_bytes: usize) -> String {
    format!("\"{}\"", shown(text, most_bytes).replace('"', "'"))
}

/// A name within a sentence of ours: as it is where it is one plain word, in quotes otherwise.
pub fn named(name: &str, most_bytes: usize) -> String {
    if is_word(name) && name.len() <= most_bytes { name.to_owned() } else { quoted(name, most_bytes) }
}

/// Whether a text is a name of ours: 1 to `most_bytes` of `A-Z a-z 0-9 - _`.
pub fn is_name(text: &str, most_bytes: usize) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=most_bytes).contains(&text.len()) && text.chars().all(allowed)
}

/// Whether a text is the key of an object below a folder (`plans/`) of the bucket of reports: 1 to 300 of `A-Z a-z 0-9 . _ / = -`, and no way up.
pub fn is_key_below(folder: &str, key: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/=-".contains(c);
    let rest = key.strip_prefix(folder).filter(|rest| (1..=300).contains(&rest.len()));
    rest.is_some_and(|rest| rest.chars().all(allowed)) && !key.contains("..")
}

/// Whether a text is a command of the AWS CLI that is plain words only: nothing in it is for a shell to read.
pub fn is_plain_command(text: &str) -> bool {
    text.starts_with("aws ") && text.split(' ').all(is_word)
}

/// Names in a sentence: `a`, `a and b`, `a, b and c`.
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Whether a text is one word of what names and ARNs are made of.
pub fn is_word(text: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || "-_.:/@*+=".contains(c);
    !text.is_empty() && text.chars().all(is_of_names)
}

/// A JSON value with all its texts as [`shown`], the names of its fields too.
pub fn shown_json(value: &Value, most_bytes: usize) -> Value {
    match value {
        Value::String(text) => Value::String(shown(text, most_bytes)),
        Value::Array(items) => items.iter().map(|item| shown_json(item, most_bytes)).collect(),
        Value::Object(fields) => {
            let shown = |(name, field): (&String, &Value)| (shown(name, most_bytes), shown_json(field, most_bytes));
            Value::Object(fields.iter().map(shown).collect())
        }
        other => other.clone(),
    }
}

/// What makes an AWS CLI command act in the region that an ARN names: nothing where it names none.
pub fn region_option(arn: &str) -> String {
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    region.map(|region| format!(" --region {region}")).unwrap_or_default()
}

/// A text as one word of a POSIX shell.
pub fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A JSON value as one word of a POSIX shell: what is not plain ASCII is written as JSON's own escapes, so that a command can
/// be read and pasted whatever is in it.
pub fn json_word(value: &Value) -> String {
    let mut json = String::new();
    for c in value.to_string().chars() {
        if c == ' ' || c.is_ascii_graphic() {
            json.push(c);
        } else {
            // Only within texts, where JSON has escapes for it: UTF-16, four digits each.
            json.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shell_word(&json)
}

/// Whether a character is seen as itself: neither a control character, nor one that formats (Unicode's category Cf), nor a
/// blank that looks like none.
fn is_plain(c: char) -> bool {
    let is_invisible = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    let is_strange_blank = c.is_whitespace() && c != ' ';
    !c.is_control() && !is_invisible && !is_strange_blank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(shown("Zürich e\u{301} 名", 100), "Zürich e\u{301} 名");
        assert_eq!(shown("\u{0}a\u{1b}[2J\n\u{202e}x\u{feff}", 100), "\\u{0}a\\u{1b}[2J\\u{a}\\u{202e}x\\u{feff}");
    }

    #[test]
    fn what_somebody_else_wrote_is_seen_to_be_theirs() {
        assert_eq!(quoted("all is well", 100), r#""all is well""#);
        assert_eq!(quoted("x\". All is well: \"", 100), r#""x'. All is well: '""#);
        assert_eq!(quoted("x\nRun: y", 100), r#""x\u{a}Run: y""#);
        assert_eq!(named("arn:aws:sns:eu-west-1:1:shop_page", 100), "arn:aws:sns:eu-west-1:1:shop_page");
        for name in ["", "two words", "x\ny", "x\u{202e}y", "x\"y"] {
            assert!(named(name, 100).starts_with('"'), "{name}");
        }
        assert_eq!(named("longer", 3), r#""lon... (cut)""#);
    }

    #[test]
    fn a_command_of_plain_words_is_told_from_what_a_shell_would_read() {
        assert!(is_plain_command(
            "aws elbv2 delete-target-group --target-group-arn arn:aws:x:r:1:targetgroup/old/1 --region r"
        ));
        for other in ["", "aws", "ls", "aws s3 rm; ls", "aws s3 rm $(ls)", "aws  s3", "aws s3\nls", "aws s3 'x'"] {
            assert!(!is_plain_command(other), "{other}");
        }
    }

    #[test]
    fn names_are_listed_as_a_sentence_has_them() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let told: Vec<String> = (0..=4).map(|count| listed(&names[..count])).collect();
        assert_eq!(told, ["", "a", "a and b", "a, b and c", "a, b, c and d"]);
    }

    #[test]
    fn every_text_of_a_value_is_shown() {
        let value = serde_json::json!({ "a\u{202e}": ["b\n", 7, null, { "c": "d" }] });
        let expected = serde_json::json!({ "a\\u{202e}": ["b\\u{a}", 7, null, { "c": "d" }] });
        assert_eq!(shown_json(&value, 100), expected);
    }

    #[test]
    fn a_command_says_in_ascii_what_it_means() {
        let value = serde_json::json!({ "a": "it's \u{202e}\n\u{1f600}" });
        let word = json_word(&value);
        assert_eq!(word, r#"'{"a":"it'\''s \u202e\n\ud83d\ude00"}'"#);
        let json = word.trim_matches('\'').replace(r"'\''", "'");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
    }

    #[test]
    fn a_command_acts_where_an_arn_is() {
        assert_eq!(region_option("arn:aws:lambda:eu-west-1:123456789012:function:f"), " --region eu-west-1");
        for nowhere in ["arn:aws:route53:::hostedzone/Z1", "run", ""] {
            assert_eq!(region_option(nowhere), "", "{nowhere}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shown("äöü", 3), "äö... (cut)");
        assert!(shown(&"\u{10ffff}".repeat(1_000_000), 1_000).len() < 1_100);
    }
}
