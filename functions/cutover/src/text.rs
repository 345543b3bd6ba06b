//! Texts that somebody else wrote, made fit to be shown and carried.

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

/// What makes an AWS CLI command act in the region that an ARN names: nothing where it names none.
pub fn region_option(arn: &str) -> String {
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    region.map(|region| format!(" --region {region}")).unwrap_or_default()
}

/// A text as one word of a POSIX shell.
pub fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_plain(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !is_invisible
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
