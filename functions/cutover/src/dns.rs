//! Names as Route 53 stores and compares them, and how long resolvers keep them.

/// How long resolvers keep an alias to a load balancer: its own TTL, 60 s (Route 53 developer guide).
pub const ALIAS_TTL_SECONDS: u32 = 60;

/// A name as Route 53 stores it: lower case, with the last dot, all but letters, digits, `-`, `_` and the dots between labels
/// as octal escapes, such as `\052` for `*` (developer guide, *DNS domain name format*). Escapes that stand for plain
/// characters are read as these.
pub fn normalise_name(name: &str) -> String {
    let mut normal = String::new();
    let mut rest = name.as_bytes();
    while let Some((byte, is_escaped, after)) = next(rest) {
        rest = after;
        let is_plain = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if is_plain || (byte == b'.' && !is_escaped) {
            normal.push(char::from(byte.to_ascii_lowercase()));
        } else {
            normal.push_str(&format!("\\{byte:03o}"));
        }
    }
    normal.truncate(normal.trim_end_matches('.').len());
    normal.push('.');
    normal
}

/// A name with letters beyond ASCII as DNS has it: `xn--bro-hoa.example.com` of `büro.example.com`. `None`: there is none.
pub fn punycode(name: &str) -> Option<String> {
    idna::domain_to_ascii(name).ok().filter(|name| !name.is_empty())
}

/// The longest label, in bytes (RFC 1035, 2.3.4).
const MOST_LABEL_BYTES: usize = 63;

/// Whether DNS has room for a name: labels of 1 to 63 characters, 255 in all. The last dot may be there.
pub fn fits(name: &str) -> bool {
    let labels = name.strip_suffix('.').unwrap_or(name).split('.');
    name.len() <= 255 && labels.into_iter().all(|label| (1..=MOST_LABEL_BYTES).contains(&label.len()))
}

/// What would be right instead of a name that is not one.
pub fn name_fix(name: &str) -> String {
    let too_long = name.split('.').filter(|_| name.is_ascii()).find(|label| label.len() > MOST_LABEL_BYTES);
    if let Some(label) = too_long {
        let shown: String = label.chars().take(12).collect();
        return format!("shorten `{shown}...`, which has {} characters: {MOST_LABEL_BYTES} at the most", label.len());
    }
    if name.len() > 253 && name.is_ascii() {
        return format!("shorten it: it has {} characters, and 253 are the most", name.len());
    }
    match punycode(name).filter(|_| !name.is_ascii()) {
        Some(ascii) => format!("write it in punycode: {ascii}"),
        None => "use a full name such as app.example.com, letters beyond ASCII in punycode".to_owned(),
    }
}

/// A load balancer's name as it is compared, in its normal form: aliases may have `dualstack.` before it, which leads to the same
/// nodes.
pub fn bare_name(name: &str) -> String {
    let name = normalise_name(name);
    name.strip_prefix("dualstack.").map_or(name.clone(), str::to_owned)
}

/// The next byte of a name, whether it was escaped, and what comes after it. A `\` escapes three octal digits or one character.
fn next(name: &[u8]) -> Option<(u8, bool, &[u8])> {
    match name {
        [] => None,
        [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..] => {
            Some(((high - b'0') * 64 + (middle - b'0') * 8 + (low - b'0'), true, after))
        }
        [b'\\', byte, after @ ..] => Some((*byte, true, after)),
        [byte, after @ ..] => Some((*byte, false, after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_route_53_stores_them() {
        assert_eq!(normalise_name("*.Example.com"), "\\052.example.com.");
        assert_eq!(normalise_name("example.com."), "example.com.");
    }

    #[test]
    fn labels_are_short_and_none_is_empty() {
        assert!(["app.example.com", "app.example.com.", "corp", "\\052.example.com"].into_iter().all(fits));
        let long = format!("{}.example.com", "a".repeat(64));
        assert!(!["", ".", "a..b", ".a", &long, &["a"; 200].join(".")].into_iter().any(fits));
    }

    #[test]
    fn a_name_beyond_ascii_is_told_as_dns_has_it() {
        assert_eq!(name_fix("büro.Example.com"), "write it in punycode: xn--bro-hoa.example.com");
        assert_eq!(name_fix("*.名.example.com."), "write it in punycode: *.xn--eqr.example.com.");
        let long = format!("shop.{}.example.com", "a".repeat(64));
        assert_eq!(name_fix(&long), "shorten `aaaaaaaaaaaa...`, which has 64 characters: 63 at the most");
        assert!(name_fix(&["a"; 200].join(".")).starts_with("shorten it: it has 399"));
        for other in ["a b.example.com", "", "a..b"] {
            assert!(name_fix(other).starts_with("use a full name"), "{other}");
        }
    }

    #[test]
    fn an_aliases_name_for_both_families_is_the_balancers() {
        assert_eq!(bare_name("dualstack.Shop-1.eu-west-1.elb.amazonaws.com"), "shop-1.eu-west-1.elb.amazonaws.com.");
    }

    #[test]
    fn one_name_in_several_spellings_is_one() {
        for spelling in ["\\052.a-b_c.Example.com", "\\*.A-B_C.example.COM.", "*.\\141-b\\137c.example.com.."] {
            assert_eq!(normalise_name(spelling), "\\052.a-b_c.example.com.", "{spelling}");
        }
        assert_eq!(normalise_name("a@b.example.com"), "a\\100b.example.com.");
        assert_ne!(normalise_name("a\\056b.example.com"), normalise_name("a.b.example.com"), "a dot within a label");
        for name in ["a\\056b.example.com.", "\\052.x.", "\\400.x", "tail\\", "ä.x"] {
            assert_eq!(normalise_name(&normalise_name(name)), normalise_name(name), "{name}");
        }
    }
}
