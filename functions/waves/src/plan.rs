//! A wave as people write it: which applications move together, in which order, within what. A field's type, bounds, default and words stand here,
//! once: `events/wave.schema.json` is made from them, and [`WavePlan::read`] judges by that schema. Pure.

use cutover::Seconds;
use cutover::plan::{Notify, Stakeholders};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A name that also a cutover plan may have.
pub(crate) const NAME: &str = "^[A-Za-z0-9_-]{1,64}$";
/// A point in time with its offset from UTC, as RFC 3339 has it.
const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$";
const TOPIC_ARN: &str = "^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$";

/// Applications that move together, in the order of what they need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WavePlan {
    /// The wave's name: 1 to 64 of `A-Z a-z 0-9 - _`. One wave of a name runs at a time.
    #[schemars(regex(pattern = NAME))]
    pub wave: String,
    /// What moves, and what people do beside it.
    #[schemars(length(min = 1, max = 1000))]
    pub applications: Vec<Member>,
    /// How many cutovers run at a time.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = 1000))]
    pub parallel_cutovers: u32,
    /// So many applications may fail and the wave goes on; one more, and `on_failures` says what happens.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    pub tolerated_failures: u32,
    /// The same as a share of the applications that were let go, in percent. Given both, the larger number counts.
    #[serde(default)]
    #[schemars(range(max = 100))]
    pub tolerated_failures_percent: u32,
    /// What happens when more have failed than are tolerated.
    #[serde(default)]
    pub on_failures: OnFailures,
    /// What happens when precheck finds something wrong with some of the applications.
    #[serde(default)]
    pub on_red: OnRed,
    /// Who has to agree, with precheck's findings on every application before them, before anything is touched.
    pub approval: Option<Approval>,
    /// When cutovers may run: none starts that cannot finish before it closes, by its own estimate.
    pub window: Option<Window>,
    /// When some applications, or all, must not be moved.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub freezes: Vec<Freeze>,
    /// Over how long the first starts are spread from the moment on at which anything may start, by chance and the same at every try, 0 s to 1 h.
    #[serde(default)]
    pub spread_starts_over: Seconds,
    /// How long the wave may take in all, from its claim on, 1 m to 30 days. What has not started then stays where it is.
    #[serde(default = "one_day")]
    pub timeout: Seconds,
    /// Who is told that it has begun, and how it has ended. Of each application those hear whom its own plan names.
    pub notify: Option<Notify>,
    /// Which groups of stakeholders hear of the wave: that it is announced, has begun, stands still, and how it ended. Of each application those hear
    /// whom its own plan names; that it has begun, is verified and has succeeded, executives and business users who hear of the wave do not hear once more,
    /// unless their group names its moments.
    #[serde(default)]
    pub stakeholders: Stakeholders,
    /// What people are told beforehand, besides what the wave says itself.
    #[serde(default)]
    pub announcement: Announcement,
}

/// What people are told of a wave beforehand, in its own words. What is left out is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Announcement {
    /// Whom to ask: an address, a channel, a number.
    #[schemars(length(min = 1, max = 200))]
    pub contact: Option<String>,
    /// How long users have to expect to be without an application, 0 s to 48 h.
    pub expected_downtime: Option<Seconds>,
    /// What stays as it is, such as `Addresses, names and passwords stay.`
    #[schemars(length(min = 1, max = 400))]
    pub stays: Option<String>,
    /// Where to watch it, if not on the wave's page.
    #[schemars(length(min = 1, max = 400))]
    pub watch: Option<String>,
    /// Where people say how it went.
    #[schemars(length(min = 1, max = 400))]
    pub survey: Option<String>,
    /// Who does what stands on the checklists of its timeline.
    #[schemars(length(max = 20))]
    pub owners: Vec<Owner>,
}

/// Who does something of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Owner {
    /// Which item, such as `help-desk`: docs/timeline.md lists them.
    #[schemars(length(min = 1, max = 40))]
    pub item: String,
    /// A person or a team, in words.
    #[schemars(length(min = 1, max = 100))]
    pub owner: String,
}

