//! Users: they go where the live weights send them, as browsers and resolvers would, and see what the sides answer.
//!
//! Contract: for each route a pool of users, who together send requests at a fixed rate, answered or not (open loop),
//! with a bound on requests under way. Nothing here knows the plan's steps: users see only the live routing.
//! - A listener or rule draws a target group by its share. With group stickiness a user keeps the group for that long, while
//!   it is in the action, even at weight 0.
//! - A name is asked of one of some resolvers. A resolver gets an answer by Route 53's rules for weights and health (`answers`) and
//!   keeps it for its TTL, whatever happens meanwhile.
//!
//! TTLs and stickiness are virtual times. The draw is an argument, so that every decision can be tested.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::control::{ForwardState, LiveRouting, Routing};
use crate::routes::{Place, Route, Side, Sides};
use crate::sides::{Servers, USER};
use crate::{answers, locked};

/// Requests a second for each route, in real time.
pub const REQUESTS_PER_SECOND: u32 = 40;
/// Where many runs go on at once.
pub const FEW_REQUESTS_PER_SECOND: u32 = 10;
const USERS: usize = 200;
const RESOLVERS: usize = 60;
const UNDER_WAY_LIMIT: usize = 200;
const PATIENCE: Duration = Duration::from_secs(5);

/// One request of a user, as the user saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it was sent.
    pub at: Instant,
    /// Which route of the plan.
    pub route: usize,
    /// Where it landed.
    pub side: Side,
    /// Through which target group.
    pub group: Option<Arc<str>>,
    /// Whether the answer was below 500 and came in time.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
}

/// Everything that users saw, in the order of answers.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Seen>>>);

impl Ledger {
    fn add(&self, seen: Seen) {
        locked(&self.0).push(seen);
    }

    /// What came after the first `count`.
    pub fn since(&self, count: usize) -> Vec<Seen> {
        locked(&self.0).get(count..).map(<[Seen]>::to_vec).unwrap_or_default()
    }

    /// How the requests of one route went that were sent in the last `window`.
    pub fn last(&self, route: usize, window: Duration) -> Tally {
        let all = locked(&self.0);
        let recent = all.iter().rev().take_while(|seen| seen.at.elapsed() < window + PATIENCE);
        Tally::of(recent.filter(|seen| seen.route == route && seen.at.elapsed() < window))
    }
}

/// Counts of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// All.
    pub requests: usize,
    /// Those without a good answer.
    pub failures: usize,
    /// Those that went to the new side.
    pub new: usize,
    /// Those that went to the old side.
    pub old: usize,
}

impl Tally {
    /// Counts some requests.
    pub fn of<'a>(seen: impl Iterator<Item = &'a Seen>) -> Self {
        seen.fold(Self::default(), |tally, seen| Self {
            requests: tally.requests + 1,
            failures: tally.failures + usize::from(!seen.ok),
            new: tally.new + usize::from(seen.side == Side::New),
            old: tally.old + usize::from(seen.side == Side::Old),
        })
    }

    /// The new side's share of what both sides got.
    pub fn new_percent(&self) -> Option<f64> {
        let both = self.old + self.new;
        (both > 0).then(|| 100.0 * self.new as f64 / both as f64)
    }
}

#[derive(Clone, Debug, Default)]
struct Browser {
    cookie: Option<(String, Instant)>,
}

impl Browser {
    /// The target group that the load balancer sends this user to.
    fn land(&mut self, state: &ForwardState, now: Instant, speed: f64, draw: f64) -> Option<String> {
        if let Some((group, until)) = &self.cookie
            && now < *until
            && state.sticky_seconds.is_some()
            && state.target_groups.iter().any(|member| member.arn == *group)
        {
            return Some(group.clone());
        }
        let group = answers::of_forward(state, draw)?;
        let until = |seconds| now + Duration::from_secs(seconds).div_f64(speed);
        self.cookie = state.sticky_seconds.map(|seconds| (group.clone(), until(seconds)));
        Some(group)
    }
}

#[derive(Clone, Debug, Default)]
struct Resolver {
    cache: HashMap<String, (Arc<[String]>, Instant)>,
}

