//! Whether probing goes on. Pure.

use cutover::error::name;
use cutover::plan::Probe;
use cutover::probe::{ProbeResult, Progress, Tries};
use cutover::{StepError, StepResult};

/// Counts one more probe: the tries so far, and whether they are enough.
///
/// # Errors
/// `Cutover.Unhealthy` once the attempts are used up, or what is left of them cannot pass.
pub fn decide(probe: &Probe, tries: &Tries, result: &ProbeResult) -> StepResult<(Tries, bool)> {
    let tries = tries.count(result);
    match tries.progress(probe) {
        Progress::Passed => Ok((tries, true)),
        Progress::TryAgain => Ok((tries, false)),
        Progress::Failed => Err(failed(probe, &tries)),
    }
}

fn failed(probe: &Probe, tries: &Tries) -> StepError {
    let Probe { attempts, successes, .. } = probe;
    let count = format!("{successes} passes in a row are out of reach after {} of {attempts} tries", tries.attempts);
    StepError::new(name::UNHEALTHY, format!("{}: {count}; the last saw: {}", probe.title(), tries.seen))
}

#[cfg(test)]
mod tests {
    use cutover::Seconds;
    use cutover::probe::Remedy;

    use super::*;

    #[test]
    fn probing_ends_with_enough_passes_in_a_row_or_when_they_are_out_of_reach() {
        let probe = Probe {
            url: "https://new.example.com/health".to_owned(),
            host: None,
            certificate: cutover::plan::Certificate::Trusted,
            attempts: 3,
            interval: Seconds(30),
            timeout: Seconds(10),
            successes: 2,
            expect_status: "200-299".to_owned(),
            expect_body: None,
        };
        let result = |passed, seen: &str| ProbeResult { passed, seen: seen.to_owned(), remedy: Remedy::Answer };
        let (good, bad) = (result(true, "status 200"), result(false, "status 503"));
        let (tries, over) = decide(&probe, &Tries::default(), &bad).unwrap();
        assert!(!over);
        let (tries, over) = decide(&probe, &tries, &good).unwrap();
        assert!(!over, "one pass is not enough");
        assert!(decide(&probe, &tries, &good).unwrap().1);
        let error = decide(&probe, &tries, &bad).unwrap_err();
        assert_eq!(error.name, name::UNHEALTHY);
        assert!(error.message.contains("after 3 of 3 tries; the last saw: status 503"), "{}", error.message);
    }
}
