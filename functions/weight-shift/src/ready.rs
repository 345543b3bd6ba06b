//! Whether the health checks of a pair are healthy, and the balancers that its aliases evaluate, so that they may be attached. Pure.
//!
//! Health checks beat weights: with a failing check on the old record everybody gets the new one, whatever its weight (developer
//! guide, *Health checks and weighted routing*). So nothing is attached before all are healthy, also those that the
//! old record has already: alone on its name a record with a failing check answers, beside another one it does not.

use cutover::error::name;
use cutover::plan::CHECK_LOOK_INTERVAL;
use cutover::{StepError, StepResult};
use routes::name::{Attached, Look, Side, Status};

/// What looks at a pair's checks come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// All are healthy, as far as anybody can ask.
    Ready,
    /// Wait so long and look again, for this reason.
    NotYet(u64, String),
}

/// Judges one look at every check, and at every balancer, of which `sick` are those that Route 53 counts as unhealthy, after
/// `looks_before` others of `most_looks`.
///
/// # Errors
/// After the last look: `Cutover.Unhealthy` naming each check that fails and what its checkers see, `Cutover.Inconclusive`
/// where they tell nothing.
pub fn judge(
    looks: &[(Attached, Look)],
    sick: &[(Side, String)],
    looks_before: u32,
    most_looks: u32,
) -> StepResult<Readiness> {
    let with =
        |statuses: &[Status]| -> Vec<_> { looks.iter().filter(|(_, look)| statuses.contains(&look.status)).collect() };
    let (unhealthy, unknown) = (with(&[Status::Unhealthy]), with(&[Status::Unknown, Status::Missing]));
    if unhealthy.is_empty() && unknown.is_empty() && sick.is_empty() {
        return Ok(Readiness::Ready);
    }
    let waited_for = list(unhealthy.iter().chain(&unknown).copied(), sick);
    if looks_before < most_looks {
        return Ok(Readiness::NotYet(CHECK_LOOK_INTERVAL.0, waited_for));
    }
    let minutes = u64::from(most_looks) * CHECK_LOOK_INTERVAL.0 / 60;
    let error = if unhealthy.is_empty() && sick.is_empty() { name::INCONCLUSIVE } else { name::UNHEALTHY };
    let problem = format!(
        "not healthy after {minutes} minutes, and with it on a record Route 53 answers against the weights: {waited_for}"
    );
    Err(StepError::new(error, problem))
}

fn list<'a>(looks: impl Iterator<Item = &'a (Attached, Look)>, sick: &[(Side, String)]) -> String {
    let one = |(attached, look): &(Attached, Look)| format!("{} side: {}", attached.side.as_str(), look.describe());
    let balancer = |(side, target): &(Side, String)| {
        format!("{} side: {target} has a target group without a healthy target", side.as_str())
    };
    looks.map(one).chain(sick.iter().map(balancer)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use routes::name::Side;

    use super::*;

    fn looks(statuses: &[Status]) -> Vec<(Attached, Look)> {
        let one = |(status, side): (&Status, Side)| {
            let look = Look {
                id: "1f2e".to_owned(),
                asks: "https://new.example.com:443/".to_owned(),
                status: *status,
                seen: "0 of 16 checkers succeed".to_owned(),
            };
            (Attached { side, id: "1f2e".to_owned() }, look)
        };
        statuses.iter().zip([Side::Old, Side::New]).map(one).collect()
    }

    fn judged(statuses: &[Status], looks_before: u32) -> Result<bool, &'static str> {
        let readiness = judge(&looks(statuses), &[], looks_before, 20).map_err(|error| error.name)?;
        Ok(readiness == Readiness::Ready)
    }

    #[test]
    fn checks_are_waited_for_until_they_are_healthy_or_the_time_is_over() {
        use Status::{Healthy, Unhealthy, Unknown, Unseen};
        for (statuses, early, late) in [
            (vec![], Ok(true), Ok(true)),
            (vec![Healthy, Healthy], Ok(true), Ok(true)),
            (vec![Unhealthy, Healthy], Ok(false), Err(name::UNHEALTHY)),
            (vec![Healthy, Unhealthy], Ok(false), Err(name::UNHEALTHY)),
            (vec![Healthy, Unknown], Ok(false), Err(name::INCONCLUSIVE)),
            (vec![Unknown, Unhealthy], Ok(false), Err(name::UNHEALTHY)),
            (vec![Unseen, Healthy], Ok(true), Ok(true)),
        ] {
            assert_eq!(judged(&statuses, 0), early, "{statuses:?}");
            assert_eq!(judged(&statuses, 19), early, "{statuses:?}");
            assert_eq!(judged(&statuses, 20), late, "{statuses:?}");
        }
    }

    #[test]
    fn a_balancer_that_an_alias_evaluates_is_waited_for_too() {
        let sick = [(Side::Old, "lb.example.net.".to_owned())];
        let judge = |looks_before| judge(&looks(&[Status::Healthy]), &sick, looks_before, 20);
        assert!(matches!(judge(19), Ok(Readiness::NotYet(_, why)) if why.contains("old side: lb.example.net.")));
        assert_eq!(judge(20).unwrap_err().name, name::UNHEALTHY);
    }

    #[test]
    fn a_check_that_does_not_pass_is_named_with_what_its_checkers_see() {
        let error = judge(&looks(&[Status::Healthy, Status::Unhealthy]), &[], 20, 20).unwrap_err();
        assert_eq!(
            error.message,
            "not healthy after 5 minutes, and with it on a record Route 53 answers against the weights: new side: \
             health check 1f2e (https://new.example.com:443/): 0 of 16 checkers succeed"
        );
    }
}
