//! Those who respond to an incident: by the page of the first mail that calls them.
//!
//! Contract: [`Responder::look`] says once of each incident what the world file says. Whoever is silent is called again, by the product.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approver::Answered;
use crate::control::Client;
use crate::pages::{Browser, link_in};

/// A run's last message may come some time after its end: so long is waited for one that calls somebody.
const PATIENCE: Duration = Duration::from_secs(30);
const BEGINNING: &str = "Incident ";

/// What is said of an incident.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Nothing.
    #[default]
    Silence,
    /// Somebody looks after it.
    Acknowledge,
}

/// Says it.
#[derive(Debug)]
pub struct Responder {
    response: Response,
    known: HashSet<String>,
    seen: Vec<Answered>,
    patient_until: Option<Instant>,
}

impl Responder {
    /// One who always says the same.
    pub fn new(response: Response) -> Self {
        Self { response, known: HashSet::new(), seen: Vec::new(), patient_until: None }
    }

    /// Says it of each incident that somebody was called for since the last look; of which.
    pub async fn look(&mut self, client: &Client) -> Result<Vec<String>> {
        let mut said = Vec::new();
        if self.response == Response::Silence {
            return Ok(said);
        }
        for mail in client.mails().await? {
            let Some((id, link)) = called(&mail) else { continue };
            if !self.known.insert(id.to_owned()) {
                continue;
            }
            let browser = Browser::open()?;
            let asked = browser.get(link).await?.html;
            let page = browser.say(link, "the rehearsal", "the world file says so", "acknowledge").await?;
            if page.shows("looks after it") {
                said.push(id.to_owned());
            }
            self.seen.push(Answered { link: link.to_owned(), asked, answered: Some(page.html) });
        }
        Ok(said)
    }

    /// Whether a call is still to come, to be answered before the rehearsal ends.
    pub fn waits(&mut self) -> bool {
        let is_due = self.response != Response::Silence && self.known.is_empty();
        is_due && Instant::now() < *self.patient_until.get_or_insert_with(|| Instant::now() + PATIENCE)
    }

    /// The pages that were looked at so far.
    pub fn pages(self) -> Vec<Answered> {
        self.seen
    }
}

/// The incident that a mail calls somebody for, and the link of its page.
fn called(mail: &Value) -> Option<(&str, &str)> {
    let (id, _) = mail["subject"].as_str()?.strip_prefix(BEGINNING)?.split_once(':')?;
    Some((id, link_in(mail["text"].as_str()?)?))
}
