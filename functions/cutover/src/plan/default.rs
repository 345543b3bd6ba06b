//! Defaults of fields, to be written where the field is: `#[serde(default = "default::seconds::<30>")]`.

use crate::Seconds;

pub(super) fn u8<const N: u8>() -> u8 {
    N
}

pub(super) fn u32<const N: u32>() -> u32 {
    N
}

pub(super) fn seconds<const N: u64>() -> Seconds {
    Seconds(N)
}

pub(super) fn minutes<const N: u64>() -> Seconds {
    Seconds::minutes(N)
}

pub(super) fn hours<const N: u64>() -> Seconds {
    Seconds::hours(N)
}

pub(super) fn yes() -> bool {
    true
}

/// The path of a URL without one.
pub(super) fn root() -> String {
    "/".to_owned()
}

/// The HTTP statuses of success.
pub(super) fn success() -> String {
    "200-299".to_owned()
}
