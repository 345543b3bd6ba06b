//! What is asked of a draft, as it is typed.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};
use clap::Args;

/// What to draft.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct Wanted {
    /// A listener or rule to move, by its ARN; may be given again [default: all that forward to the old group]
    #[arg(long, value_name = "ARN")]
    pub listener: Vec<String>,

    /// Only listeners and rules of this load balancer, by its name or ARN
    #[arg(long, value_name = "NAME|ARN")]
    pub balancer: Option<String>,

    /// The target group that serves now, by its name or ARN
    #[arg(long, value_name = "GROUP", conflicts_with = "old_tag")]
    pub old: Option<String>,

    /// What shall serve: a target group by its name or ARN; or, with --name, the addresses or the one host that the name shall
    /// answer, with commas in between
    #[arg(long, value_name = "GROUP|ANSWERS", value_delimiter = ',')]
    pub new: Vec<String>,

    /// The target groups that serve now, by a tag of theirs; those of each side are paired by their names
    #[arg(long, value_name = "KEY=VALUE", requires = "new_tag")]
    pub old_tag: Option<String>,

    /// The target groups that shall serve, by a tag of theirs
    #[arg(long, value_name = "KEY=VALUE", requires = "old_tag")]
    pub new_tag: Option<String>,

    /// A DNS name to move, with all of its types; may be given again
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,

    /// The hosted zone of the names, by its ID, where more than one has them
    #[arg(long, value_name = "ID", requires = "name")]
    pub zone: Option<String>,

    /// What the names shall be an alias of: a load balancer by its name, or a DNS name of AWS
    #[arg(long, value_name = "NAME", requires = "name")]
    pub new_alias: Option<String>,

    /// The hosted zone of --new-alias, where it is not a load balancer of this account and region
    #[arg(long, value_name = "ID", requires = "new_alias")]
    pub new_alias_zone: Option<String>,

    /// What the application is called [default: made of the group's name, or of the DNS name]
    #[arg(long, value_name = "NAME")]
    pub application: Option<String>,

    /// The SNS topic that is told, by its ARN
    #[arg(long, value_name = "ARN")]
    pub topic: Option<String>,

    /// The DMS replication from the old side's database to the new one's, by its identifier or ARN
    #[arg(long, value_name = "TASK")]
    pub replication_task: Option<String>,

    /// The one from the new side back to the old one, for a way back
    #[arg(long, value_name = "TASK", requires = "replication_task")]
    pub reverse_replication_task: Option<String>,

    /// Both sides write to one database: traffic may be split between them
    #[arg(long, requires = "replication_task")]
    pub shared_database: bool,
}

/// What a name shall answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// IPv4 addresses.
    pub ipv4: Vec<String>,
    /// IPv6 addresses.
    pub ipv6: Vec<String>,
    /// Another name.
    pub host: Option<String>,
}

impl Answers {
    fn is_none(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty() && self.host.is_none()
    }
}

impl Wanted {
    /// The new target group and the new answers: names of groups have no dots, and are no addresses.
    ///
    /// # Errors
    /// More than one group, or more than one host.
    pub fn new_side(&self) -> Result<(Option<String>, Answers)> {
        let (mut group, mut answers) = (None, Answers::default());
        for text in self.new.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            let address: Option<IpAddr> = text.parse().ok();
            let is_group = text.starts_with("arn:") || !text.contains('.');
            match address {
                Some(IpAddr::V4(_)) => answers.ipv4.push(text.to_owned()),
                Some(IpAddr::V6(_)) => answers.ipv6.push(text.to_owned()),
                None if is_group => once(&mut group, text, "target groups; draft a plan for each")?,
                None => once(&mut answers.host, text, "hosts; a CNAME leads to one")?,
            }
        }
        let is_mixed = answers.host.is_some() && !(answers.ipv4.is_empty() && answers.ipv6.is_empty());
        ensure!(!is_mixed, "--new: a name answers addresses or another host, not both");
        Ok((group, answers))
    }

    /// What is missing or too much, before AWS is asked.
    ///
    /// # Errors
    /// Names the flag, and the fix.
    pub fn check(&self) -> Result<()> {
        let (group, answers) = self.new_side()?;
        let has_groups = self.old.is_some() || self.old_tag.is_some();
        ensure!(
            has_groups || !self.name.is_empty(),
            "nothing is said to be moved: give --old and --new with target groups, or --name with --new or --new-alias (see --help)"
        );
        if self.old.is_some() {
            ensure!(group.is_some(), "--new is missing: the target group that shall serve, by its name or ARN");
        } else if group.is_some() {
            bail!(
                "--old is missing: the target group that serves now, by its name or ARN; --new's answers of a name have a dot, or are addresses"
            );
        }
        let balances = !self.listener.is_empty() || self.balancer.is_some();
        ensure!(has_groups || !balances, "--old is missing: the target group that the listener forwards to now");
        if self.name.is_empty() {
            ensure!(answers.is_none(), "--name is missing: whose answers --new says");
        } else {
            let is_told_once = answers.is_none() != self.new_alias.is_none();
            ensure!(is_told_once, "--name wants one of --new (addresses, or one host) and --new-alias");
        }
        check_arn("--topic", self.topic.as_deref(), ":sns:")
    }
}

