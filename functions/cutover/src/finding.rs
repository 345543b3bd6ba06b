//! Findings: what precheck has to say, each with where, what is wrong, and what would be right.

use serde::{Deserialize, Serialize};

use crate::budget::{MOST_FINDING_BYTES, json_bytes};
use crate::error::name;
use crate::text::shown;
use crate::{StepError, StepResult};

/// More findings than this help nobody. What they have in bytes is bounded by [`MOST_FINDING_BYTES`].
pub const MOST_FINDINGS: usize = 50;
const MOST_PATH_BYTES: usize = 200;
const MOST_PROBLEM_BYTES: usize = 1_000;
const MOST_FIX_BYTES: usize = 400;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; the run goes on.
    Warning,
    /// The run ends here, with nothing touched.
    Error,
}

/// What kind of error a finding is; it decides the name of the run's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The environment is not what the plan says.
    Environment,
    /// The plan itself is wrong.
    Plan,
    /// Another run holds the application or a route.
    Conflict,
}

/// One thing to say about a plan or its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether the run ends here.
    pub severity: Severity,
    /// What kind of finding it is.
    pub kind: Kind,
    /// The place in the plan, as a JSON path: `$.routes[0].steps[1].new_weight`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

impl Finding {
    /// The plan itself is wrong.
    pub fn plan(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Error, Kind::Plan, path.into(), problem.into(), fix.into())
    }

    /// The environment is not what the plan says.
    pub fn environment(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Error, Kind::Environment, path.into(), problem.into(), fix.into())
    }

    /// Another run holds what this one needs.
    pub fn conflict(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Error, Kind::Conflict, path.into(), problem.into(), fix.into())
    }

    /// Worth knowing; the run goes on.
    pub fn warning(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Warning, Kind::Environment, path.into(), problem.into(), fix.into())
    }

    /// The texts repeat what a plan or AWS says, whatever that may be.
    fn of(severity: Severity, kind: Kind, path: String, problem: String, fix: String) -> Self {
        let (problem, fix) = (shown(&problem, MOST_PROBLEM_BYTES), shown(&fix, MOST_FIX_BYTES));
        Self { severity, kind, path: shown_path(&path), problem, fix }
    }
}

/// A path as findings show it.
pub fn shown_path(path: &str) -> String {
    shown(path, MOST_PATH_BYTES)
}

/// Findings in the order of their paths, each once, as many as can be carried.
pub fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|one, other| parts(&one.path).cmp(parts(&other.path)));
    findings.dedup();
    first(findings)
}

/// What a path is sorted by: names by their letters, `[9]` before `[10]`.
fn parts(path: &str) -> impl Iterator<Item = (&str, u64)> {
    path.split(['.', '[']).map(|part| match part.strip_suffix(']').and_then(|index| index.parse().ok()) {
        Some(index) => ("", index),
        None => (part, 0),
    })
}

/// What is to be done of a denial, where it is not known to be in another account.
pub const ALLOW_FUNCTIONS: &str = "allow the functions' roles this action";
/// The same of what only precheck looks at.
pub const ALLOW_PRECHECK: &str = "allow precheck's role this action, or look yourself";
const UNKNOWN_THERE: &str =
    "see that the region is enabled in that account (those that are not by default have to be), then start again";

/// Whether it is no permission that is missing: credentials are unknown to a region that an account has not enabled, or they are over.
fn is_unknown_there(message: &str) -> bool {
    ["InvalidClientTokenId", "UnrecognizedClientException"].iter().any(|code| message.contains(code))
}

/// What is said of something in another account that could not be entered.
pub fn unreached(path: &str, error: &StepError) -> Finding {
    let says = |code: &str| error.message.contains(code);
    let fix = if says("RegionDisabled") {
        "activate STS for that region in that account (IAM, account settings), then start again"
    } else if says("PackedPolicyTooLarge") {
        "that is Cutover's own policy for the session: tell its maintainers; until then start the run in that account, by the Cutover that is installed there"
    } else if says("sts:AssumeRole") && !says("AccessDenied") {
        "see what AWS says of the role there, then start again"
    } else {
        "deploy the stack CutoverAccess in that account, for the account and with the external id that this stack has for it"
    };
    Finding::environment(path, format!("cannot be reached: {}", error.message), fix)
}

