//! ARNs: that they are some, and of the kind that is wanted.

use super::{Report, is_plain};
use crate::arn::Place;

/// What an ARN can be of. The resource begins with one of these.
pub(super) struct Kind {
    name: &'static str,
    service: &'static str,
    resources: &'static [&'static str],
    looks: &'static str,
}

pub(super) const LISTENER: Kind = Kind {
    name: "a listener",
    service: "elasticloadbalancing",
    resources: &["listener/"],
    looks: "arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<balancer>/<id>/<id>",
};
pub(super) const RULE: Kind = Kind {
    name: "a listener's rule",
    service: "elasticloadbalancing",
    resources: &["listener-rule/"],
    looks: "arn:aws:elasticloadbalancing:<region>:<account>:listener-rule/app/<balancer>/<id>/<id>/<id>",
};
pub(super) const GROUP: Kind = Kind {
    name: "a target group",
    service: "elasticloadbalancing",
    resources: &["targetgroup/"],
    looks: "arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>",
};
/// DMS has ARNs of endpoints and instances too.
pub(super) const REPLICATION: Kind = Kind {
    name: "a replication task or serverless replication",
    service: "dms",
    resources: &["task:", "replication-config:"],
    looks: "arn:aws:dms:<region>:<account>:task:<id>, or ...:replication-config:<id>",
};
pub(super) const FUNCTION: Kind = Kind {
    name: "a Lambda function",
    service: "lambda",
    resources: &["function:"],
    looks: "arn:aws:lambda:<region>:<account>:function:<name>",
};
pub(super) const TOPIC: Kind =
    Kind { name: "an SNS topic", service: "sns", resources: &[""], looks: "arn:aws:sns:<region>:<account>:<name>" };
pub(super) const ALARM: Kind = Kind {
    name: "an alarm",
    service: "cloudwatch",
    resources: &["alarm:"],
    looks: "arn:aws:cloudwatch:<region>:<account>:alarm:<name>",
};
pub(super) const SECRET: Kind = Kind {
    name: "a secret",
    service: "secretsmanager",
    resources: &["secret:"],
    looks: "arn:aws:secretsmanager:<region>:<account>:secret:<name>",
};
/// What is pasted in the place of another.
const BALANCER: Kind =
    Kind { name: "a load balancer", service: "elasticloadbalancing", resources: &["loadbalancer/"], looks: "" };
const SUBSCRIPTION: &str = "an SNS subscription";

/// `arn:partition:service:region:account:resource`, of the kind that is wanted.
pub(super) fn check(text: &str, wanted: &Kind, path: &str, report: &mut Report) {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let shown: String = text.chars().take(80).collect();
    let ["arn", partition, service, region, account, resource] = parts[..] else {
        return report.say(path, format!("`{shown}` is not an ARN"), format!("should look like {}", wanted.looks));
    };
    let is_whole = [partition, region, account, resource].iter().all(|part| !part.is_empty());
    // An alarm's name has spaces, and letters of all languages.
    let plain = if wanted.name == ALARM.name { &text[..text.len() - resource.len()] } else { text };
    if !is_whole || text.len() > 2048 || !is_plain(plain) {
        return report.say(path, format!("`{shown}` is not an ARN"), format!("should look like {}", wanted.looks));
    }
    let found = kind(service, resource);
    if let Some((problem, fix)) = (Place { region, account }).misspelt() {
        report.say(path, format!("{problem}, of `{shown}`"), fix);
    } else if found != Some(wanted.name) {
        let of = found.map_or_else(|| of_service(service, resource), str::to_owned);
        report.say(path, format!("`{shown}` is the ARN of {of}"), fix(wanted, found));
    }
}

fn kind(service: &str, resource: &str) -> Option<&'static str> {
    if service == "sns" && resource.contains(':') {
        return Some(SUBSCRIPTION);
    }
    let is = |kind: &&Kind| {
        kind.service == service
            && kind.resources.iter().any(|start| resource.len() > start.len() && resource.starts_with(start))
    };
    [LISTENER, RULE, GROUP, REPLICATION, FUNCTION, TOPIC, ALARM, SECRET, BALANCER].iter().find(is).map(|kind| kind.name)
}

