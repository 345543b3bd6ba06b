//! The machines of the stack, as a rehearsal starts them.
//!
//! Contract: one table, [`MACHINES`]; a machine that the stack gets later is one more row. Every rehearsal has a plan: the
//! world is what that plan names. A gesture (rollback, cleanup) is about a run, so a cutover of the plan comes first. The
//! input of a machine is given, or made from the plan.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::stage::Stage;

/// One machine of the stack.
#[derive(Debug)]
pub struct Machine {
    /// Its name in the stack.
    pub name: &'static str,
    /// What it does, for the help.
    pub does: &'static str,
    /// Whether it is a gesture about a run, which is made first.
    pub is_about_a_run: bool,
    /// Its input where only a plan is given: from the plan, with the ARNs of the environment, and the cutover machine's ARN.
    input: fn(&Value, &str) -> Value,
    /// Where a plan stands in its input: a JSON pointer.
    plan_at: Option<&'static str>,
    /// The machines whose executions come of it, and are followed too.
    pub brings: &'static [&'static str],
    /// The machine whose end is the ending of the rehearsal.
    pub decided_by: &'static str,
    /// What it means that it succeeded.
    pub success: &'static str,
}

/// All of them, the default first.
pub static MACHINES: [Machine; 4] = [
    Machine {
        name: "cutover",
        does: "moves a plan's traffic",
        is_about_a_run: false,
        input: |plan, _| plan.clone(),
        plan_at: Some(""),
        brings: &["rollback"],
        decided_by: "cutover",
        success: "the new side serves",
    },
    Machine {
        name: "start",
        does: "starts a cutover of a plan at a set time, once",
        is_about_a_run: false,
        input: |plan, cutover| json!({ "state_machine_arn": cutover, "name": "rehearsed-start", "input": plan }),
        plan_at: Some("/input"),
        brings: &["cutover", "rollback"],
        decided_by: "cutover",
        success: "the new side serves",
    },
    Machine {
        name: "rollback",
        does: "takes a run's traffic back, after a cutover of a plan",
        is_about_a_run: true,
        input: |plan, _| json!({ "application": plan["application"] }),
        plan_at: None,
        brings: &[],
        decided_by: "rollback",
        success: "every route was put back",
    },
    Machine {
        name: "cleanup",
        does: "closes a run and removes the old side, after a cutover of a plan",
        is_about_a_run: true,
        input: |plan, _| json!({ "application": plan["application"], "now": true }),
        plan_at: None,
        brings: &[],
        decided_by: "cleanup",
        success: "the run is closed: there is no way back from here",
    },
];

impl Machine {
    /// The default.
    pub fn cutover() -> &'static Self {
        &MACHINES[0]
    }

    /// The one that ends a run.
    pub fn cleanup() -> &'static Self {
        &MACHINES[3]
    }

    /// By its name.
    ///
    /// # Errors
    /// Names those that there are.
    pub fn named(name: &str) -> Result<&'static Self> {
        match MACHINES.iter().find(|machine| machine.name == name) {
            Some(machine) => Ok(machine),
            None => bail!(
                "there is no machine {name}; there are {}",
                MACHINES.iter().map(|machine| machine.name).collect::<Vec<_>>().join(", ")
            ),
        }
    }

    /// The plan that a given value is or has in it. Without one it is the machine's input, about a run of another plan.
    pub fn plan_in<'a>(&self, given: &'a Value) -> Option<&'a Value> {
        let inner = self.plan_at.and_then(|pointer| given.pointer(pointer));
        [Some(given), inner].into_iter().flatten().find(|value| value.get("routes").is_some())
    }

    /// What the machine is started with on a stage, where this was given.
    pub fn input_on(&self, stage: &Stage, given: Option<&Value>) -> Value {
        let own = given.filter(|given| given.get("routes").is_none());
        let Some(own) = own else { return (self.input)(&stage.plan, stage.machine("cutover").unwrap_or_default()) };
        let mut input = own.clone();
        if let Some(plan) = self.plan_at.and_then(|pointer| input.pointer_mut(pointer)) {
            plan.clone_from(&stage.plan);
        }
        input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_found_wherever_it_stands() -> Result<()> {
        let plan = json!({ "application": "shop", "routes": [] });
        let scheduled = json!({ "state_machine_arn": "a", "name": "n", "input": plan });
        for machine in &MACHINES {
            assert_eq!(machine.plan_in(&plan), Some(&plan), "{}", machine.name);
            assert_eq!(machine.plan_in(&json!({ "application": "shop" })), None, "{}", machine.name);
        }
        assert_eq!(Machine::named("start")?.plan_in(&scheduled), Some(&plan));
        assert_eq!(Machine::cutover().plan_in(&scheduled), None);
        Ok(())
    }

    #[test]
    fn a_name_that_there_is_not_is_answered_by_those_that_there_are() {
        let error = Machine::named("wave").expect_err("no wave yet").to_string();
        assert!(MACHINES.iter().all(|machine| error.contains(machine.name)), "{error}");
    }

    /// Whatever a machine waits for in the end is followed.
    #[test]
    fn the_end_that_decides_is_followed() {
        for machine in &MACHINES {
            assert!(machine.decided_by == machine.name || machine.brings.contains(&machine.decided_by));
        }
    }
}
