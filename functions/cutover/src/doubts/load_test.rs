//! Bounds of a load test that hold whatever the new side does, or that nothing is measured against. Pure.

use super::rounded;
use crate::Finding;
use crate::plan::{LoadTest, Plan, Sla};

const PATH: &str = "$.load_test.sla";
/// No answer that crosses a network is faster, ms.
const FASTEST_MS: f64 = 1.0;
/// A share of one and less, where a percentage is meant.
const SHARE: f64 = 1.0;

/// What is to be doubted of the bounds.
pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    let Some(test) = &plan.load_test else { return Vec::new() };
    let sla = &test.sla;
    if *sla == Sla::default() {
        let problem = "has no bound: the load test is made, and decides nothing";
        return vec![Finding::warning(PATH, problem, "give what has to hold, such as \"max_p95_ms\": 250")];
    }
    let mut findings: Vec<Finding> = share(sla).into_iter().collect();
    findings.extend(sla.times_ms().into_iter().filter_map(too_fast));
    findings.extend(falling(sla));
    findings.extend(too_few(test));
    findings.extend(sla.times_ms().into_iter().filter_map(|(field, most)| never_broken(test, field, most?)));
    findings
}

/// A percentile of fewer answers than this is no more than their slowest, and says nothing of the side: the first that lacks them.
fn too_few(test: &LoadTest) -> Option<Finding> {
    let sent = u64::from(test.rate_per_second?) * test.turns_of_side() * test.turn().0;
    let given = test.sla.times_ms().into_iter().filter(|(_, most)| most.is_some());
    let needs = given.filter_map(|(field, _)| Some((field, Sla::requests_needed(field)?)));
    let (field, needed) = needs.into_iter().find(|(_, needed)| sent < *needed)?;
    let problem = format!("is a percentile, and {sent} requests are sent to the side: it takes {needed} to know it");
    let fix = format!("send more ({needed} are rate_per_second by duration), or bound a lower percentile");
    Some(Finding::warning(format!("{PATH}.{field}"), problem, fix))
}

/// No request is waited for beyond the time-out: what took longer has failed.
fn never_broken(test: &LoadTest, field: &str, most_ms: f64) -> Option<Finding> {
    let timeout_ms = test.timeout.0 as f64 * 1000.0;
    (most_ms >= timeout_ms).then(|| {
        let problem = format!(
            "is {most_ms} ms, and no answer is waited for longer than {}: hardly anything breaks it",
            test.timeout
        );
        let fix = format!("give less than {timeout_ms}, or a longer load_test.timeout");
        Finding::warning(format!("{PATH}.{field}"), problem, fix)
    })
}

fn share(sla: &Sla) -> Option<Finding> {
    let least = sla.min_success_percent.filter(|least| *least <= SHARE)?;
    let problem = format!("is {least}, in percent: nearly every request may fail");
    let meant = rounded(least * 100.0);
    let fix =
        if least > 0.0 { format!("write {meant}, if that share is meant") } else { "write 99, for one".to_owned() };
    Some(Finding::warning(format!("{PATH}.min_success_percent"), problem, fix))
}

fn too_fast((field, most): (&str, Option<f64>)) -> Option<Finding> {
    let most = most.filter(|most| *most < FASTEST_MS)?;
    let problem = format!("is {most} ms, faster than any answer over a network");
    let fix = format!("write {}, if seconds were meant", rounded(most * 1000.0));
    Some(Finding::warning(format!("{PATH}.{field}"), problem, fix))
}

/// A bound of a percentile above that of a higher one never decides: the higher one does.
fn falling(sla: &Sla) -> Option<Finding> {
    let given = sla.times_ms().into_iter().skip(1).filter_map(|(field, most)| most.map(|most| (field, most)));
    let given: Vec<(&str, f64)> = given.collect();
    given.windows(2).find(|pair| pair[0].1 > pair[1].1).map(|pair| {
        let ((lower, more), (higher, less)) = (pair[0], pair[1]);
        let problem = format!("is {less}, below {lower} ({more}), which it is never faster than");
        let fix = format!("give {more} or more, or leave {lower} out");
        Finding::warning(format!("{PATH}.{higher}"), problem, fix)
    })
}
