//! What precheck looks at of a load test: whether its secret is one of headers.

use cutover::finding::soften_to;
use cutover::load::SECRET_PATH;
use cutover::plan::LoadTest;
use cutover::{Finding, Plan, StepResult};

use crate::Clients;

/// A secret that the stack does not list is not asked for.
pub(crate) async fn observe(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    let Some(test) = &plan.load_test else { return Ok(()) };
    let Some(arn) = test.headers_secret_arn.as_ref().filter(|arn| clients.load_limits.lets_read(arn)) else {
        return Ok(());
    };
    findings.extend(in_the_open(test));
    let read = secrets::load_test_headers(&clients.secrets, arn).await;
    let fix = "name a secret whose text is a JSON object of header to value";
    soften_to(read, SECRET_PATH, fix, findings)?;
    Ok(())
}

/// Whoever listens on the way reads what goes without TLS: pure.
fn in_the_open(test: &LoadTest) -> Vec<Finding> {
    let targets = [("new", Some(&test.targets.new)), ("old", test.targets.old.as_ref())];
    let open = targets.into_iter().filter(|(_, target)| target.is_some_and(|target| !target.url.starts_with("https:")));
    let told = open.map(|(side, _)| {
        let problem = "is asked without TLS, with the headers of a secret";
        Finding::warning(format!("$.load_test.targets.{side}.url"), problem, "use https")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_that_goes_without_tls_is_told_of() {
        let test = |new: &str, old: Option<&str>| -> LoadTest {
            let targets = json!({ "new": { "url": new }, "old": old.map(|url| json!({ "url": url })) });
            serde_json::from_value(json!({ "targets": targets, "rate_per_second": 1 })).unwrap()
        };
        let paths = |test: &LoadTest| in_the_open(test).into_iter().map(|finding| finding.path).collect::<Vec<_>>();
        assert_eq!(paths(&test("https://a/", None)), [""; 0]);
        assert_eq!(paths(&test("https://a/", Some("http://b/"))), ["$.load_test.targets.old.url"]);
        assert_eq!(paths(&test("http://a/", Some("https://b/"))), ["$.load_test.targets.new.url"]);
    }
}
