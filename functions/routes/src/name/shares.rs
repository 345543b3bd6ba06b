//! What users get: from the record sets of a zone, and health, to the share of each answer. Pure.
//!
//! | Route 53's rule | from |
//! |---|---|
//! | of one name and type, a record is answered in proportion to its weight | developer guide, *Weighted routing* |
//! | a record whose health check fails is not answered; one without a check is always healthy | *How Route 53 chooses records when health checking is configured* |
//! | an alias that evaluates target health has its target's; with a check as well, both must be healthy | *What happens when you associate a health check with an alias record?* |
//! | an alias's target that is a group of records is healthy while one of them is | the same |
//! | records of weight 0 are considered once all that have more are unhealthy, and then evenly | *Health checks and weighted routing* |
//! | where no record is healthy, all count as healthy, and the weights hold | *How Route 53 chooses records...* |
//! | all weights 0: evenly; so a single record of weight 0 answers | API reference, *ResourceRecordSet*, Weight |
//! | a load balancer is healthy while every target group of it has a healthy target | API reference, *AliasTarget*, EvaluateTargetHealth |
//!
//! What is not here: failover, latency and other policies, which no plan moves; and resolvers, which keep an answer for
//! its TTL.

use std::collections::BTreeMap;

use cutover::dns::{ALIAS_TTL_SECONDS, normalise_name};

use super::record::{AliasTarget, RecordSet};

/// Aliases to aliases are followed so far; a longer row is a circle.
const MOST_ALIASES: usize = 16;

/// What Route 53 knows of health, as far as it was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Of health checks, by id: what the checkers see.
    pub checks: BTreeMap<String, bool>,
    /// Of alias targets outside of the zone, by DNS name in its normal form.
    pub targets: BTreeMap<String, bool>,
}

/// The record sets of a hosted zone, as far as they were observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The zone's id.
    pub id: String,
    /// By name in its normal form, and type.
    pub records: BTreeMap<(String, String), Vec<RecordSet>>,
}

/// What a user gets in the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// A record's own values.
    Values(Vec<String>),
    /// The addresses of a resource outside of the zone, by DNS name.
    Target(String),
}

impl Zone {
    /// The share of each record set of one name and type, from 0 to 1, in their order: 1 in all.
    ///
    /// # Errors
    /// What would have to be known and is not: the health of a check or a target, or the records of an alias's target.
    pub fn shares(&self, name: &str, record_type: &str, health: &Health) -> Result<Vec<f64>, String> {
        self.shares_of(self.group(name, record_type)?, health, MOST_ALIASES)
    }

    /// The share of each answer to one name and type, from 0 to 1: 1 in all. Aliases within the zone are followed.
    ///
    /// # Errors
    /// As [`shares`](Self::shares).
    pub fn answers(&self, name: &str, record_type: &str, health: &Health) -> Result<BTreeMap<Answer, f64>, String> {
        let mut answers = BTreeMap::new();
        self.add_answers(self.group(name, record_type)?, 1.0, health, MOST_ALIASES, &mut answers)?;
        Ok(answers)
    }

    /// Adds the records of a name.
    pub fn add(&mut self, name: &str, records: Vec<RecordSet>) {
        for record in records {
            let key = (normalise_name(name), record.record_type.clone());
            self.records.entry(key).or_default().push(record);
        }
    }

    /// The same zone, where a name has these records, of all types.
    pub fn with_name(&self, name: &str, records: &[RecordSet]) -> Self {
        let name = normalise_name(name);
        let mut zone = self.clone();
        zone.records.retain(|(other, _), _| *other != name);
        zone.add(&name, records.to_vec());
        zone
    }

    /// Whether Route 53 may answer a record while another one is healthy too.
    ///
    /// # Errors
    /// As [`shares`](Self::shares).
    pub fn healthy(&self, record: &RecordSet, health: &Health) -> Result<bool, String> {
        self.is_healthy(record, health, MOST_ALIASES)
    }

    /// The name in this zone that a record is an alias of.
    pub fn leads_to(&self, record: &RecordSet) -> Option<String> {
        let alias = record.alias.as_ref().filter(|alias| self.holds(alias))?;
        Some(normalise_name(&alias.dns_name))
    }

    /// How long resolvers may keep an answer to one name and type, in seconds: an alias within the zone has its target's TTL.
    /// None where the records are not known.
    pub fn ttl_seconds(&self, name: &str, record_type: &str) -> Option<u32> {
        self.ttl_of(self.group(name, record_type).ok()?, MOST_ALIASES)
    }

    fn ttl_of(&self, records: &[RecordSet], aliases_left: usize) -> Option<u32> {
        let of_record = |record: &RecordSet| match (record.ttl, self.leads_to(record)) {
            (Some(ttl), _) => u32::try_from(ttl).ok(),
            (None, Some(name)) => {
                let target = self.group(&name, &record.record_type).ok()?;
                self.ttl_of(target, one_alias_less(aliases_left).ok()?)
            }
            (None, None) => Some(ALIAS_TTL_SECONDS),
        };
        records.iter().map(of_record).collect::<Option<Vec<u32>>>()?.into_iter().max()
    }

