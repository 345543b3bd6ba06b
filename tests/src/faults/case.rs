//! What can go wrong, and where: the cases of a campaign.
//!
//! Contract: pure. [`points`] names each request of a recorded run so that the same request is found again in another run;
//! [`cases`] combines them with the faults that make sense there; [`Case::rules`] says what the boundary has to do.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::control::Request;

/// Of a request that is made again and again (by each step, by each check in a hold) the first ones are hit, and the last.
const FIRST_ORDINALS: usize = 2;
/// The state that waits for a person.
const APPROVAL: &str = "AwaitApproval";
/// Longer than one try of a function's AWS client (4 s).
const LATE_SECONDS: f64 = 4.5;
/// As far as a clock may be wrong without AWS refusing its signatures (IAM User Guide, Signature Version 4).
const SKEW_SECONDS: i64 = 300;
/// More than Step Functions carries from state to state (256 KiB).
const OVERSIZED_BYTES: usize = 300_000;

/// Where a run is turned back, so that its rollback is met by faults.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Turn {
    /// When all traffic is on the new side.
    AtTheEnd,
    /// Between the last route's first step and its second.
    HalfWay,
}

impl Turn {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AtTheEnd, Self::HalfWay];

    /// The rule that turns a run of this plan back: a state fails for good, before its effect.
    pub fn rule(self, plan: &Value) -> Value {
        let (state, from) = match self {
            Self::AtTheEnd => ("Finish", 1),
            Self::HalfWay => half_way(plan),
        };
        json!({
            "match": { "machine": "cutover", "state": state, "caller": "states" },
            "from": from, "times": null, "do": "before", "error": "Injected", "message": "injected at the turning point",
        })
    }
}

