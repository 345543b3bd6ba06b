//! What makes a load test sensible. Whose hosts it reaches, and whether the stack lets it, precheck says (`cutover::load`).

use hyper::header::{HeaderName, HeaderValue};

use super::{Report, arns, between, is_host_name};
use crate::load::OWN_HEADERS;
use crate::plan::{LoadRequest, LoadTarget, LoadTest, Method, OnViolation, Plan, Sla};
use crate::{Seconds, probe};

const PATH: &str = "$.load_test";

pub(super) fn check(plan: &Plan, report: &mut Report) {
    let Some(test) = &plan.load_test else { return };
    pace(test, report);
    target(&test.targets.new, "new", report);
    if let Some(old) = &test.targets.old {
        target(old, "old", report);
        if old.url == test.targets.new.url {
            let other = format!("{PATH}.targets.new.url");
            let fix = "name each side by an address or name of its own";
            report.say_beside(&[&other], format!("{PATH}.targets.old.url"), "is the new side's URL too", fix);
        }
    }
    for (index, request) in test.requests.iter().enumerate() {
        sent(request, &format!("{PATH}.requests[{index}]"), report);
    }
    if let Some(arn) = &test.headers_secret_arn {
        arns::check(arn, &arns::SECRET, &format!("{PATH}.headers_secret_arn"), report);
    }
    bounds(&test.sla, report);
    reachable(test, report);
    if test.on_violation == OnViolation::Hold && plan.approval.is_none() {
        let fix = "add `approval`, whose topic is asked, or choose roll_back or report";
        report.say_beside(&["$.approval"], format!("{PATH}.on_violation"), "is hold, and there is nobody to ask", fix);
    }
}

fn pace(test: &LoadTest, report: &mut Report) {
    let fields = [format!("{PATH}.rate_per_second"), format!("{PATH}.concurrent_users")];
    let fix = "give exactly one: rate_per_second is what users do, concurrent_users what older tools do";
    match (test.rate_per_second, test.concurrent_users) {
        (None, None) => report.say_beside(&[&fields[0], &fields[1]], PATH, "says not how many requests are sent", fix),
        (Some(_), Some(_)) => report.say_beside(&[&fields[0]], &fields[1], "is beside rate_per_second", fix),
        _ => {}
    }
    between(test.duration, Seconds(2), Seconds::hours(1), &format!("{PATH}.duration"), report);
    between(test.warm_up, Seconds(0), Seconds(60), &format!("{PATH}.warm_up"), report);
    between(test.timeout, Seconds(1), Seconds(60), &format!("{PATH}.timeout"), report);
}

fn target(target: &LoadTarget, side: &str, report: &mut Report) {
    let path = format!("{PATH}.targets.{side}");
    if let Err(problem) = probe::Target::parse(&target.url) {
        report.say(format!("{path}.url"), problem, "give a full URL such as https://new.example.com/");
    }
    if let Some(host) = target.host.as_ref().filter(|host| !is_host_name(host)) {
        let problem = format!("`{}` is not a host name", host.chars().take(80).collect::<String>());
        report.say(format!("{path}.host"), problem, "give the name alone, such as shop.example.com: no port, no path");
    }
}

fn sent(request: &LoadRequest, path: &str, report: &mut Report) {
    if !request.path.chars().all(|c| c.is_ascii_graphic()) || !probe::can_be_sent(&request.path) {
        let problem = format!("`{}` is not a path", request.path.chars().take(80).collect::<String>());
        let fix = "begin with /, and write other characters percent-encoded, such as %22 for \" and %3C for <";
        report.say(format!("{path}.path"), problem, fix);
    }
    if probe::status_range(&request.expect_status).is_none() {
        let problem = format!("is `{}`", request.expect_status);
        report.say(format!("{path}.expect_status"), problem, "write 200, or a range 200-299");
    }
    if request.expect_body.is_some() && !has_body(request) {
        let (field, is) = match request.method {
            Method::Head => ("method", "is HEAD, whose answers have no body"),
            _ => ("expect_status", "is of answers without a body"),
        };
        let problem = format!("is given, and {field} {is}: no answer passes");
        let others = [format!("{path}.method"), format!("{path}.expect_status")];
        let fix = match request.method {
            Method::Head => "leave expect_body out, or ask by GET",
            _ => "leave expect_body out, or expect a status such as 200",
        };
        report.say_beside(&[&others[0], &others[1]], format!("{path}.expect_body"), problem, fix);
    }
    for (name, value) in &request.headers {
        let shown: String = name.chars().take(80).collect();
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            report.say(
                format!("{path}.headers"),
                format!("`{shown}` is not a header's name"),
                "use letters, digits and -",
            );
        } else if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let fix = "leave it out; the host that is asked for is `host` of the target";
            report.say(format!("{path}.headers"), format!("`{shown}` is what the sender says itself"), fix);
        } else if HeaderValue::from_str(value).is_err() {
            let problem = format!("the value of `{shown}` cannot be sent");
            report.say(format!("{path}.headers"), problem, "use characters that can be seen, on one line");
        }
    }
}

/// Whether an answer that passes can have one (RFC 9110: none to HEAD, none with 1xx, 204 and 304).
fn has_body(request: &LoadRequest) -> bool {
    let is_without = |status: u16| status < 200 || [204, 304].contains(&status);
    let are_without = probe::status_range(&request.expect_status).is_some_and(|mut range| range.all(is_without));
    request.method != Method::Head && !are_without
}

fn bounds(sla: &Sla, report: &mut Report) {
    for (field, value) in sla.times_ms().into_iter().chain([("min_throughput_rps", sla.min_throughput_rps)]) {
        if value.is_some_and(|value| value <= 0.0) {
            report.say(format!("{PATH}.sla.{field}"), "is not above 0", "give a number that can hold, or leave it out");
        }
    }
}

/// No more can be answered than is sent.
fn reachable(test: &LoadTest, report: &mut Report) {
    let Some((least, rate)) = test.sla.min_throughput_rps.zip(test.rate_per_second) else { return };
    if least > f64::from(rate) {
        let problem = format!("is {least}, and {rate} a second are sent: it can never hold");
        let fix = format!("give {rate} or less, or send more by rate_per_second");
        let other = format!("{PATH}.rate_per_second");
        report.say_beside(&[&other], format!("{PATH}.sla.min_throughput_rps"), problem, fix);
    }
}
