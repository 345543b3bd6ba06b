//! The page of the proofs.
//!
//! Contract: pure.

use maud::{Markup, html};

use super::proof::{Proof, Proofs, time};
use crate::outcome::Ending;
use crate::report::html::{Origin, document};

/// The page, in one file: whether the run itself is well, and of each gate what was done to the new side, and what came of it.
pub fn page(application: &str, proofs: &Proofs, origin: &Origin) -> String {
    let class = match (&proofs.without_trouble, proofs.exit_code) {
        (Ending::Succeeded, 0) => "banner good",
        (Ending::Succeeded, _) => "banner note",
        _ => "banner bad",
    };
    let body = html! {
        div class=(class) {
            strong { (proofs.count()) }
            @for line in proofs.good_run() { br; (line) }
        }
        h2 { "Each gate, made to fail once" }
        p { (proofs.caveat()) }
        @for proof in &proofs.gates { (one(proof)) }
    };
    document(&format!("Gates of {application}, proved"), origin, &body)
}

fn one(proof: &Proof) -> Markup {
    let (class, verdict) = match (&proof.ill, proof.is_caught) {
        (None, _) => ("note", "not tried"),
        (_, true) => ("good", "caught"),
        (_, false) => ("bad", "caught nothing"),
    };
    let row = |name: &str, value: &str| html! { tr { th scope="row" { (name) } td { (value) } } };
    html! {
        h3 { span class=(class) { (verdict) } ": " (proof.gate) " " code { (proof.path) } }
        div.scroll { table {
            @match &proof.ill {
                None => { (row("new side", "nobody knows here how to make it fail")) }
                Some(ill) => {
                    (row("new side", &ill.describe()))
                    (row("ended", &format!("{} by {}", proof.ending.as_ref().map_or("-", Ending::name),
                        proof.state.as_deref().unwrap_or("no state"))))
                    (row("because", proof.cause.as_deref().unwrap_or("all went well")))
                    (row("seen after", &format!("{}, over after {}", time(proof.caught_after_seconds), time(proof.ended_after_seconds))))
                    (row("failed requests", &proof.failures.to_string()))
                    (row("seen also by", &if proof.others.is_empty() { "no other gate".to_owned() } else { proof.others.join(", ") }))
                }
            }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Ill;
    use super::*;

    #[test]
    fn each_gate_is_told_with_its_verdict() {
        let proof = |gate: &str, ill: Option<Ill>, is_caught: bool| Proof {
            path: "$.monitoring.metrics[0]".to_owned(),
            gate: gate.to_owned(),
            ill,
            ending: Some(Ending::RolledBack),
            state: Some("Monitor".to_owned()),
            cause: Some("5xx <rate>".to_owned()),
            is_caught,
            others: Vec::new(),
            caught_after_seconds: Some(364.0),
            ended_after_seconds: Some(700.0),
            failures: 3,
        };
        let gates = vec![
            proof("one", Some(Ill::Alarm), true),
            proof("two", Some(Ill::Targets), false),
            proof("three", None, false),
        ];
        let proofs = Proofs {
            without_trouble: Ending::Succeeded,
            why: Vec::new(),
            turned_back_by: Vec::new(),
            speed: 600.0,
            gates,
            exit_code: super::super::CAUGHT_NOTHING,
        };
        let page = page("shop", &proofs, &Origin::default());
        for part in [
            "banner note",
            "1 of 2 gates caught",
            ">caught</span>: one",
            ">caught nothing</span>: two",
            ">not tried</span>: three",
            "5xx &lt;rate&gt;",
            "6m 4s, over after 11m 40s",
        ] {
            assert!(page.contains(part), "no {part}: {page}");
        }
    }
}
