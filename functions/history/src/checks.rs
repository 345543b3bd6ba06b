//! Which checks an error of `monitor` names, out of its words: a function that fails answers a text, and no list. Pure.
//!
//! It writes `step 2 of 3 (50 %) of name x: trouble for certain: 5xx: 45 of 166 requests failed; p95: 2.1, trouble when greater than 2`. A name counts
//! where a check begins, after the words about the step and after a `; `, and the longest one there does: `latency` is not in `p95 latency: ...`.

use cutover::Plan;
use cutover::arn::short_name;
use cutover::plan::Route;
use cutover::verdict::words;

/// What a look that failed says of the checks that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Something is wrong.
    Wrong,
    /// There is too little data to tell.
    TooLittle,
    /// There is no data.
    NotKnown,
}

/// The names of all checks that a plan can have, but for those of health checks of names.
pub fn names(plan: &Plan) -> Vec<String> {
    let monitoring = &plan.monitoring;
    let watched = monitoring.target_groups.iter().map(|group| group.target_group_arn.as_str());
    let new = plan.routes.iter().filter_map(|route| match route {
        Route::Listener(route) => Some(route.new_target_group_arn.as_str()),
        Route::Dns(_) => None,
    });
    let titles = plan.routes.iter().map(Route::title);
    monitoring
        .metrics
        .iter()
        .map(|metric| metric.name.clone())
        .chain(monitoring.alarms.iter().map(|name| format!("alarm {name}")))
        .chain(watched.chain(new).map(|arn| format!("target group {}", short_name(arn))))
        .chain(titles.flat_map(|title| [format!("share of {title}"), title]))
        .collect()
}

/// The checks that an error names, each with what it saw, and what that means; none of an error that is of something else. `titles` are the routes'.
pub fn named<'a>(cause: &'a str, names: &'a [String], titles: &[String]) -> Option<(Said, Vec<(&'a str, &'a str)>)> {
    let (head, told) = after_step(cause, titles).split_once(": ")?;
    let said = match head {
        head if head == words::CERTAIN || head.ends_with(words::UNHEALTHY_IN_A_ROW) => Said::Wrong,
        head if head.ends_with(words::NO_DATA_IN_A_ROW) || head.ends_with(words::UNTOLD_IN_A_ROW) => Said::NotKnown,
        head if head.starts_with(words::TOO_LITTLE_DATA) => Said::TooLittle,
        _ => return None,
    };
    let starts = std::iter::once(0).chain(told.match_indices("; ").map(|(at, separator)| at + separator.len()));
    let begins: Vec<(usize, &str)> = starts.filter_map(|at| Some((at, longest(&told[at..], names)?))).collect();
    let ends = begins.iter().skip(1).map(|(at, _)| at - "; ".len()).chain([told.len()]);
    let of = |((at, name), end): (&(usize, &'a str), usize)| (*name, &told[at + name.len() + ": ".len()..end]);
    Some((said, begins.iter().zip(ends).map(of).collect()))
}

/// What an error says after the step at which it was: a route's title is the name of a check, too.
fn after_step<'a>(cause: &'a str, titles: &[String]) -> &'a str {
    if !cause.starts_with("step ") {
        return cause;
    }
    let after = |title: &String| Some(cause.split_once(&format!(" %) of {title}: "))?.1);
    let without_title = || cause.split_once(" %): ").map(|(_, said)| said);
    titles.iter().filter_map(after).min_by_key(|said| said.len()).or_else(without_title).unwrap_or(cause)
}

/// The longest name that a check's words begin with.
fn longest<'a>(told: &str, names: &'a [String]) -> Option<&'a str> {
    let is_it = |name: &&String| {
        !name.is_empty() && told.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(": "))
    };
    names.iter().filter(is_it).max_by_key(|name| name.len()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_name_that_is_the_end_of_another_names_no_check() {
        let names = owned(&["latency", "p95 latency", "listener f2 of shop", "share of listener f2 of shop"]);
        let titles = owned(&["listener f2 of shop"]);
        let cause = "step 2 of 3 (50 %) of listener f2 of shop: 2 unhealthy checks in a row: share of listener f2 of shop: 50.0 % of 10; not \
                     judged: why; p95 latency: 62 of 62 requests took longer than 0.1 s";
        let (said, checks) = named(cause, &names, &titles).unwrap();
        assert_eq!(said, Said::Wrong);
        assert_eq!(
            checks,
            [
                ("share of listener f2 of shop", "50.0 % of 10; not judged: why"),
                ("p95 latency", "62 of 62 requests took longer than 0.1 s")
            ]
        );
    }

    #[test]
    fn an_error_says_what_it_means_for_the_checks_that_it_names() {
        let names = owned(&["5xx"]);
        for (cause, expected) in [
            ("trouble for certain: 5xx: a", Some(Said::Wrong)),
            ("step 1 of 2 (10 %) of x: trouble for certain: 5xx: a", Some(Said::Wrong)),
            ("step 1 (10 %): 3 checks in a row without data: 5xx: a", Some(Said::NotKnown)),
            ("step 1 (10 %): 3 checks in a row from which nothing can be told: 5xx: a", Some(Said::NotKnown)),
            ("too little data after a hold of 5m: 5xx: a", Some(Said::TooLittle)),
            ("step 1 of 2 (10 %) of x: x is at [5xx: a], and this step has it at [b]: somebody else changed it", None),
            ("cloudwatch:GetMetricData: 5xx: a", None),
        ] {
            let told = named(cause, &names, &owned(&["x"]));
            assert_eq!(told.as_ref().map(|(said, _)| *said), expected, "{cause}");
            assert!(told.is_none_or(|(_, checks)| checks == [("5xx", "a")]), "{cause}");
        }
    }

    #[test]
    fn a_plan_says_how_its_checks_are_called() {
        let written = serde_json::from_str(include_str!("../../../events/cutover.json")).unwrap();
        let plan = Plan::read(&written).unwrap();
        let names = names(&plan);
        let starts = |start: &str| names.iter().any(|name| name.starts_with(start));
        assert!(
            starts("target group ") && starts("share of ") && names.contains(&plan.monitoring.metrics[0].name),
            "{names:?}"
        );
    }
}
