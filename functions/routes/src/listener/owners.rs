//! Whose a load balancer's parts are, by their tags: who will put back what a run changes. Pure.
//!
//! Only tags that a tool itself sets, or that are so named by wide agreement, say anything; who else keeps a listener, nobody
//! can see.

use std::collections::BTreeMap;

use cutover::Finding;

/// What the pair's groups are called among the parts: they direct no traffic, they only take it.
pub(super) const OLD_GROUP: &str = "the old target group";
pub(super) const NEW_GROUP: &str = "the new target group";

/// What Kubernetes calls a cluster's tag, before the cluster's name.
const IN_CLUSTER: &str = "kubernetes.io/cluster/";

/// The tags of one thing, by their keys.
pub(crate) type Tags = BTreeMap<String, String>;

/// Who keeps something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Owner {
    /// For a person.
    who: String,
    /// When it puts its own version back.
    when: &'static str,
    /// How a run of ours lasts in spite of it.
    fix: &'static str,
}

/// The owner that the tags of one resource tell of.
fn owner(tags: &Tags) -> Option<Owner> {
    stack(tags).or_else(|| controller(tags)).or_else(|| beanstalk(tags)).or_else(|| terraform(tags))
}

/// CloudFormation sets three tags of its prefix, which nobody else can; a copy may keep one of them (user guide, *Resource tag*).
fn stack(tags: &Tags) -> Option<Owner> {
    let named = tags.get("aws:cloudformation:stack-name").cloned();
    // `arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>`
    let by_id = || tags.get("aws:cloudformation:stack-id")?.split('/').nth(1).map(str::to_owned);
    let is_of_one = tags.keys().any(|key| key.starts_with("aws:cloudformation:"));
    let who = named.or_else(by_id).map(|name| format!("the CloudFormation stack {name}"));
    Some(Owner {
        who: who.or_else(|| is_of_one.then(|| "a CloudFormation stack".to_owned()))?,
        when: "whose next update resets the weights",
        fix: "change the stack's template to the new side before its next update",
    })
}

/// The AWS Load Balancer Controller (`elbv2.k8s.aws/cluster`; `ingress.`, `service.` and `gateway.k8s.aws/...`), the
/// controllers of AWS's resources (`services.k8s.aws/...`), and Kubernetes' own for services of type LoadBalancer
/// (`kubernetes.io/service-name`, and `kubernetes.io/cluster/<name>`: `owned`; one that is `shared` is another's).
fn controller(tags: &Tags) -> Option<Owner> {
    let is_its = |key: &str| {
        ["elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws/", "services.k8s.aws/"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
    };
    let of_kubernetes = |(key, value): (&String, &String)| {
        key == "kubernetes.io/service-name" || (key.starts_with(IN_CLUSTER) && value == "owned")
    };
    if !tags.keys().any(|key| is_its(key)) && !tags.iter().any(of_kubernetes) {
        return None;
    }
    let kept =
        ["ingress.k8s.aws/stack", "service.k8s.aws/stack", "gateway.k8s.aws/stack", "kubernetes.io/service-name"];
    let of = kept.iter().find_map(|key| tags.get(*key)).map(|stack| format!(" for {stack}")).unwrap_or_default();
    let cluster = tags.get("elbv2.k8s.aws/cluster").map(String::as_str);
    let cluster = cluster.or_else(|| tags.keys().find_map(|key| key.strip_prefix(IN_CLUSTER)));
    let cluster = cluster.map(|cluster| format!(" of cluster {cluster}")).unwrap_or_default();
    Some(Owner {
        who: format!("the Kubernetes load balancer controller{cluster}{of}"),
        when: "which puts back what its manifests say, within minutes",
        fix: "move by the manifests (weights are in the annotation `actions`), or stop the controller for the run",
    })
}

fn beanstalk(tags: &Tags) -> Option<Owner> {
    let name = tags.get("elasticbeanstalk:environment-name")?;
    Some(Owner {
        who: format!("the Elastic Beanstalk environment {name}"),
        when: "whose next update resets the weights",
        fix: "move by a swap of the environments, or take the load balancer out of the environment",
    })
}

/// Terraform tags nothing by itself; these are what its users agree on.
fn terraform(tags: &Tags) -> Option<Owner> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' ', ':'], "");
    let manages = |(key, value): (&String, &String)| {
        let (key, value) = (plain(key), plain(value));
        let keys = [
            "managedby",
            "provisionedby",
            "createdby",
            "deployedby",
            "maintainedby",
            "provisioner",
            "iac",
            "iactool",
            "tool",
        ];
        let by = keys.contains(&key.as_str()) && (value.contains("terraform") || value.contains("opentofu"));
        by || (key == "terraform" && ["true", "yes", "1"].contains(&value.as_str()))
    };
    tags.iter().find(|tag| manages(*tag))?;
    Some(Owner {
        who: "Terraform".to_owned(),
        when: "whose next apply resets the weights",
        fix: "change the configuration to the new side before the next apply, or ignore changes of the action",
    })
}

/// A warning for each owner of a route's parts, given with their tags.
pub(super) fn findings(parts: &[(&str, Tags)], path: &str) -> Vec<Finding> {
    let told = |(owner, parts): (Owner, Vec<&str>)| {
        let directs = parts.iter().any(|part| ![OLD_GROUP, NEW_GROUP].contains(part));
        let whose = match &parts[..] {
            [first @ .., last] if !first.is_empty() => {
                format!("{} and {last} belong to {}", first.join(", "), owner.who)
            }
            _ => format!("{} belongs to {}", parts.join(""), owner.who),
        };
        if directs {
            return Finding::warning(path, format!("{whose}, {}", owner.when), owner.fix);
        }
        let problem = format!("{whose}, which may change or delete what is its, or make it anew");
        Finding::warning(path, problem, "see to it that it leaves the groups alone until cleanup")
    };
    owners(parts).into_iter().map(told).collect()
}

