//! What leads users to the old side though the plan has run: found by each kind's precheck, judged here. Pure.
//!
//! Each is an error, unless the plan names it in `leaves_behind`: then somebody has said why, and the report repeats it.

use cutover::Finding;
use cutover::dns::normalise_name;
use cutover::plan::LeftBehind;
use serde_json::Value;

/// Something that still leads users to the old side after the plan has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The place in the plan of the route that leaves it behind.
    pub path: String,
    /// What it is, as `leaves_behind` names it: an ARN, or a record's type and name such as `AAAA app.example.com`, with the
    /// zone's ID after it where that is not the plan's zone.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
    /// What would move it, too.
    pub fix: String,
}

impl Behind {
    /// Whether the plan names it.
    pub fn is_named_in(&self, named: &[LeftBehind]) -> bool {
        named.iter().any(|left| is_named(self, left))
    }
}

/// The findings about what stays behind, and about what the plan names though it does not.
pub fn judge(behind: &[Behind], named: &[LeftBehind]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = behind.iter().map(|one| told(one, named)).collect();
    let unused = named.iter().enumerate().filter(|(_, left)| !behind.iter().any(|one| is_named(one, left)));
    findings.extend(unused.map(|(index, left)| {
        let problem = format!("`{}` is nothing that the plan leaves behind", left.what);
        let fix = "take it out, or write it as precheck's finding does";
        Finding::warning(format!("$.leaves_behind[{index}].what"), problem, fix)
    }));
    findings
}

fn told(one: &Behind, named: &[LeftBehind]) -> Finding {
    match named.iter().find(|left| is_named(one, left)) {
        Some(left) => {
            let problem = format!("{}; the plan leaves it behind: {}", one.problem, left.why);
            Finding::warning(&one.path, problem, format!("see to {} yourself", one.what))
        }
        None => {
            // To be pasted into a plan: a `*` as people write it, and in JSON.
            let what = Value::from(one.what.replace("\\052", "*"));
            let fix = format!("{}; or name it in leaves_behind: {{\"what\": {what}, \"why\": ...}}", one.fix);
            Finding::environment(&one.path, one.problem.clone(), fix)
        }
    }
}

/// Words in any order, names as DNS compares them.
fn is_named(one: &Behind, left: &LeftBehind) -> bool {
    let words = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(normalise_name).collect();
        words.sort();
        words
    };
    words(&one.what) == words(&left.what)
}

#[cfg(test)]
mod tests {
    use cutover::Severity;

    use super::*;

    fn behind() -> Behind {
        let [path, what, problem, fix] =
            ["$.routes[0]", "AAAA app.example.com", "leaves AAAA", "add it"].map(str::to_owned);
        Behind { path, what, problem, fix }
    }

    fn named(what: &str) -> Vec<LeftBehind> {
        vec![LeftBehind { what: what.to_owned(), why: "no user has IPv6".to_owned() }]
    }

    #[test]
    fn whoever_stays_behind_is_an_error_with_the_words_that_allow_it() {
        let found = judge(&[behind()], &[]);
        assert_eq!((found[0].severity, found[0].path.as_str()), (Severity::Error, "$.routes[0]"));
        assert_eq!(
            found[0].fix,
            "add it; or name it in leaves_behind: {\"what\": \"AAAA app.example.com\", \"why\": ...}"
        );
    }

    #[test]
    fn what_the_plan_names_is_a_warning_with_its_reason() {
        for what in ["AAAA app.example.com", "aaaa App.Example.com.", "app.example.com AAAA"] {
            let found = judge(&[behind()], &named(what));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{what}");
            assert!(found[0].problem.ends_with("the plan leaves it behind: no user has IPv6"), "{found:?}");
        }
    }

    #[test]
    fn a_wildcard_is_told_as_people_write_it_and_known_however_it_is_written() {
        let star = Behind { what: "A \\052.example.com Z2".to_owned(), ..behind() };
        let fix = &judge(std::slice::from_ref(&star), &[])[0].fix;
        assert!(fix.contains("{\"what\": \"A *.example.com Z2\", \"why\""), "{fix}");
        for what in ["A *.example.com Z2", "A \\052.Example.com. Z2"] {
            assert_eq!(judge(std::slice::from_ref(&star), &named(what))[0].severity, Severity::Warning, "{what}");
        }
    }

    #[test]
    fn a_name_for_nothing_is_told_and_allows_nothing() {
        let found = judge(&[behind()], &named("A app.example.com"));
        let told: Vec<_> = found.iter().map(|finding| (finding.severity, finding.path.as_str())).collect();
        assert_eq!(told, [(Severity::Error, "$.routes[0]"), (Severity::Warning, "$.leaves_behind[0].what")]);
    }
}
