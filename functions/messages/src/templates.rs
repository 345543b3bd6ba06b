//! The templates: built-in ones, and those of a team in their place. One that fails, or makes too much, is left aside for the
//! built-in one, and that is told.
//!
//! Words are a text template a moment (`<moment>.txt`): its first line is the headline, what is parted by empty lines are
//! paragraphs. `layout.html` and `layout.txt` give all messages their form. A name that nothing fills is an error, and a template that
//! runs for too long is stopped.

use std::collections::BTreeMap;

use cutover::plan::Moment;
use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// About ten times what the longest built-in one takes.
const FUEL: u64 = 50_000;
/// A mail has 60 KiB at the most: Gmail cuts HTML at about 102 KB, and quoting makes it longer.
pub(crate) const MOST_BYTES: usize = 40 * 1024;
const MOST_PROBLEM_BYTES: usize = 200;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../templates/", $name)))),*];
    };
}

built_in!(
    "approval_wanted.txt",
    "not_started.txt",
    "started.txt",
    "step_reached.txt",
    "verifying.txt",
    "holding.txt",
    "too_little_data.txt",
    "succeeded.txt",
    "rolled_back.txt",
    "stuck.txt",
    "trouble.txt",
    "cleanup_done.txt",
    "incident.txt",
    "wave.txt",
    "wave_progress.txt",
    "timeline.txt",
    "digest.txt",
    "layout.html",
    "layout.txt",
);

/// How a team's messages look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// Who writes: above each mail.
    pub name: String,
    /// `#rrggbb`, of the line above.
    pub colour: String,
    /// Below each mail: whom to ask.
    pub footer: String,
}

impl Default for Branding {
    fn default() -> Self {
        Self { name: "Cutover".to_owned(), colour: "#1f4e79".to_owned(), footer: String::new() }
    }
}

impl Branding {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let digits = self.colour.strip_prefix('#').unwrap_or_default();
        let is_colour = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (!is_colour).then(|| format!("branding.colour `{}` is no colour: write #rrggbb, such as #1f4e79", self.colour))
    }
}

/// The words of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub headline: String,
    /// What follows.
    pub paragraphs: Vec<String>,
}

/// Built-in templates and a team's own.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    own: BTreeMap<String, String>,
    branding: Branding,
}

impl Templates {
    /// `own`: sources by name, in place of built-in ones of the same name.
    pub fn new(own: BTreeMap<String, String>, branding: Branding) -> Self {
        Self { own, branding }
    }

    /// The names that a team may override.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The words of a moment, and why a team's template was not used, if so.
    pub fn words(&self, moment: Moment, context: &Value) -> (Words, Option<String>) {
        let name = format!("{}.txt", moment.name());
        self.render(
            &name,
            context,
            |text| words(&text).ok_or_else(|| "it has no headline".to_owned()),
            || Words {
                headline: format!(
                    "Cutover of {}: {}",
                    context["application"].as_str().unwrap_or_default(),
                    moment.name()
                ),
                paragraphs: Vec::new(),
            },
        )
    }

    /// A whole message by one of the two layouts, and why a team's was not used, if so.
    pub(crate) fn layout(&self, name: &str, content: &Value) -> (String, Option<String>) {
        let mut context = content.clone();
        context["branding"] = serde_json::to_value(&self.branding).unwrap_or_default();
        let (made, failed) = self.render(name, &context, Ok, String::new);
        let Some(why) = &failed else { return (made, failed) };
        if let Some(notes) = context["notes"].as_array_mut() {
            notes.push(format!("A layout of your own could not be used, and this is the built-in one: {why}").into());
        }
        let built_in = Self { own: BTreeMap::new(), branding: self.branding.clone() };
        (built_in.render(name, &context, Ok, String::new).0, failed)
    }

    fn render<T>(
        &self,
        name: &str,
        context: &Value,
        read: impl Fn(String) -> Result<T, String>,
        last_resort: impl Fn() -> T,
    ) -> (T, Option<String>) {
        let tried = self.own.get(name).map(|source| rendered(name, source, context).and_then(&read));
        let failed = match tried {
            Some(Ok(made)) => return (made, None),
            Some(Err(why)) => Some(cutover::text::quoted(&format!("{name}: {why}"), MOST_PROBLEM_BYTES)),
            None => None,
        };
        let source = BUILT_IN.iter().find(|(built_in, _)| *built_in == name).map_or("", |(_, source)| *source);
        (rendered(name, source, context).and_then(read).unwrap_or_else(|_| last_resort()), failed)
    }
}

fn rendered(name: &str, source: &str, context: &Value) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    // A name that ends in .html is escaped as HTML: minijinja's default.
    // Whoever writes on Windows means the same lines.
    let source = source.replace("\r\n", "\n");
    let text = environment.render_named_str(name, &source, context).map_err(|error| format!("{error:#}"))?;
    if text.len() > MOST_BYTES {
        return Err(format!("it makes {} bytes, more than {MOST_BYTES}", text.len()));
    }
    Ok(text)
}

fn words(text: &str) -> Option<Words> {
    let mut lines = text.trim().split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let headline = lines.next().filter(|headline| !headline.is_empty())?;
    Some(Words { headline, paragraphs: lines.filter(|line| !line.is_empty()).collect() })
}
