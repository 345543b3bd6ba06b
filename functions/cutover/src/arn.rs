//! ARNs, as far as they tell where something is, and what it is called: pure.

/// The region and the account of a resource; empty where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Such as `eu-west-1`.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
}

impl<'a> Place<'a> {
    /// Of `arn:partition:service:region:account:resource`; `None` where it is no ARN.
    pub fn of(arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, _, region, account, _] = parts[..] else { return None };
        Some(Self { region, account })
    }

    /// This place; where it leaves something open, as that of a global service does, as it is here.
    pub fn or(self, here: Self) -> Self {
        let given = |own: &'a str, other: &'a str| if own.is_empty() { other } else { own };
        Self { region: given(self.region, here.region), account: given(self.account, here.account) }
    }

    /// What of it can be of no AWS, and what is right: an account has twelve digits, and a region its parts.
    pub fn misspelt(&self) -> Option<(String, String)> {
        let shown = |text: &str| text.chars().take(80).collect::<String>();
        if !is_region(self.region) {
            let right = nearly(self.region);
            let fix = right.map_or_else(
                || "give it as AWS writes it, such as eu-west-1".to_owned(),
                |right| format!("{right}? Give it as AWS writes it"),
            );
            return Some((format!("`{}` is no region", shown(self.region)), fix));
        }
        (!is_account(self.account)).then(|| {
            let fix = "an account has twelve digits: give them all";
            (format!("`{}` is no account", shown(self.account)), fix.to_owned())
        })
    }
}

/// Whether this is how an account is written.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// What regions are called after, the longer ones first (AWS General Reference, regions and their codes).
const DIRECTIONS: [&str; 9] =
    ["northeast", "northwest", "southeast", "southwest", "central", "north", "south", "east", "west"];

/// Whether this is how a region is written: `eu-west-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [places @ .., direction, number] = &parts[..] else { return false };
    let is_of_letters = |part: &&str| !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_lowercase());
    !places.is_empty()
        && places.iter().all(is_of_letters)
        && DIRECTIONS.contains(direction)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// The region that was meant, where its parts are all there: `eu-west-1` of `EU_West1`.
fn nearly(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let number_at = bare.find(|c: char| c.is_ascii_digit())?;
    let (words, number) = bare.split_at(number_at);
    let (direction, place) =
        DIRECTIONS.iter().find_map(|direction| Some((direction, words.strip_suffix(direction)?)))?;
    let (place, part) = place.split_at_checked(2)?;
    let part = if part.is_empty() { String::new() } else { format!("-{part}") };
    let right = format!("{place}{part}-{direction}-{number}");
    is_region(&right).then_some(right)
}

/// Things by where they are, in their order; no place: where the stack is.
pub fn by_place<'a, T>(
    things: impl IntoIterator<Item = T>,
    place_of: impl Fn(&T) -> Option<Place<'a>>,
) -> Vec<(Option<Place<'a>>, Vec<T>)> {
    let mut places: Vec<(Option<Place<'a>>, Vec<T>)> = Vec::new();
    for thing in things {
        let place = place_of(&thing);
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, there)) => there.push(thing),
            None => places.push((place, vec![thing])),
        }
    }
    places
}

/// The name of an alarm, of its ARN or as it is.
pub fn alarm_name(called: &str) -> &str {
    called.split_once(":alarm:").filter(|(place, _)| place.starts_with("arn:")).map_or(called, |(_, name)| name)
}

