//! Why there is no programme, as Markdown.

use std::fmt::Write;

use super::markdown::plain;
use crate::plan::Refusal;

/// Each contradiction, in plain words.
pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound { schedules, decisions } => format!(
            "# No programme was found\n\n{schedules} schedules and {decisions} decisions found none, and did not prove that there is none. Give the planner more \
             effort, or a later end.\n"
        ),
        Refusal::Infeasible { conflicts } => {
            let mut text = "# There is no such programme\n".to_owned();
            for conflict in conflicts {
                let heading = match conflict.cycle[..] {
                    [] if conflict.constraints.is_empty() => {
                        "\nNot even without all that could be left out: look at the calendar.\n".to_owned()
                    }
                    [] if conflict.constraints.len() == 1 => {
                        "\nThis cannot be kept, whatever else is left out:\n".to_owned()
                    }
                    [] => "\nThese contradict each other. Take any one of them away, and the others can be kept:\n"
                        .to_owned(),
                    _ => format!(
                        "\nA circle: {}. Take any one away:\n",
                        conflict.cycle.iter().map(|name| plain(name)).collect::<Vec<_>>().join(" → ")
                    ),
                };
                let _ = writeln!(text, "{heading}");
                for (words, path) in conflict.constraints.iter().zip(&conflict.paths) {
                    let _ = writeln!(text, "- {} (`{path}`)", plain(words));
                }
                // In a circle, no time is long enough.
                for (place, words) in conflict.given.iter().enumerate().filter(|_| conflict.cycle.is_empty()) {
                    let heading = if place == 0 { "\nWhat is so meanwhile:\n\n" } else { "" };
                    let _ = writeln!(text, "{heading}- {}", plain(words));
                }
                if !conflict.is_minimal {
                    text.push_str("\nNot every one of them is proved to be needed for it.\n");
                }
            }
            text
        }
    }
}
