//! The sender: each request at its time, whatever the answers do; or, as older tools, a number of users who wait for theirs.
//!
//! Everything is done by one task on one thread. Requests that are due are taken up before answers are, some at a time, so that neither
//! keeps the other waiting.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout_at;

use crate::budget::{Budget, Stop};
use crate::client::{Answer, Client};
use crate::clock::{Alarm, cpu_time};
use crate::request::Prepared;
use crate::schedule::{Arrivals, Due, Mix};
use load_results::results::{Failure, Outcome, Results};

/// So many due requests are taken up before answers are looked at.
const AT_ONCE: usize = 64;
/// What is due this long after the end and not taken up yet is not sent any more.
const GRACE: Duration = Duration::from_secs(1);

/// How requests are paced.
#[derive(Clone, Debug)]
pub enum Pace {
    /// By a schedule.
    Rate(Arrivals),
    /// By users.
    Users(Users),
}

/// Users who wait for an answer before they ask again.
#[derive(Clone, Debug)]
pub struct Users {
    /// How many there are.
    pub count: u32,
    /// However fast the answers are, no more requests a second than this.
    pub most_rate_per_second: f64,
    /// How long it lasts; its rate says nothing.
    pub arrivals: Arrivals,
}

impl Pace {
    fn arrivals(&self) -> &Arrivals {
        match self {
            Self::Rate(arrivals) | Self::Users(Users { arrivals, .. }) => arrivals,
        }
    }
}

/// What is sent.
pub struct Load<'a> {
    /// By whom.
    pub client: &'a Client,
    /// The plan's requests.
    pub requests: &'a [Prepared],
    /// Which one comes when.
    pub mix: Mix,
    /// How they are paced.
    pub pace: Pace,
    /// How long an answer may take, from when its request was due.
    pub timeout: Duration,
    /// When the turn begins.
    pub start: Instant,
    /// The same in seconds since 1970, for the timeline.
    pub start_second: i64,
    /// When it stops by itself.
    pub budget: Budget,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Counts and latencies.
    pub results: Results,
    /// The share of one processor that this process used while it sent, in percent.
    pub cpu_percent: f64,
    /// Why it stopped early, if it did.
    pub stop: Option<Stop>,
}