fn four() -> u32 {
    4
}

fn one_day() -> Seconds {
    Seconds::hours(24)
}

/// One application of a wave: what is cut over, what people do for it, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Member {
    /// The application's name, as in its cutover plan: 1 to 64 of `A-Z a-z 0-9 - _`.
    #[schemars(regex(pattern = NAME))]
    pub name: String,
    /// Its cutover plan, whole: see `cutover.schema.json`.
    pub cutover: Option<Value>,
    /// Where its cutover plan is, in place of `cutover`: the key of an object in the stack's bucket of reports, below `plans/`. An execution's input has
    /// 256 KiB, which is enough for some eighty plans.
    #[schemars(regex(pattern = "^plans/[A-Za-z0-9._/=-]{1,300}$"))]
    pub cutover_from: Option<String>,
    /// What people do for it.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub tasks: Vec<Task>,
    /// The applications of this wave that have to be on their new side before this one starts.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub needs: Vec<String>,
    /// What has to be on its new side by an earlier wave: where it is not, this one stays behind.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub needs_moved: Vec<NeedsMoved>,
    /// The applications of this wave that move in lockstep with this one: all of them, or none. It is enough that one of them says so.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub together_with: Vec<String>,
    /// How long its cutover takes, 1 m to 48 h: a window or a freeze is kept free by it. Left out, the least time of its plan.
    pub takes: Option<Seconds>,
    /// Who answers for it, in words.
    #[schemars(length(min = 1, max = 100))]
    pub owner: Option<String>,
    /// What becomes of it, such as `rehost` or `retire`: for those who read.
    #[schemars(length(min = 1, max = 40))]
    pub strategy: Option<String>,
}

/// An application of an earlier wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NeedsMoved {
    /// The application's name.
    #[schemars(regex(pattern = NAME))]
    pub application: String,
    /// The name of the wave in which it moves.
    #[schemars(regex(pattern = NAME))]
    pub wave: String,
}

/// Something that a person does, and says that it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Task {
    /// What is to be done.
    #[schemars(length(min = 1, max = 200))]
    pub what: String,
    /// Who does it, if not the application's owner.
    #[schemars(length(min = 1, max = 100))]
    pub owner: Option<String>,
    /// When it is done.
    #[serde(default)]
    pub when: When,
}

/// When a task is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Its cutover, or whoever needs the application, waits for it.
    #[default]
    Before,
    /// After its cutover: nobody waits for it but the wave's end.
    After,
}

/// What happens when more applications have failed than are tolerated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailures {
    /// Nothing new starts; what runs comes to its own end; what has moved stays there.
    #[default]
    Halt,
    /// Whatever does not need what has failed goes on.
    Continue,
    /// Nothing new starts, and everything is put back, in the reverse order of what it needs.
    RollBackWave,
}

/// What happens when precheck finds something wrong with some applications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRed {
    /// Nothing starts; those who approve, if there are any, may let the green ones go.
    #[default]
    Stop,
    /// The green ones go that need none of the others.
    GoWithGreen,
}

/// Somebody has to agree before anything is touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Approval {
    /// How long to wait, 1 m to 7 days; silence is a no.
    #[serde(default = "one_day")]
    pub within: Seconds,
    /// The SNS topic of those who may agree.
    #[schemars(regex(pattern = TOPIC_ARN))]
    pub topic_arn: String,
}

/// When cutovers may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Window {
    /// Nothing starts before, such as `2026-03-07T20:00:00+01:00`.
    #[schemars(regex(pattern = TIME))]
    pub opens: Option<String>,
    /// What cannot finish before, does not start.
    #[schemars(regex(pattern = TIME))]
    pub closes: String,
}

/// When some applications, or all, must not be moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Freeze {
    /// What it is, for those who read why something waits.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// From when on.
    #[schemars(regex(pattern = TIME))]
    pub from: String,
    /// Until when.
    #[schemars(regex(pattern = TIME))]
    pub to: String,
    /// For which of the wave's applications; none named: for all.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub applications: Vec<String>,
}
