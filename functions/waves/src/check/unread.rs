//! Which findings say something of what was read. Pure.

use cutover::finding::Finding;

/// How a finding ends that names an application which is none.
pub(super) const NO_APPLICATION: &str = "is no application of this wave";

/// A rule over what could not be read would speak of what stands in for it; and an application whose name could not be read is one that others may name.
pub(super) fn is_of_what_was_read(finding: &Finding, unread: &[String]) -> bool {
    let is_below = |path: &str, place: &str| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let is_nameless = |path: &String| {
        let rest = path.strip_prefix("$.applications");
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.ends_with(']') && !rest.contains('.') || rest.ends_with("].name")
        })
    };
    let touches = |unread: &String| is_below(&finding.path, unread) || is_below(unread, &finding.path);
    let names_another = finding.problem.ends_with(NO_APPLICATION);
    !unread.iter().any(|unread| touches(unread) || names_another && is_nameless(unread))
}
