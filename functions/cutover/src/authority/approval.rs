//! Whether somebody has to agree, and who: the stack's owner says, by how many applications move together or by the tags of what moves, and no plan can
//! choose others, or nobody.
//!
//! What is approved is one plan, known by its digest ([`crate::ask::plan_digest`]): the question shows it, the answer names it, and a claim of any other is
//! refused. A name that comes with an answer is what somebody has written; it counts as verified only where the pages that answer have taken it from
//! who had signed on, which the journal tells and not the answer itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::ask::Answer;
use crate::bootstrap::Environment;
use crate::error::name;
use crate::plan::Approval;
use crate::stakeholders::StackGroups;
use crate::{Finding, Plan, Seconds, StepError, StepResult};

/// What a stack asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demanded(Option<Rule>);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Who is asked.
    topic_arn: String,
    /// From how many applications on that move together; `null` is however many, where tags say it.
    from: Option<usize>,
    /// However few, where what a plan moves has one of these tags: values by key, `*` for any.
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

impl Demanded {
    /// From `APPROVAL`.
    ///
    /// # Errors
    /// It is not set, or cannot be read.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Self::read(&environment.variable("APPROVAL")?).map_err(Into::into)
    }

    /// From `null`, or `{"topic_arn": ..., "from": ..., "tags": {..}}`.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("APPROVAL cannot be read: {error}"))
    }

    /// Whether so many applications that move together need a yes.
    pub fn is_for(&self, applications: usize) -> bool {
        self.0.as_ref().and_then(|rule| rule.from).is_some_and(|from| applications >= from)
    }

    /// Whether tags decide about one application: its number alone does not demand a yes, and some tag would.
    pub fn asks_tags(&self) -> bool {
        !self.is_for(1) && self.0.as_ref().is_some_and(|rule| !rule.tags.is_empty())
    }

    /// Whether what has this tag moves only with a yes.
    pub fn is_for_tag(&self, key: &str, value: &str) -> bool {
        let wanted = self.0.as_ref().and_then(|rule| rule.tags.get(key));
        wanted.is_some_and(|wanted| wanted == "*" || wanted == value)
    }

    /// Whom so many applications that move together have to ask, where they name nobody (`None`) or this topic; none where the stack does not demand it.
    ///
    /// # Errors
    /// Another topic is named: a finding.
    pub fn topic(&self, named: Option<&str>, applications: usize) -> Result<Option<&str>, Box<Finding>> {
        if self.is_for(applications) { self.of_whom(named) } else { Ok(None) }
    }

    /// Whether it asks for anything at all.
    pub(super) fn is_any(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is the stack that has this plan ask, as far as the plan tells: by its number, or by tags as precheck has completed it.
    pub(super) fn demands(&self, plan: &Plan) -> bool {
        let is_theirs = |rule: &Rule| plan.approval.as_ref().is_some_and(|asked| asked.topic_arn == rule.topic_arn);
        self.is_for(1) || self.asks_tags() && self.0.as_ref().is_some_and(is_theirs)
    }

    pub(super) fn of_whom(&self, named: Option<&str>) -> Result<Option<&str>, Box<Finding>> {
        let Some(rule) = &self.0 else { return Ok(None) };
        match named {
            Some(named) if named != rule.topic_arn => {
                let problem = format!("`{named}` is not who has to agree on this stack");
                let fix = format!("leave `approval` out, or name {}", rule.topic_arn);
                Err(Box::new(Finding::environment("$.approval.topic_arn", problem, fix)))
            }
            _ => Ok(Some(&rule.topic_arn)),
        }
    }

    /// What is remembered of who agreed to a plan of this digest, with whether the name is verified: the journal's `answer` to this run's question says
    /// so. Whoever the plan asks, or precheck has made it ask, has to have agreed; where the stack asks, by the link of those whom it knows, or by the
    /// message's command.
    ///
    /// # Errors
    /// `Cutover.PrecheckFailed`, with nothing touched: nobody has agreed who has to, or to another plan, or by another's link.
    pub fn judge(
        &self,
        plan: &Plan,
        approval: Option<Value>,
        digest: &str,
        answer: Option<&Answer>,
        stack: &StackGroups,
    ) -> StepResult<Option<Value>> {
        let refused = |problem: String| {
            Err(StepError::new(name::PRECHECK_FAILED, format!("{problem}; nothing was touched: start again")))
        };
        let is_demanded = self.demands(plan);
        let approved = approval.as_ref().and_then(|approval| approval["plan"].as_str());
        match approved {
            Some(approved) if approved != digest => {
                return refused(format!("the plan that was approved has the digest {approved}, and this one {digest}"));
            }
            None if approval.is_none() && (is_demanded || plan.approval.is_some()) => {
                let who = if is_demanded { "this stack" } else { "this plan" };
                return refused(format!("{who} asks for approval before anything moves, and nobody has agreed"));
            }
            None if is_demanded => {
                let how = "answer by the page, or by the message's command as it stands, which names the plan";
                return refused(format!("the yes does not say which plan it is for: {how}"));
            }
            _ => {}
        }
        let is_by_page = approval.as_ref().is_some_and(|approval| !approval["question"].is_null());
        match answer {
            _ if !is_demanded || !is_by_page => {}
            Some(answer) if self.is_by_theirs(&answer.recipient, plan, stack) => {}
            Some(Answer { recipient, .. }) => {
                return refused(format!(
                    "the yes came by the link of `{recipient}`, who are neither the topic nor a group by which this stack asks"
                ));
            }
            None => {
                return refused("the yes names a question of which the journal has no answer of this run".to_owned());
            }
        }
        let by = approval.as_ref().and_then(|approval| approval["by"].as_str()).unwrap_or_default();
        let is_verified = answer.is_some_and(|answer| answer.verified && answer.by == by);
        Ok(approval.map(|approval| match approval {
            Value::Object(mut fields) => {
                fields.insert("verified".to_owned(), json!(is_verified));
                Value::Object(fields)
            }
            other => other,
        }))
    }
}

