//! Names and forms agree: in the definitions, the code, the inputs to start from, and the documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Test, synchronous};
use crate::support::{definition, definition_text, task_states};
use anyhow::{Context, Result, ensure};
use cutover::Plan;
use cutover_tests::setup::Checkout;
use schemars::Schema;
use serde_json::{Value, json};

const MACHINES: [&str; 8] = ["cutover", "rollback", "cleanup", "start", "incident", "program", "timeline", "wave"];

fn path(relative: &str) -> PathBuf {
    Checkout::of_this_build().root.join(relative)
}

fn read(relative: &str) -> Result<String> {
    fs::read_to_string(path(relative)).with_context(|| format!("cannot read {relative}"))
}

/// Every word of a text that starts with a prefix.
fn words<'a>(text: &'a str, prefix: &'a str) -> BTreeSet<&'a str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with(prefix) && word.len() > prefix.len())
        .map(|word| word.trim_end_matches('.'))
        .collect()
}

/// Every state of a definition, those inside of Maps too.
fn states(definition: &Value) -> Vec<(String, Value)> {
    let own = definition["States"].as_object().into_iter().flatten();
    own.flat_map(|(name, state)| {
        let inner = if state["Type"] == "Map" { states(&state["ItemProcessor"]) } else { vec![] };
        std::iter::once((name.clone(), state.clone())).chain(inner)
    })
    .collect()
}

fn error_names_in_the_definitions_exist_in_the_code_and_back() -> Result<()> {
    let known: BTreeSet<&str> = cutover::error::name::ALL.into_iter().collect();
    let texts: String = MACHINES.iter().map(|machine| definition_text(machine)).collect::<Result<_>>()?;
    let used = words(&texts, "Cutover.");
    let unknown: Vec<_> = used.difference(&known).collect();
    ensure!(unknown.is_empty(), "the definitions match names that no function says: {unknown:?}");
    let documented = read("statemachine/README.md")?;
    let undocumented: Vec<_> = known.iter().filter(|name| !documented.contains(**name)).collect();
    ensure!(undocumented.is_empty(), "statemachine/README.md does not tell of {undocumented:?}");
    let invented: Vec<_> = words(&documented, "Cutover.").difference(&known).copied().collect();
    ensure!(invented.is_empty(), "statemachine/README.md tells of {invented:?}, which nothing says");
    Ok(())
}

fn every_state_says_what_it_is_for_and_stands_in_the_document() -> Result<()> {
    let document = read("statemachine/README.md")?;
    for machine in MACHINES {
        for (name, state) in states(&definition(machine)?) {
            ensure!(
                state["Comment"].as_str().is_some_and(|comment| comment.len() > 10),
                "{machine}: {name} has no Comment"
            );
            ensure!(
                document.contains(&format!("| {name} |")),
                "statemachine/README.md has no row for {machine}'s {name}"
            );
        }
    }
    Ok(())
}

fn every_task_has_a_time_out_and_retries_what_passes() -> Result<()> {
    for machine in MACHINES {
        let definition = definition(machine)?;
        let tasks: BTreeSet<String> = task_states(&definition).into_iter().map(|(task, _)| task).collect();
        for (name, state) in states(&definition).into_iter().filter(|(name, _)| tasks.contains(name)) {
            ensure!(!state["TimeoutSeconds"].is_null(), "{machine}: {name} has no TimeoutSeconds");
            ensure!(
                state["Retry"].as_array().is_some_and(|retries| !retries.is_empty()),
                "{machine}: {name} has no Retry"
            );
        }
    }
    Ok(())
}