impl Resolver {
    /// Where a record set leads, as far as this resolver knows: the names on the way, and the answer.
    fn resolve(&mut self, key: &str, routing: &Routing, now: Instant, speed: f64, draw: f64) -> Option<Arc<[String]>> {
        if let Some((answer, until)) = self.cache.get(key)
            && now < *until
        {
            return Some(answer.clone());
        }
        let answer = answers::of_name(routing, key, draw)?;
        let path: Arc<[String]> = answer.path.into();
        self.cache.insert(key.to_string(), (path.clone(), now + answer.ttl.div_f64(speed)));
        Some(path)
    }

    /// In the world before the run, resolvers asked at different times.
    fn age(&mut self, draw: f64) {
        let now = Instant::now();
        for (_, until) in self.cache.values_mut() {
            *until = now + until.saturating_duration_since(now).mul_f64(draw);
        }
    }
}

/// The users of one route.
struct Pool {
    index: usize,
    route: Route,
    sides: Sides,
    speed: f64,
    requests_per_second: u32,
    browsers: Vec<Browser>,
    resolvers: Vec<Resolver>,
}

impl Pool {
    fn new(index: usize, route: Route, sides: Sides, speed: f64, requests_per_second: u32) -> Self {
        let (browsers, resolvers) = (vec![Browser::default(); USERS], vec![Resolver::default(); RESOLVERS]);
        Self { index, route, sides, speed, requests_per_second, browsers, resolvers }
    }

    /// Every resolver knows the old answer, each for a while yet.
    fn warm_up(&mut self, routing: &Routing) {
        for user in 0..USERS * 2 {
            self.land(user, routing);
        }
        for resolver in &mut self.resolvers {
            resolver.age(rand::random());
        }
    }

    /// Where a user's next request goes.
    fn land(&mut self, user: usize, routing: &Routing) -> (Side, Option<Arc<str>>) {
        let (now, draw) = (Instant::now(), rand::random());
        match &self.route.place {
            Place::Forward { arn } => {
                let browser = &mut self.browsers[user % USERS];
                let group = routing.listeners.get(arn).and_then(|state| browser.land(state, now, self.speed, draw));
                let side = group.as_deref().map_or(Side::Nowhere, |group| self.sides.of(group));
                (side, group.map(Arc::from))
            }
            Place::Name { zone, name, types } => {
                // A dual-stack client asks for both addresses and uses one of those that there are.
                let resolver = &mut self.resolvers[user % RESOLVERS];
                let first = user / RESOLVERS % types.len().max(1);
                let answer = types.iter().cycle().skip(first).take(types.len()).find_map(|kind| {
                    let key = Route::record_key(zone, name, kind);
                    resolver.resolve(&key, routing, now, self.speed, draw)
                });
                (answer.map_or(Side::Nowhere, |path| self.sides.of_path(&path)), None)
            }
        }
    }
}

/// All users of a rehearsal; they go home when this is dropped.
#[derive(Debug)]
pub struct Users {
    _pools: JoinSet<()>,
}

impl Users {
    /// Starts the traffic of every route.
    pub fn start(
        routes: &[Route],
        sides: &Sides,
        servers: &Arc<Servers>,
        routing: &LiveRouting,
        speed: f64,
        requests_per_second: u32,
    ) -> Result<(Self, Ledger)> {
        let ledger = Ledger::default();
        let http =
            reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().context("cannot make an HTTP client")?;
        let mut pools = JoinSet::new();
        for (index, route) in routes.iter().enumerate() {
            let pool = Pool::new(index, route.clone(), sides.clone(), speed, requests_per_second);
            let sender = Sender { http: http.clone(), servers: servers.clone(), ledger: ledger.clone() };
            pools.spawn(visit(pool, sender, routing.clone()));
        }
        Ok((Self { _pools: pools }, ledger))
    }
}

async fn visit(mut pool: Pool, sender: Sender, routing: LiveRouting) {
    pool.warm_up(&routing.latest());
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / pool.requests_per_second);
    // On a busy machine late is better than in bursts that no rate explains.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let slots = Arc::new(Semaphore::new(UNDER_WAY_LIMIT));
    let mut requests = JoinSet::new();
    loop {
        ticks.tick().await;
        while requests.try_join_next().is_some() {}
        let Ok(slot) = slots.clone().try_acquire_owned() else { continue };
        let live = routing.latest();
        let (side, group) = pool.land(rand::random::<u32>() as usize, &live);
        let (sender, route) = (sender.clone(), pool.index);
        requests.spawn(async move {
            sender.send(route, side, group).await;
            drop(slot);
        });
    }
}

