//! What a test has seen, in words. Pure.

use cutover::plan::{Comparison, Countable, Counted, Metric};
use judge::Counts;
use judge::sequential::Test;

/// What was counted, and with what it is compared: `22 of 1,300 requests failed, limit 1 %`.
pub fn counted(metric: &Metric, countable: &Countable<'_>, test: &Test) -> String {
    let trouble = match countable.counted {
        Counted::Part(_) => "failed".to_owned(),
        Counted::Above { value } if metric.metric_name == "TargetResponseTime" => format!("took longer than {value} s"),
        Counted::Above { value } => format!("were above {value}"),
    };
    let side = |Counts { bad, all }: Counts| format!("{} of {}", grouped(bad), grouped(all));
    let new = side(test.new_side());
    let limit = percent(countable.limit);
    match &metric.compare_to {
        None => format!("{new} requests {trouble}, limit {limit}"),
        Some(_) if test.old_side().all == 0 => {
            format!("{new} requests {trouble}, and none were counted on the old side, limit {limit}")
        }
        Some(_) => format!("{new} requests {trouble}, and {} on the old side, limit {limit}", side(test.old_side())),
    }
}

/// `p < 0.0004`: rounded up to one digit that counts.
pub fn p_value(p: f64) -> String {
    let places = usize::try_from((-p.max(1e-9).log10()).ceil() as i64).unwrap_or(0);
    let unit = 10_f64.powi(-(places as i32));
    format!("p < {:.places$}", ((p / unit).floor() + 1.0) * unit)
}

/// `1,300`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The two first digits: `650` of 647.
pub fn about(count: u64) -> String {
    let unit = 10_u64.saturating_pow(count.checked_ilog10().unwrap_or(0).saturating_sub(1));
    grouped(count.div_ceil(unit).saturating_mul(unit))
}

/// A share in percent, with four places at the most.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A value, and when it is trouble.
pub fn beyond(metric: &Metric, value: f64) -> String {
    let words = match metric.comparison {
        Comparison::GreaterThan => "greater than",
        Comparison::GreaterThanOrEqual => "at least",
        Comparison::LessThan => "less than",
        Comparison::LessThanOrEqual => "at most",
    };
    format!("{}, trouble when {words} {}", shown(value, metric.threshold), metric.threshold)
}

/// A value with four digits that count, or with all where these would make it the threshold, which it is not.
fn shown(value: f64, threshold: f64) -> String {
    let whole_digits = value.abs().clamp(1e-9, 1e15).log10().floor() as i32 + 1;
    let text = format!("{value:.*}", usize::try_from(4 - whole_digits).unwrap_or(0));
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text.parse() == Ok(threshold) { value.to_string() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_with_the_digits_that_count() {
        let told = [0.477_611_940_298, 0.0, 12.0, 1234.567, 0.000_123_456, -0.5].map(|value| shown(value, 0.05));
        assert_eq!(told, ["0.4776", "0", "12", "1235", "0.0001235", "-0.5"]);
        assert_eq!(shown(0.050_000_01, 0.05), "0.05000001");
        assert_eq!([f64::INFINITY, 2e200 / 1e-200].map(|value| shown(value, 0.05)), ["inf", "inf"]);
    }

    #[test]
    fn numbers_are_told_as_a_person_reads_them() {
        assert_eq!([0, 999, 1_300, 1_234_567].map(grouped), ["0", "999", "1,300", "1,234,567"]);
        assert_eq!([0, 7, 12, 647, 12_345].map(about), ["0", "7", "12", "650", "13,000"]);
        assert_eq!([0.01, 0.05, 0.001, (100.0 - 99.9) / 100.0].map(percent), ["1 %", "5 %", "0.1 %", "0.1 %"]);
        let values = [1.0, 0.5, 0.009_9, 0.000_34, 0.0].map(p_value);
        assert_eq!(values, ["p < 2", "p < 0.6", "p < 0.010", "p < 0.0004", "p < 0.000000001"]);
    }
}
