use super::*;

fn machines() -> Machines {
    let arn = |name: &str| format!("arn:aws:states:eu-west-1:1:stateMachine:{name}");
    Machines { rollback: arn("rollback"), cleanup: arn("cleanup") }
}

#[test]
fn the_machines_of_a_run_are_known_by_its_own() {
    let run = "arn:aws:states:eu-west-1:123456789012:execution:acme-cutover:shop-1";
    let machines = Machines::beside(run, "cutover").unwrap();
    assert_eq!(machines.rollback, "arn:aws:states:eu-west-1:123456789012:stateMachine:acme-rollback");
    assert_eq!(machines.cleanup, "arn:aws:states:eu-west-1:123456789012:stateMachine:acme-cleanup");
    let incident = Machines::beside("arn:aws:states:eu-west-1:1:stateMachine:incident", "incident").unwrap();
    assert_eq!(incident.rollback, "arn:aws:states:eu-west-1:1:stateMachine:rollback");
    for other in ["", "cutover", "arn:aws:states:eu-west-1:1:stateMachine:theirs", "arn:x:stateMachine:a b cutover"] {
        assert_eq!(Machines::beside(other, "cutover"), None, "{other}");
    }
}

#[test]
fn a_gesture_is_one_command_where_the_run_is() {
    assert_eq!(
        machines().roll_back("shop"),
        "aws stepfunctions start-execution --region eu-west-1 --state-machine-arn \
         arn:aws:states:eu-west-1:1:stateMachine:rollback --input '{\"application\":\"shop\"}'"
    );
    let forced = machines().force("shop");
    assert!(forced.ends_with(r#"'{"application":"shop","force":"YOUR NAME: YOUR REASON"}'"#), "{forced}");
    let released = machines().release("shop");
    assert!(released.contains(":cleanup ") && released.contains(r#""release":"#), "{released}");
    let stop = stop("arn:aws:states:eu-west-1:1:execution:cutover:run");
    assert!(stop.ends_with("--region eu-west-1 --execution-arn arn:aws:states:eu-west-1:1:execution:cutover:run"));
}

#[test]
fn a_command_that_was_not_filled_in_is_refused_and_told_how() {
    let forced = machines().force("shop");
    let pasted = forced.split("\"force\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for text in [pasted, "Ada: YOUR REASON", "your name: it is late", "who and why", "", "  "] {
        let error = said("force", text).unwrap_err();
        assert_eq!(error.name, name::INVALID_GESTURE);
        assert!(
            error.message.starts_with("`force` ") && error.message.contains("write who you are and why"),
            "{error}"
        );
    }
    assert_eq!(said("release", "Ada: both sides shall serve"), Ok(()));
    for switch in ["true", "Yes", " ok ", "1"] {
        let error = said("force", switch).unwrap_err();
        assert!(error.message.contains("neither a name nor a reason"), "{switch}: {error}");
        assert!(signed_as("Your name", switch, "write who you are").is_err(), "{switch}");
        assert_eq!(said_as("`value`", switch, "write the figure"), Ok(()), "{switch}");
    }
    for person in ["On Yee", "Noor", "ok-corral: it is broken", "x"] {
        assert_eq!(said("by", person), Ok(()), "{person}");
    }
    let error = said_as("`resolve.text`", "What is so NOW", "write what is so").unwrap_err();
    assert!(error.message.starts_with("`resolve.text` still says `WHAT IS SO NOW`"), "{error}");
}

#[test]
fn an_application_without_a_run_is_told_with_those_that_have_one() {
    let held = ["portal".to_owned(), "shop".to_owned()];
    let told = no_such_run("shpo", Some(&held)).message;
    assert!(told.ends_with("did you mean shop? Open runs are those of portal, shop"), "{told}");
    assert!(no_such_run("x", Some(&[])).message.ends_with("no application has an open run"));
    assert!(no_such_run("x\ny", None).message.contains(r#"no open run of "x\u{a}y" is known"#));
    let many: Vec<String> = (0..40).map(|n| format!("application-{n:02}")).collect();
    assert!(no_such_run("z", Some(&many)).message.ends_with("application-29 and 10 more"));
}

#[test]
fn what_is_said_of_the_line_can_be_pasted_and_is_refused_until_it_is_filled_in() {
    let wave = "arn:aws:states:eu-west-1:1:stateMachine:wave";
    let [except, approve] = except_from_line(wave, "shop");
    for command in [stop_line(wave), lift_line(wave), except, approve] {
        let input = command.split('\'').nth(1).unwrap();
        let input: serde_json::Value = serde_json::from_str(input).unwrap();
        let gesture: crate::line::Gesture = serde_json::from_value(input["line"].clone()).unwrap();
        let error = crate::line::Line::default().say(&gesture, jiff::Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.message.contains("write who you are"), "{command}: {error}");
    }
    assert!(except_from_line(wave, "x'y").concat().contains(r#""application":"APPLICATION""#));
}

#[test]
fn no_text_of_somebody_else_gets_into_a_command() {
    assert!(machines().roll_back("x'; rm -rf /").ends_with(r#"'{"application":"APPLICATION"}'"#));
    assert!(stop("x; rm -rf /").ends_with("--execution-arn RUN"));
}

#[test]
fn the_commands_of_an_approval_act_where_the_run_is() {
    let commands = answers("arn:aws:states:eu-west-1:1:execution:cutover:run", "T");
    assert!(commands.contains("  TOKEN='T'\n"), "{commands}");
    for command in ["send-task-success", "send-task-failure"] {
        let expected = format!("  aws stepfunctions {command} --region eu-west-1 --task-token \"$TOKEN\" ");
        assert!(commands.contains(&expected), "{expected}\nin\n{commands}");
    }
}
