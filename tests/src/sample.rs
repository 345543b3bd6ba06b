//! What the sides really answer: real requests, as many as the machine bears, and the last answers of each side.
//!
//! Contract: an answer is always one that the side itself gave, to a request since its behaviour last changed. A request is
//! really sent while the side's share of them lasts ([`Sampler::known`] knows nothing then), and while too few of its answers
//! are known. Otherwise it sees one of the last [`KEPT`] answers, in their order: an error in every hundredth real answer is an
//! error in every hundredth request.
//!
//! An answer has taken as long as its side says in a header ([`crate::sides::TOOK`]): only the first part of that is really
//! waited, so that one slow answer does not take hours of a fast run, and a busy machine makes no side slow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::Semaphore;

use crate::locked;
use crate::routes::Side;
use crate::sides::{Servers, TOOK, USER};

/// How long a user waits for an answer.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long we wait, on however busy a machine.
const OUR_PATIENCE: Duration = Duration::from_secs(60);
const KEPT: usize = 200;
/// With fewer answers an error of some per cent might not be among them.
const ENOUGH: usize = 20;
const UNDER_WAY_LIMIT: usize = 100;

/// What a side answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status; none if the side did not answer.
    pub status: Option<u16>,
    /// How long it took.
    pub seconds: f64,
}

impl Answer {
    /// Where there is no side to ask.
    const NOBODY: Self = Self { status: None, seconds: 0.0 };
}

/// The last answers of one side, and how many more requests it may be sent now.
#[derive(Debug)]
struct Recent {
    answers: VecDeque<Answer>,
    next: usize,
    changes: u64,
    allowance: f64,
    counted: Instant,
}

impl Recent {
    fn new() -> Self {
        Self { answers: VecDeque::new(), next: 0, changes: 0, allowance: 1.0, counted: Instant::now() }
    }

    /// Answers from before a side's behaviour changed say nothing any more.
    fn forget_before(&mut self, changes: u64) {
        if self.changes != changes {
            (self.changes, self.next) = (changes, 0);
            self.answers.clear();
        }
    }

    /// One of the last answers; none if a request is to be sent.
    fn known(&mut self, now: Instant, per_second: f64) -> Option<Answer> {
        let more = now.saturating_duration_since(self.counted).as_secs_f64() * per_second;
        self.allowance = (self.allowance + more).min(per_second / 4.0).max(0.0);
        self.counted = now;
        if self.answers.len() < ENOUGH || self.allowance >= 1.0 {
            return None;
        }
        self.again()
    }

    fn again(&mut self) -> Option<Answer> {
        let answer = *self.answers.get(self.next % self.answers.len().max(1))?;
        self.next = (self.next + 1) % self.answers.len();
        Some(answer)
    }

    fn add(&mut self, answer: Answer, changes: u64) {
        self.forget_before(changes);
        self.answers.push_back(answer);
        if self.answers.len() > KEPT {
            self.answers.pop_front();
            self.next = self.next.saturating_sub(1);
        }
    }
}

/// Sends requests to the sides, and keeps what they answered.
#[derive(Debug)]
pub struct Sampler {
    http: reqwest::Client,
    servers: Arc<Servers>,
    per_second: f64,
    slots: Semaphore,
    recent: [Mutex<Recent>; 3],
}

