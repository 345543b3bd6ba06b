//! Portfolios from spreadsheets, and into them.

use serde_json::{Value, json};
use wave_plan::{Portfolio, sheet};

use crate::{exercise, four, read_event};

#[test]
fn what_is_written_into_sheets_is_read_from_them() {
    let portfolio = exercise();
    let (applications, dependencies) = sheet::write(&portfolio).unwrap();
    let value = sheet::read(&read_event("portfolio.json"), &applications, &dependencies).unwrap();
    let mut again = Portfolio::read(&value).unwrap();
    // The sheets have no place for these.
    for (one, other) in again.applications.iter_mut().zip(&portfolio.applications) {
        one.tasks.iter_mut().zip(&other.tasks).for_each(|(one, other)| one.owner.clone_from(&other.owner));
        for (one, other) in [(&mut one.forbidden, &other.forbidden), (&mut one.preferred, &other.preferred)] {
            one.iter_mut().zip(other).for_each(|(one, other)| one.why.clone_from(&other.why));
        }
    }
    assert_eq!(again, portfolio);
}

#[test]
fn every_wrong_cell_is_named_with_its_line() {
    let applications = "name,strategy,ownr,pilot,effort,preparation_weeks\na,rehost,x,maybe,platform 2,two\n";
    let findings = sheet::read(&four(), applications, "first,then,kind\n").unwrap_err();
    let told: Vec<String> = findings.iter().map(|one| format!("{} {}: {}", one.path, one.problem, one.fix)).collect();
    for part in [
        "applications.csv has a column \"ownr\", which is none: rename it to `owner`",
        "applications.csv.line[2].pilot is \"maybe\": write yes or no",
        "applications.csv.line[2].effort is \"platform 2\": write teams with their person-days",
        "applications.csv.line[2].preparation_weeks is \"two\": write a whole number",
    ] {
        assert!(told.iter().any(|line| line.starts_with(part)), "{part}\nis not in\n{}", told.join("\n"));
    }
}

#[test]
fn a_sheet_of_another_separator_or_encoding_is_told_to_be_one() {
    let told = |sheet: &str| -> Vec<String> {
        let findings = sheet::read(&four(), sheet, "first,then,kind\n").unwrap_err();
        findings.iter().map(|one| format!("{} {}", one.path, one.problem)).collect()
    };
    assert_eq!(told("name;strategy;owner\na;retire;x\n"), ["applications.csv has semicolons between its cells"]);
    assert_eq!(told("name\tstrategy\na\tretire\n"), ["applications.csv has tabs between its cells"]);
    let text = |content: &[u8]| sheet::text("applications.csv", content.to_vec()).map_err(|finding| finding.problem);
    assert_eq!(text(b"\xff\xfen\0a\0"), Err("is saved in UTF-16".to_owned()));
    assert_eq!(text(b"name\nM\xfcller\n"), Err("is not saved in UTF-8".to_owned()));
    assert_eq!(text("name\nM\u{fc}ller\n".as_bytes()), Ok("name\nM\u{fc}ller\n".to_owned()));
}

#[test]
fn a_misspelt_strategy_is_one_error() {
    let applications = "name,strategy,owner,tasks\na,retier,x,tell the users\n";
    let value = sheet::read(&four(), applications, "first,then,kind\n").unwrap();
    let findings = Portfolio::read(&value).unwrap_err();
    let paths: Vec<&str> = findings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["$.applications[0].strategy"]);
    let without = sheet::read(&four(), "name,strategy,owner\na,rehots,x\n", "first,then,kind\n").unwrap();
    assert_eq!(Portfolio::read(&without).unwrap_err().len(), 1);
}

#[test]
fn what_spreadsheets_add_is_passed_over() {
    let applications =
        "\u{feff}name, strategy ,owner,tasks\r\n a ,retire,\"Smith, J.\",tell the users; after: switch it off\r\n";
    let value = sheet::read(&four(), applications, "first,then,kind\r\n").unwrap();
    let wanted = json!([{ "name": "a", "strategy": "retire", "owner": "Smith, J.",
        "tasks": [{ "what": "tell the users" }, { "what": "switch it off", "when": "after" }] }]);
    assert_eq!((&value["applications"], &value["dependencies"]), (&wanted, &Value::Array(vec![])));
    assert!(Portfolio::read(&value).is_ok());
}
