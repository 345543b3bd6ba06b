//! How numbers and other people's texts are written. Pure.

/// `1:05` hours and minutes.
pub fn clock(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// With as many digits as help.
pub fn short(value: f64) -> String {
    let value = value + 0.0; // below zero there is no nothing
    let digits = match value.abs() {
        0.0 => 0,
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        small if small >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if digits > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A text within HTML or SVG.
pub fn escaped(text: &str) -> String {
    cutover::text::escaped(text, 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_help() {
        assert_eq!([0.0, 0.05, 1.234, 33.33, 1200.4].map(short), ["0", "0.05", "1.23", "33.3", "1200"]);
        assert_eq!(clock(3900.0), "1:05");
    }
}