/// Turns what a repetition does not cure into a finding: a denied call is a missing permission, a refused one says that
/// something is not what the plan says.
///
/// # Errors
/// What a repetition may cure, under its own name: a throttle is waited out for longer than anything else.
pub fn soften<T>(result: StepResult<T>, path: &str, findings: &mut Vec<Finding>) -> StepResult<Option<T>> {
    soften_to(result, path, "correct the plan, or the environment", findings)
}

/// The same, with what would be right where the call was refused.
///
/// # Errors
/// As [`soften`].
pub fn soften_to<T>(
    result: StepResult<T>,
    path: &str,
    fix: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Option<T>> {
    match settled(result)? {
        Ok(value) => Ok(Some(value)),
        Err(StepError { name: name::NOT_PERMITTED, message }) => {
            let (why, fix) = match is_unknown_there(&message) {
                true => ("AWS does not know who asks", UNKNOWN_THERE),
                false => ("permission missing", ALLOW_FUNCTIONS),
            };
            findings.push(Finding::environment(path, format!("cannot be observed: {why}: {message}"), fix));
            Ok(None)
        }
        Err(StepError { message, .. }) => {
            findings.push(Finding::environment(path, message, fix));
            Ok(None)
        }
    }
}

/// What a look answers that the run itself does not need; where it is withheld or refused, a warning that says what was not
/// looked at.
///
/// # Errors
/// As [`soften`].
pub fn beside<T>(
    result: StepResult<T>,
    path: &str,
    not_seen: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Option<T>> {
    settled(result).map(|result| match result {
        Ok(value) => Some(value),
        Err(error) => {
            let fix = match error.name {
                name::NOT_PERMITTED if is_unknown_there(&error.message) => UNKNOWN_THERE,
                name::NOT_PERMITTED => ALLOW_PRECHECK,
                _ if is_missing(&error) => "name what is there",
                _ => "look yourself",
            };
            findings.push(Finding::warning(path, format!("{not_seen}: {}", error.message), fix));
            None
        }
    })
}

/// Whether AWS knows nothing of that name: its codes say so (`ListenerNotFound`, `TargetGroupNotFound`, `NoSuchHostedZone`,
/// `ResourceNotFoundException`), and so do the functions where an answer is empty.
pub fn is_missing(error: &StepError) -> bool {
    error.name == name::REFUSED
        && ["NotFound", "NoSuch", "there is no such"].iter().any(|missing| error.message.contains(missing))
}

/// What a repetition does not change: an answer, or an error that will come again.
///
/// # Errors
/// What a repetition may cure, under its own name: a throttle is waited out for longer than anything else.
pub fn settled<T>(result: StepResult<T>) -> StepResult<StepResult<T>> {
    match result {
        Err(error) if error.is_passing() => Err(error),
        result => Ok(result),
    }
}

/// The first findings, as many as can be carried; the last one then says that there are more.
pub fn first(mut findings: Vec<Finding>) -> Vec<Finding> {
    let more = Finding::plan("$", "has more errors than can be told", "correct these first");
    let mut bytes = json_bytes(&more) + 2;
    let fits = |finding: &&Finding| {
        bytes += json_bytes(finding) + 1;
        bytes <= MOST_FINDING_BYTES
    };
    let fitting = findings.iter().take_while(fits).count();
    if findings.len() > fitting.min(MOST_FINDINGS) {
        findings.truncate(fitting.min(MOST_FINDINGS - 1));
        findings.push(more);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_in_the_order_of_the_plan() {
        let paths = ["$", "$.application", "$.routes", "$.routes[2].steps[9].hold", "$.routes[10]", "$.timeout"];
        let found = |path: &&str| Finding::plan(*path, "p", "f");
        let told = in_order(paths.iter().rev().chain(&paths).map(found).collect());
        assert_eq!(told.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), paths);
    }

    #[test]
    fn the_longest_findings_fit_into_a_state_of_the_state_machine() {
        let long = "\"\\".repeat(5_000);
        let findings = first(vec![Finding::plan(&long, &long, &long); 10_000]);
        assert!((10..=MOST_FINDINGS).contains(&findings.len()), "{}", findings.len());
        assert!(json_bytes(&findings) <= MOST_FINDING_BYTES);
        assert_eq!(first(vec![Finding::plan("$", "short", "short"); 10_000]).len(), MOST_FINDINGS);
        assert_eq!(first(vec![Finding::plan("$", "short", "short"); MOST_FINDINGS]).len(), MOST_FINDINGS);
        assert_eq!(findings.last().unwrap().problem, "has more errors than can be told");
    }

    #[test]
    fn only_a_role_that_may_not_be_assumed_is_one_to_deploy() {
        let fix = |name, message: &str| unreached("$", &StepError::new(name, message)).fix;
        let call = "sts:AssumeRole arn:aws:iam::222222222222:role/cutover-access";
        assert!(fix(name::NOT_PERMITTED, &format!("{call}: AccessDenied: no")).contains("CutoverAccess"));
        assert!(fix(name::NOT_PERMITTED, "is in the account 222222222222: deploy it").contains("CutoverAccess"));
        for (code, part) in [
            ("RegionDisabledException: STS is not activated", "activate STS"),
            ("PackedPolicyTooLarge: 120 %", "tell its maintainers"),
            ("ValidationError: no", "what AWS says"),
        ] {
            let fix = fix(name::REFUSED, &format!("{call}: {code}"));
            assert!(fix.contains(part) && !fix.contains("CutoverAccess"), "{code}: {fix}");
        }
    }

    #[test]
    fn credentials_that_a_region_does_not_know_are_no_missing_permission() {
        let mut findings = Vec::new();
        let unknown = StepError::new(name::NOT_PERMITTED, "route53:GetHostedZone Z1: InvalidClientTokenId: invalid");
        assert_eq!(soften(Err::<(), _>(unknown.clone()), "$", &mut findings), Ok(None));
        assert_eq!(beside(Err::<(), _>(unknown), "$", "not seen", &mut findings), Ok(None));
        assert!(findings.iter().all(|finding| finding.fix.contains("region is enabled")), "{findings:?}");
        assert!(!findings[0].problem.contains("permission missing"));
    }

    #[test]
    fn what_may_not_be_looked_at_is_a_warning_and_what_passes_is_tried_again() {
        let mut findings = Vec::new();
        let denied: StepResult<()> = Err(StepError::new(name::NOT_PERMITTED, "elasticloadbalancing:DescribeRules: no"));
        assert_eq!(beside(denied, "$", "nobody looked", &mut findings), Ok(None));
        assert_eq!((findings.len(), findings[0].severity), (1, Severity::Warning));
        assert_eq!(findings[0].problem, "nobody looked: elasticloadbalancing:DescribeRules: no");
        assert!(findings[0].fix.starts_with("allow precheck's role this action"));
        for (message, fix) in [
            ("elasticloadbalancing:DescribeTags: TargetGroupNotFound: no", "name what is there"),
            ("elasticloadbalancing:DescribeRules arn: ValidationError: no", "look yourself"),
        ] {
            let (mut told, refused) = (Vec::new(), Err::<(), _>(StepError::new(name::REFUSED, message)));
            assert_eq!(beside(refused, "$", "nobody looked", &mut told), Ok(None));
            assert_eq!(told[0].fix, fix, "{message}: it is no permission that is missing");
        }
        let slow: StepResult<()> = Err(StepError::new(name::THROTTLED, "slow"));
        assert_eq!(beside(slow, "$", "", &mut findings).unwrap_err().name, name::THROTTLED);
        assert_eq!(findings.len(), 1);
    }
}
