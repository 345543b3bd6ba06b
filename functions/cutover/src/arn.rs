//! ARNs, as far as they tell where something is.

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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_region_and_account() {
        let place = Place::of("arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1");
        assert_eq!(place, Some(Place { region: "eu-west-1", account: "123456789012" }));
        assert_eq!(Place::of("arn:aws:route53:::hostedzone/Z1"), Some(Place { region: "", account: "" }));
        assert_eq!(Place::of("run-1"), None);
    }
}
