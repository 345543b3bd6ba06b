//! How a wave ended, in one name and in a person's words. Pure.

use cutover::error::name;
use cutover::text::named;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::order::Order;
use crate::state::{Is, Member, Stage, State};

/// More names than this in one sentence help nobody.
const MOST_NAMES: usize = 20;

/// How a wave ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every application that was let go is where it was to be.
    Moved,
    /// Nothing was touched: precheck found something wrong, and nobody let the others go.
    NoGo,
    /// Nothing was touched: those who were asked said no, or nothing.
    Rejected,
    /// Nothing was touched: it was let go, and nothing could start.
    NotStarted,
    /// Everything is exactly as it was before.
    RolledBack,
    /// Some are on their new side, the others on their old one, each wholly.
    Incomplete,
    /// Some need a person: their pages say precisely what is left.
    Stuck,
}

impl Ending {
    /// The ending of a wave in which nothing runs any more. What a person has to look after comes before everything else.
    pub(crate) fn of(order: &Order, state: &State) -> Self {
        let cutovers = || state.members.iter().zip(&order.members).filter(|(_, placed)| placed.moves);
        let any = |wanted: fn(&Member) -> bool| state.members.iter().any(wanted);
        let is_kept = |(member, _): (&Member, _)| member.is_there() || member.is == Is::LeftBehind;
        if any(|member| member.is == Is::Stuck) {
            return Self::Stuck;
        }
        if state.members.iter().zip(&order.members).all(is_kept) && any(Member::is_there) {
            return Self::Moved;
        }
        if cutovers().all(|(member, _)| member.attempts == 0) {
            return if any(|member| member.is_let_go) { Self::NotStarted } else { Self::NoGo };
        }
        if cutovers().all(|(member, _)| member.is != Is::Moved) {
            return Self::RolledBack;
        }
        Self::Incomplete
    }

    /// The error with which its execution fails; none if it succeeds.
    pub fn error(self) -> Option<&'static str> {
        match self {
            Self::Moved => None,
            Self::NoGo => Some(name::PRECHECK_FAILED),
            Self::Rejected => Some(name::REJECTED),
            Self::RolledBack => Some(name::ROLLED_BACK),
            Self::NotStarted | Self::Incomplete => Some(name::INCOMPLETE),
            Self::Stuck => Some(name::STUCK),
        }
    }

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Moved => "every application that was let go is on its new side",
            Self::NoGo => "nothing was touched",
            Self::Rejected => "nothing was touched: it was not approved",
            Self::NotStarted => "nothing was touched: it was let go, and nothing could start",
            Self::RolledBack => "everything is exactly as it was before",
            Self::Incomplete => "some applications are on their new side, the others wholly on their old one",
            Self::Stuck => "some applications need a person: their own messages say precisely what is left",
        }
    }
}

/// Why an application is where it is: what is red, or lacking, before what was made of that.
pub(crate) fn why(member: &Member) -> Option<&String> {
    member.red.as_ref().or(member.lacks.as_ref()).or(member.why.as_ref())
}

/// What people have not said to be done of an application that is on its new side, each as `shop: task 2: tell them`.
fn open_tasks(order: &Order, state: &State) -> Vec<String> {
    let members = state.members.iter().zip(&order.members).filter(|(member, _)| member.is == Is::Moved);
    let open = members.flat_map(|(member, placed)| {
        let tasks = placed.tasks.iter().enumerate().filter(|(task, _)| !member.done.contains_key(task));
        tasks.map(|(task, what)| format!("{}: task {}: {}", named(&placed.name, 64), task + 1, named(&what.what, 200)))
    });
    open.collect()
}

/// Each application, by where it is: what a person reads who asks how the wave stands.
pub fn told(order: &Order, state: &State) -> Vec<(&'static str, Vec<String>)> {
    let kinds: [(&str, &[Is]); 8] = [
        ("need a person", &[Is::Stuck]),
        ("are put back", &[Is::RollingBack]),
        ("are exactly as before", &[Is::Back, Is::Refused]),
        ("run", &[Is::Running]),
        ("are on their new side", &[Is::Moved]),
        ("are done", &[Is::Done]),
        ("wait", &[Is::Waiting, Is::Checking]),
        ("were not started", &[Is::LeftBehind, Is::NotStarted]),
    ];
    let line = |place: usize| {
        let (name, member) = (&order.members[place].name, &state.members[place]);
        match why(member) {
            Some(why) => format!("{} ({why})", named(name, 64)),
            None => named(name, 64),
        }
    };
    let of_kind = |wanted: &[Is]| {
        let places = (0..state.members.len()).filter(|place| wanted.contains(&state.members[*place].is));
        places.map(line).collect::<Vec<_>>()
    };
    let standing = kinds.into_iter().map(|(words, wanted)| (words, of_kind(wanted)));
    let open = ("are still to be done by people", open_tasks(order, state));
    let is_over = state.stage == Stage::Over;
    standing.chain(is_over.then_some(open)).filter(|(_, names)| !names.is_empty()).collect()
}

