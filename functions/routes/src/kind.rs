//! A route of any kind, as values: each place here lists the kinds.

use cutover::plan::{DnsRoute, ListenerRoute, Route};
use cutover::{StepError, StepResult};
use serde::{Deserialize, Serialize};

use crate::listener::{self, ListenerState};
use crate::name::{self, AliasTtls, NameState, PairChecks};

/// What is observed of a route. Before it is touched, that is its before-image: what undo restores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum RouteState {
    /// A listener's default actions, or a rule's actions.
    Listener(ListenerState),
    /// A name's record sets.
    Dns {
        /// The record sets of the plan's types.
        records: NameState,
        /// How long resolvers keep what its aliases lead to, within the zone.
        #[serde(default, skip_serializing_if = "AliasTtls::is_empty")]
        alias_ttls: AliasTtls,
    },
}

impl From<NameState> for RouteState {
    /// The state of a name, of which only its own records were looked at.
    fn from(records: NameState) -> Self {
        Self::Dns { records, alias_ttls: AliasTtls::default() }
    }
}

impl RouteState {
    /// Whether two states direct traffic alike.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Listener(state), Self::Listener(other)) => state.is_like(other),
            (Self::Dns { records, .. }, Self::Dns { records: other, .. }) => records.is_like(other),
            _ => false,
        }
    }

    /// Whether nothing of the route itself changed between two looks.
    pub fn is_unchanged(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dns { records, .. }, Self::Dns { records: other, .. }) => records == other,
            _ => self == other,
        }
    }

    /// One line for a person.
    pub fn describe(&self) -> String {
        match self {
            Self::Listener(state) => state.describe(),
            Self::Dns { records, .. } => records.describe(),
        }
    }

    /// The same line beside another state's, with what differs where the lines alone would not show it.
    pub fn describe_beside(&self, other: &Self) -> String {
        match (self, other) {
            (Self::Listener(state), Self::Listener(other)) => state.describe_beside(other),
            _ => self.describe(),
        }
    }

    /// How long somebody may keep the answer from before a change, in seconds.
    pub fn longest_ttl_seconds(&self) -> u32 {
        match self {
            Self::Listener(_) => 0,
            Self::Dns { records, alias_ttls } => alias_ttls.longest_of(records),
        }
    }

    /// How long somebody may keep the answer from before a step of the plan that starts from this before-image, in seconds.
    pub fn settle_seconds(&self, route: &Route) -> u32 {
        match (self, route) {
            (Self::Dns { records, alias_ttls }, Route::Dns(route)) => alias_ttls.settle_seconds(route, records),
            _ => 0,
        }
    }
}

/// A route of a run's plan, with its before-image.
#[derive(Clone, Copy, Debug)]
pub enum RouteOfRun<'a> {
    /// A listener or rule.
    Listener(&'a ListenerRoute, &'a ListenerState),
    /// A name.
    Dns(&'a DnsRoute, &'a NameState),
}

impl<'a> RouteOfRun<'a> {
    /// A route and its before-image.
    ///
    /// # Errors
    /// `Cutover.InvalidPlan` where they are not of one kind.
    pub fn of(route: &'a Route, before: &'a RouteState) -> StepResult<Self> {
        match (route, before) {
            (Route::Listener(route), RouteState::Listener(before)) => Ok(Self::Listener(route, before)),
            (Route::Dns(route), RouteState::Dns { records, .. }) => Ok(Self::Dns(route, records)),
            _ => Err(StepError::invalid(format!("the before-image of {} is of another kind", route.title()))),
        }
    }

    /// The state in which the plan gives the new side so many percent; without the health checks of the run, which are not
    /// known here.
    ///
    /// # Errors
    /// `Cutover.InvalidPlan` for a share that the plan cannot give it.
    pub fn planned(&self, percent: u8) -> StepResult<RouteState> {
        let planned = match self {
            Self::Listener(route, before) => before.planned(listener::pair(route), percent).map(RouteState::Listener),
            Self::Dns(route, before) => before.planned(route, percent, &PairChecks::default()).map(RouteState::from),
        };
        planned.map_err(StepError::invalid)
    }

    /// The state in which the cutover leaves the route until cleanup.
    ///
    /// # Errors
    /// As [`planned`](Self::planned).
    pub fn finished(&self) -> StepResult<RouteState> {
        match self {
            Self::Listener(..) => self.planned(100),
            Self::Dns(route, before) => before.finished(route).map(RouteState::from).map_err(StepError::invalid),
        }
    }

    /// Whether this live state is [`planned`](Self::planned), whatever health checks of the run its records carry.
    pub fn is_at(&self, live: &RouteState, planned: &RouteState) -> bool {
        match (self, live, planned) {
            (
                Self::Dns(route, before),
                RouteState::Dns { records: live, .. },
                RouteState::Dns { records: planned, .. },
            ) => live.may_be(planned, route, before, &PairChecks::default()),
            _ => live.is_like(planned),
        }
    }

    /// Whether this live state gives the new side traffic.
    pub fn new_side_serves(&self, live: &RouteState) -> bool {
        match (self, live) {
            (Self::Listener(route, _), RouteState::Listener(live)) => live.serves(&route.new_target_group_arn),
            (Self::Dns(route, before), RouteState::Dns { records: live, .. }) => {
                let checks = PairChecks::default();
                let prepared = before.planned(route, 0, &checks);
                !live.is_like(before) && !prepared.is_ok_and(|prepared| live.may_be(&prepared, route, before, &checks))
            }
            _ => true,
        }
    }

    /// What leads to the before-image by hand, from the live state where it was seen.
    pub fn by_hand(&self, live: Option<&RouteState>) -> String {
        match (self, live) {
            (Self::Listener(route, before), Some(RouteState::Listener(live))) => {
                listener::by_hand::command(route, before, Some(live))
            }
            (Self::Listener(route, before), _) => listener::by_hand::command(route, before, None),
            (Self::Dns(route, before), Some(RouteState::Dns { records: live, .. })) => {
                name::by_hand::command(route, before, Some(live))
            }
            (Self::Dns(route, before), _) => name::by_hand::command(route, before, None),
        }
    }
}

/// Something that a run made beside a route and that is there still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What is there, for a person.
    pub live: String,
    /// What to do about it by hand.
    pub change: String,
}

/// What to do about what a run may have made beside a route, where it could not be seen; none where it makes nothing.
pub fn unseen_by_hand(route: &Route, run_id: &str, index: usize) -> Option<String> {
    match route {
        Route::Dns(route) if route.health_checks.is_some() => {
            Some(name::by_hand::unseen_health_checks(&name::checks::references(run_id, index)))
        }
        Route::Listener(_) | Route::Dns(_) => None,
    }
}

/// What a route no longer needs after its run, for people: should it be kept, this is what they look for.
pub fn leaves(route: &Route, run_id: &str, index: usize) -> String {
    match route {
        Route::Listener(route) => route.old_target_group_arn.clone(),
        Route::Dns(route) if route.health_checks.is_some() => {
            let references = name::checks::references(run_id, index).join(" or ");
            format!("health checks of {} with the caller reference {references}", route.record_name)
        }
        Route::Dns(route) => route.record_name.clone(),
    }
}

/// The target group whose health says how a route's new side is, and the share of its targets that must be healthy.
pub fn new_target_group(route: &Route) -> Option<(&str, u8)> {
    match route {
        Route::Listener(route) => Some((&route.new_target_group_arn, route.min_healthy_percent)),
        Route::Dns(_) => None,
    }
}
