//! How much can go wrong with an application, as a number to compare by: nothing more is meant by it.

use crate::portfolio::{Application, Criticality, Strategy};

/// From 1 to 16: criticality counts 1, 2, 4 or 8; changing the platform adds 2, rebuilding 4; data adds 1 from a tebibyte, 2 from ten. What does
/// not move has none.
pub(crate) fn of(application: &Application) -> i64 {
    if !application.strategy.moves() {
        return 0;
    }
    let criticality = match application.criticality {
        Criticality::Low => 1,
        Criticality::Medium => 2,
        Criticality::High => 4,
        Criticality::Critical => 8,
    };
    let change = match application.strategy {
        Strategy::Replatform => 2,
        Strategy::Refactor => 4,
        _ => 0,
    };
    let data = match application.data_gib.unwrap_or_default() {
        0..1_024 => 0,
        1_024..10_240 => 1,
        _ => 2,
    };
    criticality + change + data
}
