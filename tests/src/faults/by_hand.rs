//! A person who types the commands of a page.
//!
//! Contract: [`type_in`] makes the call that the AWS CLI would make. Regions are not told apart on one machine.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::control::Client;

/// `aws <service> <operation> --option value ...`
pub async fn type_in(client: &Client, command: &str) -> Result<()> {
    let (command, keeps_authentication) = match command.split_once(" (put the authentication action") {
        Some((command, _)) => (command, true),
        None => (command, false),
    };
    let words = shell_words::split(command).context("the command cannot be read")?;
    let [_, service, operation, options @ ..] = &words[..] else { bail!("no command") };
    let mut parameters = parameters(options)?;
    if keeps_authentication {
        put_authentication_first(client, &mut parameters).await?;
    }
    client.call(service, &operation.replace('-', "_"), parameters).await.map(drop)
}

fn parameters(options: &[String]) -> Result<Value> {
    let mut parameters = json!({});
    for pair in options.chunks(2) {
        let [option, value] = pair else { bail!("{pair:?} has no value") };
        match pascal_case(option.trim_start_matches("--")).as_str() {
            "Region" => {}
            "CliInputJson" => parameters = serde_json::from_str(value).context("no JSON")?,
            "AlarmNames" => parameters["AlarmNames"] = json!([value]),
            member => parameters[member] = serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
        }
    }
    Ok(parameters)
}

async fn put_authentication_first(client: &Client, parameters: &mut Value) -> Result<()> {
    let listener = json!({ "ListenerArns": [parameters["ListenerArn"]] });
    let described = client.call("elbv2", "describe_listeners", listener).await?;
    let live = described["Listeners"][0]["DefaultActions"].as_array().cloned().unwrap_or_default();
    let mut actions: Vec<Value> = live.into_iter().filter(|action| action["Type"] != "forward").collect();
    for action in &mut actions {
        if action["Type"] == "authenticate-oidc" {
            action["AuthenticateOidcConfig"]["UseExistingClientSecret"] = json!(true);
        }
    }
    actions.extend(parameters["DefaultActions"].as_array().cloned().unwrap_or_default());
    parameters["DefaultActions"] = json!(actions);
    Ok(())
}

fn pascal_case(option: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    option.split('-').filter(|word| !word.is_empty()).map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_the_members_of_the_call() {
        let words = shell_words::split(r#"--region eu-west-1 --listener-arn arn:x --default-actions '[{"Type":"forward"}]'"#);
        let read = parameters(&words.expect("words")).expect("options");
        assert_eq!(read, json!({ "ListenerArn": "arn:x", "DefaultActions": [{ "Type": "forward" }] }));
        assert!(parameters(&["--alone".to_owned()]).is_err());
    }
}
