//! Who has to allow what precheck was denied: in another account the role there, and not those of the functions. Pure.

use cutover::accounts::Accounts;
use cutover::arn::Place;
use cutover::finding::{ALLOW_FUNCTIONS, ALLOW_PRECHECK};
use cutover::plan::Route;
use cutover::{Finding, Plan, StepError};

use crate::elsewhere::named;

/// Corrects what is to be done of each denial of something that is looked at in another account's role.
pub(crate) fn say_where(plan: &Plan, run_id: &str, accounts: &Accounts, findings: &mut [Finding]) {
    let Some(here) = Place::of(run_id) else { return };
    let named = named(plan);
    let denied = |finding: &&mut Finding| [ALLOW_FUNCTIONS, ALLOW_PRECHECK].contains(&finding.fix.as_str());
    for finding in findings.iter_mut().filter(denied) {
        let path = finding.path.as_str();
        let is_within = |what: &str| {
            let whole = if what.ends_with(']') { what } else { what.rsplit_once('.').map_or(what, |(whole, _)| whole) };
            path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let itself = named.iter().find(|(what, _, _)| what == path);
        let around = || named.iter().find(|(what, _, _)| is_within(what));
        let Some((_, there, _)) = itself.or_else(around) else { continue };
        let there = there.or(here);
        let role = accounts.role(there.account).filter(|_| there != here && !is_of_balancers(plan, finding));
        if let Some(role) = role {
            let account = there.account;
            finding.fix = format!(
                "in the account {account}: have {} allowed this action, by the lists of CutoverAccess there, or by whatever denies it (a policy of the organisation)",
                role.arn
            );
        }
    }
}

/// The balancers that a name's answers lead to are looked at where the stack is, whichever account has the zone.
fn is_of_balancers(plan: &Plan, finding: &Finding) -> bool {
    let is_name = |index: usize| matches!(plan.routes.get(index), Some(Route::Dns(_)));
    let index = finding.path.strip_prefix("$.routes[").and_then(|rest| rest.split(']').next()?.parse().ok());
    index.is_some_and(is_name) && finding.problem.contains("elasticloadbalancing:")
}

/// What did not pass of a route, with the account that it is in: a session that is over whenever it is used says nothing of whose it is.
pub(crate) fn in_its_account(plan: &Plan, index: usize, error: StepError) -> StepError {
    match plan.routes.get(index).and_then(Route::place) {
        Some(there) => StepError::new(error.name, format!("in the account {}: {}", there.account, error.message)),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use cutover::error::name;
    use serde_json::json;

    use super::*;

    const RUN: &str = "arn:aws:states:eu-west-1:123456789012:execution:cutover:run";

    fn plan() -> Plan {
        let listener = |account: &str| {
            let arn = |what: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:{account}:{what}");
            json!({ "type": "listener", "listener_arn": arn("listener/app/a/1/2"), "old_target_group_arn": arn("targetgroup/o/1"),
                "new_target_group_arn": arn("targetgroup/n/1"), "steps": [{ "new_weight": 100 }] })
        };
        let name = json!({ "type": "dns", "hosted_zone_id": "Z1", "account": "333333333333", "record_name": "a.example.com", "records": [],
            "steps": [{ "new_weight": 100 }] });
        let routes = json!([listener("222222222222"), listener("123456789012"), name]);
        serde_json::from_value(json!({ "application": "shop", "routes": routes })).unwrap()
    }

    fn accounts() -> Accounts {
        let listed = json!([{ "role_arn": "arn:aws:iam::*:role/cutover-access", "external_id": "x", "accounts": ["222222222222", "333333333333"] }]);
        Accounts::read(&listed.to_string()).unwrap()
    }

    #[test]
    fn a_denial_in_another_account_names_the_role_there() {
        let denied =
            |path: &str, call: &str, fix: &str| Finding::environment(path, format!("cannot be observed: {call}"), fix);
        let (elb, dns) = ("elasticloadbalancing:DescribeListeners", "route53:GetHostedZone");
        for (path, call, fix, account) in [
            ("$.routes[0]", elb, ALLOW_FUNCTIONS, Some("222222222222")),
            ("$.routes[0].listener_arn", elb, ALLOW_PRECHECK, Some("222222222222")),
            ("$.routes[1].listener_arn", elb, ALLOW_FUNCTIONS, None),
            ("$.routes[2].hosted_zone_id", dns, ALLOW_FUNCTIONS, Some("333333333333")),
            ("$.routes[2].records[0].new", elb, ALLOW_FUNCTIONS, None),
            ("$.routes[0].listener_arn", elb, "name a listener that exists", None),
            ("$.notify.topic_arn", "sns:GetTopicAttributes", ALLOW_FUNCTIONS, None),
        ] {
            let mut findings = [denied(path, call, fix)];
            say_where(&plan(), RUN, &accounts(), &mut findings);
            match account {
                Some(account) => {
                    assert!(findings[0].fix.contains(&format!("arn:aws:iam::{account}:role")), "{findings:?}")
                }
                None => assert_eq!(findings[0].fix, fix, "{path}"),
            }
        }
    }

    #[test]
    fn what_lasts_although_it_might_pass_says_in_which_account() {
        let expired = StepError::new(name::TRANSIENT, "route53:GetHostedZone Z1: ExpiredToken: expired");
        let told = in_its_account(&plan(), 2, expired.clone());
        assert_eq!(told.name, name::TRANSIENT);
        assert!(told.message.starts_with("in the account 333333333333: route53:"), "{told}");
        let own: Plan = serde_json::from_value(json!({ "application": "a", "routes": [] })).unwrap();
        assert_eq!(in_its_account(&own, 0, expired.clone()), expired);
    }
}
