//! What a person calls a thing, and which thing that is: pure. An error names the flag, and what there is.

use anyhow::{Result, bail, ensure};
use routes::listener::arns;

/// More candidates than this help nobody.
const MOST_CANDIDATES: usize = 12;

/// Something with a name and an ARN.
pub trait Called {
    /// Its name.
    fn name(&self) -> &str;
    /// Its ARN.
    fn arn(&self) -> &str;
}

/// A target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The load balancers that forward to it.
    pub balancers: Vec<String>,
}

impl Called for Group {
    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> &str {
        &self.arn
    }
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What DNS calls it.
    pub dns_name: String,
    /// The zone that an alias to it names.
    pub zone: String,
    /// Whether it has IPv6 addresses.
    pub is_dual: bool,
}

impl Called for Balancer {
    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> &str {
        &self.arn
    }
}

impl Called for (String, String) {
    fn name(&self) -> &str {
        &self.0
    }

    fn arn(&self) -> &str {
        &self.1
    }
}

/// The one that is called so, by its name or ARN.
///
/// # Errors
/// None is, with those whose names are like it.
pub fn named<'a, T: Called>(flag: &str, what: &str, text: &str, all: &'a [T]) -> Result<&'a T> {
    let found: Vec<&T> = all.iter().filter(|one| one.name() == text || one.arn() == text).collect();
    match found[..] {
        [one] => Ok(one),
        [] => bail!("{flag} {text}: there is no such {what} in this account and region{}", like(text, all)),
        _ => bail!(
            "{flag} {text}: several are called so; give one by its ARN: {}",
            listed(found.iter().map(|one| one.arn()))
        ),
    }
}

fn like<T: Called>(text: &str, all: &[T]) -> String {
    let short = text.rsplit('/').nth(1).unwrap_or(text);
    let stem = short.split('-').next().unwrap_or(short);
    let alike: Vec<&T> = all.iter().filter(|one| one.name().contains(stem)).collect();
    match (all.len(), alike.len()) {
        (0, _) => ", nor any other: see --region, and which account the credentials are of".to_owned(),
        (_, 0) => format!("; there are {}", listed(all.iter().map(Called::name))),
        _ => format!("; do you mean one of {}", listed(alike.iter().map(|one| one.name()))),
    }
}

/// Some of these, with a comma in between.
pub fn listed<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.collect();
    let more = texts.len().saturating_sub(MOST_CANDIDATES);
    let shown = texts[..texts.len() - more].join(", ");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}

/// Old groups and new ones that belong together: one of each, or those whose names are alike but for the values of their tags.
///
/// # Errors
/// An old one whose counterpart is not clear.
pub fn pairs(old: &[&Group], new: &[&Group], values: (&str, &str)) -> Result<Vec<(Group, Group)>> {
    if let ([old], [new]) = (old, new) {
        return Ok(vec![((*old).clone(), (*new).clone())]);
    }
    let mut pairs = Vec::new();
    for one in old {
        let wanted = bare(&one.name, values.0);
        let fitting: Vec<&&Group> = new.iter().filter(|other| bare(&other.name, values.1) == wanted).collect();
        let [other] = fitting[..] else {
            let names = listed(new.iter().map(|group| group.name.as_str()));
            bail!(
                "--new-tag: which of {names} takes over from {} is not clear by their names; draft each pair by --old and --new",
                one.name
            );
        };
        pairs.push(((*one).clone(), (*other).clone()));
    }
    Ok(pairs)
}

/// A name without what tells the side.
fn bare(name: &str, side: &str) -> String {
    let (name, side) = (name.to_lowercase(), side.to_lowercase());
    name.split('-').filter(|part| *part != side).collect::<Vec<_>>().join("-")
}

/// The key and value of `env=old`.
///
/// # Errors
/// It has no `=`.
pub fn tag<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key, value)),
        _ => bail!("{flag} {text}: write a tag as key=value, such as {flag} env=old"),
    }
}