impl Sampler {
    /// For real requests of so many a second to each side.
    pub fn new(servers: Arc<Servers>, per_second: f64) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(OUR_PATIENCE).build();
        let http = http.context("cannot make an HTTP client")?;
        let recent = std::array::from_fn(|_| Mutex::new(Recent::new()));
        Ok(Self { http, servers, per_second, slots: Semaphore::new(UNDER_WAY_LIMIT), recent })
    }

    fn recent(&self, side: Side) -> Option<&Mutex<Recent>> {
        match side {
            Side::Old => Some(&self.recent[0]),
            Side::New => Some(&self.recent[1]),
            Side::Other => Some(&self.recent[2]),
            Side::Nowhere => None,
        }
    }

    /// What a request to a side sees that is not sent; none if it is to be sent, by [`Self::ask`].
    pub fn known(&self, side: Side) -> Option<Answer> {
        let Some(recent) = self.recent(side) else { return Some(Answer::NOBODY) };
        let mut recent = locked(recent);
        recent.forget_before(self.servers.changes(side));
        let known = recent.known(Instant::now(), self.per_second);
        if known.is_none() {
            recent.allowance -= 1.0;
            if self.slots.available_permits() == 0 {
                return recent.again();
            }
        }
        known
    }

    /// Sends a request to a side. None if too many are under way, and nothing is known of the side yet.
    pub async fn ask(&self, side: Side) -> Option<Answer> {
        let (Some(recent), Some(url)) = (self.recent(side), self.servers.url(side)) else {
            return Some(Answer::NOBODY);
        };
        let Ok(_slot) = self.slots.try_acquire() else { return locked(recent).again() };
        let changes = self.servers.changes(side);
        let response = self.http.get(url).header(USER, "1").send().await;
        let answer = answer(response.ok().as_ref());
        if changes == self.servers.changes(side) {
            locked(recent).add(answer, changes);
        }
        Some(answer)
    }
}

/// What a response says: one that takes too long is none.
fn answer(response: Option<&reqwest::Response>) -> Answer {
    let Some(response) = response else { return Answer::NOBODY };
    let took = response.headers().get(TOOK).and_then(|text| text.to_str().ok()?.parse().ok());
    let took = Duration::from_millis(took.unwrap_or(0));
    if took > PATIENCE {
        return Answer { status: None, seconds: PATIENCE.as_secs_f64() };
    }
    Answer { status: Some(response.status().as_u16()), seconds: took.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Conduct;

    fn answered(status: u16) -> Answer {
        Answer { status: Some(status), seconds: 0.01 }
    }

    #[test]
    fn requests_beyond_those_that_are_sent_see_the_sides_answers_in_their_order() {
        let (mut recent, now) = (Recent::new(), Instant::now());
        recent.allowance = 0.0;
        for number in 0..20 {
            assert_eq!(recent.known(now, 40.0), None, "{number} answers are too few");
            recent.add(answered(if number % 10 == 0 { 500 } else { 200 }), 0);
        }
        let seen: Vec<_> = (0..100).filter_map(|_| recent.known(now, 40.0)).collect();
        assert_eq!(seen.iter().filter(|answer| answer.status == Some(500)).count(), 10, "as many as the side gave");
        assert_eq!(recent.known(now + Duration::from_millis(50), 40.0), None, "then one is sent again");
    }

    #[test]
    fn answers_from_before_a_change_of_the_side_are_forgotten() {
        let mut recent = Recent::new();
        recent.add(answered(200), 0);
        recent.forget_before(0);
        assert_eq!(recent.again(), Some(answered(200)));
        recent.forget_before(1);
        assert_eq!(recent.again(), None);
    }

    #[tokio::test]
    async fn an_answers_time_is_what_its_side_says_without_waiting_it_out() -> Result<()> {
        let servers = Arc::new(Servers::start().await?);
        let sampler = Sampler::new(servers.clone(), 40.0)?;
        servers.set(Side::New, Conduct { latency_ms: 1500, error_status: 404, error_rate: 1.0, ..Conduct::default() });
        let started = Instant::now();
        let slow = sampler.ask(Side::New).await.context("an answer")?;
        assert_eq!(slow, Answer { status: Some(404), seconds: 1.5 });
        assert!(started.elapsed() < Duration::from_millis(1400), "{:?}", started.elapsed());
        servers.set(Side::New, Conduct { latency_ms: 60_000, ..Conduct::default() });
        assert_eq!(sampler.ask(Side::New).await.context("an answer")?.status, None, "nobody waits for that");
        servers.set(Side::New, Conduct { unanswered_rate: 1.0, ..Conduct::default() });
        assert_eq!(sampler.ask(Side::New).await.context("an answer")?.status, None, "the connection breaks off");
        assert_eq!(sampler.known(Side::Nowhere), Some(Answer::NOBODY));
        Ok(())
    }
}