/// The state that takes the last route's second step (its only one, if there is no second), and how many times it is entered
/// until then.
fn half_way(plan: &Value) -> (&'static str, usize) {
    let routes = plan["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some((last, others)) = routes.split_last() else { return ("SwapListener", 1) };
    let steps = |route: &Value| route["steps"].as_array().map_or(1, Vec::len);
    let before: usize = others.iter().filter(|route| route["type"] == last["type"]).map(steps).sum();
    let state = if last["type"] == "dns" { "ShiftWeight" } else { "SwapListener" };
    (state, before + steps(last).min(2))
}

/// A request of a run, named so that it is found again in another run of the plan.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Point {
    /// If only a run that is turned back makes it: where that is.
    pub turned: Option<Turn>,
    /// cutover, rollback or cleanup.
    pub machine: String,
    /// The state that made it, or for which the function that made it was invoked.
    pub state: String,
    /// A function's name, or `states` for the state machine itself.
    pub caller: String,
    /// By its IAM prefix.
    pub service: String,
    /// As the API names it.
    pub operation: String,
    /// Which of several alike, from 1.
    pub ordinal: usize,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Fault {
    /// Refused once by a rate limit.
    Throttled,
    /// Refused five times in a row.
    ThrottledFiveTimes,
    /// Refused for about a minute: twelve tries of a client that backs off.
    ThrottledForAMinute,
    /// A 500 before any effect.
    ServerError,
    /// The effect, and then no answer.
    AnswerLost,
    /// The effect at once, the answer after the client has given up.
    AnswerLate,
    /// Denied, and so are all later ones of the state.
    Denied,
    /// Denied, and so are all later ones of the function, whoever calls it: its role has lost the permission.
    DeniedForGood,
    /// A read is answered from before the last change.
    Stale,
    /// The effect, and an answer that cannot be read.
    Garbled,
    /// The function's process dies before the effect.
    KilledBefore,
    /// The function's process dies after the effect.
    KilledAfter,
    /// The function runs twice at the same time.
    Twice,
    /// The function answers more than Step Functions carries.
    Oversized,
    /// The function answers an empty object.
    EmptyAnswer,
    /// The state fails with the one error that no wildcard catches.
    RuntimeError,
    /// The function's clock is ahead.
    ClockAhead,
    /// The function's clock is behind.
    ClockBehind,
    /// The execution is stopped; the function runs all the same.
    Stopped,
    /// The execution is stopped after the effect.
    StoppedAfter,
    /// The execution is stopped, and its status event is lost.
    StoppedUnseen,
    /// Somebody else changes the first route, also while a rollback is at it.
    DriftOfFirstRoute,
    /// Somebody else changes the last route.
    DriftOfLastRoute,
    /// The same plan is started once more.
    SecondStart,
}

use Fault::*;

impl Fault {
    /// What happens, in a sentence.
    pub fn what(self) -> String {
        self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// As it stands in names of cases and in tables.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What passes by itself must not even cause a rollback. A read that is behind may: it cannot be told from somebody
    /// else's change.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Throttled | ThrottledFiveTimes | ServerError | AnswerLost | AnswerLate | KilledBefore | KilledAfter | Twice
        )
    }

    /// Whether a service's client, or whoever calls the function again, deals with it in the same way for all operations.
    fn is_for_the_client(self) -> bool {
        matches!(
            self,
            Throttled | ThrottledFiveTimes | ThrottledForAMinute | ServerError | AnswerLate | Garbled | KilledBefore
        )
    }

    /// Whether an execution is stopped.
    pub fn stops(self) -> bool {
        matches!(self, Stopped | StoppedAfter | StoppedUnseen)
    }

    /// Whether somebody else changes a route.
    pub fn is_drift(self) -> bool {
        matches!(self, DriftOfFirstRoute | DriftOfLastRoute)
    }

    /// Whether it makes sense at a request.
    fn applies_to(self, point: &Point, routes: usize) -> bool {
        let from_machine = point.caller == "states";
        let invokes = point.operation == "Invoke";
        match self {
            // A time-out of the one who is asked for approval is a no.
            AnswerLost => !from_machine || point.state != APPROVAL,
            Throttled | ThrottledFiveTimes | ServerError | Denied => true,
            ThrottledForAMinute | AnswerLate | Garbled | KilledBefore | KilledAfter => !from_machine,
            // Who ends a rollback is the last to know of it: without its permissions only alarms are left.
            DeniedForGood => !from_machine && point.machine == "cutover" && point.caller != "rollback",
            // DynamoDB is read consistently.
            Stale => !from_machine && point.service != "dynamodb" && is_read(&point.operation),
            Twice | Oversized | EmptyAnswer | RuntimeError => invokes,
            ClockAhead | ClockBehind => invokes && cfg!(target_os = "linux"),
            Stopped | StoppedAfter | StoppedUnseen => from_machine,
            DriftOfFirstRoute => from_machine && point.machine != "cleanup",
            DriftOfLastRoute => from_machine && point.machine != "cleanup" && routes > 1,
            // Before the claim it is a race that either may win.
            SecondStart => {
                from_machine
                    && point.machine == "cutover"
                    && point.turned.is_none()
                    && !["Precheck", APPROVAL, "Claim"].contains(&point.state.as_str())
            }
        }
    }
}

fn is_read(operation: &str) -> bool {
    ["Describe", "List", "Get"].iter().any(|verb| operation.starts_with(verb))
}

/// One fault at one request of one plan.
#[derive(Clone, Debug)]
pub struct Case {
    /// The plan's name.
    pub shape: String,
    /// What goes wrong.
    pub fault: Fault,
    /// Where.
    pub point: Point,
}

/// The requests of a recorded run that faults can hit.
pub fn points(requests: &[Request], turned: Option<Turn>) -> Vec<Point> {
    let mut counts: BTreeMap<Point, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for request in requests {
        let (Some(machine), Some(state)) = (request.machine(), &request.state) else { continue };
        if !["cutover", "rollback", "cleanup"].contains(&machine) {
            continue;
        }
        let mut point = Point {
            turned,
            machine: machine.to_owned(),
            state: state.clone(),
            caller: request.caller.clone(),
            service: request.service.clone(),
            operation: request.operation.clone(),
            ordinal: 0,
        };
        let count = counts.entry(point.clone()).or_default();
        *count += 1;
        point.ordinal = *count;
        points.push(point);
    }
    let is_last = |point: &Point| counts.get(&Point { ordinal: 0, ..point.clone() }) == Some(&point.ordinal);
    points.retain(|point| point.ordinal <= FIRST_ORDINALS || is_last(point));
    points
}