/// What no plan names, by AWS's own words: the service's, and the type that most resources begin with.
fn of_service(service: &str, resource: &str) -> String {
    match resource.split_once([':', '/']) {
        Some((kind, _)) => format!("a resource of the service {service} (`{kind}`)"),
        None => format!("a resource of the service {service}"),
    }
}

fn fix(wanted: &Kind, found: Option<&str>) -> String {
    let hint = match (wanted.name, found) {
        (name, Some(found)) if name == LISTENER.name && found == RULE.name => "give it as `rule_arn`, or ",
        (name, Some(found)) if name == RULE.name && found == LISTENER.name => "give it as `listener_arn`, or ",
        (name, Some(found)) if name == LISTENER.name && found == BALANCER.name => {
            "`aws elbv2 describe-listeners --load-balancer-arn` lists its listeners: "
        }
        _ => "",
    };
    format!("{hint}name {}: {}", wanted.name, wanted.looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str, wanted: &Kind) -> Vec<String> {
        let mut report = Report { unread: &[], findings: Vec::new() };
        check(text, wanted, "$.x", &mut report);
        report.findings.into_iter().map(|finding| format!("{}: {}", finding.problem, finding.fix)).collect()
    }

    #[test]
    fn an_arn_of_another_kind_is_told_by_what_it_is() {
        let elb = |resource: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{resource}");
        for (text, wanted, part) in [
            (elb("listener-rule/app/a/1/2/3"), &LISTENER, "is the ARN of a listener's rule: give it as `rule_arn`"),
            (elb("listener/app/a/1/2"), &RULE, "is the ARN of a listener: give it as `listener_arn`"),
            (elb("loadbalancer/app/a/1"), &LISTENER, "is the ARN of a load balancer: `aws elbv2 describe-listeners"),
            (elb("loadbalancer/app/a/1"), &GROUP, "is the ARN of a load balancer: name a target group"),
            (
                "arn:aws:dms:eu-west-1:123456789012:endpoint:T".to_owned(),
                &REPLICATION,
                "is the ARN of a resource of the service dms (`endpoint`): name",
            ),
            (
                "arn:aws:rds:eu-west-1:123456789012:db:shop".to_owned(),
                &REPLICATION,
                "is the ARN of a resource of the service rds (`db`)",
            ),
            (
                "arn:aws:s3:eu-west-1:123456789012:shop".to_owned(),
                &GROUP,
                "is the ARN of a resource of the service s3: name",
            ),
            ("arn:aws:sns:eu-west-1:123456789012:t:5".to_owned(), &TOPIC, "is the ARN of an SNS subscription"),
            ("shop".to_owned(), &TOPIC, "`shop` is not an ARN: should look like arn:aws:sns:"),
        ] {
            let found = findings(&text, wanted);
            assert!(found.len() == 1 && found[0].contains(part), "{text}: {found:?}");
        }
        for (text, wanted) in [
            (elb("targetgroup/old/1"), &GROUP),
            ("arn:aws-cn:sns:eu-west-1:123456789012:t".to_owned(), &TOPIC),
            ("arn:aws:dms:eu-west-1:123456789012:replication-config:R".to_owned(), &REPLICATION),
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop: too slow".to_owned(), &ALARM),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f:live".to_owned(), &FUNCTION),
        ] {
            assert_eq!(findings(&text, wanted), [""; 0], "{text}");
        }
    }

    #[test]
    fn an_account_of_eleven_digits_or_a_region_without_its_parts_is_told_before_anybody_looks_there() {
        let of = |place: &str| findings(&format!("arn:aws:elasticloadbalancing:{place}:targetgroup/old/1"), &GROUP);
        let account = of("eu-west-1:12345678901");
        assert!(account.len() == 1 && account[0].starts_with("`12345678901` is no account, of `arn:"), "{account:?}");
        let region = of("eu-west1:123456789012");
        assert!(region.len() == 1 && region[0].starts_with("`eu-west1` is no region, of `arn:"), "{region:?}");
        assert!(region[0].contains("eu-west-1?"), "{region:?}");
    }
}
