//! Users: they go where the live weights send them, as browsers and resolvers would, and see what the sides answer.
//!
//! Contract: for each route a pool of users, who together send requests at a fixed rate of virtual time, answered or not (open
//! loop): how many there are in a minute of the run does not depend on the speed. Nothing here knows the plan's steps: users see
//! only the live routing.
//! - A listener or rule draws a target group by its share. With group stickiness a user keeps the group for that long, while
//!   it is in the action, even at weight 0.
//! - A name is asked of one of some resolvers. A resolver gets an answer by Route 53's rules for weights and health (`answers`) and
//!   keeps it for its TTL, whatever happens meanwhile.
//! - Draws are spread evenly, as those of very many users are: a share of 5 % is every twentieth draw.
//! - Where a request lands is computed for each. What it sees there is what the side answered to a real request: its own, or,
//!   where there are more than this machine could send, one of the last that the side answered ([`crate::sample`]).
//!
//! TTLs and stickiness are virtual times. The draw is an argument, so that every decision can be tested.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::control::{ForwardState, LiveRouting, Routing};
use crate::routes::{Place, Route, Side, Sides};
use crate::sample::{Answer, PATIENCE, Sampler};
use crate::sides::Servers;
use crate::{answers, locked};

const USERS: usize = 200;
const RESOLVERS: usize = 60;
const TICK: Duration = Duration::from_millis(10);
/// The fractional part of the golden ratio: multiples of it fill 0..1 as evenly as any sequence can.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// How fast time passes, and how many users come.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Virtual seconds in a real one.
    pub speed: f64,
    /// Requests of each route in a virtual second.
    pub requests_per_second: f64,
    /// Of these, how many are really sent to a side in a real second, at the most.
    pub real_per_second: f64,
}

/// Functions run in real time. Faster than this, an hour of the run would be mostly theirs, and what is seen in a minute of it
/// would depend on the machine.
pub const FASTEST: f64 = 600.0;

impl Pace {
    /// The speed of a rehearsal for which this one is asked: at most [`FASTEST`].
    pub fn bearable(speed: f64) -> f64 {
        speed.min(FASTEST)
    }

    /// Of a rehearsal: enough in a minute for a small share of them to be seen.
    pub fn usual(speed: f64) -> Self {
        Self { speed, requests_per_second: 2.0, real_per_second: 40.0 }
    }

    /// Where many runs go on at once: only real requests, and few.
    pub fn few(speed: f64) -> Self {
        Self { speed, requests_per_second: 10.0 / speed, real_per_second: 20.0 }
    }
}

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
    /// The HTTP status; none where no side was reached, and where it did not answer.
    pub status: Option<u16>,
    /// How long it took.
    pub seconds: f64,
}

impl Seen {
    fn new(at: Instant, (route, side): (usize, Side), group: Option<Arc<str>>, answer: Answer) -> Self {
        let Answer { status, seconds } = answer;
        Self { at, route, side, group, ok: status.is_some_and(|status| status < 500), status, seconds }
    }
}

/// Everything that users saw, in the order of answers.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    seen: Vec<Seen>,
    failures: usize,
    /// By route: up to when every request stands here, but for those still on their way.
    complete: Vec<Instant>,
}

impl Ledger {
    fn of_routes(count: usize) -> Self {
        Self(Arc::new(Mutex::new(Book { complete: vec![Instant::now(); count], ..Book::default() })))
    }

    fn add(&self, seen: Seen) {
        let mut book = locked(&self.0);
        book.failures += usize::from(!seen.ok);
        book.seen.push(seen);
    }

    fn complete(&self, route: usize, until: Instant) {
        if let Some(complete) = locked(&self.0).complete.get_mut(route) {
            *complete = until;
        }
    }

    /// Up to when the requests of every route stand here.
    pub fn complete_until(&self) -> Option<Instant> {
        locked(&self.0).complete.iter().min().copied()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        locked(&self.0).seen.len()
    }

    /// How many of them got no good answer.
    pub fn failures(&self) -> usize {
        locked(&self.0).failures
    }

    /// What came after the first `count`.
    pub fn since(&self, count: usize) -> Vec<Seen> {
        locked(&self.0).seen.get(count..).map(<[Seen]>::to_vec).unwrap_or_default()
    }

    /// How the requests of one route went that were sent in the last `window`.
    pub fn last(&self, route: usize, window: Duration) -> Tally {
        let (book, now) = (locked(&self.0), Instant::now());
        let age = |seen: &Seen| now.saturating_duration_since(seen.at);
        let recent = book.seen.iter().rev().take_while(|seen| age(seen) < window + PATIENCE);
        Tally::of(recent.filter(|seen| seen.route == route && age(seen) < window))
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

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, one| Self {
            requests: sum.requests + one.requests,
            failures: sum.failures + one.failures,
            new: sum.new + one.new,
            old: sum.old + one.old,
        })
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
    fn resolve(
        &mut self,
        key: &str,
        routing: &Routing,
        now: Instant,
        speed: f64,
        draw: impl FnOnce() -> f64,
    ) -> Option<Arc<[String]>> {
        if let Some((answer, until)) = self.cache.get(key)
            && now < *until
        {
            return Some(answer.clone());
        }
        let answer = answers::of_name(routing, key, draw())?;
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

/// Draws that fill 0..1 evenly, from wherever they begin.
#[derive(Clone, Copy, Debug)]
struct Draws(f64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = (self.0 + GOLDEN).fract();
        self.0
    }
}

/// The users of one route.
struct Pool {
    index: usize,
    route: Route,
    sides: Sides,
    pace: Pace,
    draws: Draws,
    browsers: Vec<Browser>,
    resolvers: Vec<Resolver>,
}

impl Pool {
    fn new(index: usize, route: Route, sides: Sides, pace: Pace) -> Self {
        let (browsers, resolvers) = (vec![Browser::default(); USERS], vec![Resolver::default(); RESOLVERS]);
        Self { index, route, sides, pace, draws: Draws(rand::random()), browsers, resolvers }
    }