/// Of the requests of a run that was turned back, those that no clean run makes.
pub fn of_turning_back(points: Vec<Point>, clean: &[Point]) -> Vec<Point> {
    let is_like = |one: &Point, other: &Point| (&one.machine, &one.state) == (&other.machine, &other.state);
    points.into_iter().filter(|point| !clean.iter().any(|other| is_like(point, other))).collect()
}

/// Every fault at every request where it makes sense.
pub fn cases(shape: &str, points: &[Point], routes: usize) -> Vec<Case> {
    let at = |point: &Point| {
        let faults = Fault::value_variants().iter().copied().filter(|fault| fault.applies_to(point, routes));
        faults.map(|fault| Case { shape: shape.to_owned(), fault, point: point.clone() }).collect::<Vec<_>>()
    };
    points.iter().flat_map(at).collect()
}

/// The few that cover each operation with each fault; what only a service's client notices, each service; and a stop at each
/// state. Which of the requests alike is taken turns, so that not always the first one is; of the plan that takes longest, only
/// what no other plan has.
pub fn covering<T>(all: Vec<T>, case_of: impl Fn(&T) -> &Case) -> Vec<T> {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for one in &all {
        *sizes.entry(case_of(one).shape.clone()).or_default() += 1;
    }
    let longest = sizes.into_iter().max_by_key(|(_, size)| *size).map(|(shape, _)| shape).unwrap_or_default();
    let mut alike: BTreeMap<(String, String, bool, Fault), Vec<T>> = BTreeMap::new();
    for one in all {
        let Case { fault, point, .. } = case_of(&one);
        let what = match fault {
            _ if fault.is_for_the_client() => String::new(),
            Stopped => format!("{} {}", point.machine, point.state),
            _ => point.operation.clone(),
        };
        let key = (point.service.clone(), what, point.caller == "states", *fault);
        alike.entry(key).or_default().push(one);
    }
    let pick = |(turn, mut group): (usize, Vec<T>)| {
        if group.iter().any(|one| case_of(one).shape != longest) {
            group.retain(|one| case_of(one).shape != longest);
        }
        group.swap_remove(turn * 7 % group.len())
    };
    alike.into_values().enumerate().map(pick).collect()
}

/// What a case needs to know of the run that it hits.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The plan with the environment's ARNs.
    pub plan: &'a Value,
    /// The state machine that a second start would start.
    pub cutover_machine: &'a str,
}

impl Case {
    /// Names the case, for the command that replays it.
    pub fn id(&self) -> String {
        let Point { turned, machine, state, caller, service, operation, ordinal } = &self.point;
        let half_way = if *turned == Some(Turn::HalfWay) { "half-way." } else { "" };
        let fault = self.fault.name();
        format!("{}/{fault}/{half_way}{machine}.{state}/{caller}/{service}:{operation}/{ordinal}", self.shape)
    }

    /// Whether the run is wholly on the new side when the request is made, and only tidied up.
    pub fn tidies_up(&self) -> bool {
        self.point.machine == "cleanup"
    }

    /// Whether the cutover's own execution is stopped.
    pub fn stops_the_cutover(&self) -> bool {
        self.fault.stops() && self.point.machine == "cutover"
    }

    /// Whether the run is handed over to its cleanup just then: a stop comes too late for it.
    pub fn hands_over(&self) -> bool {
        self.point.state == "StartCleanup"
    }

    /// Whether the cutover may fail under a name that is not one of its endings: what no Catch sees, an answer among it that
    /// a Wait or a Choice cannot read.
    pub fn may_end_unnamed(&self) -> bool {
        matches!(self.fault, RuntimeError | Oversized | EmptyAnswer) && self.point.machine == "cutover"
    }

    /// Whether whoever ends the rollback cannot see how things are: then the page cannot tell.
    pub fn blinds_the_end(&self) -> bool {
        self.point.caller == "rollback"
    }

