//! What a load test may reach, and how hard: rules of the plan, and of the stack's configuration. Pure.
//!
//! A load test asks only hosts that a plan shows to belong to the side, as far as the stack's own lists agree: a plan says of whatever host it likes that it is
//! its own. The new side's are the answers of the routes' `new` (addresses, names, aliases), which precheck holds against the same lists, and the host of `health_check` where users might be
//! sent to it. The old side's are the routes' names that the stack may change, which lead to the old side alone as long
//! as no traffic has moved. A load balancer that a plan names by ARN only has no name in it: for such, the stack lists hosts.

use std::collections::BTreeMap;

use hyper::header::{HeaderName, HeaderValue};

use crate::authority::{Patterns, fits, leads_to};
use crate::bootstrap::Environment;
use crate::dns::{bare_name, normalise_name};
use crate::plan::{LoadTarget, LoadTest, Route};
use crate::probe::{Target, shown};
use crate::{Finding, Plan};

/// Headers that the sender says itself: how long a body is, whom it asks, how connections are used.
pub const OWN_HEADERS: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
/// Servers take about 8 KB of headers in all (nginx, Apache); the plan's own and ours are beside these.
const MOST_SECRET_BYTES: usize = 4_096;

/// What the stack's configuration allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadLimits {
    /// Requests a second to one side, all slices together.
    pub most_rate_per_second: u32,
    /// Hosts that may be loaded beside those that the plan shows to be its own.
    pub hosts: Vec<String>,
    /// Secrets whose headers may be sent: ARNs, in which `*` and `?` stand for what they do in IAM.
    pub secrets: Vec<String>,
    /// The names that plans may change: `recordNames`.
    pub names: Patterns,
    /// Where records may send users: `recordValues` and `aliasTargets`.
    pub answers: [Patterns; 2],
}

impl LoadLimits {
    /// From the variables `MAX_LOAD_RATE_PER_SECOND`, a number, `LOAD_TEST_HOSTS` and `LOAD_TEST_SECRET_ARNS`, both with commas in between, and the lists
    /// `RECORD_NAMES`, `RECORD_VALUES` and `ALIAS_TARGETS`.
    ///
    /// # Errors
    /// One is not set, the first is not a number, or one of the last is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        let [rate, hosts, secrets] = ["MAX_LOAD_RATE_PER_SECOND", "LOAD_TEST_HOSTS", "LOAD_TEST_SECRET_ARNS"]
            .map(|name| environment.variable(name));
        let list = |name: &str| Patterns::of(environment, name);
        let (names, answers) = (list("RECORD_NAMES")?, [list("RECORD_VALUES")?, list("ALIAS_TARGETS")?]);
        Ok(Self { names, answers, ..Self::read(&rate?, &hosts?, &secrets?)? })
    }

    /// From the first three of these; of the lists nothing is allowed.
    fn read(rate: &str, hosts: &str, secrets: &str) -> Result<Self, String> {
        let most = rate.trim().parse().map_err(|_| format!("MAX_LOAD_RATE_PER_SECOND is `{rate}`, not a number"))?;
        Ok(Self { most_rate_per_second: most, hosts: listed(hosts), secrets: listed(secrets), ..Self::default() })
    }

    /// Whether users might be sent there by some record, as far as the stack says.
    fn lets_answer(&self, host: &str) -> bool {
        // Aliases may have this before the name, and lead to the same.
        let spellings = [host.to_owned(), format!("dualstack.{host}")];
        let is_of = |pattern: &str| spellings.iter().any(|spelling| leads_to(pattern, spelling));
        self.answers.iter().flat_map(Patterns::iter).any(is_of)
    }

    /// Whether plans may change this name, so that it is the old side's of one.
    fn lets_change(&self, name: &str) -> bool {
        let normal = normalise_name(name);
        self.names.is_open() || self.names.iter().any(|listed| normalise_name(listed) == normal)
    }

    /// Whether the headers of this secret may be sent.
    pub fn lets_read(&self, secret_arn: &str) -> bool {
        self.secrets.iter().any(|listed| fits(listed, secret_arn))
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Which side a host must belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// What the stack does not allow of a plan's load test, and hosts that are not its own.
pub fn findings(plan: &Plan, limits: &LoadLimits) -> Vec<Finding> {
    let Some(test) = &plan.load_test else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(too_fast(test, limits));
    findings.extend(secret_not_listed(test, limits));
    findings.extend(foreign(plan, &test.targets.new, Side::New, limits));
    findings.extend(test.targets.old.as_ref().and_then(|old| foreign(plan, old, Side::Old, limits)));
    findings
}

/// Of users no more than the ceiling can ask at all; how fast they ask is bounded while they do.
fn too_fast(test: &LoadTest, limits: &LoadLimits) -> Option<Finding> {
    let most = limits.most_rate_per_second;
    let (field, wanted) = match (test.rate_per_second, test.concurrent_users) {
        (Some(rate), _) => ("rate_per_second", rate),
        (None, Some(users)) => ("concurrent_users", users),
        (None, None) => return None,
    };
    (wanted > most).then(|| {
        let fix = format!("ask for {most} at the most, or raise `maxLoadRatePerSecond` of the stack");
        Finding::plan(format!("$.load_test.{field}"), format!("is {wanted}, above the stack's ceiling of {most}"), fix)
    })
}

fn secret_not_listed(test: &LoadTest, limits: &LoadLimits) -> Option<Finding> {
    let arn = test.headers_secret_arn.as_ref()?;
    (!limits.lets_read(arn)).then(|| {
        let problem = format!("`{arn}` is none of the secrets that load tests of this stack may read");
        Finding::plan(SECRET_PATH, problem, "have it listed in `loadTestSecretArns` of the stack, or leave it out")
    })
}

/// Where a plan names the secret.
pub const SECRET_PATH: &str = "$.load_test.headers_secret_arn";

/// The headers that a secret's text is.
///
/// # Errors
/// What is wrong, for a person: nothing of the text is in it but headers of [`OWN_HEADERS`], as whatever stands in a secret may be one.
pub fn secret_headers(text: &str) -> Result<BTreeMap<String, String>, String> {
    const FORM: &str =
        "the secret's text should be a JSON object of header to value, such as {\"authorization\": \"Bearer ...\"}";
    if text.len() > MOST_SECRET_BYTES {
        return Err(format!(
            "the secret's text has {} bytes, more than the {MOST_SECRET_BYTES} of headers",
            text.len()
        ));
    }
    let headers: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| FORM.to_owned())?;
    if headers.is_empty() {
        return Err(format!("the secret has no header: {FORM}"));
    }
    for (name, value) in &headers {
        let own = OWN_HEADERS.iter().find(|own| name.eq_ignore_ascii_case(own));
        if let Some(own) = own {
            return Err(format!("the secret has the header `{own}`, which the sender says itself: leave it out"));
        }
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err("the secret has a name that is no header's: use letters, digits and -".to_owned());
        }
        if HeaderValue::from_str(value).is_err() {
            return Err(
                "the secret has a value that cannot be sent: use characters that can be seen, on one line".to_owned()
            );
        }
    }
    Ok(headers)
}