/// The machine's time-out is the last resort: whatever a plan may ask for is over before it.
fn the_machine_outlives_the_longest_plan() -> Result<()> {
    let days = |days: u64| days * 24 * 3600;
    let mut plan: Value = serde_json::from_str(&read("events/cutover.json")?)?;
    plan["timeout"] = json!(format!("{}s", days(7)));
    plan["approval"] = json!({ "within": format!("{}s", days(7)), "topic_arn": plan["notify"]["topic_arn"] });
    plan["health_check"] = json!({ "url": "https://new.example.com/", "attempts": 100, "interval": "1h" });
    let probing = 100 * 3600;
    ensure!(Plan::read(&plan).is_ok(), "{:?}", Plan::read(&plan));
    for (pointer, longer) in [
        ("/timeout", json!(format!("{}s", days(7) + 1))),
        ("/approval/within", json!(format!("{}s", days(7) + 1))),
        ("/health_check/interval", json!("3601s")),
        ("/health_check/attempts", json!(101)),
    ] {
        let mut plan = plan.clone();
        *plan.pointer_mut(pointer).context(pointer)? = longer;
        ensure!(Plan::read(&plan).is_err(), "{pointer} may be longer than this test knows");
    }
    let seconds = definition("cutover")?["TimeoutSeconds"].as_u64().context("no TimeoutSeconds")?;
    ensure!(seconds > 2 * days(7) + probing, "{seconds} s are not enough");
    Ok(())
}

fn placeholders_and_functions_agree() -> Result<()> {
    let mut used = BTreeSet::new();
    for machine in MACHINES {
        let text = definition_text(machine)?;
        used.extend(text.split("${").skip(1).filter_map(|rest| rest.split('}').next().map(str::to_owned)));
    }
    let pascal = |name: &str| name.split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect::<String>();
    let crates = fs::read_dir(path("functions"))?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let functions: BTreeSet<String> = crates
        // The sweep is started by its schedule, `tell` by the topic of moments, `status-report` by both, and `answer` by people.
        .filter(|name| !["answer", "status-report", "sweep", "tell"].contains(&name.as_str()))
        .filter(|name| path(&format!("functions/{name}/src/main.rs")).exists())
        .map(|name| format!("{}FunctionArn", pascal(&name)))
        .collect();
    let others = [
        "Partition",
        "JournalTableName",
        "RollbackStateMachineArn",
        "CleanupStateMachineArn",
        "IncidentStateMachineArn",
        "WaveStateMachineArn",
    ];
    let others = others.map(str::to_owned);
    let expected: BTreeSet<String> = functions.into_iter().chain(others).collect();
    ensure!(used == expected, "in definitions {used:?}\nin functions/ {expected:?}");
    Ok(())
}

/// `fuzz/inputs.json` has an input of every action, and its test reads each of them.
fn every_action_that_the_definitions_ask_for_is_one_that_its_function_knows() -> Result<()> {
    let known: Value = serde_json::from_str(&read("tests/tests/suite/fuzz/inputs.json")?)?;
    for machine in MACHINES {
        for (name, state) in states(&definition(machine)?) {
            let payload = &state["Arguments"]["Payload"];
            let function = state["Arguments"]["FunctionName"].as_str().and_then(|name| name.strip_prefix("${"));
            let (Some(function), Some(action)) = (function, payload["action"].as_str()) else { continue };
            let crate_name = kebab_case(function.trim_end_matches("FunctionArn}"));
            let input = format!("{crate_name} {action}");
            ensure!(
                !known[&input].is_null(),
                "{machine}: {name} asks for `{input}`, which is not among the known inputs"
            );
        }
    }
    Ok(())
}

/// What the tests feed to functions comes from states that there are.
fn known_inputs_come_from_states_of_the_definitions() -> Result<()> {
    let known: Value = serde_json::from_str(&read("tests/tests/suite/fuzz/inputs.json")?)?;
    let mut names = BTreeSet::new();
    for machine in MACHINES {
        names.extend(states(&definition(machine)?).into_iter().map(|(name, _)| name));
    }
    for (input, value) in known.as_object().context("no inputs")? {
        let Some(state) = value["state"].as_str() else { continue };
        ensure!(names.contains(state), "`{input}` comes from {state}, and no definition has that state");
    }
    Ok(())
}