/// Of the listeners and rules that forward to a group (ARN and title), those that were asked for; all, where none was.
///
/// # Errors
/// One that was asked for does not forward to it.
pub fn asked_for(
    forwarding: Vec<(String, String)>,
    listeners: &[String],
    old: &Group,
) -> Result<Vec<(String, String)>> {
    let there = || match forwarding.len() {
        0 => "nothing of its load balancers does".to_owned(),
        _ => format!("these do: {}", listed(forwarding.iter().map(|(arn, _)| arn.as_str()))),
    };
    for arn in listeners {
        let is_one = arns::listener(arn).is_some();
        ensure!(is_one, "--listener {arn}: give the ARN of a listener or rule, or --balancer with a name");
        let is_there = forwarding.iter().any(|(known, _)| known == arn);
        ensure!(is_there, "--listener {arn}: it gives {} no traffic; {}", old.name, there());
    }
    let is_asked_for = |(arn, _): &(String, String)| listeners.is_empty() || listeners.contains(arn);
    Ok(forwarding.into_iter().filter(is_asked_for).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Group {
        let arn = format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/1");
        Group { arn, name: name.to_owned(), balancers: Vec::new() }
    }

    #[test]
    fn a_thing_is_found_by_its_name_or_arn() {
        let all = [group("shop-old"), group("shop-new")];
        assert_eq!(named("--old", "target group", "shop-old", &all).unwrap(), &all[0]);
        assert_eq!(named("--old", "target group", &all[1].arn, &all).unwrap(), &all[1]);
    }

    #[test]
    fn what_is_not_there_is_told_with_the_flag_and_what_is_like_it() {
        let all = [group("shop-old"), group("shop-new"), group("blog")];
        let of = |text: &str, all: &[Group]| named("--old", "target group", text, all).unwrap_err().to_string();
        let told = of("shop-odl", &all);
        let expected = "--old shop-odl: there is no such target group in this account and region; do you mean one of shop-old, shop-new";
        assert_eq!(told, expected);
        assert!(of("web", &all).ends_with("there are shop-old, shop-new, blog"));
        assert!(of("web", &[]).contains("--region"));
    }

    #[test]
    fn one_name_of_two_things_is_told_with_their_arns() {
        let two = [("t".to_owned(), "arn:1".to_owned()), ("t".to_owned(), "arn:2".to_owned())];
        let told = named("--replication-task", "replication task", "t", &two).unwrap_err().to_string();
        assert!(told.ends_with("give one by its ARN: arn:1, arn:2"), "{told}");
    }

    #[test]
    fn groups_of_tags_are_paired_by_their_names() {
        let groups = ["web-old", "api-old", "new-api", "web-new", "green"].map(group);
        let [web_old, api_old, api_new, web_new, green] = &groups;
        let paired = pairs(&[web_old, api_old], &[api_new, web_new], ("old", "new")).unwrap();
        let names: Vec<_> = paired.iter().map(|(old, new)| (old.name.as_str(), new.name.as_str())).collect();
        assert_eq!(names, [("web-old", "web-new"), ("api-old", "new-api")]);
        assert_eq!(pairs(&[web_old], &[green], ("old", "new")).unwrap().len(), 1, "there is nothing to choose");
        let told = pairs(&[web_old, api_old], &[web_new, green], ("old", "new")).unwrap_err().to_string();
        assert!(told.contains("takes over from api-old is not clear"), "{told}");
    }

    #[test]
    fn a_tag_has_a_key_and_a_value() {
        assert_eq!(tag("--old-tag", "env=old=1").unwrap(), ("env", "old=1"));
        assert!(tag("--old-tag", "old").unwrap_err().to_string().ends_with("such as --old-tag env=old"));
    }

    #[test]
    fn a_listener_that_does_not_forward_there_is_told_with_those_that_do() {
        let arn = |id: u8| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/1/{id}");
        let all = || vec![(arn(1), "one".to_owned()), (arn(2), "two".to_owned())];
        assert_eq!(asked_for(all(), &[], &group("shop-old")).unwrap(), all());
        assert_eq!(asked_for(all(), &[arn(2)], &group("shop-old")).unwrap(), all()[1..]);
        let told = asked_for(all(), &[arn(3)], &group("shop-old")).unwrap_err().to_string();
        assert!(told.contains("it gives shop-old no traffic; these do: arn:"), "{told}");
        assert!(
            asked_for(all(), &["shop".to_owned()], &group("shop-old")).unwrap_err().to_string().contains("--balancer")
        );
    }
}
