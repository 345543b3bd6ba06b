//! A text without names and numbers of whoever made it, so that it can be sent to somebody else. Pure.
//!
//! Contract: [`Names::out_of`] puts in the place of each name that is known what it is the name of (`<ListenerArn>`), and in that of every ARN, account
//! number, identifier, address and host name of AWS that is left, only what kind of thing it is.

/// What stands for what.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// Of names, each with what it is the name of.
    pub fn new(known: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut known: Vec<(String, String)> =
            known.into_iter().filter(|(name, _)| name.len() > 2).map(|(name, of)| (name, format!("<{of}>"))).collect();
        // An ARN before what it contains.
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self(known)
    }

    /// The text without them.
    pub fn out_of(&self, text: &str) -> String {
        let text = self.0.iter().fold(text.to_owned(), |text, (name, of)| text.replace(name, of));
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
            if end == 0 {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            } else {
                out.push_str(&plain(&rest[..end]));
                rest = &rest[end..];
            }
        }
        out
    }
}

/// What ARNs, the names of sessions in them, identifiers, addresses and host names consist of.
fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.:/*@+".contains(c)
}

fn plain(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':', '/']);
    if let Some(at) = bare.find("arn:aws") {
        return format!("{}<arn>{}", &word[..at], &word[bare.len()..]);
    }
    let kind = kind(bare);
    kind.map_or_else(|| numbers_out_of(word), |kind| format!("{kind}{}", &word[bare.len()..]))
}

fn kind(word: &str) -> Option<&'static str> {
    let is_address = word.split('.').count() == 4 && word.split('.').all(|part| part.parse::<u8>().is_ok());
    if word.contains('@') {
        Some("<mail>")
    } else if is_address {
        Some("<address>")
    } else if word.contains(".amazonaws.com") || word.contains(".amazonaws.com.cn") {
        Some("<host>")
    } else if is_identifier(word) {
        Some("<id>")
    } else {
        None
    }
}

/// `73e2d6bc24d8a067`, `3f2504e0-4f89-11d3-9a0c-0305e82c3301`, `Z0123456789ABCDEFGHIJ`, `vpc-0a1b2c3d4e5f60718`.
fn is_identifier(word: &str) -> bool {
    let last = word.rsplit(['-', '/']).next().unwrap_or_default();
    let is_hex = |text: &str| text.len() >= 12 && text.chars().all(|c| c.is_ascii_hexdigit());
    let is_zone = word.len() >= 12
        && word.starts_with('Z')
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && word.chars().any(|c| c.is_ascii_digit());
    is_zone || is_hex(last)
}

/// Account numbers within words.
fn numbers_out_of(word: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in word.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() == 12 { "<account>" } else { &digits });
        digits.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_called_by_what_it_is_and_the_rest_by_its_kind() {
        let listener =
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";
        let names = Names::new([
            (listener.to_owned(), "ListenerArn".to_owned()),
            ("app.acme.internal".to_owned(), "RecordName".to_owned()),
            ("acme".to_owned(), "prefix".to_owned()),
        ]);
        for (text, expected) in [
            (format!("{listener} is at 25 %"), "<ListenerArn> is at 25 %".to_owned()),
            ("name app.acme.internal. of acme".to_owned(), "name <RecordName>. of <prefix>".to_owned()),
            ("$.a.arn:aws:sns:eu-west-1:210987654321:pages: 1 -> 2".to_owned(), "$.a.<arn>: 1 -> 2".to_owned()),
            ("role-210987654321-x in Z0123456789ABCDEFGHIJ".to_owned(), "role-<account>-x in <id>".to_owned()),
            ("192.0.2.10 and internal-x-1.eu-west-1.elb.amazonaws.com.".to_owned(), "<address> and <host>.".to_owned()),
            (
                "User: arn:aws:sts::210987654321:assumed-role/Admin/ada@mail.example is not ada@mail.example."
                    .to_owned(),
                "User: <arn> is not <mail>.".to_owned(),
            ),
            ("check 3f2504e0-4f89-11d3-9a0c-0305e82c3301".to_owned(), "check <id>".to_owned()),
            ("Cutover.Drift at 100 % after 2m".to_owned(), "Cutover.Drift at 100 % after 2m".to_owned()),
        ] {
            assert_eq!(names.out_of(&text), expected);
        }
    }
}