fn kebab_case(pascal: &str) -> String {
    let part = |c: char| if c.is_ascii_uppercase() { format!("-{}", c.to_ascii_lowercase()) } else { c.to_string() };
    pascal.chars().map(part).collect::<String>().trim_start_matches('-').to_owned()
}

/// `cargo rehearse --machine` knows every machine of the stack, but for that of incidents, which people end, and those of programmes, timelines and waves, which have no traffic
/// of their own.
#[test]
fn every_machine_can_be_rehearsed() -> Result<()> {
    let known: BTreeSet<&str> = cutover_tests::machines::MACHINES.iter().map(|machine| machine.name).collect();
    let others = ["incident", "program", "timeline", "wave"];
    let rehearsed = MACHINES.into_iter().filter(|machine| !others.contains(machine)).collect();
    ensure!(known == rehearsed, "the stack has {MACHINES:?}, the table of rehearsals {known:?}");
    Ok(())
}

/// Run with UPDATE=1 to write the schemas anew.
fn schemas_of_the_inputs_are_up_to_date() -> Result<()> {
    let schemas: [(&str, Schema); 8] = [
        ("cutover", Plan::schema()),
        ("rollback", cutover::read::gesture_schema::<rollback::Input>()),
        ("cleanup", cutover::read::gesture_schema::<cleanup::Input>()),
        ("program", cutover::read::gesture_schema::<program::asked::Input>()),
        ("wave", waves::WavePlan::schema()),
        ("wave-gesture", cutover::read::gesture_schema::<waves::asked::Gesture>()),
        ("incident", cutover::read::gesture_schema::<incidents::asked::Input>()),
        ("timeline", cutover::read::gesture_schema::<timelines::asked::Input>()),
    ];
    for (name, schema) in schemas {
        let file = format!("events/{name}.schema.json");
        let wanted = serde_json::to_string_pretty(&schema)? + "\n";
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path(&file), &wanted)?;
        }
        ensure!(
            read(&file)? == wanted,
            "{file} is stale: run `UPDATE=1 cargo test --workspace --test suite contract::`"
        );
    }
    Ok(())
}

fn scenarios() -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(path("events"))?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_plan = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".json")
            && !name.ends_with(".schema.json")
            && !name.ends_with(".world.json")
            && !name.contains("input")
            && !name.starts_with("portfolio")
            && !name.starts_with("wave")
    };
    Ok(files.into_iter().filter(is_plan).collect())
}

fn every_input_to_start_from_is_a_valid_plan_with_a_world() -> Result<()> {
    let files = scenarios()?;
    ensure!(files.len() >= 8, "only {} scenarios", files.len());
    for file in files {
        let plan: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
        if let Err(findings) = Plan::read(&plan) {
            anyhow::bail!("{}: {findings:#?}", file.display());
        }
        let world = cutover_tests::world::World::beside(Path::new(&file))?;
        ensure!(world.description.is_some() && world.expect.is_some(), "{} says not what it shows", file.display());
    }
    Ok(())
}

/// The reader of plans relies on it, and so does an editor: whatever a function cannot keep, the schema refuses.
fn every_whole_number_of_the_schema_has_both_bounds() -> Result<()> {
    let schema = Plan::schema().to_value();
    let (mut open, mut numbers) = (vec![&schema], 0);
    while let Some(value) = open.pop() {
        if value["type"] == "integer" || value["type"].as_array().is_some_and(|types| types.contains(&json!("integer")))
        {
            numbers += 1;
            ensure!(value["minimum"].is_i64() && value["maximum"].is_i64(), "{value} has no bounds");
        }
        open.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        open.extend(value.as_array().into_iter().flatten());
    }
    ensure!(numbers > 10, "only {numbers} whole numbers: this test does not see them");
    Ok(())
}