fn foreign(plan: &Plan, target: &LoadTarget, side: Side, limits: &LoadLimits) -> Option<Finding> {
    let host = bare_host(&Target::parse(&target.url).ok()?.host);
    let own = match side {
        Side::New => new_hosts(plan, limits),
        Side::Old => old_hosts(plan, limits),
    };
    let allowed = own.into_iter().chain(limits.hosts.iter().cloned()).any(|allowed| bare_host(&allowed) == host);
    (!allowed).then(|| {
        let (field, fix) = match side {
            Side::New => {
                ("new", "use an address or name of a route's `new`, or the host of health_check.url where it is one")
            }
            Side::Old => {
                ("old", "use a route's record_name of the stack's recordNames, which still leads to the old side")
            }
        };
        let path = format!("$.load_test.targets.{field}.url");
        let problem = format!("`{}` is not shown to belong to the {field} side", shown(&target.url));
        Finding::plan(path, problem, format!("{fix}, or have the host listed in `loadTestHosts` of the stack"))
    })
}

fn new_hosts(plan: &Plan, limits: &LoadLimits) -> Vec<String> {
    let probed = plan.health_check.as_ref().and_then(|probe| Target::parse(&probe.url).ok()).map(|target| target.host);
    let answers = plan.routes.iter().flat_map(|route| match route {
        Route::Dns(route) => route.records.as_slice(),
        Route::Listener(_) => &[],
    });
    let answers = answers.filter_map(|record| record.new.as_ref()).flat_map(|new| {
        let alias = new.alias.as_ref().map(|alias| alias.dns_name.clone());
        new.values.iter().flatten().cloned().chain(alias)
    });
    probed.filter(|host| limits.lets_answer(host)).into_iter().chain(answers).collect()
}

fn old_hosts(plan: &Plan, limits: &LoadLimits) -> Vec<String> {
    let names = plan.routes.iter().filter_map(|route| match route {
        Route::Dns(route) => Some(route.record_name.clone()),
        Route::Listener(_) => None,
    });
    names.filter(|name| limits.lets_change(name)).collect()
}

/// Names are compared as DNS has them, addresses as they are.
fn bare_host(host: &str) -> String {
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => bare_name(host),
    }
}

#[cfg(test)]
mod tests;
