//! The user's own names, in place of those of the emulated environment.
//!
//! Contract: pure. What a plan names is created on the emulated AWS under other identifiers; people read theirs.

use std::collections::BTreeMap;

/// What each created name stands for.
#[derive(Clone, Debug, Default)]
pub struct OwnNames(Vec<(String, String)>);

impl OwnNames {
    /// From what each name of the plan became.
    pub fn new(mapping: &BTreeMap<String, String>) -> Self {
        let mut own: BTreeMap<&str, &str> = BTreeMap::new();
        for (planned, created) in mapping.iter().filter(|(planned, created)| planned != created) {
            let known = own.entry(created).or_insert(planned);
            // A zone is named with and without `/hostedzone/`.
            if planned.len() < known.len() {
                *known = planned;
            }
        }
        let mut names: Vec<_> =
            own.iter().map(|(created, planned)| ((*created).to_owned(), (*planned).to_owned())).collect();
        names.extend(own.iter().filter_map(|(created, planned)| called(created).zip(called(planned))));
        // An ARN before the end of one.
        names.sort_by_key(|(created, _)| std::cmp::Reverse(created.len()));
        Self(names)
    }

    /// A text with the user's names.
    pub fn in_text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (created, planned)| text.replace(created, planned))
    }
}

/// How people call what has such an ARN, where they do not call it by the ARN.
fn called(arn: &str) -> Option<String> {
    if arn.contains(":listener/") || arn.contains(":listener-rule/") {
        return Some(cutover::arn::title_of_listener(arn));
    }
    arn.contains(":targetgroup/").then(|| format!("target group {}", cutover::arn::short_name(arn)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_the_names_of_their_plan() {
        let mapping = [
            ("arn:aws:elb:listener/app/shop/50dc/f2f7", "arn:aws:elb:listener/app/shop-x/1a/2b"),
            ("app/shop", "app/shop-x"),
            ("Z1", "Z9LOCAL"),
            ("/hostedzone/Z1", "Z9LOCAL"),
            ("same", "same"),
        ];
        let mapping = mapping.map(|(planned, created)| (planned.to_owned(), created.to_owned())).into();
        let own = OwnNames::new(&mapping);
        let told =
            "arn:aws:elb:listener/app/shop-x/1a/2b of app/shop-x, zone Z9LOCAL, same; step 1 of listener 2b of shop-x";
        assert_eq!(
            own.in_text(told),
            "arn:aws:elb:listener/app/shop/50dc/f2f7 of app/shop, zone Z1, same; step 1 of listener f2f7 of shop"
        );
    }
}
