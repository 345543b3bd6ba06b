//! A URL that can be probed, in its parts.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a probe goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether TLS is spoken.
    pub is_tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Host and port as the URL has them.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// Reads a URL: `http` or `https`, a host, no user in it.
    ///
    /// # Errors
    /// What is wrong, as a predicate of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let shown = shown(url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(format!("`{shown}` is not an http or https URL")),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !url.is_ascii() {
            return Err(format!("`{shown}` has characters that are not ASCII: write the host in punycode"));
        }
        if authority.is_empty() || authority.contains('@') {
            return Err(format!("`{shown}` has no plain host name"));
        }
        if url.len() > 2048 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("`{shown}` is not a URL"));
        }
        let (host, port) = host_and_port(authority).ok_or_else(|| format!("`{shown}` has no host and port"))?;
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if !can_be_sent(&path) {
            return Err(format!("`{shown}` has characters in its path or query that cannot be sent"));
        }
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port: port.unwrap_or(if is_tls { 443 } else { 80 }),
            authority: authority.to_owned(),
            path,
        })
    }

    /// Whether the host is an address, not a name.
    pub fn is_address(&self) -> bool {
        self.host.parse::<Ipv4Addr>().is_ok() || self.host.parse::<Ipv6Addr>().is_ok()
    }
}

/// Whether path and query can stand in a request: what sends them reads them as this.
pub(crate) fn can_be_sent(path: &str) -> bool {
    path.starts_with('/') && !path.contains('#') && path.parse::<hyper::Uri>().is_ok()
}

/// A URL as messages show it: without query and user, which may be secrets.
pub fn shown(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://").map_or(("", bare), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("...@{host}"));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{host}{path}").chars().take(80).collect()
}

/// The port is a number of 1 to 65535 without zeros before it; an IPv6 address stands in brackets.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_host = if authority.starts_with('[') {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.')
    } else {
        !host.is_empty() && !host.contains(['[', ']'])
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.starts_with(|c: char| ('1'..='9').contains(&c)) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None if rest.is_empty() => None,
        None => return None,
    };
    is_host.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_in_their_parts() {
        let parts = |url: &str| {
            let Target { is_tls, host, port, path, .. } = Target::parse(url).unwrap();
            (is_tls, host, port, path)
        };
        let of = |is_tls, host: &str, port, path: &str| (is_tls, host.to_owned(), port, path.to_owned());
        assert_eq!(
            parts("https://new.example.com:8443/health?x=1#y"),
            of(true, "new.example.com", 8443, "/health?x=1")
        );
        assert_eq!(parts("HTTP://10.0.0.1"), of(false, "10.0.0.1", 80, "/"), "schemes know no case");
        assert_eq!(parts("http://10.0.0.1"), of(false, "10.0.0.1", 80, "/"));
        assert_eq!(parts("https://[2001:db8::1]?x"), of(true, "2001:db8::1", 443, "/?x"));
        assert!(Target::parse("https://[::1]:8443/").unwrap().is_address());
    }

    #[test]
    fn queries_and_users_stay_out_of_messages() {
        assert_eq!(shown("https://a.example.com:8443/health?token=s3cr3t#x"), "https://a.example.com:8443/health");
        assert_eq!(shown("https://ada:s3cr3t@a.example.com/"), "https://...@a.example.com/");
        assert_eq!(shown("a.example.com?s3cr3t"), "a.example.com");
        for url in ["https://ada:s3cr3t@a.example.com/", "ftp://a/?s3cr3t", "https:///?s3cr3t", "https://a:b/?s3cr3t"] {
            assert!(!Target::parse(url).unwrap_err().contains("s3cr3t"), "{url}");
        }
    }

    #[test]
    fn urls_are_plain() {
        let wrong = [
            "ftp://x",
            "https://",
            "new.example.com",
            "https://user@host/",
            "https://a b/",
            "https://büro.example.com/",
        ];
        let wrong_port =
            ["http://x:", "http://x:0", "http://x:080", "http://x:65536", "http://x:a", "http://[::1", "http://[x]"];
        for wrong in wrong.into_iter().chain(wrong_port) {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Target::parse("https://büro.example.com/").unwrap_err().contains("punycode"));
    }
}