/// What a person reads of a cutover's cause: the problems that precheck found, where it tells those.
pub fn cause(cause: &str) -> String {
    let told: Value = serde_json::from_str(cause).unwrap_or_default();
    let problem = |finding: &Value| {
        let is_error = finding["severity"] == "error";
        is_error.then(|| {
            format!("{} {}", finding["path"].as_str().unwrap_or("$"), finding["problem"].as_str().unwrap_or_default())
        })
    };
    let problems: Vec<String> = told["findings"].as_array().into_iter().flatten().filter_map(problem).collect();
    match (problems.is_empty(), told["cause"].as_str()) {
        (false, _) => problems.join("; "),
        (true, Some(said)) if !said.is_empty() => said.to_owned(),
        _ => cause.to_owned(),
    }
}

/// The same in one text.
pub fn sentence(order: &Order, state: &State) -> String {
    let part = |(words, names): (&str, Vec<String>)| {
        let more = names.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown: Vec<String> = names.into_iter().take(MOST_NAMES).collect();
        format!("{words}: {}{more}", shown.join(", "))
    };
    told(order, state).into_iter().map(part).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wave() -> Order {
        let wave = json!({ "wave": "w", "applications": [
            { "name": "a", "cutover_from": "plans/a.json", "tasks": [
                { "what": "call the bank" }, { "what": "tell the users", "when": "after" }] },
            { "name": "b", "cutover_from": "plans/b.json", "needs": ["a"] },
        ] });
        Order::of(&crate::WavePlan::read(&wave).unwrap(), &[])
    }

    /// A wave that is over, whose two applications are there, each after so many cutovers; let go, where anything is.
    fn over(is: [(Is, u32); 2], was_let_go: bool) -> State {
        let mut state = State::opened(&wave(), "arn:me", jiff::Timestamp::UNIX_EPOCH);
        for (member, (is, attempts)) in state.members.iter_mut().zip(is) {
            (member.is, member.attempts, member.is_let_go) = (is, attempts, was_let_go);
        }
        State { stage: Stage::Over, ..state }
    }

    #[test]
    fn each_ending_has_the_name_that_says_what_is_so() {
        let ending = |is, was_let_go| Ending::of(&wave(), &over(is, was_let_go));
        let (moved, back, left, not) = ((Is::Moved, 1), (Is::Back, 1), (Is::LeftBehind, 0), (Is::NotStarted, 0));
        assert_eq!(ending([back, not], true), Ending::RolledBack, "nothing is on its new side");
        assert_eq!(ending([(Is::Refused, 1), not], true), Ending::RolledBack);
        assert_eq!(ending([moved, back], true), Ending::Incomplete);
        assert_eq!(ending([moved, left], true), Ending::Moved, "whoever was let go is where it was to be");
        assert_eq!(ending([moved, not], true), Ending::Incomplete);
        assert_eq!(ending([not, not], true), Ending::NotStarted);
        assert_eq!(ending([not, not], false), Ending::NoGo);
        assert_eq!(
            (Ending::NotStarted.error(), Ending::RolledBack.error()),
            (Some("Cutover.Incomplete"), Some("Cutover.RolledBack"))
        );
    }

    #[test]
    fn a_no_go_says_first_what_is_red() {
        let mut state = over([(Is::NotStarted, 0); 2], false);
        for member in &mut state.members {
            member.why = Some("precheck found something wrong with 1 of 2 applications: a".to_owned());
        }
        state.members[0].red = Some("Cutover.PrecheckFailed: $.routes[0] is gone".to_owned());
        let told = sentence(&wave(), &state);
        assert!(told.contains("a (Cutover.PrecheckFailed: $.routes[0] is gone)"), "{told}");
        assert!(told.contains("b (precheck found something wrong with 1 of 2 applications: a)"), "{told}");
    }

    #[test]
    fn the_end_tells_what_people_have_still_to_do() {
        let mut state = over([(Is::Moved, 1); 2], true);
        let said = crate::state::Said { by: "Ada".to_owned(), why: String::new(), at: jiff::Timestamp::UNIX_EPOCH };
        state.members[0].done.insert(0, said.clone());
        let told = sentence(&wave(), &state);
        assert!(told.contains("are still to be done by people: a: task 2: \"tell the users\""), "{told}");
        assert!(!told.contains("call the bank"), "{told}");
        state.members[0].done.insert(1, said);
        assert!(!sentence(&wave(), &state).contains("to be done"));
    }

    #[test]
    fn a_cause_tells_what_precheck_found() {
        let finding = |severity: &str, problem: &str| json!({ "severity": severity, "kind": "environment", "path": "$.routes[0]", "problem": problem, "fix": "f" });
        let told = json!({ "findings": [finding("warning", "is old"), finding("error", "is gone")], "cause": null });
        assert_eq!(cause(&told.to_string()), "$.routes[0] is gone");
        assert_eq!(
            cause(&json!({ "findings": [], "cause": "it is held by another" }).to_string()),
            "it is held by another"
        );
        assert_eq!(cause("no JSON"), "no JSON");
    }
}