    /// Every resolver knows the old answer, each for a while yet.
    fn warm_up(&mut self, routing: &Routing) {
        for user in 0..USERS * 2 {
            self.land(user, routing, Instant::now());
        }
        for resolver in &mut self.resolvers {
            resolver.age(rand::random());
        }
    }

    /// Where the request goes that a user sends now.
    fn land(&mut self, user: usize, routing: &Routing, now: Instant) -> (Side, Option<Arc<str>>) {
        let (speed, draws) = (self.pace.speed, &mut self.draws);
        match &self.route.place {
            Place::Forward { arn } => {
                let browser = &mut self.browsers[user % USERS];
                let group = routing.listeners.get(arn).and_then(|state| browser.land(state, now, speed, draws.next()));
                let side = group.as_deref().map_or(Side::Nowhere, |group| self.sides.of(group));
                (side, group.map(Arc::from))
            }
            Place::Name { zone, name, types } => {
                // A dual-stack client asks for both addresses and uses one of those that there are.
                let resolver = &mut self.resolvers[user % RESOLVERS];
                let first = user / RESOLVERS % types.len().max(1);
                let answer = types.iter().cycle().skip(first).take(types.len()).find_map(|kind| {
                    let key = Route::record_key(zone, name, kind);
                    resolver.resolve(&key, routing, now, speed, || draws.next())
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
        pace: Pace,
    ) -> Result<(Self, Ledger)> {
        let ledger = Ledger::of_routes(routes.len());
        let sampler = Arc::new(Sampler::new(servers.clone(), pace.real_per_second)?);
        let mut pools = JoinSet::new();
        for (index, route) in routes.iter().enumerate() {
            let pool = Pool::new(index, route.clone(), sides.clone(), pace);
            pools.spawn(visit(pool, sampler.clone(), ledger.clone(), routing.clone()));
        }
        Ok((Self { _pools: pools }, ledger))
    }
}

async fn visit(mut pool: Pool, sampler: Arc<Sampler>, ledger: Ledger, routing: LiveRouting) {
    pool.warm_up(&routing.latest());
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let per_second = pool.pace.requests_per_second * pool.pace.speed;
    let (started, mut sent) = (Instant::now(), 0_u64);
    let mut requests = JoinSet::new();
    loop {
        ticks.tick().await;
        while requests.try_join_next().is_some() {}
        let (live, now) = (routing.latest(), Instant::now());
        // Those that are due since the last look, each at its time: on a busy machine it may be long ago.
        let due = (now.duration_since(started).as_secs_f64() * per_second) as u64;
        for number in sent..due {
            let at = started + Duration::from_secs_f64(number as f64 / per_second);
            let (side, group) = pool.land(rand::random::<u32>() as usize, &live, at);
            let place = (pool.index, side);
            if let Some(answer) = sampler.known(side) {
                ledger.add(Seen::new(at, place, group, answer));
                continue;
            }
            let (sampler, ledger) = (sampler.clone(), ledger.clone());
            requests.spawn(async move {
                if let Some(answer) = sampler.ask(side).await {
                    ledger.add(Seen::new(at, place, group, answer));
                }
            });
        }
        sent = due;
        ledger.complete(pool.index, now);
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
            let path = resolver.resolve(KEY, routing, now + Duration::from_secs_f64(seconds), 100.0, || 0.5);
            path.map(|path| path.join(" "))
        };
        assert_eq!(ask(&before, 0.0).as_deref(), Some("192.0.2.1"));
        assert_eq!(ask(&after, 2.9).as_deref(), Some("192.0.2.1"));
        assert_eq!(ask(&after, 3.1).as_deref(), Some("192.0.2.2"));
        assert_eq!(ask(&Routing::default(), 7.0), None);
    }
    #[test]
    fn a_small_share_is_drawn_as_often_as_it_is_large_in_every_minute() {
        let routing = records(&[("192.0.2.1", 95), ("192.0.2.2", 5)]);
        let share = answers::shares(&routing.records[KEY])[1];
        for start in 0..20 {
            let mut draws = Draws(f64::from(start) / 20.0);
            let hits = (0..120).filter(|_| draws.next() >= 1.0 - share).count();
            assert!((5..=7).contains(&hits), "{hits} of 120 for 5 %");
        }
    }

    #[test]
    fn users_of_a_minute_are_as_many_at_any_speed() {
        let per_minute = |speed| Pace::usual(speed).requests_per_second * 60.0;
        assert_eq!([1.0, 60.0, 3600.0].map(per_minute), [120.0; 3]);
        assert_eq!([1.0, 60.0, 600.0, 3600.0].map(Pace::bearable), [1.0, 60.0, 600.0, 600.0]);
    }
}