/// The old group of an owner who still counts on it, where cleanup is asked to delete it.
pub(super) fn deleted(parts: &[(&str, Tags)], path: &str) -> Option<Finding> {
    let (_, tags) = parts.iter().find(|(part, _)| *part == OLD_GROUP)?;
    let Owner { who, .. } = owner(tags)?;
    let problem = format!(
        "cleanup.delete_old_target_group deletes what belongs to {who}: its next change of it fails, or makes it anew"
    );
    let fix = "leave delete_old_target_group out, and let its owner delete it";
    Some(Finding::warning(format!("{path}.old_target_group_arn"), problem, fix))
}

/// Each owner once, with the parts that are its.
fn owners<'a>(parts: &[(&'a str, Tags)]) -> Vec<(Owner, Vec<&'a str>)> {
    let mut owners: BTreeMap<Owner, Vec<&str>> = BTreeMap::new();
    for (part, tags) in parts {
        if let Some(owner) = owner(tags) {
            owners.entry(owner).or_default().push(part);
        }
    }
    owners.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[(&str, &str)]) -> Tags {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn who(given: &[(&str, &str)]) -> Option<String> {
        owner(&tags(given)).map(|owner| owner.who)
    }

    #[test]
    fn owners_are_known_by_the_tags_that_they_set() {
        let told = |given: &[(&str, &str)]| who(given).unwrap_or_default();
        assert_eq!(told(&[("aws:cloudformation:stack-name", "shop")]), "the CloudFormation stack shop");
        assert_eq!(
            told(&[("elbv2.k8s.aws/cluster", "prod"), ("ingress.k8s.aws/stack", "shop/web")]),
            "the Kubernetes load balancer controller of cluster prod for shop/web"
        );
        for key in ["ingress.k8s.aws/resource", "service.k8s.aws/resource", "elbv2.k8s.aws/cluster"] {
            assert!(told(&[(key, "80")]).contains("Kubernetes"), "{key}");
        }
        assert_eq!(
            told(&[("kubernetes.io/cluster/prod", "owned"), ("kubernetes.io/service-name", "shop/web")]),
            "the Kubernetes load balancer controller of cluster prod for shop/web"
        );
        assert_eq!(who(&[("kubernetes.io/cluster/prod", "shared")]), None);
        assert!(told(&[("elasticbeanstalk:environment-name", "e")]).contains("Beanstalk"));
        let id = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/0b1c";
        assert_eq!(told(&[("aws:cloudformation:stack-id", id)]), "the CloudFormation stack shop");
        assert_eq!(told(&[("aws:cloudformation:logical-id", "Listener")]), "a CloudFormation stack");
        for (key, value) in [
            ("managed-by", "terraform"),
            ("ManagedBy", "Terraform Cloud"),
            ("terraform", "true"),
            ("Provisioner", "Terraform"),
            ("iac", "terraform"),
        ] {
            assert_eq!(told(&[(key, value)]), "Terraform", "{key}");
        }
    }

    #[test]
    fn what_people_write_into_tags_is_nobodys_claim() {
        for (key, value) in
            [("Name", "terraform"), ("managed-by", "Ada"), ("team", "k8s"), ("terraform", "false"), ("stack-name", "s")]
        {
            assert_eq!(who(&[(key, value)]), None, "{key}={value}");
        }
    }

    #[test]
    fn who_directs_traffic_puts_it_back_and_who_has_a_group_may_delete_it() {
        let stack = || tags(&[("aws:cloudformation:stack-name", "shop")]);
        let told = |part: &'static str| findings(&[(part, stack())], "$").remove(0).problem;
        let stack_named = "belongs to the CloudFormation stack shop, ";
        assert_eq!(told("the listener"), format!("the listener {stack_named}whose next update resets the weights"));
        assert!(told(NEW_GROUP).starts_with(&format!("the new target group {stack_named}which may change or delete")));
        assert_eq!(findings(&[(NEW_GROUP, tags(&[]))], "$"), vec![]);
    }

    #[test]
    fn an_old_group_that_cleanup_deletes_under_its_owner_is_told() {
        let stack = || tags(&[("aws:cloudformation:stack-name", "shop")]);
        let finding = deleted(&[("the listener", stack()), (OLD_GROUP, stack())], "$.routes[0]").unwrap();
        assert_eq!(finding.path, "$.routes[0].old_target_group_arn");
        assert!(finding.problem.contains("belongs to the CloudFormation stack shop"), "{}", finding.problem);
        assert_eq!(deleted(&[("the listener", stack()), (OLD_GROUP, tags(&[]))], "$.routes[0]"), None);
    }

    #[test]
    fn an_owner_is_told_once_with_all_that_is_its() {
        let stack = [("aws:cloudformation:stack-name", "shop")];
        let parts =
            [("the listener", tags(&stack)), ("the load balancer", tags(&stack)), ("the old target group", tags(&[]))];
        let owners = owners(&parts);
        assert_eq!(owners.len(), 1);
        assert_eq!(owners[0].1, ["the listener", "the load balancer"]);
    }
}
