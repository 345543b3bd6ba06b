//! The hosted zones of AWS's own services, which an alias to one of them has to name: pure.
//!
//! From the API reference of Route 53 (*AliasTarget*, HostedZoneId) and the AWS General Reference (*Elastic Load Balancing
//! endpoints and quotas*). They differ by region, and for load balancers by type. Of a region that is not here nothing is said.

use crate::dns::normalise_name;

/// The zone of every CloudFront distribution. Its health cannot be evaluated (API reference, AliasTarget).
pub const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";
/// The zone of every accelerator of Global Accelerator.
const GLOBAL_ACCELERATOR_ZONE: &str = "Z2BJ6XQ5FK7U4H";

/// By region: the zone of Application and Classic Load Balancers, and that of Network Load Balancers.
const BALANCER_ZONES: [(&str, &str, &str); 21] = [
    ("af-south-1", "Z268VQBMOI5EKX", "Z203XCE67M25HM"),
    ("ap-east-1", "Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"),
    ("ap-northeast-1", "Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    ("ap-northeast-3", "Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"),
    ("ap-south-1", "ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    ("ca-central-1", "ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    ("eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    ("eu-north-1", "Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    ("eu-south-1", "Z3ULH7SSC9OV64", "Z23146JA1KNAFP"),
    ("eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    ("eu-west-2", "ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    ("eu-west-3", "Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    ("me-south-1", "ZS929ML54UICD", "Z3QSRYVP46NYYV"),
    ("sa-east-1", "Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    ("us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    ("us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    ("us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    ("us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
];

/// The hosted zone of the service that has this DNS name; none where it is not known.
pub fn of(dns_name: &str) -> Option<&'static str> {
    let name = normalise_name(dns_name);
    if name.ends_with(".cloudfront.net.") {
        return Some(CLOUDFRONT_ZONE);
    }
    if name.ends_with(".awsglobalaccelerator.com.") {
        return Some(GLOBAL_ACCELERATOR_ZONE);
    }
    let name = name.strip_suffix(".amazonaws.com.")?;
    let labels: Vec<&str> = name.rsplit('.').collect();
    let zones = |region: &str| BALANCER_ZONES.iter().find(|(known, ..)| *known == region);
    match labels[..] {
        ["elb", region, _, ..] => zones(region).map(|(_, application, _)| *application),
        [region, "elb", _, ..] => zones(region).map(|(.., network)| *network),
        _ => None,
    }
}

/// What the names look like that a service's hosted zone holds; none where it is not known. [`of`] is the way there.
pub fn names_in(zone_id: &str) -> Option<String> {
    match zone_id {
        CLOUDFRONT_ZONE => return Some("<id>.cloudfront.net".to_owned()),
        GLOBAL_ACCELERATOR_ZONE => return Some("<id>.awsglobalaccelerator.com".to_owned()),
        _ => {}
    }
    BALANCER_ZONES.iter().find_map(|(region, application, network)| match zone_id {
        zone if zone == *application => Some(format!("<balancer>.{region}.elb.amazonaws.com")),
        zone if zone == *network => Some(format!("<balancer>.elb.{region}.amazonaws.com")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balancers_zone_is_that_of_its_region_and_type() {
        assert_eq!(of("shop-1.eu-west-1.elb.amazonaws.com"), Some("Z32O12XQLNTSW2"));
        assert_eq!(of("dualstack.Shop-1.US-EAST-1.elb.amazonaws.com."), Some("Z35SXDOTRQ7X7K"));
        assert_eq!(of("shop-0123456789abcdef.elb.eu-west-1.amazonaws.com"), Some("Z2IFOLAFXWLO4F"));
        assert_eq!(of("d111111abcdef8.cloudfront.net"), Some(CLOUDFRONT_ZONE));
        assert_eq!(of("a1234567890abcdef.awsglobalaccelerator.com"), Some("Z2BJ6XQ5FK7U4H"));
    }

    #[test]
    fn a_services_zone_holds_names_of_that_service_alone() {
        assert_eq!(names_in("Z32O12XQLNTSW2").as_deref(), Some("<balancer>.eu-west-1.elb.amazonaws.com"));
        assert_eq!(names_in("Z2IFOLAFXWLO4F").as_deref(), Some("<balancer>.elb.eu-west-1.amazonaws.com"));
        for (_, application, network) in BALANCER_ZONES {
            for zone in [application, network, CLOUDFRONT_ZONE, GLOBAL_ACCELERATOR_ZONE] {
                assert_eq!(of(&names_in(zone).unwrap()), Some(zone));
            }
        }
        assert_eq!(names_in("Z0123456789PORTAL"), None);
    }

    #[test]
    fn of_what_is_not_known_nothing_is_said() {
        let unknown = [
            "shop-1.xx-new-1.elb.amazonaws.com",
            "new.elb.amazonaws.com",
            "elb.amazonaws.com",
            "eu-west-1.elb.amazonaws.com",
            "s3-website-eu-west-1.amazonaws.com",
            "green.example.com",
        ];
        for name in unknown {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
