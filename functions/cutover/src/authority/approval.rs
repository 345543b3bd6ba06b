//! Whether somebody has to agree, and who: the stack's owner says, and no plan can choose others, or nobody.
//!
//! What is approved is one plan, known by its digest ([`crate::ask::plan_digest`]): the question shows it, the answer names it, and a claim of any other is
//! refused. A name that comes with an answer is what somebody has written; it counts as verified only where the pages that answer have taken it from
//! who had signed on, which the journal tells and not the answer itself.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bootstrap::Environment;
use crate::error::name;
use crate::plan::Approval;
use crate::{Finding, Plan, Seconds, StepError, StepResult};

/// What a stack asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demanded(Option<Rule>);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Who is asked.
    topic_arn: String,
    /// From how many applications on that move together.
    from: usize,
}

impl Demanded {
    /// From `APPROVAL`.
    ///
    /// # Errors
    /// It is not set, or cannot be read.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Self::read(&environment.variable("APPROVAL")?).map_err(Into::into)
    }

    /// From `null`, or `{"topic_arn": ..., "from": ...}`.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("APPROVAL cannot be read: {error}"))
    }

    /// Whether so many applications that move together need a yes.
    pub fn is_for(&self, applications: usize) -> bool {
        self.0.as_ref().is_some_and(|rule| applications >= rule.from)
    }

    /// Whom so many applications that move together have to ask, where they name nobody (`None`) or this topic; none where the stack does not demand it.
    ///
    /// # Errors
    /// Another topic is named: a finding.
    pub fn topic(&self, named: Option<&str>, applications: usize) -> Result<Option<&str>, Box<Finding>> {
        let Some(rule) = self.0.as_ref().filter(|_| self.is_for(applications)) else { return Ok(None) };
        match named {
            Some(named) if named != rule.topic_arn => {
                let problem = format!("`{named}` is not who has to agree on this stack");
                let fix = format!("leave `approval` out, or name {}", rule.topic_arn);
                Err(Box::new(Finding::environment("$.approval.topic_arn", problem, fix)))
            }
            _ => Ok(Some(&rule.topic_arn)),
        }
    }

    /// What is remembered of who agreed to a plan of this digest, with whether the name is verified: `is_verified` says so of the answer that the
    /// journal has.
    ///
    /// # Errors
    /// `Cutover.PrecheckFailed`, with nothing touched: nobody has agreed who has to, or to another plan.
    pub fn judge(&self, approval: Option<Value>, digest: &str, is_verified: bool) -> StepResult<Option<Value>> {
        let refused = |problem: String| {
            Err(StepError::new(name::PRECHECK_FAILED, format!("{problem}; nothing was touched: start again")))
        };
        let approved = approval.as_ref().and_then(|approval| approval["plan"].as_str());
        match approved {
            Some(approved) if approved != digest => {
                return refused(format!("the plan that was approved has the digest {approved}, and this one {digest}"));
            }
            None if self.is_for(1) && approval.is_none() => {
                return refused("this stack asks for approval before anything moves, and nobody has agreed".to_owned());
            }
            None if self.is_for(1) => {
                let how = "answer by the page, or by the message's command as it stands, which names the plan";
                return refused(format!("the yes does not say which plan it is for: {how}"));
            }
            _ => {}
        }
        Ok(approval.map(|approval| match approval {
            Value::Object(mut fields) => {
                fields.insert("verified".to_owned(), json!(is_verified));
                Value::Object(fields)
            }
            other => other,
        }))
    }
}

/// Has one cutover's plan ask whom the stack names; a finding where it names others.
pub fn complete_plan(demanded: &Demanded, plan: &mut Plan) -> Option<Finding> {
    let named = plan.approval.as_ref().map(|approval| approval.topic_arn.as_str());
    match demanded.topic(named, 1) {
        Ok(Some(topic)) if named.is_none() => {
            plan.approval = Some(Approval { within: Seconds::hours(24), topic_arn: topic.to_owned() });
            None
        }
        Ok(_) => None,
        Err(finding) => Some(*finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "arn:aws:sns:eu-west-1:123456789012:changes";

    fn demanded(from: usize) -> Demanded {
        Demanded::read(&json!({ "topic_arn": THEIRS, "from": from }).to_string()).unwrap()
    }

    fn plan(approval: Value) -> Plan {
        serde_json::from_value(json!({ "application": "shop", "routes": [], "approval": approval })).unwrap()
    }

    #[test]
    fn a_plan_that_asks_nobody_or_somebody_else_asks_whom_the_stack_names() {
        let mut nobody = plan(Value::Null);
        assert_eq!(complete_plan(&demanded(1), &mut nobody), None);
        assert_eq!(nobody.approval, Some(Approval { within: Seconds::hours(24), topic_arn: THEIRS.to_owned() }));
        let mut mine = plan(json!({ "topic_arn": "arn:aws:sns:eu-west-1:123456789012:me" }));
        let finding = complete_plan(&demanded(1), &mut mine).unwrap();
        assert!(finding.path == "$.approval.topic_arn" && finding.fix.contains(THEIRS), "{finding:?}");
        let mut shorter = plan(json!({ "topic_arn": THEIRS, "within": 60 }));
        assert_eq!(complete_plan(&demanded(1), &mut shorter), None);
        assert_eq!(shorter.approval.unwrap().within, Seconds(60), "how long to wait is the plan's");
    }

    #[test]
    fn it_is_asked_for_from_the_number_of_applications_on_that_the_stack_says() {
        assert_eq!(demanded(5).topic(None, 4), Ok(None));
        assert_eq!(demanded(5).topic(Some("mine"), 4), Ok(None));
        assert_eq!(demanded(5).topic(None, 5), Ok(Some(THEIRS)));
        assert!(demanded(5).topic(Some("mine"), 5).is_err());
        assert!(!demanded(5).is_for(1) && !Demanded::read("null").unwrap().is_for(1_000));
        assert!(Demanded::read("").is_err() && Demanded::read("{}").is_err());
    }

    #[test]
    fn a_plan_that_differs_from_what_was_approved_is_refused() {
        let yes = |plan: Value| Some(json!({ "by": "Ada", "why": "agreed", "plan": plan }));
        let judged = |approval, demanded: &Demanded| demanded.judge(approval, "abc", false);
        for demanded in [Demanded::default(), demanded(1)] {
            let kept = judged(yes(json!("abc")), &demanded).unwrap().unwrap();
            assert_eq!((&kept["by"], &kept["verified"]), (&json!("Ada"), &json!(false)));
            let error = judged(yes(json!("abd")), &demanded).unwrap_err();
            assert!(error.name == name::PRECHECK_FAILED && error.message.contains("nothing was touched"), "{error}");
        }
        assert!(judged(yes(Value::Null), &demanded(1)).unwrap_err().message.contains("which plan"));
        assert!(judged(None, &demanded(1)).unwrap_err().message.contains("nobody has agreed"));
        assert!(judged(yes(Value::Null), &Demanded::default()).is_ok() && judged(None, &demanded(2)) == Ok(None));
    }

    #[test]
    fn a_name_is_verified_by_the_journal_and_not_by_what_comes_with_the_answer() {
        let lying = Some(json!({ "by": "Ada", "plan": "abc", "verified": true }));
        let kept = |is_verified| demanded(1).judge(lying.clone(), "abc", is_verified).unwrap().unwrap();
        assert_eq!((&kept(false)["verified"], &kept(true)["verified"]), (&json!(false), &json!(true)));
    }
}
