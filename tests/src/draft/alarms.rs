//! Alarms of a draft: those of the old side repeated for the new one, and those that the new side has already. Pure.

use cutover::alarm::{Alarm, Dimension};

/// What is exchanged in an alarm: a dimension's value, and the name of what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The dimension's value on the old side, such as `targetgroup/shop-old/73e2d6bc24d8a067`.
    pub old: String,
    /// On the new side.
    pub new: String,
}

/// What there is to set and to watch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Of the old side, written for the new one.
    pub repeated: Vec<Alarm>,
    /// Names of those that the new side has.
    pub watched: Vec<String>,
}

/// The alarms that stand on the old side and have no counterpart yet, and those on the new side.
pub fn of(live: &[Alarm], exchanges: &[Exchange]) -> Found {
    let mut found = Found::default();
    let is_on_new = |alarm: &Alarm| exchanges.iter().any(|one| stands_on(alarm, &one.new));
    found.watched.extend(live.iter().filter(|alarm| is_on_new(alarm)).map(|alarm| alarm.alarm_name.clone()));
    for alarm in live.iter().filter(|alarm| !is_on_new(alarm)) {
        let touched: Vec<&Exchange> = exchanges.iter().filter(|one| stands_on(alarm, &one.old)).collect();
        if touched.is_empty() {
            continue;
        }
        let repeated = repeated(alarm, &touched);
        if !live.iter().chain(&found.repeated).any(|one| one.alarm_name == repeated.alarm_name) {
            found.repeated.push(repeated);
        }
    }
    found
}

fn stands_on(alarm: &Alarm, value: &str) -> bool {
    let of_metrics = alarm.metrics.iter().filter_map(|query| query.metric_stat.as_ref());
    let more = of_metrics.flat_map(|stat| &stat.metric.dimensions);
    alarm.dimensions.iter().chain(more).any(|dimension| dimension.value == value)
}

fn repeated(alarm: &Alarm, exchanges: &[&Exchange]) -> Alarm {
    let mut new = alarm.clone();
    let exchange = |dimension: &mut Dimension| {
        if let Some(one) = exchanges.iter().find(|one| one.old == dimension.value) {
            dimension.value.clone_from(&one.new);
        }
    };
    new.dimensions.iter_mut().for_each(exchange);
    let stats = new.metrics.iter_mut().filter_map(|query| query.metric_stat.as_mut());
    stats.flat_map(|stat| &mut stat.metric.dimensions).for_each(exchange);
    for one in exchanges {
        new.alarm_name = new.alarm_name.replace(name(&one.old), name(&one.new));
    }
    if new.alarm_name == alarm.alarm_name {
        new.alarm_name.push_str("-new");
    }
    new
}

/// `shop-old` of `targetgroup/shop-old/73e2d6bc24d8a067`.
fn name(value: &str) -> &str {
    value.split('/').nth(1).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "targetgroup/shop-old/1";
    const NEW: &str = "targetgroup/shop-new/2";

    fn alarm(name: &str, group: &str) -> Alarm {
        let dimension = |name: &str, value: &str| Dimension { name: name.to_owned(), value: value.to_owned() };
        let dimensions = vec![dimension("LoadBalancer", "app/shop/1"), dimension("TargetGroup", group)];
        Alarm { alarm_name: name.to_owned(), dimensions, ..Alarm::default() }
    }

    fn found(live: &[Alarm]) -> Found {
        of(live, &[Exchange { old: OLD.to_owned(), new: NEW.to_owned() }])
    }

    #[test]
    fn an_alarm_of_the_old_group_is_repeated_with_the_new_ones_dimensions_and_name() {
        let found = found(&[alarm("shop-old-hosts", OLD), alarm("errors", OLD), alarm("blog", "targetgroup/blog/3")]);
        let told: Vec<_> =
            found.repeated.iter().map(|one| (one.alarm_name.as_str(), one.dimensions[1].value.as_str())).collect();
        assert_eq!(told, [("shop-new-hosts", NEW), ("errors-new", NEW)]);
        assert_eq!(found.repeated[0].dimensions[0].value, "app/shop/1");
        assert_eq!(found.watched, [""; 0]);
    }

    #[test]
    fn an_alarm_that_the_new_side_has_is_watched_and_not_made_again() {
        let found = found(&[alarm("shop-old-hosts", OLD), alarm("shop-new-hosts", NEW)]);
        assert_eq!((found.repeated, found.watched), (vec![], vec!["shop-new-hosts".to_owned()]));
    }
}