/// Writes every default into a value, as the schema gives them.
fn write_defaults(schema: &Value, root: &Value, value: &mut Value, written: &mut usize) {
    let reference = |schema: &Value| schema["$ref"].as_str().map(|name| root.pointer(&name[1..]).cloned());
    let schema = &reference(schema).flatten().unwrap_or_else(|| schema.clone());
    for choice in ["anyOf", "oneOf"].iter().filter_map(|choices| schema[choices].as_array()).flatten() {
        let tag = &choice["properties"]["type"]["const"];
        if choice["type"] != "null" && (tag.is_null() || *tag == value["type"]) {
            write_defaults(choice, root, value, written);
        }
    }
    for item in value.as_array_mut().into_iter().flatten() {
        write_defaults(&schema["items"], root, item, written);
    }
    let Value::Object(fields) = value else { return };
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(default) = schema.get("default").filter(|_| !fields.contains_key(name)) {
            *written += 1;
            fields.insert(name.clone(), default.clone());
        }
        if let Some(field) = fields.get_mut(name) {
            write_defaults(schema, root, field, written);
        }
    }
}

/// What a reader fills in, what the schema promises, and what serde gives an item of the journal: one and the same.
fn defaults_of_the_reader_and_of_the_schema_agree() -> Result<()> {
    let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    let plan = json!({
        "application": "a",
        "health_check": { "url": "https://new.example.com/" },
        "database": { "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T" },
        "routes": [
            { "type": "listener", "listener_arn": format!("{elb}:listener/app/a/1/2"),
              "old_target_group_arn": format!("{elb}:targetgroup/old/1"), "new_target_group_arn": format!("{elb}:targetgroup/new/1"),
              "steps": [{ "new_weight": 100 }] },
            { "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
              "records": [{ "type": "A", "new": { "alias": { "dns_name": "x.example.com", "hosted_zone_id": "Z2" } } }],
              "health_checks": { "new": { "fqdn": "new.example.com" } }, "steps": [{ "new_weight": 100 }] },
        ],
        "monitoring": {
            "target_groups": [{ "target_group_arn": format!("{elb}:targetgroup/new/1") }],
            "metrics": [{ "name": "m", "namespace": "n", "metric_name": "m", "statistic": "Sum", "comparison": "less_than", "threshold": 0,
                          "divide_by": { "metric_name": "d" } }],
        },
        "hooks": { "before_traffic": [{ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f" }] },
        "cleanup": {},
    });
    let by_reader = Plan::read(&plan).map_err(|findings| anyhow::anyhow!("{findings:#?}"))?;
    let (schema, mut filled_in, mut written) = (Plan::schema().to_value(), plan.clone(), 0);
    write_defaults(&schema, &schema, &mut filled_in, &mut written);
    ensure!(written > 30, "only {written} defaults are in the schema");
    let by_schema = Plan::read(&filled_in).map_err(|findings| anyhow::anyhow!("{filled_in:#}: {findings:#?}"))?;
    ensure!(by_reader == by_schema, "{by_reader:#?}\n{by_schema:#?}");
    let by_serde: Plan = serde_json::from_value(plan)?;
    ensure!(by_reader == by_serde, "{by_reader:#?}\n{by_serde:#?}");
    let again: Plan = serde_json::from_value(serde_json::to_value(&by_reader)?)?;
    ensure!(again == by_reader, "the normalised plan does not read back");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        error_names_in_the_definitions_exist_in_the_code_and_back,
        every_state_says_what_it_is_for_and_stands_in_the_document,
        every_task_has_a_time_out_and_retries_what_passes,
        the_machine_outlives_the_longest_plan,
        placeholders_and_functions_agree,
        every_action_that_the_definitions_ask_for_is_one_that_its_function_knows,
        known_inputs_come_from_states_of_the_definitions,
        schemas_of_the_inputs_are_up_to_date,
        every_whole_number_of_the_schema_has_both_bounds,
        every_input_to_start_from_is_a_valid_plan_with_a_world,
        defaults_of_the_reader_and_of_the_schema_agree,
    ]
}
