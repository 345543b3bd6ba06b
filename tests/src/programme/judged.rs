//! What `cargo rehearse PORTFOLIO --check --json` answers: one of three. Pure.

use cutover::finding::Finding;
use serde::Serialize;
use wave_plan::{Programme, Refusal};

/// What became of a portfolio; two of the three are null.
#[derive(Debug, Serialize)]
pub struct Judged<'a> {
    /// What is wrong with it.
    findings: Option<&'a [Finding]>,
    /// Why there is no programme, though nothing is wrong with it.
    refusal: Option<&'a Refusal>,
    programme: Option<&'a Programme>,
}

impl<'a> Judged<'a> {
    /// Of what was read and planned.
    pub fn of(planned: &'a Result<Result<Programme, Refusal>, Vec<Finding>>) -> Self {
        Self {
            findings: planned.as_ref().err().map(Vec::as_slice),
            refusal: planned.as_ref().ok().and_then(|planned| planned.as_ref().err()),
            programme: planned.as_ref().ok().and_then(|planned| planned.as_ref().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wave_plan::{Portfolio, Request, plan};

    use super::*;

    fn judged(value: &Value) -> Value {
        let planned = Portfolio::read(value).map(|portfolio| plan(&portfolio, &Request::default(), &mut || false));
        json!(Judged::of(&planned))
    }

    #[test]
    fn a_portfolio_that_cannot_be_planned_is_told_with_why() {
        let mut value = json!({ "name": "one",
            "calendar": { "start": "2026-03-02", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "8h" }] },
            "applications": [{ "name": "a", "strategy": "rehost", "owner": "o", "cutover_plan": "plans/a.json" }] });
        let told = judged(&value);
        assert_eq!(
            (&told["findings"], &told["refusal"], &told["programme"]["end"]),
            (&Value::Null, &Value::Null, &json!("2026-03-07"))
        );
        value["applications"][0]["cutover"] = "7h".into();
        let told = judged(&value);
        assert_eq!((&told["findings"], &told["programme"]), (&Value::Null, &Value::Null));
        assert_eq!(told["refusal"]["why"], "infeasible");
        assert_eq!(told["refusal"]["conflicts"][0]["paths"], json!(["$.calendar.windows"]));
        value["applications"][0]["strategy"] = "rehosting".into();
        let told = judged(&value);
        assert_eq!((&told["refusal"], &told["programme"]), (&Value::Null, &Value::Null));
        assert_eq!(told["findings"][0]["path"], "$.applications[0].strategy");
    }
}
