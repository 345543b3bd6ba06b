//! The trials: what is done to a run, and how it must end.
//!
//! Contract: a [`Trial`] says its plan, its [`Act`] once the listener's new side has a quarter, and the ending. What the judge of the faults has to know
//! of what was done, it is told as a case of its own: [`Trial::case`].

use clap::ValueEnum;
use serde_json::Value;

use super::ground::Ground;
use crate::faults::case::{Case, Fault, Point};
use crate::faults::check::Ended;

/// A plan of the list, and what happens to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Trial {
    /// Nothing happens: all traffic moves. Then a person takes it back.
    Succeed,
    /// The new side fails its health checks at 25 %.
    Unhealthy,
    /// A person stops the execution at 25 %, as in the console.
    Stopped,
    /// At 25 % the role that moves listeners, and puts them back, is denied to. A person lifts that, and does what the page says.
    Denied,
    /// Somebody else changes the listener at 25 %.
    Drift,
    /// Nothing happens, and the run is closed at once.
    Cleanup,
}

/// What is done to a run whose new side has 25 %.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// The new side's function answers health checks with 503.
    FailHealthChecks,
    /// StopExecution.
    Stop,
    /// A policy on the role of `listener-swap` that denies ModifyListener.
    Deny,
    /// Another stickiness on the listener.
    Change,
}

impl Act {
    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::FailHealthChecks => "the new side now fails its health checks (UpdateFunctionConfiguration)",
            Self::Stop => "the execution is stopped (StopExecution)",
            Self::Deny => "`listener-swap` is denied ModifyListener from now on (PutRolePolicy)",
            Self::Change => "somebody else changes the listener's stickiness (ModifyListener)",
        }
    }
}

impl Trial {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Its plan.
    pub fn plan(self, ground: &Ground) -> Value {
        ground.plan(if self == Self::Cleanup { "0s" } else { "1h" })
    }

    /// What is done to its run.
    pub fn act(self) -> Option<Act> {
        match self {
            Self::Succeed | Self::Cleanup => None,
            Self::Unhealthy => Some(Act::FailHealthChecks),
            Self::Stopped => Some(Act::Stop),
            Self::Denied => Some(Act::Deny),
            Self::Drift => Some(Act::Change),
        }
    }

    /// How its run must end.
    pub fn ending(self) -> Ended {
        match self {
            Self::Succeed | Self::Cleanup => Ended::New,
            Self::Unhealthy | Self::Stopped => Ended::Before,
            Self::Denied | Self::Drift => Ended::Stuck,
        }
    }

    /// The phase in which the journal must have it then.
    pub fn phase(self) -> &'static str {
        match self {
            Self::Succeed => "finished",
            Self::Cleanup => "closed",
            Self::Unhealthy | Self::Stopped => "rolled_back",
            Self::Denied | Self::Drift => "stuck",
        }
    }

    /// As the judge of the faults knows it; what a plan is for needs none.
    pub fn case(self) -> Option<Case> {
        let fault = match self {
            Self::Stopped => Fault::Stopped,
            Self::Denied => Fault::DeniedForGood,
            Self::Drift => Fault::DriftOfFirstRoute,
            Self::Succeed | Self::Unhealthy | Self::Cleanup => return None,
        };
        let point = Point {
            turned: None,
            machine: "cutover".to_owned(),
            state: "HoldWait".to_owned(),
            caller: "states".to_owned(),
            service: "lambda".to_owned(),
            operation: "Invoke".to_owned(),
            ordinal: 1,
        };
        Some(Case { shape: "proving-ground".to_owned(), fault, point })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_go_by_the_names_of_the_command_line() {
        let names: Vec<String> = Trial::value_variants().iter().map(|trial| trial.name()).collect();
        assert_eq!(names, ["succeed", "unhealthy", "stopped", "denied", "drift", "cleanup"]);
    }

    #[test]
    fn the_judge_is_told_of_a_stop_and_of_a_foreign_change() {
        let case = |trial: Trial| trial.case().expect("a case");
        assert!(case(Trial::Stopped).stops_the_cutover());
        assert_eq!(case(Trial::Drift).drifting_route(2), Some(0));
        assert!(Trial::Unhealthy.case().is_none());
    }
}
