//! The dashboards of runs: their names, and where each is. Pure.

use crate::arn::Place;
use crate::contract::digest;
use crate::text::is_word;

/// How much of an execution's name a dashboard's has; the rest stands for it as a digest. A name has 255 characters at the most.
const MOST_NAME: usize = 100;

/// What the names of all dashboards of runs begin with: the state machine's name, so that stacks leave each other's alone. The stack's own
/// dashboard is `cutover-suite`.
pub fn prefix(run_id: &str) -> String {
    let machine = run_id.rsplit(':').nth(1).unwrap_or_default();
    format!("{machine}-run-")
}

/// A run's dashboard, by its execution's name: letters, digits, dashes and underscores. Names that this would make alike have a digest.
pub fn name_of(run_id: &str) -> String {
    let execution = run_id.rsplit(':').next().unwrap_or_default();
    let fit = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let prefix = prefix(run_id);
    if execution.len() <= MOST_NAME && execution.chars().all(fit) {
        return format!("{prefix}{execution}");
    }
    let plain: String = execution.chars().map(|c| if fit(c) { c } else { '-' }).take(MOST_NAME).collect();
    format!("{prefix}{plain}-{}", digest(run_id))
}

/// Its address in the console; none for what is no run's ARN.
pub fn in_console(run_id: &str) -> Option<String> {
    let region = Place::of(run_id).map(|place| place.region).filter(|region| is_word(region))?;
    let name = name_of(run_id);
    is_word(&name).then(|| {
        format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{name}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_cloudwatch_takes_and_one_for_each_run() {
        let of =
            |execution: &str| name_of(&format!("arn:aws:states:eu-west-1:123456789012:execution:cutover:{execution}"));
        assert_eq!(of("shop-2026_11"), "cutover-run-shop-2026_11");
        assert!(of("shop.1").starts_with("cutover-run-shop-1-"), "{}", of("shop.1"));
        assert_ne!(of("shop.1"), of("shop+1"));
        let long = of(&"é".repeat(80));
        assert!(long.len() <= 255 && long.is_ascii(), "{long}");
        assert_ne!(of(&"a".repeat(101)), of(&"a".repeat(102)));
    }

    #[test]
    fn where_a_dashboard_is_follows_of_the_run() {
        let link = in_console("arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1").unwrap();
        assert_eq!(
            link,
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/cutover-run-shop-1"
        );
        assert_eq!((in_console("run"), in_console("arn:aws:states:a b:1:execution:cutover:x")), (None, None));
    }
}