/// What can be given once.
fn once(slot: &mut Option<String>, text: &str, told: &str) -> Result<()> {
    match slot.replace(text.to_owned()) {
        Some(other) => bail!("--new: {other} and {text} are two {told}"),
        None => Ok(()),
    }
}

fn check_arn(flag: &str, text: Option<&str>, service: &str) -> Result<()> {
    let is_one = text.is_none_or(|text| text.starts_with("arn:") && text.contains(service));
    ensure!(is_one, "{flag} {}: give its ARN (arn:aws{service}...)", text.unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(new: &[&str]) -> Wanted {
        Wanted { new: new.iter().map(|text| (*text).to_owned()).collect(), ..Wanted::default() }
    }

    fn told(wanted: &Wanted) -> String {
        wanted.check().map_or_else(|error| error.to_string(), |()| "right".to_owned())
    }

    #[test]
    fn new_is_a_group_or_what_a_name_answers() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-new/1";
        let given = wanted(&["198.51.100.20", "2001:db8::20", arn]);
        let (group, answers) = given.new_side().unwrap();
        assert_eq!(group.as_deref(), Some(arn));
        assert_eq!((answers.ipv4, answers.ipv6), (vec!["198.51.100.20".to_owned()], vec!["2001:db8::20".to_owned()]));
        assert_eq!(wanted(&["new.example.com"]).new_side().unwrap().1.host.as_deref(), Some("new.example.com"));
        assert!(wanted(&["shop-new", "blog-new"]).new_side().unwrap_err().to_string().contains("two target groups"));
        assert!(wanted(&["1.2.3.4", "new.example.com"]).new_side().is_err());
    }

    #[test]
    fn what_is_missing_is_named_with_its_flag() {
        let old = |given: Wanted| Wanted { old: Some("shop-old".to_owned()), ..given };
        let name = |given: Wanted| Wanted { name: vec!["shop.example.com".to_owned()], ..given };
        assert!(told(&Wanted::default()).starts_with("nothing is said to be moved"));
        assert!(told(&old(Wanted::default())).starts_with("--new is missing"));
        assert!(told(&wanted(&["shop-new"])).starts_with("nothing is said"));
        assert!(told(&name(wanted(&["shop-new"]))).starts_with("--old is missing"));
        assert!(told(&name(Wanted::default())).starts_with("--name wants one of"));
        assert!(told(&old(wanted(&["shop-new", "1.2.3.4"]))).starts_with("--name is missing"));
        let balanced = Wanted { balancer: Some("shop".to_owned()), ..name(wanted(&["1.2.3.4"])) };
        assert!(told(&balanced).starts_with("--old is missing"));
        let topic = Wanted { topic: Some("shop-cutover".to_owned()), ..name(wanted(&["1.2.3.4"])) };
        assert_eq!(told(&topic), "--topic shop-cutover: give its ARN (arn:aws:sns:...)");
        assert_eq!(told(&old(name(wanted(&["shop-new", "1.2.3.4"])))), "right");
    }
}
