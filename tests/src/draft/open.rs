//! What nobody can read off AWS, and a person has to decide: pure.

use routes::listener::arns;

use super::document::{Draft, Route};
use super::wanted::Wanted;

/// What nobody can read off AWS.
pub fn of(wanted: &Wanted, draft: &Draft) -> Vec<String> {
    let mut open = Vec::new();
    let mut say = |is_open: bool, text: String| open.extend(is_open.then_some(text));
    let has_thresholds = !draft.monitoring.metrics.is_empty();
    say(
        wanted.application.is_none(),
        format!("application: `{}` is made of a name; one run of an application goes on at a time", draft.application),
    );
    say(true, "steps: the weights and holds are a start; a hold should be three periods of its metrics, and as long as users need to complain".to_owned());
    say(
        has_thresholds,
        "monitoring.metrics: 1 % of errors is a guess, and so is a p95 of 1 s: see what the old side has on a busy day"
            .to_owned(),
    );
    let of_network =
        draft.routes.iter().any(|route| matches!(route, Route::Listener(route) if arns::is_network(route.arn())));
    say(of_network, "monitoring.metrics: a Network Load Balancer counts no errors by target group: name metrics or alarms of your own".to_owned());
    say(true, "health_check: a URL that reaches the new side directly, before it has users".to_owned());
    say(draft.database.is_none(), "database: if both sides have one each, name the replication (--replication-task); the steps are then one of 100 %".to_owned());
    let is_one_way =
        draft.database.as_ref().is_some_and(|one| !one.shared && one.reverse_replication_task_arn.is_none());
    say(is_one_way, "database: without --reverse-replication-task there is no way back by itself once the new side has users; is it --shared-database?".to_owned());
    say(true, "hooks: functions that stop and resume what writes by itself (quiesce, resume), and that try the new side (before_traffic)".to_owned());
    say(!draft.alarms.is_empty(), "alarms: repeated from the old side; their names must be among the stack's alarmNames, and their thresholds fit the new side".to_owned());
    say(!draft.monitoring.alarms.is_empty(), "monitoring.alarms: these stand on the new side already; say in alarms_missing what no data means where they need traffic".to_owned());
    say(draft.notify.is_none(), "notify: who is told when something goes wrong (--topic)".to_owned());
    say(
        true,
        "cleanup: the old side is kept for 24h, its target group for ever, unless cleanup says otherwise".to_owned(),
    );
    open
}

#[cfg(test)]
mod tests {
    use cutover::plan::Notify;

    use super::*;
    use crate::draft::document::Database;

    #[test]
    fn what_was_given_is_not_asked_for() {
        let open = |wanted: &Wanted, draft: &Draft| of(wanted, draft).join("\n");
        let nothing = open(&Wanted::default(), &Draft::default());
        for field in ["application:", "steps:", "health_check:", "database:", "hooks:", "notify:", "cleanup:"] {
            assert!(nothing.contains(field), "{field} is not in {nothing}");
        }
        let wanted = Wanted { application: Some("shop".to_owned()), ..Wanted::default() };
        let database =
            Database { replication_task_arn: "t".to_owned(), reverse_replication_task_arn: None, shared: true };
        let notify = Notify { topic_arn: "t".to_owned() };
        let draft = Draft { database: Some(database), notify: Some(notify), ..Draft::default() };
        let told = open(&wanted, &draft);
        for field in ["application:", "database:", "notify:", "alarms:", "monitoring.metrics:"] {
            assert!(!told.contains(field), "{field} is in {told}");
        }
    }
}