impl Load<'_> {
    /// Sends everything, and waits for the answers.
    ///
    /// # Errors
    /// There is no timer to be had.
    pub async fn send(&self) -> std::io::Result<Sent> {
        let mut alarm = Alarm::new()?;
        // A side that does not answer must not keep the others waiting.
        let _ = timeout_at(self.start.into(), self.client.warm()).await;
        alarm.until(self.start).await;
        let (cpu_before, begun) = (cpu_time(), Instant::now());
        let arrivals = self.pace.arrivals();
        let mut results = Results::new(self.requests.len());
        results.seconds = (arrivals.end.saturating_sub(arrivals.warm_up)).as_secs_f64();
        let dispatched = match &self.pace {
            Pace::Rate(arrivals) => self.open_loop(arrivals, &mut alarm, &mut results).await,
            Pace::Users(users) => self.closed_loop(users, &mut results).await,
        };
        let cpu = (cpu_time() - cpu_before).as_secs_f64();
        let wall = begun.elapsed().as_secs_f64();
        results.offered = dispatched.offered;
        if let Some((_, after)) = dispatched.stop {
            results.seconds = results.seconds.min(after.saturating_sub(arrivals.warm_up).as_secs_f64());
        }
        let counts = &self.client.counts;
        results.connections = counts.opened.get();
        results.waited = counts.waited.get();
        results.connect.add(&counts.connect.borrow());
        let stop = dispatched.stop.map(|(why, _)| why);
        Ok(Sent { results, cpu_percent: 100.0 * cpu / wall.max(1e-6), stop })
    }

    async fn open_loop(&self, arrivals: &Arrivals, alarm: &mut Alarm, results: &mut Results) -> Dispatched {
        let mut under_way = FuturesUnordered::new();
        let (mut index, mut next) = (0, arrivals.at(0));
        let last = self.start + arrivals.end + GRACE;
        let (mut dispatched, mut budget) = (Dispatched::default(), self.budget.clone());
        loop {
            let mut room = AT_ONCE;
            while let Some(due) = next.filter(|due| room > 0 && self.start + due.at <= Instant::now()) {
                under_way.push(self.one(due, due.at));
                dispatched.offered += u64::from(arrivals.is_measured(due.at));
                (index, room) = (index + 1, room - 1);
                next = arrivals.at(index);
            }
            if next.is_some() && Instant::now() > last {
                dispatched.offered += left(arrivals, index);
                next = None;
            }
            dispatched.look(&mut budget, results, self.start);
            next = next.filter(|_| dispatched.stop.is_none());
            tokio::select! {
                biased;
                Some(outcome) = under_way.next(), if !under_way.is_empty() => results.count(&outcome, self.start_second),
                () = ring(alarm, next.map(|due| self.start + due.at)), if next.is_some() => {}
                else => return dispatched,
            }
        }
    }

    /// Each user asks again when the answer is there. What is due is what they get to.
    async fn closed_loop(&self, users: &Users, results: &mut Results) -> Dispatched {
        let arrivals = &users.arrivals;
        let between = Duration::try_from_secs_f64(1.0 / users.most_rate_per_second).unwrap_or_default();
        let mut under_way = FuturesUnordered::new();
        let (mut dispatched, mut budget) = (Dispatched::default(), self.budget.clone());
        let (mut number, mut not_before) = (arrivals.slice, self.start);
        for _ in 0..users.count {
            under_way.push(self.one_at(number, not_before));
            (number, not_before) = (number + arrivals.slices, not_before + between);
        }
        while let Some(outcome) = under_way.next().await {
            dispatched.offered += u64::from(outcome.is_measured);
            results.count(&outcome, self.start_second);
            dispatched.look(&mut budget, results, self.start);
            let at = not_before.max(Instant::now());
            if at < self.start + arrivals.end && dispatched.stop.is_none() {
                under_way.push(self.one_at(number, at));
                (number, not_before) = (number + arrivals.slices, at + between);
            }
        }
        dispatched
    }

    /// One request of a user, who has to wait until then.
    async fn one_at(&self, number: u64, at: Instant) -> Outcome {
        if at > Instant::now() {
            tokio::time::sleep_until(at.into()).await;
        }
        let at = self.start.elapsed();
        self.one(Due { number, at }, at).await
    }

    /// One request, from its being taken up to the end of its answer.
    fn one(&self, due: Due, at: Duration) -> impl Future<Output = Outcome> + '_ {
        let kind = self.mix.choose(due.number).min(self.requests.len().saturating_sub(1));
        let intended = self.start + at;
        let taken = Instant::now();
        let deadline = intended + self.timeout;
        async move {
            let asked = timeout_at(deadline.into(), self.client.ask(&self.requests[kind])).await;
            let Answer { status, bytes, failure } = asked.unwrap_or_else(|_| Answer::failed(Failure::Timeout));
            Outcome {
                kind,
                is_measured: self.pace.arrivals().is_measured(at),
                due: at,
                lag: taken.saturating_duration_since(intended),
                service: taken.elapsed(),
                status,
                failure,
                bytes,
            }
        }
    }
}

#[derive(Default)]
struct Dispatched {
    offered: u64,
    /// Why it stopped early, and how long after its start.
    stop: Option<(Stop, Duration)>,
}

impl Dispatched {
    fn look(&mut self, budget: &mut Budget, results: &Results, start: Instant) {
        if self.stop.is_none() {
            let after = start.elapsed();
            self.stop = budget.spent(results, after.as_secs()).map(|why| (why, after));
        }
    }
}

async fn ring(alarm: &mut Alarm, at: Option<Instant>) {
    if let Some(at) = at {
        alarm.until(at).await;
    }
}

/// How many measured requests are still to come from this place on.
fn left(arrivals: &Arrivals, index: u64) -> u64 {
    (index..).map_while(|index| arrivals.at(index)).filter(|due| arrivals.is_measured(due.at)).count() as u64
}