/// Has one cutover's plan ask whom the stack names, where the number or a tag demands it; a finding where it names others.
pub fn complete_plan(demanded: &Demanded, is_tagged: bool, plan: &mut Plan) -> Option<Finding> {
    if !is_tagged && !demanded.is_for(1) {
        return None;
    }
    let named = plan.approval.as_ref().map(|approval| approval.topic_arn.as_str());
    match demanded.of_whom(named) {
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
        assert_eq!(complete_plan(&demanded(1), false, &mut nobody), None);
        assert_eq!(nobody.approval, Some(Approval { within: Seconds::hours(24), topic_arn: THEIRS.to_owned() }));
        let mut mine = plan(json!({ "topic_arn": "arn:aws:sns:eu-west-1:123456789012:me" }));
        let finding = complete_plan(&demanded(1), false, &mut mine).unwrap();
        assert!(finding.path == "$.approval.topic_arn" && finding.fix.contains(THEIRS), "{finding:?}");
        let mut shorter = plan(json!({ "topic_arn": THEIRS, "within": 60 }));
        assert_eq!(complete_plan(&demanded(1), false, &mut shorter), None);
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
    fn a_tag_of_what_moves_demands_a_yes_however_few_move() {
        let rule = json!({ "topic_arn": THEIRS, "from": null, "tags": { "criticality": "high", "pci": "*" } });
        let by_tags = Demanded::read(&rule.to_string()).unwrap();
        assert!(by_tags.asks_tags() && !by_tags.is_for(1_000));
        assert!(by_tags.is_for_tag("criticality", "high") && by_tags.is_for_tag("pci", "level 1"));
        assert!(!by_tags.is_for_tag("criticality", "low") && !by_tags.is_for_tag("Criticality", "high"));
        assert!(!demanded(1).asks_tags() && !demanded(5).asks_tags() && !Demanded::default().asks_tags());
        let mut tagged = plan(Value::Null);
        assert_eq!(complete_plan(&by_tags, false, &mut tagged), None);
        assert_eq!(tagged.approval, None, "nothing of it is tagged");
        assert_eq!(complete_plan(&by_tags, true, &mut tagged), None);
        assert_eq!(tagged.approval.as_ref().unwrap().topic_arn, THEIRS);
        let error = by_tags.judge(&tagged, None, "abc", None, &StackGroups::default()).unwrap_err();
        assert!(error.message.contains("nobody has agreed"), "{error}");
        let yes = Some(json!({ "by": "Ada" }));
        let unnamed = by_tags.judge(&tagged, yes, "abc", None, &StackGroups::default()).unwrap_err();
        assert!(unnamed.message.contains("which plan"), "{unnamed}");
        let mut mine = plan(json!({ "topic_arn": "arn:aws:sns:eu-west-1:123456789012:me" }));
        assert!(complete_plan(&by_tags, true, &mut mine).is_some());
    }

    #[test]
    fn a_plan_that_differs_from_what_was_approved_is_refused() {
        let yes = |plan: Value| Some(json!({ "by": "Ada", "why": "agreed", "plan": plan }));
        let silent = plan(Value::Null);
        let judged =
            |approval, demanded: &Demanded| demanded.judge(&silent, approval, "abc", None, &StackGroups::default());
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
        let lying = Some(json!({ "by": "Ada", "plan": "abc", "verified": true, "question": "q" }));
        let answer = json!({ "choice": "approve", "by": "Ada", "verified": true, "why": "x", "recipient": "topic.changes", "at": "2026-11-27T02:30:00Z" });
        let signed: Answer = serde_json::from_value(answer).unwrap();
        let typed = Answer { verified: false, ..signed.clone() };
        let another = Answer { by: "Grace".to_owned(), ..signed.clone() };
        for (answer, is_verified) in [(&signed, true), (&typed, false), (&another, false)] {
            let (plan, stack) = (plan(Value::Null), StackGroups::default());
            let kept = demanded(1).judge(&plan, lying.clone(), "abc", Some(answer), &stack).unwrap().unwrap();
            assert_eq!(kept["verified"], is_verified, "{answer:?}");
        }
    }
}
