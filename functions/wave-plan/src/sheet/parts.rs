//! A cell of several things: `;` between them, and behind each, in brackets, what belongs to it: `tell the users (Ada); after: switch it off`.
//!
//! In quotation marks a text stands for itself, whatever is in it; a quotation mark within is written twice. [`read`] reads what [`write`] writes.

/// One of the things in a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether `after:` stands before it.
    pub is_after: bool,
    pub text: String,
    /// What stands in brackets behind it.
    pub note: Option<String>,
}

const AFTER: &str = "after:";

/// # Errors
/// What is to be written instead.
pub(super) fn read(cell: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut rest) = (Vec::new(), cell.trim());
    while !rest.is_empty() {
        let (part, behind) = part(rest)?;
        parts.extend(Some(part).filter(|part| !part.text.is_empty()));
        rest = behind.trim_start();
    }
    Ok(parts)
}

/// The first part, and what is behind it.
fn part(cell: &str) -> Result<(Part, &str), String> {
    let (is_after, text) = match cell.strip_prefix(AFTER) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, cell),
    };
    if let Some(quoted) = text.strip_prefix('"') {
        let (text, behind) = unquoted(quoted)?;
        let (note, behind) = note(behind.trim_start())?;
        return match behind.trim_start() {
            "" => Ok((Part { is_after, text, note }, "")),
            more => match more.strip_prefix(';') {
                Some(rest) => Ok((Part { is_after, text, note }, rest)),
                None => Err("write a ; behind a text in quotation marks, or nothing".to_owned()),
            },
        };
    }
    let (text, behind) = text.split_once(';').unwrap_or((text, ""));
    let text = text.trim();
    let bracketed = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    let part = match bracketed.map(|(text, note)| (text.trim(), note.trim())) {
        Some((text, note)) if !text.is_empty() && !note.is_empty() => {
            Part { is_after, text: text.to_owned(), note: Some(note.to_owned()) }
        }
        _ => Part { is_after, text: text.to_owned(), note: None },
    };
    Ok((part, behind))
}

/// What stands in brackets behind a text in quotation marks.
fn note(cell: &str) -> Result<(Option<String>, &str), String> {
    let Some(inside) = cell.strip_prefix('(') else { return Ok((None, cell)) };
    let (note, behind) = match inside.trim_start().strip_prefix('"') {
        Some(quoted) => {
            let (note, behind) = unquoted(quoted)?;
            (note, behind.trim_start().strip_prefix(')'))
        }
        None => match inside.split_once(')') {
            Some((note, behind)) => (note.trim().to_owned(), Some(behind)),
            None => (String::new(), None),
        },
    };
    behind
        .map(|behind| (Some(note).filter(|note| !note.is_empty()), behind))
        .ok_or_else(|| "close the bracket".to_owned())
}

/// The text up to the closing quotation mark, and what is behind that.
fn unquoted(quoted: &str) -> Result<(String, &str), String> {
    let (mut text, mut rest) = (String::new(), quoted);
    loop {
        let (before, behind) =
            rest.split_once('"').ok_or_else(|| "close the quotation mark, or leave the first one out".to_owned())?;
        text.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                text.push('"');
                rest = more;
            }
            None => return Ok((text, behind)),
        }
    }
}

pub(super) fn write(parts: impl Iterator<Item = Part>) -> String {
    let of_part = |Part { is_after, text, note }: Part| {
        let is_plain = is_plain(&text)
            && note.as_deref().is_none_or(|note| !note.contains(['(', ')', ';', '"']) && is_trimmed(note));
        let shown = |text: &str| if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) };
        let note = note.map(|note| format!(" ({})", shown(&note))).unwrap_or_default();
        format!("{}{}{note}", if is_after { "after: " } else { "" }, shown(&text))
    };
    parts.map(of_part).collect::<Vec<_>>().join("; ")
}

fn is_trimmed(text: &str) -> bool {
    !text.is_empty() && text.trim() == text
}

/// Whether a text is read as what it is without quotation marks.
fn is_plain(text: &str) -> bool {
    let has_note = text.ends_with(')') && text.contains(" (");
    is_trimmed(text) && !text.contains(';') && !text.starts_with(['"', ';']) && !text.starts_with(AFTER) && !has_note
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(is_after: bool, text: &str, note: Option<&str>) -> Part {
        Part { is_after, text: text.to_owned(), note: note.map(str::to_owned) }
    }

    #[test]
    fn what_is_written_is_read_whatever_is_in_it() {
        let texts = [
            "tell 3; then 4",
            "after: party",
            "tell (by mail)",
            "5\" disks",
            "\"so\"",
            " a ",
            "f(x)",
            "a (b) c",
            "'x",
            "=1+1",
            ")",
            "(",
            "; (",
        ];
        for text in texts {
            for note in [None, Some("Ada"), Some("Ada (Ops)"), Some("A; \"B\""), Some(")"), Some(" x ")] {
                for is_after in [false, true] {
                    let parts = vec![one(is_after, text, note), one(false, "b", None)];
                    let cell = write(parts.clone().into_iter());
                    assert_eq!(read(&cell), Ok(parts), "{cell}");
                }
            }
        }
    }

    #[test]
    fn what_people_write_is_read_as_they_mean_it() {
        let wanted = vec![one(false, "tell the users", Some("Ada")), one(true, "switch it off", None)];
        assert_eq!(read("tell the users (Ada); after: switch it off;"), Ok(wanted.clone()));
        assert_eq!(read(" tell the users  ( Ada ) ;after:switch it off"), Ok(wanted));
        assert_eq!(read("\"a; b\" (Ada)"), Ok(vec![one(false, "a; b", Some("Ada"))]));
        assert_eq!(read("\"a"), Err("close the quotation mark, or leave the first one out".to_owned()));
        assert_eq!(read("\"a\" b"), Err("write a ; behind a text in quotation marks, or nothing".to_owned()));
        assert_eq!(read("\"a\" (b"), Err("close the bracket".to_owned()));
    }
}
