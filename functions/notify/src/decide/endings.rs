//! How a run ended, and what comes after it: what is told of what is left, of trouble until cleanup, and of cleanup. Pure.

use super::*;

pub(super) fn finished(told: &Told) -> Screen {
    let name = told::application(told.application);
    let cleanup = told.detail["cleanup_after_seconds"].as_u64();
    let until = cleanup.map_or_else(|| "Until cleanup".to_owned(), |s| format!("Until its cleanup, in {}", Seconds(s)));
    Screen {
        top: format!("The cutover of {name} has finished: all traffic is on the new side.\n"),
        lists: vec![(
            "The old side, before".to_owned(),
            told::texts(&told.detail["baseline"]).into_iter().map(Item::from).collect(),
        )],
        bottom: gesture(&format!("{until}, this rolls it back:"), &told.machines.roll_back(told.application)),
        ..Screen::default()
    }
}

pub(super) fn rolled_back(told: &Told) -> Screen {
    let name = told::application(told.application);
    let why =
        told::reason(&told.detail["why"]).unwrap_or_else(|| "it was stopped, or a person asked for it".to_owned());
    Screen {
        top: format!("The cutover of {name} was rolled back: every route is exactly as it was before.\nWhy: {why}\n"),
        ..Screen::default()
    }
}

pub(super) fn stuck(told: &Told) -> Screen {
    let name = told::application(told.application);
    let all = told::items(&told.detail["routes"]).len();
    let left = told::left(told.detail);
    let top = format!(
        "The cutover of {name} is stuck: its rollback could not put back {} of {all} things. It has stopped, and keeps\n\
         its locks. Somebody must finish it by hand, now.\n{}",
        left.len(),
        why(told, "why", "It was rolled back because of: "),
    );
    let first = told::first(told.detail, told.run_id);
    let next = if first.is_empty() { "First" } else { "Then" };
    let again =
        format!("{next} put right what is left, by the commands below, and let rollback see that, and end the run:");
    let first: String = first.iter().map(|line| format!("\n{line}")).collect();
    let leave = format!("Or leave everything as it is now, and end the run ({FILL_IN}):");
    let bottom = first + &gesture(&again, &told.machines.roll_back(told.application));
    let rest = vec![gesture(&leave, &told.machines.release(told.application))];
    Screen { top, lists: vec![("Left".to_owned(), left)], bottom, rest, ..Screen::default() }
}

pub(super) fn held(told: &Told) -> Screen {
    let name = told::application(told.application);
    let hold = told::reason(&told.detail["hold"]).unwrap_or_else(|| "to send traffic back could do harm".to_owned());
    let top = format!(
        "The rollback of the cutover of {name} is held: {hold}.\n\
         Nothing was put back, since that could do harm, and its locks are kept. A person must decide, now.\n{}",
        why(told, "why", "It was to be rolled back because of: "),
    );
    let leave = format!("To leave everything as it is now, and end the run ({FILL_IN}):");
    let bottom = gesture(
        &format!("To roll it back all the same ({FILL_IN}; once the reason is gone, without \"force\"):"),
        &told.machines.force(told.application),
    );
    let rest = vec![gesture(&leave, &told.machines.release(told.application))];
    Screen { top, lists: vec![("Not put back".to_owned(), told::left(told.detail))], bottom, rest, ..Screen::default() }
}

pub(super) fn unfinished(told: &Told) -> Screen {
    let name = told::application(told.application);
    let next = if told.detail["is_tried_again"] == true {
        "It is started again by itself, a number of times; until then, and if that does not help, this is how things are."
    } else {
        "It is not started again by itself. This is how things are."
    };
    let top =
        format!("The rollback of the cutover of {name} cannot go on.\n{}{next}\n", why(told, "why", "The reason: "));
    let bottom = gesture("Once the reason is gone, this starts it again:", &told.machines.roll_back(told.application));
    let lists = vec![("Not seen to be as before".to_owned(), told::left(told.detail))];
    Screen { top, lists, bottom, ..Screen::default() }
}

pub(super) fn changed(told: &Told) -> Screen {
    let name = told::application(told.application);
    let change = |route: &Value| {
        let [live, left] = ["live", "left"].map(|field| told::reason(&route[field]).unwrap_or_default());
        Item { title: told::title(route), more: format!("\n  it is now: {live}\n  the cutover left: {left}") }
    };
    Screen {
        top: format!(
            "Somebody, or something, changed what directs the traffic of {name} after its cutover had finished.\n\
             Nothing was put back. If it is not meant, put it right.\n"
        ),
        lists: vec![("Changed".to_owned(), told::items(&told.detail["routes"]).iter().map(change).collect())],
        bottom: gesture(
            "Until cleanup, this rolls the whole cutover back, but for what was changed:",
            &told.machines.roll_back(told.application),
        ),
        ..Screen::default()
    }
}

pub(super) fn trouble(told: &Told) -> Screen {
    let name = told::application(told.application);
    let top = format!(
        "All traffic of {name} is on the new side, which is in trouble, or shows no data. Nothing was put back.\n\
         The old side is still there. You will hear of this once, until nothing is wrong any more.\n{}",
        why(told, "why", "What failed: "),
    );
    let bottom = gesture("Until cleanup, this rolls the cutover back:", &told.machines.roll_back(told.application));
    Screen { top, bottom, ..Screen::default() }
}

pub(super) fn closed(told: &Told) -> Screen {
    if is_released(told) {
        return released(told);
    }
    let name = told::application(told.application);
    let top = format!("The cutover of {name} is closed. It can no longer be rolled back.\n");
    let kept = if told::to_delete(told.detail).is_empty() { "Kept, and why" } else { KEPT };
    let lists = [("Removed", "removed"), (kept, "kept")];
    let lists = lists.map(|(heading, what)| (heading.to_owned(), told::removals(told.detail, what)));
    Screen { top, lists: lists.into(), ..Screen::default() }
}

/// Where commands stand below.
pub(super) const KEPT: &str = "Kept, and why; the commands that delete it are below";

pub(super) fn is_released(told: &Told) -> bool {
    told.detail["released"] == true
}

pub(super) fn released(told: &Told) -> Screen {
    let name = told::application(told.application);
    let by = why(told, "by", "By: ");
    let top =
        format!("The cutover of {name} was released: everything stays as it is now, and its locks are gone.\n{by}");
    let heading = "Not put back by the rollback, as it was told then; Cutover has not looked again";
    Screen { top, lists: vec![(heading.to_owned(), told::left(told.detail))], ..Screen::default() }
}
