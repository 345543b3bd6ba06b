//! One run of a wave, from its start to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use waves::state::{Is, State};

use super::WaveStage;
use crate::approver::{Approver, Asked, Decision};
use crate::follow::{self, End, Followed};
use crate::routes::Side;
use crate::stage::Stage;
use crate::world::{Conduct, Script};
use crate::{Clock, real};

const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// However long it takes here, a wave that moves nothing for so long is given up.
const STILL_LIMIT: Duration = Duration::from_secs(600);
/// After the end users are watched a little longer: resolvers still have to learn it.
const EPILOGUE: Duration = Duration::from_secs(2);
/// Of a route's users on one side, so many percent are all: weights are whole numbers.
const ALMOST_NONE: f64 = 0.25;

/// Something that a rehearsal of a wave shows while it goes on.
#[derive(Clone, Debug)]
pub enum Happening {
    /// An application is somewhere else now, and why.
    Is(String, Is, Option<String>),
    /// A person has said something.
    Said(Value),
    /// Somebody was asked, and has answered.
    Answered(Asked),
}

/// What became of an application.
#[derive(Clone, Debug, Serialize)]
pub struct MemberEnd {
    /// Its name.
    pub application: String,
    /// Where it is, as the wave says.
    pub is: Is,
    /// Why, where it failed or stays.
    pub why: Option<String>,
    /// Where its users are: `new`, `old`, `mixed`; nothing of what has no cutover.
    pub users: Option<&'static str>,
    /// How long after the wave's start its cutover began, in the wave's own seconds.
    pub started_after_seconds: Option<f64>,
    /// How many of its users' requests got no good answer.
    pub failures: usize,
}

impl MemberEnd {
    /// Whether the wave says of it what is so.
    pub fn is_true(&self) -> bool {
        match (self.is, self.users) {
            (_, None) | (Is::Stuck, _) => true,
            (Is::Moved, Some(users)) => users == "new",
            (Is::Running | Is::RollingBack | Is::Checking, Some(_)) => false,
            (_, Some(users)) => users == "old",
        }
    }
}

/// What a rehearsal of a wave found out.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The wave's name.
    pub wave: String,
    /// How its execution ended.
    pub end: End,
    /// How long it took, in its own seconds.
    pub seconds: f64,
    /// Each application.
    pub members: Vec<MemberEnd>,
    /// The ending that it should have.
    pub expected: Option<String>,
}

impl Outcome {
    /// `Succeeded`, or the error's name without its prefix.
    pub fn ending(&self) -> &str {
        if self.end.status == "SUCCEEDED" { "Succeeded" } else { self.end.cutover_error().unwrap_or(&self.end.status) }
    }

    /// Of whom the wave says what is not so.
    pub fn untrue(&self) -> Vec<&MemberEnd> {
        self.members.iter().filter(|member| !member.is_true()).collect()
    }
}

/// Rehearses a wave. `watch` is told what happens, with the wave's own time.
pub async fn rehearse(stage: &WaveStage, mut watch: impl FnMut(Duration, &Happening)) -> Result<Outcome> {
    let clock = Clock::start(stage.speed);
    let _metrics: Vec<_> = stage.stages.values().map(|stage| stage.publish_metrics(clock)).collect();
    let name = format!("rehearsal-{:08x}", rand::random::<u32>());
    let arn = follow::start(&stage.client, &stage.machine, &name, &stage.wave).await?;
    let mut run = Run::new(stage, clock, &arn);
    let end = loop {
        run.let_sides_behave().await?;
        run.approve(&mut watch).await?;
        run.see(&mut watch).await?;
        run.speak(&mut watch).await?;
        if let Some(end) = run.end().await? {
            break end;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    };
    let seconds = clock.now().as_secs_f64();
    run.see(&mut watch).await?;
    tokio::time::sleep(EPILOGUE).await;
    let state = run.state.take();
    let members = members(stage, state.as_ref());
    let expected = stage.world.expect.clone();
    Ok(Outcome { wave: stage.name().to_owned(), end, seconds, members, expected })
}

struct Run<'a> {
    stage: &'a WaveStage,
    clock: Clock,
    /// The execution that follows the wave.
    followed: Followed,
    scripts: BTreeMap<&'a str, [(Side, Script, Conduct); 2]>,
    approver: Approver,
    said: Vec<bool>,
    state: Option<State>,
    moved_at: Instant,
}

impl<'a> Run<'a> {
    fn new(stage: &'a WaveStage, clock: Clock, arn: &str) -> Self {
        let scripts = stage.stages.iter().map(|(name, stage)| {
            let script = |side, behaviour| {
                let mut script = Script::new(behaviour);
                let conduct = script.conduct(Duration::ZERO, &[], false);
                (side, script, conduct)
            };
            (name.as_str(), [script(Side::Old, &stage.world.old), script(Side::New, &stage.world.new)])
        });
        Self {
            stage,
            clock,
            followed: Followed::new(arn, "wave", false),
            scripts: scripts.collect(),
            approver: Approver::new(stage.world.approval, Decision::GoBack),
            said: vec![false; stage.world.during.len()],
            state: None,
            moved_at: Instant::now(),
        }
    }