#[derive(Clone)]
struct Sender {
    http: reqwest::Client,
    servers: Arc<Servers>,
    ledger: Ledger,
}

impl Sender {
    async fn send(&self, route: usize, side: Side, group: Option<Arc<str>>) {
        let at = Instant::now();
        let ok = match self.servers.url(side) {
            Some(url) => {
                let answer = self.http.get(url).header(USER, route).send().await;
                answer.is_ok_and(|answer| !answer.status().is_server_error())
            }
            None => false,
        };
        self.ledger.add(Seen { at, route, side, group, ok, seconds: at.elapsed().as_secs_f64() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{GroupWeight, RecordMember, RecordState};

    const KEY: &str = "Z1/app.example.com/A";

    fn action(weights: &[(&str, u64)], sticky_seconds: Option<u64>) -> ForwardState {
        let group = |&(arn, weight): &(&str, u64)| GroupWeight { arn: arn.to_string(), weight };
        ForwardState { target_groups: weights.iter().map(group).collect(), sticky_seconds }
    }

    fn records(weights: &[(&str, u64)]) -> Routing {
        let member = |&(value, weight): &(&str, u64)| RecordMember {
            weight: Some(weight),
            values: Some(vec![value.to_string()]),
            ..RecordMember::default()
        };
        let state = RecordState { ttl: Some(300), members: weights.iter().map(member).collect() };
        Routing { records: [(KEY.to_owned(), state)].into(), ..Routing::default() }
    }

    #[test]
    fn a_sticky_user_stays_for_its_time_while_the_group_is_there() {
        let (mut user, now) = (Browser::default(), Instant::now());
        let before = action(&[("old", 1), ("new", 0)], Some(3600));
        let after = action(&[("old", 0), ("new", 1)], Some(3600));
        assert_eq!(user.land(&before, now, 120.0, 0.0).as_deref(), Some("old"));
        assert_eq!(user.clone().land(&after, now + Duration::from_secs(29), 120.0, 0.0).as_deref(), Some("old"));
        assert_eq!(user.clone().land(&after, now + Duration::from_secs(31), 120.0, 0.0).as_deref(), Some("new"));
        assert_eq!(user.land(&action(&[("new", 1)], Some(3600)), now, 120.0, 0.0).as_deref(), Some("new"));
    }

    #[test]
    fn without_stickiness_a_user_follows_the_weights_at_once() {
        let (mut user, now) = (Browser::default(), Instant::now());
        assert_eq!(user.land(&action(&[("old", 1), ("new", 0)], None), now, 1.0, 0.9).as_deref(), Some("old"));
        assert_eq!(user.land(&action(&[("old", 0), ("new", 1)], None), now, 1.0, 0.0).as_deref(), Some("new"));
        assert_eq!(user.land(&action(&[("old", 0), ("new", 0)], None), now, 1.0, 0.0), None);
    }

    #[test]
    fn a_resolver_keeps_its_answer_for_the_ttl_it_was_given() {
        let (mut resolver, now) = (Resolver::default(), Instant::now());
        let (before, after) =
            (records(&[("192.0.2.1", 100), ("192.0.2.2", 0)]), records(&[("192.0.2.1", 0), ("192.0.2.2", 100)]));
        let mut ask = |routing, seconds: f64| {
            let path = resolver.resolve(KEY, routing, now + Duration::from_secs_f64(seconds), 100.0, 0.5);
            path.map(|path| path.join(" "))
        };
        assert_eq!(ask(&before, 0.0).as_deref(), Some("192.0.2.1"));
        assert_eq!(ask(&after, 2.9).as_deref(), Some("192.0.2.1"));
        assert_eq!(ask(&after, 3.1).as_deref(), Some("192.0.2.2"));
        assert_eq!(ask(&Routing::default(), 7.0), None);
    }
}
