//! Portfolios from spreadsheets, and into them.

use serde_json::{Value, json};
use wave_plan::{Portfolio, sheet};

use crate::{exercise, four, read_event};

#[test]
fn what_is_written_into_sheets_is_read_from_them() {
    let portfolio = exercise();
    let (applications, dependencies) = sheet::write(&portfolio).unwrap();
    let (value, again, _) = sheet::portfolio(&read_event("portfolio.json"), &applications, &dependencies).unwrap();
    assert_eq!(again, portfolio, "nothing is lost");
    assert_eq!(Portfolio::read(&value), Ok(portfolio));
}

#[test]
fn what_means_something_in_a_cell_is_read_as_it_was_written() {
    let mut value = four();
    value["applications"][0]["owner"] = "=HYPERLINK(1)".into();
    value["applications"][1]["owner"] = "''quoted".into();
    value["applications"][0]["tasks"] = json!([{ "what": "tell 3; then 4", "owner": "Ada (Ops)" },
        { "what": "after: party" }, { "what": "write (by mail)", "when": "after" }, { "what": "=cmd" }]);
    value["applications"][1]["tasks"] = json!([{ "what": "'so'" }, { "what": "\"so\"", "owner": "A; B" }]);
    value["applications"][2]["tasks"] = json!([{ "what": "=1+1", "owner": "Ada" }]);
    value["applications"][2]["forbidden"] =
        json!([{ "from": "2026-03-01", "to": "2026-03-03", "why": "audit; and (more)" }]);
    let portfolio = Portfolio::read(&value).unwrap();
    let (applications, dependencies) = sheet::write(&portfolio).unwrap();
    let (_, again, _) =
        sheet::portfolio(&four(), &applications, &dependencies).unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!(again, portfolio);
    assert!(!applications.contains(",=") && !applications.contains("\n="), "{applications}");
}

#[test]
fn a_column_that_is_there_twice_is_refused() {
    let applications = "name,name,strategy,owner,cutover_plan\na,b,rehost,o,p.json\n";
    let findings = sheet::read(&four(), applications, "first,then,kind\n").unwrap_err();
    let told: Vec<String> = findings.iter().map(|one| format!("{} {}", one.path, one.problem)).collect();
    assert_eq!(told, ["applications.csv has the column `name` twice"]);
}

#[test]
fn lines_of_nothing_but_commas_are_passed_over() {
    let applications = "name,strategy,owner,cutover_plan\n,,,\na,rehost,o,p.json\n,,,\n\n";
    let (value, ..) = sheet::portfolio(&four(), applications, "first,then,kind\n,,\n").unwrap();
    assert_eq!((value["applications"].as_array().unwrap().len(), &value["dependencies"]), (1, &json!([])));
}

/// Also what is found only when the whole portfolio is looked at, lines that are passed over being counted.
#[test]
fn every_error_has_its_sheet_line_and_column() {
    let applications = "name,strategy,owner,cutover_plan,not_before,effort,preferred\na,rehost,o,p.json,07.03.2026,,\n,,,,,,\n\
        b,rehost,o,p.json,3/7/2026,t:1,2026-03-09..2026-03-01\na,rehost,o,p.json,2026-02-30,,\n";
    let dependencies = "first,then,kind\na,b,before\na,c,before\na,b,before\n";
    let findings = sheet::portfolio(&four(), applications, dependencies).unwrap_err();
    let told: Vec<String> = findings.iter().map(|one| format!("{} {}", one.path, one.problem)).collect();
    for part in [
        "applications.csv.line[2].not_before is",
        "applications.csv.line[4].not_before is",
        "dependencies.csv.line[3].then c is no",
    ] {
        assert!(told.iter().any(|line| line.starts_with(part)), "{part}\nis not in\n{}", told.join("\n"));
    }
    assert!(told.iter().all(|line| !line.contains("$.applications") && !line.contains("$.dependencies")), "{told:#?}");
    let dates = applications.replace("07.03.2026", "2026-03-07").replace("3/7/2026", "");
    let findings = sheet::portfolio(&four(), &dates, dependencies).unwrap_err();
    let told: Vec<String> = findings.iter().map(|one| format!("{} {}", one.path, one.problem)).collect();
    for part in [
        "applications.csv.line[4].effort t is no team",
        "applications.csv.line[4].preferred is 2026-03-01, before",
        "applications.csv.line[5].name a is also applications.csv.line[2].name",
        "applications.csv.line[5].not_before is \"2026-02-30\"",
        "dependencies.csv.line[4] is the same as dependencies.csv.line[2]",
    ] {
        assert!(told.iter().any(|line| line.starts_with(part)), "{part}\nis not in\n{}", told.join("\n"));
    }
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
    let (value, _) = sheet::read(&four(), applications, "first,then,kind\n").unwrap();
    let findings = Portfolio::read(&value).unwrap_err();
    let paths: Vec<&str> = findings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["$.applications[0].strategy"]);
    let (without, _) = sheet::read(&four(), "name,strategy,owner\na,rehots,x\n", "first,then,kind\n").unwrap();
    assert_eq!(Portfolio::read(&without).unwrap_err().len(), 1);
}

#[test]
fn what_spreadsheets_add_is_passed_over() {
    let applications =
        "\u{feff}name, strategy ,owner,tasks\r\n a ,retire,\"Smith, J.\",tell the users; after: switch it off\r\n";
    let (value, _) = sheet::read(&four(), applications, "first,then,kind\r\n").unwrap();
    let wanted = json!([{ "name": "a", "strategy": "retire", "owner": "Smith, J.",
        "tasks": [{ "what": "tell the users" }, { "what": "switch it off", "when": "after" }] }]);
    assert_eq!((&value["applications"], &value["dependencies"]), (&wanted, &Value::Array(vec![])));
    assert!(Portfolio::read(&value).is_ok());
}