    async fn let_sides_behave(&mut self) -> Result<()> {
        for (name, scripts) in &mut self.scripts {
            let Some(stage) = self.stage.stages.get(*name) else { continue };
            let percents = stage.new_percents();
            let place = place_of(self.stage, name);
            let member = place.zip(self.state.as_ref()).and_then(|(place, state)| state.members.get(place));
            let has_moved = member.is_some_and(|member| member.is == Is::Moved);
            for (side, script, current) in scripts {
                let conduct = script.conduct(self.clock.now(), &percents, has_moved);
                if conduct != *current {
                    stage.behave(*side, &conduct, current).await?;
                    *current = conduct;
                }
            }
        }
        Ok(())
    }

    async fn approve(&mut self, watch: &mut impl FnMut(Duration, &Happening)) -> Result<()> {
        for asked in self.approver.look(&self.stage.client).await? {
            watch(self.clock.now(), &Happening::Answered(asked));
        }
        Ok(())
    }

    /// How the wave stands, from the journal.
    async fn see(&mut self, watch: &mut impl FnMut(Duration, &Happening)) -> Result<()> {
        let key = json!({ "pk": { "S": format!("wave#{}", self.stage.name()) } });
        let get = json!({ "TableName": self.stage.journal_table, "Key": key, "ConsistentRead": true });
        let answer = self.stage.client.call("dynamodb", "get_item", get).await?;
        let Some(text) = answer["Item"]["wave"]["S"].as_str() else { return Ok(()) };
        let state: State = serde_json::from_str(text).context("the wave's item cannot be read")?;
        for (place, member) in state.members.iter().enumerate() {
            let before = self.state.as_ref().map(|state| state.members[place].is);
            if before != Some(member.is) {
                let name = self.stage.wave["applications"][place]["name"].as_str().unwrap_or_default();
                let why = member.why.clone().or_else(|| member.red.clone());
                watch(self.clock.now(), &Happening::Is(name.to_owned(), member.is, why));
                self.moved_at = Instant::now();
            }
        }
        self.state = Some(state);
        Ok(())
    }

    /// What people say, as the world file has it.
    async fn speak(&mut self, watch: &mut impl FnMut(Duration, &Happening)) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        for (place, saying) in self.stage.world.during.iter().enumerate() {
            let name = &saying.when.application;
            let of = place_of(self.stage, name)
                .with_context(|| format!("the world speaks of {name}, which is not there"))?;
            if self.said[place] || state.members[of].is != saying.when.is {
                continue;
            }
            self.said[place] = true;
            let mut input = Value::Object(saying.say.clone());
            input["of"] = self.stage.name().into();
            let name = format!("said-{:08x}", rand::random::<u32>());
            follow::start(&self.stage.client, &self.stage.machine, &name, &input).await?;
            watch(self.clock.now(), &Happening::Said(Value::Object(saying.say.clone())));
        }
        Ok(())
    }

    /// The end of the execution that follows the wave. One that ends before the wave is over is followed by another.
    async fn end(&mut self) -> Result<Option<End>> {
        self.followed.poll(&self.stage.client).await?;
        if let (Some(end), Some(state)) = (self.followed.end.clone(), &self.state) {
            if state.ending.is_some() {
                return Ok(Some(end));
            }
            if state.owner != self.followed.arn {
                self.followed = Followed::new(&state.owner, "wave", false);
            }
        } else if let Some(end) = self.followed.end.clone() {
            // It was refused before it had claimed anything.
            return Ok(Some(end));
        }
        let limit = STILL_LIMIT.max(real(Duration::from_secs(24 * 3600), self.clock.speed()));
        if self.moved_at.elapsed() > limit {
            bail!("nothing has happened in the wave for {limit:?}");
        }
        Ok(None)
    }
}

fn place_of(stage: &WaveStage, name: &str) -> Option<usize> {
    stage.wave["applications"].as_array().into_iter().flatten().position(|one| one["name"] == name)
}

fn members(stage: &WaveStage, state: Option<&State>) -> Vec<MemberEnd> {
    let applications = stage.wave["applications"].as_array().into_iter().flatten();
    let ends = applications.enumerate().filter_map(|(place, application)| {
        let member = state?.members.get(place)?;
        let name = application["name"].as_str()?;
        let of_one = stage.stages.get(name);
        let started = member.started_at.zip(state.map(|state| state.opened_at));
        Some(MemberEnd {
            application: name.to_owned(),
            is: member.is,
            why: member.why.clone().or_else(|| member.red.clone()),
            users: of_one.map(users),
            started_after_seconds: started.map(|(started, opened)| started.duration_since(opened).as_secs_f64()),
            failures: of_one.map_or(0, |stage| stage.ledger.failures()),
        })
    });
    ends.collect()
}

/// Where an application's users are.
fn users(stage: &Stage) -> &'static str {
    let percents = stage.new_percents();
    let all = |is_it: fn(f64) -> bool| percents.iter().all(|percent| is_it(*percent));
    match () {
        () if all(|percent| percent >= 100.0 - ALMOST_NONE) => "new",
        () if all(|percent| percent <= ALMOST_NONE) => "old",
        () => "mixed",
    }
}
