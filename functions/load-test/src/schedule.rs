//! When each request is due, and which one it is: pure, the same on every machine. The schedule is one for a whole turn; slices
//! divide it by taking every n-th request, so that together they send exactly what one would have sent.

use std::time::Duration;

use cutover::plan::LoadRequest;

/// The requests of one turn, or of one slice of it, at a rate that rises evenly through the warm-up and then stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    /// Requests a second, of all slices together.
    pub rate_per_second: f64,
    /// The time in which the rate rises; what is due in it is not measured.
    pub warm_up: Duration,
    /// When the last request is due, the warm-up included.
    pub end: Duration,
    /// The slice's place among the slices.
    pub slice: u64,
    /// How many slices there are.
    pub slices: u64,
}

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its place in the turn's order, over all slices.
    pub number: u64,
    /// When, from the turn's start.
    pub at: Duration,
}

impl Arrivals {
    /// The slice's `index`-th request; none after the end.
    pub fn at(&self, index: u64) -> Option<Due> {
        let number = index * self.slices + self.slice;
        let due = Due { number, at: self.time_of(number) };
        (due.at < self.end).then_some(due)
    }

    /// The rate after `t` of a warm-up of `w` is `r t / w`, so that `r t^2 / 2w` requests were due by then.
    fn time_of(&self, number: u64) -> Duration {
        let (rate, warm_up) = (self.rate_per_second, self.warm_up.as_secs_f64());
        let number = number as f64;
        let of_warm_up = rate * warm_up / 2.0;
        let seconds = if number < of_warm_up {
            (2.0 * number * warm_up / rate).sqrt()
        } else {
            warm_up + (number - of_warm_up) / rate
        };
        Duration::from_secs_f64(seconds)
    }

    /// Whether a request that is due then is measured.
    pub fn is_measured(&self, at: Duration) -> bool {
        at >= self.warm_up
    }
}

/// A choice among requests by their weights, in an order that the seed decides.
#[derive(Clone, Debug)]
pub struct Mix {
    seed: u64,
    /// Where each request's part of the weights ends.
    ends: Vec<u64>,
}

impl Mix {
    /// Of these requests; there is at least one.
    pub fn new(seed: u64, requests: &[LoadRequest]) -> Self {
        let mut sum = 0;
        let ends = requests.iter().map(|request| {
            sum += u64::from(request.weight);
            sum
        });
        Self { seed, ends: ends.collect() }
    }

    /// Which request comes at this place in the order. Each place has a generator of its own: slices need not know each other.
    pub fn choose(&self, number: u64) -> usize {
        let all = self.ends.last().copied().unwrap_or(1).max(1);
        let mut random = fastrand::Rng::with_seed(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let place = random.u64(0..all);
        self.ends.partition_point(|end| *end <= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(rate: f64, warm_up: u64, end: u64, slices: u64) -> Vec<Arrivals> {
        let (warm_up, end) = (Duration::from_secs(warm_up), Duration::from_secs(end));
        (0..slices).map(|slice| Arrivals { rate_per_second: rate, warm_up, end, slice, slices }).collect()
    }

    fn all(arrivals: &Arrivals) -> Vec<Due> {
        (0..).map_while(|index| arrivals.at(index)).collect()
    }

    fn request(path: &str, weight: u32) -> LoadRequest {
        serde_json::from_value(serde_json::json!({ "path": path, "weight": weight, "expect_status": "200" })).unwrap()
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let due = all(&arrivals(100.0, 0, 3, 1)[0]);
        assert_eq!(due.len(), 300);
        assert_eq!((due[0].at, due[150].at), (Duration::ZERO, Duration::from_millis(1500)));
    }

    #[test]
    fn the_rate_rises_through_the_warm_up_and_only_the_rest_is_measured() {
        let one = &arrivals(100.0, 10, 20, 1)[0];
        let due = all(one);
        let (measured, warm): (Vec<Due>, Vec<Due>) = due.iter().copied().partition(|due| one.is_measured(due.at));
        assert_eq!((warm.len(), measured.len()), (500, 1000), "half of what the full rate would send");
        let of_first_half = warm.iter().filter(|due| due.at < Duration::from_secs(5)).count();
        assert_eq!(of_first_half, 125, "a quarter of them in the first half");
        assert!(due.is_sorted_by_key(|due| due.at));
    }

    #[test]
    fn slices_send_together_what_one_would_send() {
        let whole = all(&arrivals(333.0, 2, 7, 1)[0]);
        let mut parts: Vec<Due> = arrivals(333.0, 2, 7, 4).iter().flat_map(all).collect();
        parts.sort_by_key(|due| due.number);
        assert_eq!(parts, whole);
    }

    #[test]
    fn requests_come_by_their_weights_and_in_the_same_order_again() {
        let requests = [request("/a", 1), request("/b", 3), request("/c", 6)];
        let order = |seed| (0..10_000).map(|number| Mix::new(seed, &requests).choose(number)).collect::<Vec<_>>();
        let first = order(7);
        assert_eq!(first, order(7));
        assert_ne!(first, order(8));
        let counts = [0, 1, 2].map(|kind| first.iter().filter(|chosen| **chosen == kind).count() as f64);
        for (count, expected) in counts.iter().zip([1000.0, 3000.0, 6000.0]) {
            assert!((count - expected).abs() < 200.0, "{counts:?}");
        }
    }
}