    /// What the boundary has to do. The first rule is the fault itself.
    pub fn rules(&self, scene: &Scene) -> Vec<Value> {
        let turn = self.point.turned.map(|turn| turn.rule(scene.plan));
        std::iter::once(self.rule(scene)).chain(turn).collect()
    }

    fn rule(&self, scene: &Scene) -> Value {
        let Point { machine, state, caller, service, operation, ordinal, .. } = &self.point;
        let mut rule = json!({
            "match": { "machine": machine, "state": state, "caller": caller, "service": service, "operation": operation },
            "from": ordinal, "times": self.times(),
        });
        let more = self.action(scene);
        if let (Some(rule), Some(more)) = (rule.as_object_mut(), more.as_object()) {
            rule.extend(more.clone());
        }
        rule
    }

    /// How many requests in a row are hit; none: all from there on.
    fn times(&self) -> Option<usize> {
        match self.fault {
            ThrottledFiveTimes => Some(5),
            ThrottledForAMinute => Some(12),
            // The machine's retries are counted by the definition: the same answer each time.
            Oversized | EmptyAnswer | RuntimeError | Denied | DeniedForGood | ClockAhead | ClockBehind => None,
            _ => Some(1),
        }
    }

    fn action(&self, scene: &Scene) -> Value {
        let invokes = self.point.operation == "Invoke";
        let stop = json!({ "service": "stepfunctions", "operation": "stop_execution", "parameters": { "executionArn": "<execution>" } });
        match self.fault {
            Throttled | ThrottledFiveTimes | ThrottledForAMinute => {
                let error = match self.point.service.as_str() {
                    "lambda" => "Lambda.TooManyRequestsException",
                    "dynamodb" | "dms" | "cloudwatch" | "states" => "ThrottlingException",
                    "s3" => "SlowDown",
                    _ => "Throttling",
                };
                json!({ "do": "before", "error": error, "status": if invokes { 429 } else { 400 }, "message": "Rate exceeded" })
            }
            ServerError => {
                let error = if invokes { "Lambda.ServiceException" } else { "InternalFailure" };
                json!({ "do": "before", "error": error, "status": 500 })
            }
            AnswerLost if self.point.caller == "states" => json!({ "do": "timeout_after" }),
            AnswerLost => json!({ "do": "lose" }),
            AnswerLate => json!({ "do": "late", "seconds": LATE_SECONDS }),
            DeniedForGood => {
                let Point { caller, service, operation, .. } = &self.point;
                let role = json!({ "caller": caller, "service": service, "operation": operation });
                json!({ "do": "before", "then": role, "error": "AccessDenied", "status": 403, "message": "not authorized" })
            }
            Denied => {
                let error = if invokes { "Lambda.AccessDeniedException" } else { "AccessDenied" };
                json!({ "do": "before", "error": error, "status": 403, "message": "not authorized" })
            }
            Stale => json!({ "do": "stale" }),
            Garbled => json!({ "do": "garble" }),
            KilledBefore => json!({ "do": "kill_before" }),
            KilledAfter => json!({ "do": "kill_after" }),
            Twice => json!({ "do": "twice" }),
            Oversized => json!({ "do": "garble", "body": json!("x".repeat(OVERSIZED_BYTES)).to_string() }),
            EmptyAnswer => json!({ "do": "garble", "body": "{}" }),
            RuntimeError => json!({ "do": "before", "error": "States.Runtime" }),
            ClockAhead => json!({ "do": "skew", "seconds": SKEW_SECONDS }),
            ClockBehind => json!({ "do": "skew", "seconds": -SKEW_SECONDS }),
            Stopped | StoppedUnseen => json!({ "do": "call", "call": stop }),
            StoppedAfter => json!({ "do": "call_after", "call": stop }),
            DriftOfFirstRoute | DriftOfLastRoute => {
                let routes = scene.plan["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
                json!({ "do": "drift", "route": self.drifting_route(routes.len()).map(|index| &routes[index]) })
            }
            SecondStart => {
                let parameters = json!({ "stateMachineArn": scene.cutover_machine, "name": "second", "input": scene.plan.to_string() });
                json!({ "do": "call", "call": { "service": "stepfunctions", "operation": "start_execution", "parameters": parameters } })
            }
        }
    }

    /// Which of so many routes somebody else changes.
    pub fn drifting_route(&self, routes: usize) -> Option<usize> {
        match self.fault {
            DriftOfFirstRoute => Some(0),
            DriftOfLastRoute => routes.checked_sub(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn request(machine: &str, state: &str, caller: &str, service: &str, operation: &str) -> Request {
        let execution = format!("arn:aws:states:eu-west-1:123456789012:execution:{machine}:run");
        serde_json::from_value(json!({
            "seq": 1, "at": 1.0, "caller": caller, "service": service, "operation": operation, "state": state, "execution": execution,
            "actions": [],
        }))
        .expect("a request")
    }

    #[test]
    fn a_request_is_named_by_who_makes_it_and_which_of_several_it_is() {
        let read = || request("cutover", "Monitor", "monitor", "dynamodb", "GetItem");
        let start = request("start", "Start", "states", "states", "StartExecution");
        let found = points(&[read(), read(), read(), read(), start], None);
        assert_eq!(found.iter().map(|point| point.ordinal).collect::<Vec<_>>(), [1, 2, 4]);
    }

    #[test]
    fn a_run_is_turned_back_between_two_steps_of_its_last_route() {
        let step = json!({ "new_weight": 50 });
        let route = |kind: &str, steps: usize| json!({ "type": kind, "steps": vec![step.clone(); steps] });
        let at = |routes: &[Value]| half_way(&json!({ "routes": routes }));
        assert_eq!(at(&[route("listener", 2), route("dns", 3)]), ("ShiftWeight", 2));
        assert_eq!(at(&[route("listener", 3), route("dns", 2), route("listener", 1)]), ("SwapListener", 4));
    }

    #[test]
    fn only_what_a_clean_run_does_not_make_belongs_to_turning_back() {
        let swap = || request("cutover", "SwapListener", "states", "lambda", "Invoke");
        let follow = request("cutover", "LookAtRollback", "states", "dynamodb", "GetItem");
        let clean = points(&[swap()], None);
        let found = of_turning_back(points(&[swap(), follow], Some(Turn::AtTheEnd)), &clean);
        assert_eq!(found.iter().map(|point| point.state.as_str()).collect::<Vec<_>>(), ["LookAtRollback"]);
    }

    #[test]
    fn faults_are_tried_where_they_make_sense() {
        let at = |request: Request| -> Vec<Fault> {
            cases("x", &points(&[request], None), 1).iter().map(|case| case.fault).collect()
        };
        let write = at(request("cutover", "ShiftWeight", "weight-shift", "route53", "ChangeResourceRecordSets"));
        assert!(write.contains(&KilledAfter) && !write.contains(&Stale) && !write.contains(&Stopped));
        let read = at(request("cutover", "ShiftWeight", "weight-shift", "route53", "ListResourceRecordSets"));
        assert!(read.contains(&Stale));
        let invocation = at(request("rollback", "TakeOverRun", "states", "lambda", "Invoke"));
        assert!(invocation.contains(&Stopped) && invocation.contains(&Twice) && !invocation.contains(&SecondStart));
    }

    #[test]
    fn the_few_cover_each_operation_with_each_fault() {
        let requests = [
            request("cutover", "SwapListener", "listener-swap", "dynamodb", "GetItem"),
            request("cutover", "ShiftWeight", "weight-shift", "dynamodb", "GetItem"),
        ];
        let all = cases("x", &points(&requests, None), 1);
        let few = covering(all.clone(), |case| case);
        assert_eq!(few.len() * 2, all.len());
        let shorter = cases("y", &points(&requests[..1], None), 1);
        let both = covering([all.clone(), shorter].concat(), |case| case);
        assert!(both.len() == few.len() && both.iter().all(|case| case.shape == "y"));
        let faults: BTreeSet<Fault> = few.iter().map(|case| case.fault).collect();
        assert_eq!(faults, all.iter().map(|case| case.fault).collect());
    }
}