/// An execution of a state machine, by its name (Service Authorization Reference, Step Functions).
pub fn execution(machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

/// The state machine of an execution; `None` where it is no execution of one.
pub fn machine_of(execution_arn: &str) -> Option<String> {
    let (place, rest) = execution_arn.split_once(":execution:")?;
    let (machine, _name) = rest.split_once(':')?;
    Some(format!("{place}:stateMachine:{machine}"))
}

/// The name of an execution, out of its ARN.
pub fn execution_name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// An object's address in the console, of the region and partition that an ARN is of.
pub fn object_in_console(arn: &str, bucket: &str, key: &str) -> String {
    let mut parts = arn.split(':').skip(1);
    let (partition, region) = (parts.next().unwrap_or("aws"), parts.nth(1).unwrap_or("us-east-1"));
    // AWS General Reference, ARN namespaces: each partition has a console of its own.
    let console = match partition {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    format!("https://{region}.{console}/s3/object/{bucket}?region={region}&prefix={key}")
}

/// `app/<name>/<id>`, as CloudWatch names a load balancer, from the ARN of one of its listeners or rules.
pub fn load_balancer_dimension(arn: &str) -> Option<&str> {
    let path = arn.split_once(":listener-rule/").or_else(|| arn.split_once(":listener/"))?.1;
    let end = path.match_indices('/').nth(2).map_or(path.len(), |(index, _)| index);
    Some(&path[..end])
}

/// `targetgroup/<name>/<id>`, as CloudWatch names a target group, from its ARN.
pub fn target_group_dimension(arn: &str) -> Option<&str> {
    arn.find("targetgroup/").map(|start| &arn[start..])
}

/// `<name>` of `...targetgroup/<name>/<id>` or `...app/<name>/<id>`, or the whole text.
pub fn short_name(arn: &str) -> &str {
    arn.rsplit('/').nth(1).unwrap_or(arn)
}

/// `listener <id> of <name>` or `rule <id> of <name>`, by the load balancer's name, as a person calls what has such an ARN; the ARN
/// itself where it is of neither.
pub fn title_of_listener(arn: &str) -> String {
    let kind = if arn.contains(":listener-rule/") { "rule" } else { "listener" };
    let named = load_balancer_dimension(arn).zip(arn.rsplit_once('/'));
    named.map_or_else(
        || format!("{kind} {arn}"),
        |(balancer, (_, id))| format!("{kind} {id} of {}", short_name(balancer)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_known_by_its_machine_and_name() {
        let machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:cutover";
        assert_eq!(execution(machine, "x"), "arn:aws:states:eu-west-1:123456789012:execution:cutover:x");
        assert_eq!(machine_of(&execution(machine, "x")).as_deref(), Some(machine));
        assert_eq!(machine_of(machine), None);
        assert_eq!(machine_of("arn:aws:another-run:1"), None);
    }

    #[test]
    fn cloudwatch_names_a_balancer_and_a_group_by_parts_of_their_arns() {
        let of = |rest: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{rest}");
        assert_eq!(load_balancer_dimension(&of("listener/app/shop/1/2")), Some("app/shop/1"));
        assert_eq!(load_balancer_dimension(&of("listener-rule/net/shop/1/2/3")), Some("net/shop/1"));
        assert_eq!(load_balancer_dimension(&of("targetgroup/shop/1")), None);
        assert_eq!(target_group_dimension(&of("targetgroup/shop/1")), Some("targetgroup/shop/1"));
        assert_eq!(target_group_dimension(&of("listener/app/shop/1/2")), None);
        assert_eq!(["targetgroup/shop/1", "app/shop/1", "shop"].map(short_name), ["shop"; 3]);
    }

    #[test]
    fn a_listener_is_called_by_its_id_and_its_balancers_name() {
        let of = |rest: &str| title_of_listener(&format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{rest}"));
        assert_eq!(of("listener/app/shop/50dc/f2f7"), "listener f2f7 of shop");
        assert_eq!(of("listener-rule/app/shop/50dc/f2f7/9683"), "rule 9683 of shop");
        assert_eq!(title_of_listener("one"), "listener one");
    }

    #[test]
    fn an_alarm_is_called_by_its_name_or_its_arn() {
        assert_eq!(alarm_name("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop: 5xx"), "shop: 5xx");
        assert_eq!(alarm_name("shop:alarm:5xx"), "shop:alarm:5xx");
    }

    #[test]
    fn a_misspelt_account_or_region_is_told_with_what_is_right() {
        let of = |region, account| Place { region, account }.misspelt();
        for region in ["eu-west-1", "ap-southeast-7", "us-gov-west-1", "us-isob-east-1", "cn-north-1", "eusc-de-east-1"]
        {
            assert_eq!(of(region, "123456789012"), None, "{region}");
        }
        for (region, right) in [
            ("eu-west1", "eu-west-1?"),
            ("EU_WEST_1", "eu-west-1?"),
            ("euwest-1", "eu-west-1?"),
            ("us-govwest-1", "us-gov-west-1?"),
            ("eu-wset-1", "such as eu-west-1"),
            ("eu-west", "such as eu-west-1"),
            ("westeurope", "such as eu-west-1"),
            ("eu-west-123", "such as eu-west-1"),
        ] {
            let (problem, fix) = of(region, "123456789012").unwrap();
            assert!(problem == format!("`{region}` is no region") && fix.contains(right), "{region}: {fix}");
        }
        for account in ["12345678901", "1234567890123", "12345678901x", "my-account"] {
            let (problem, fix) = of("eu-west-1", account).unwrap();
            assert_eq!(problem, format!("`{account}` is no account"));
            assert!(fix.contains("twelve digits"), "{fix}");
        }
    }

    #[test]
    fn an_arn_tells_region_and_account() {
        let place = Place::of("arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1");
        assert_eq!(place, Some(Place { region: "eu-west-1", account: "123456789012" }));
        assert_eq!(Place::of("arn:aws:route53:::hostedzone/Z1"), Some(Place { region: "", account: "" }));
        assert_eq!(Place::of("run-1"), None);
        let zone = Place { region: "", account: "222222222222" };
        assert_eq!(place.map(|here| zone.or(here)), Some(Place { region: "eu-west-1", account: "222222222222" }));
    }
}
