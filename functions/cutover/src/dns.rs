//! Names as Route 53 stores and compares them, and how long resolvers keep them.

/// How long resolvers keep an alias to a load balancer: its own TTL, 60 s (Route 53 developer guide).
pub const ALIAS_TTL_SECONDS: u32 = 60;

/// A name as Route 53 stores it: lower case, with the last dot, `*` as `\052`.
pub fn normalise_name(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase().replace('*', "\\052");
    format!("{name}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_route_53_stores_them() {
        assert_eq!(normalise_name("*.Example.com"), "\\052.example.com.");
        assert_eq!(normalise_name("example.com."), "example.com.");
    }
}
