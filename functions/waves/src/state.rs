//! How a wave stands: one text of the journal, changed only where nobody else has changed it meanwhile. Pure.
//!
//! It is kept small, since a wave may have a thousand applications and an item of DynamoDB has 400 KB: what is written once stands in [`crate::Order`], and a
//! cutover's execution is known by its number.

mod is;

use std::collections::BTreeMap;

use cutover::text::shown;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::is::{Is, Seen};
use crate::ending::Ending;
use crate::news::{Heard, News};
use crate::order::Order;

/// So much is kept of why an application failed or stays; the rest is in its run.
pub const MOST_WHY_BYTES: usize = 300;
/// The same, where that of all is more than an item has room for.
const LESS_WHY_BYTES: [usize; 2] = [80, 20];
/// An item of DynamoDB has 400 KB, its key and version included.
const MOST_BYTES: usize = 380_000;

/// How a wave stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The execution that claimed it: its id.
    pub id: String,
    /// The execution that follows it.
    pub owner: String,
    /// When it was claimed.
    pub opened_at: Timestamp,
    /// From when on its time-out counts: its claim, or its last reopening.
    pub counts_from: Timestamp,
    /// How far it is.
    pub stage: Stage,
    /// Its applications, in the places of its [`Order`].
    pub members: Vec<Member>,
    /// How often it was reopened to be checked, and asked for, anew: what waits is checked once in each round.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounds: u32,
    /// When it was last let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub let_go_at: Option<Timestamp>,
    /// Who let it go, where somebody was asked.
    pub approval: Option<Said>,
    /// Who wants that nothing new starts for now.
    pub paused: Option<Said>,
    /// Who wants that nothing new starts any more.
    pub stopped: Option<Said>,
    /// Who wants everything back, and why.
    pub goes_back: Option<Said>,
    /// Why the line is stopped, as it was last seen: what the wave's page says is written when this changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// How many executions have followed it before this one.
    #[serde(default)]
    pub followed: u32,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// How far it was when people were last told.
    #[serde(default)]
    pub told: Option<Stage>,
    /// What groups of stakeholders have heard of it.
    #[serde(default)]
    pub heard: Heard,
    /// What they have still to hear: remembered before it is told, so that it is the same however often it is tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<News>,
}

/// How far a wave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Each application's precheck runs.
    Checking,
    /// People are asked.
    Asking,
    /// Cutovers run.
    Going,
    /// Nothing comes any more, unless a person asks for it.
    Over,
}

/// How an application stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Where it is.
    pub is: Is,
    /// Since when.
    pub since: Timestamp,
    /// Whether it was let go, as it waits now: checked since, and agreed to where somebody has to. Nothing starts without.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub is_let_go: bool,
    /// In which round it was last checked: from 1 on, and the number of its precheck.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checks: u32,
    /// How many cutovers were started: the last one is its run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// How many rollbacks the wave has started of that run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rollbacks: u32,
    /// What is known of its execution.
    #[serde(default)]
    pub seen: Seen,
    /// What precheck found wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red: Option<String>,
    /// What it needs of an earlier wave, and has not moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
    /// Why it failed, or stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether it goes back because of the others, and has not failed itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_ordered_back: bool,
    /// Whether its run holds its step, since a freeze has begun.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_held: bool,
    /// Which of its tasks are done, and who says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub done: BTreeMap<usize, Said>,
    /// When its cutover was started, the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was last seen to go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub went_back_at: Option<Timestamp>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_true(flag: &bool) -> bool {
    *flag
}

/// Of waves that were stored before there was the field: those that are under way were let go, or wait to be.
fn yes() -> bool {
    true
}

/// What a person has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

impl Member {
    /// An application to which nothing has happened yet.
    pub fn new(at: Timestamp) -> Self {
        Self {
            is: Is::Waiting,
            since: at,
            is_let_go: false,
            checks: 0,
            attempts: 0,
            rollbacks: 0,
            seen: Seen::Nothing,
            red: None,
            lacks: None,
            why: None,
            is_ordered_back: false,
            is_held: false,
            done: BTreeMap::new(),
            started_at: None,
            went_back_at: None,
        }
    }

    /// Where it is from now on; nothing changes where it is there already.
    pub(crate) fn become_now(&mut self, is: Is, at: Timestamp) {
        if self.is != is {
            self.is = is;
            self.since = at;
            if is == Is::RollingBack {
                self.went_back_at = Some(at);
            }
        }
    }

    /// How long it took to put it back, in seconds; none where nobody saw it go back, or it is not back.
    pub fn recovery_seconds(&self) -> Option<u64> {
        let began = self.went_back_at.filter(|_| self.is == Is::Back)?;
        u64::try_from(self.since.duration_since(began).as_secs()).ok()
    }

    /// Whether some of its users are, or may be, on the new side, now or soon.
    pub fn is_out(&self) -> bool {
        matches!(self.is, Is::Running | Is::Moved | Is::RollingBack)
    }

    /// Whether it is where those who need it want it.
    pub fn is_there(&self) -> bool {
        matches!(self.is, Is::Moved | Is::Done)
    }

    /// Whether it was tried, and did not get there.
    pub fn has_failed(&self) -> bool {
        matches!(self.is, Is::Back | Is::Refused | Is::Stuck | Is::RollingBack) && !self.is_ordered_back
    }
}

impl State {
    /// A wave as it is claimed: nothing has happened yet.
    pub fn opened(order: &Order, execution_arn: &str, at: Timestamp) -> Self {
        Self {
            id: execution_arn.to_owned(),
            owner: execution_arn.to_owned(),
            opened_at: at,
            counts_from: at,
            stage: Stage::Checking,
            members: order.members.iter().map(|_| Member::new(at)).collect(),
            rounds: 0,
            let_go_at: None,
            approval: None,
            paused: None,
            stopped: None,
            goes_back: None,
            line: None,
            followed: 0,
            ending: None,
            told: None,
            heard: Heard::default(),
            untold: Vec::new(),
        }
    }

    /// As it is stored: where there is not enough room, with less of why each is where it is.
    ///
    /// # Errors
    /// None that is known.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        for most_bytes in LESS_WHY_BYTES {
            if text.len() <= MOST_BYTES {
                break;
            }
            let mut less = self.clone();
            for member in &mut less.members {
                for why in [&mut member.why, &mut member.red, &mut member.lacks].into_iter().flatten() {
                    *why = shown(why, most_bytes);
                }
            }
            text = serde_json::to_string(&less)?;
        }
        Ok(text)
    }

    /// Whether people have still to be told that it has begun, or how it ended.
    pub fn is_to_be_told(&self) -> bool {
        matches!(self.stage, Stage::Going | Stage::Over) && self.told != Some(self.stage)
    }

    /// The name of the execution of an application's cutover, precheck or rollback: the same whenever it is asked for. Eighty characters at the most
    /// (Step Functions API reference), and another one in each wave.
    pub fn execution_name(&self, application: &str, what: Child) -> String {
        let (kind, number) = match what {
            Child::Check(number) => ("check", number),
            Child::Cutover(number) => ("cutover", number),
            Child::Rollback(attempt, number) => ("back", attempt * 100 + number),
        };
        let application: String = application.chars().take(40).collect();
        let wave: String = cutover::contract::digest(&format!("{}\n{application}", self.id)).chars().take(12).collect();
        format!("{application}-{wave}-{kind}-{number}")
    }
}

/// Which of an application's executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Its precheck, by its number.
    Check(u32),
    /// Its cutover, by its number.
    Cutover(u32),
    /// A rollback of a cutover, by both numbers.
    Rollback(u32, u32),
}