    fn group(&self, name: &str, record_type: &str) -> Result<&[RecordSet], String> {
        let name = normalise_name(name);
        let records = self.records.get(&(name.clone(), record_type.to_owned())).filter(|records| !records.is_empty());
        records.map(Vec::as_slice).ok_or_else(|| format!("there is no {record_type} record of {name}"))
    }

    fn add_answers(
        &self,
        records: &[RecordSet],
        whole: f64,
        health: &Health,
        aliases_left: usize,
        answers: &mut BTreeMap<Answer, f64>,
    ) -> Result<(), String> {
        let shares = self.shares_of(records, health, aliases_left)?;
        for (record, share) in records.iter().zip(shares).filter(|(_, share)| *share > 0.0) {
            match &record.alias {
                Some(alias) if self.holds(alias) => {
                    let target = self.group(&alias.dns_name, &record.record_type)?;
                    self.add_answers(target, whole * share, health, one_alias_less(aliases_left)?, answers)?;
                }
                Some(alias) => {
                    *answers.entry(Answer::Target(normalise_name(&alias.dns_name))).or_default() += whole * share;
                }
                None => *answers.entry(Answer::Values(record.canonical().values)).or_default() += whole * share,
            }
        }
        Ok(())
    }

    fn shares_of(&self, records: &[RecordSet], health: &Health, aliases_left: usize) -> Result<Vec<f64>, String> {
        let is_healthy = |record: &RecordSet| self.is_healthy(record, health, aliases_left);
        let healthy = records.iter().map(is_healthy).collect::<Result<Vec<bool>, String>>()?;
        let weights: Vec<i64> = records.iter().map(|record| record.weight.unwrap_or(1).max(0)).collect();
        Ok(divide(&weights, &healthy))
    }

    /// Whether Route 53 may answer a record while another one is healthy too.
    fn is_healthy(&self, record: &RecordSet, health: &Health, aliases_left: usize) -> Result<bool, String> {
        if let Some(id) = &record.health_check_id {
            let seen =
                health.checks.get(id).ok_or_else(|| format!("the health of the health check {id} is not known"))?;
            if !seen {
                return Ok(false);
            }
        }
        let Some(alias) = record.alias.as_ref().filter(|alias| alias.evaluate_target_health) else { return Ok(true) };
        if !self.holds(alias) {
            let seen = health.targets.get(&normalise_name(&alias.dns_name));
            return seen.copied().ok_or_else(|| format!("the health of {} is not known", alias.dns_name));
        }
        let aliases_left = one_alias_less(aliases_left)?;
        let target = self.group(&alias.dns_name, &record.record_type)?;
        let healthy = target.iter().map(|record| self.is_healthy(record, health, aliases_left));
        Ok(healthy.collect::<Result<Vec<bool>, String>>()?.contains(&true))
    }

    /// Whether an alias leads to a record of this zone.
    fn holds(&self, alias: &AliasTarget) -> bool {
        alias.hosted_zone_id == self.id
    }
}

fn one_alias_less(aliases_left: usize) -> Result<usize, String> {
    aliases_left.checked_sub(1).ok_or_else(|| "the alias leads in a circle".to_owned())
}

/// The share of each record of a group, by weight and health.
fn divide(weights: &[i64], healthy: &[bool]) -> Vec<f64> {
    let records = || weights.iter().zip(healthy);
    let with_weight = |weight: i64| weight > 0;
    let nothing_is_healthy = !healthy.contains(&true);
    let something_with_weight_is = records().any(|(weight, healthy)| with_weight(*weight) && *healthy);
    let something_has_weight = weights.iter().any(|weight| with_weight(*weight));
    // Where all are sick all count as healthy; where those with weight are, those without answer, evenly.
    let part = |(weight, healthy): (&i64, &bool)| match (nothing_is_healthy, something_with_weight_is) {
        (true, _) => {
            if something_has_weight {
                *weight
            } else {
                1
            }
        }
        (false, true) => {
            if *healthy {
                *weight
            } else {
                0
            }
        }
        (false, false) => i64::from(*healthy && !with_weight(*weight)),
    };
    let parts: Vec<f64> = records().map(|record| part(record) as f64).collect();
    let whole: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / whole).collect()
}

/// Whether Route 53 counts a load balancer as healthy: every target group that one of its listeners or rules names, at weight
/// 0 too, has a healthy target; without any group nothing says that it is.
pub fn balancer_is_healthy(healthy_targets_of_groups: &[usize]) -> bool {
    !healthy_targets_of_groups.is_empty() && healthy_targets_of_groups.iter().all(|healthy| *healthy > 0)
}
