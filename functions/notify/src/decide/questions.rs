//! What asks somebody: an approval, a load test that needs a yes, a step that is held; and how it is answered. Pure.

use super::*;

/// For how long silence may last, in words that follow it.
pub(super) fn within(told: &Told) -> String {
    told.detail["within_seconds"].as_u64().map_or_else(String::new, |s| format!(" for {}", Seconds(s)))
}

/// What answers: the page where there is one, and then the commands below what fits on a screen; otherwise these.
pub(super) fn answers(told: &Told) -> String {
    match told.link {
        Some(link) => format!("\n{}:\n  {link}\n", links::asking::BY_PAGE),
        None => told.task_token.map_or_else(String::new, |_| "\n".to_owned() + &commands_alone(told)),
    }
}

pub(super) fn commands(told: &Told) -> String {
    let commands = commands_alone(told);
    if commands.is_empty() { commands } else { format!("{BY_COMMANDS}{commands}") }
}

pub(super) fn commands_alone(told: &Told) -> String {
    let Some(token) = told.task_token else { return String::new() };
    match told.event {
        Event::Approval => {
            gestures::approval(told.run_id, token, told.detail[changes::DIGEST].as_str().unwrap_or_default())
        }
        Event::LoadTest => gestures::answers(told.run_id, token),
        Event::Holding => gestures::decision(told.run_id, token),
        _ => String::new(),
    }
}

pub(super) fn load_test(told: &Told) -> Screen {
    let (name, within) = (told::application(told.application), within(told));
    let seen = why(told, "why", "It saw: ");
    Screen {
        top: format!(
            "The cutover of {name} waits for a yes or a no, as its load test did not pass. No traffic has moved.\n\
             {seen}A no, or silence{within}, rolls it back.\n"
        ),
        bottom: answers(told),
        ..Screen::default()
    }
}

pub(super) fn approval(told: &Told) -> Screen {
    let within = within(told);
    let name = told::application(told.application);
    Screen {
        top: format!("The cutover of {name} waits for a yes or a no. Nothing was touched. Silence{within} is a no.\n"),
        lists: vec![
            ("It would change".to_owned(), told::changes(told.detail)),
            ("Precheck found".to_owned(), told::findings(told.detail)),
        ],
        bottom: answers(told),
        ..Screen::default()
    }
}

pub(super) fn holding(told: &Told) -> Screen {
    let name = told::application(told.application);
    let Told { detail, .. } = told;
    let weight =
        detail["new_weight"].as_u64().map_or_else(String::new, |weight| format!(", with {weight} % on the new side"));
    let within = detail["within_seconds"].as_u64().map_or_else(String::new, |s| format!(" within {}", Seconds(s)));
    let (what, seen) = if is_inconclusive(told) {
        ("there is too little data to go on by", "What is missing: ")
    } else {
        ("a check failed", "What failed: ")
    };
    let top = format!(
        "The cutover of {name} holds its step{weight}: {what}, and somebody has to decide now whether\n\
         it goes on or back. Traffic stays as it is. Without an answer{within} it rolls back.\n{}{}",
        why(told, "why", seen),
        what_a_yes_does(detail),
    );
    Screen { top, bottom: answers(told), ..Screen::default() }
}

/// A yes is no promise to be left alone: what it begins, and how often it is asked.
pub(super) fn what_a_yes_does(detail: &Value) -> String {
    let counted = detail["asked"].as_u64().map_or_else(String::new, |asked| {
        let of = cutover::schedule::MOST_DECISIONS;
        let last = if asked >= of { " It is the last: what fails after it rolls back unasked." } else { "" };
        format!("This is question {asked} of {of} at the most.{last}\n")
    });
    let yes = match detail["ends_step"].as_bool() {
        Some(true) => "To go on ends this step with what is known of it, and takes the next.\n",
        Some(false) => "To go on begins the hold and its tests again; if a check then fails, you are asked again.\n",
        None => "",
    };
    format!("{yes}{counted}")
}
