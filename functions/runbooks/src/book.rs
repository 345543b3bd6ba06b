//! What a runbook consists of. It is JSON as well.

use serde::Serialize;

/// What people do for one application, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Runbook {
    /// The application's name.
    pub application: String,
    /// Such as `rehost`.
    pub strategy: String,
    /// The programme's name.
    pub programme: String,
    /// When it moves, or is done.
    pub date: String,
    /// Fact and value, in the order in which they are read.
    pub facts: Vec<(String, String)>,
    /// Who answers for what.
    pub contacts: Vec<Contact>,
    /// What is done, part by part.
    pub parts: Vec<Part>,
}

/// A person or a group, and what they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Who.
    pub who: String,
    /// For what.
    pub what: String,
}

/// A part of it: what comes before, the cutover itself, the way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its heading.
    pub title: String,
    /// What it is for, in a sentence.
    pub about: String,
    /// Whether people tick its steps off: otherwise it is read.
    pub is_checklist: bool,
    /// In order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done, or happens.
    pub what: String,
    /// Who does it; none for what the run does by itself.
    pub owner: Option<String>,
    /// Until when.
    pub due: Option<String>,
    /// What to see before going on.
    pub check: Option<String>,
    /// What is pasted.
    pub command: Option<String>,
}

impl Step {
    /// Something that happens, or is read.
    pub fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// By this person.
    pub fn by(self, owner: &str) -> Self {
        Self { owner: Some(owner.to_owned()), ..self }
    }

    /// Until this date.
    pub fn until(self, due: &str) -> Self {
        Self { due: Some(due.to_owned()).filter(|due| !due.is_empty()), ..self }
    }

    /// With something to see before going on.
    pub fn checked(self, check: impl Into<String>) -> Self {
        Self { check: Some(check.into()), ..self }
    }

    /// With a command.
    pub fn with(self, command: impl Into<String>) -> Self {
        Self { command: Some(command.into()), ..self }
    }
}

impl Part {
    /// A checklist.
    pub fn checklist(title: &str, about: &str, steps: Vec<Step>) -> Self {
        Self { title: title.to_owned(), about: about.to_owned(), is_checklist: true, steps }
    }

    /// Something to read.
    pub fn to_read(title: &str, about: &str, steps: Vec<Step>) -> Self {
        Self { title: title.to_owned(), about: about.to_owned(), is_checklist: false, steps }
    }
}
