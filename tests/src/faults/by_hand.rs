//! A person who types the commands of a page.
//!
//! Contract: [`type_in`] makes the call that the AWS CLI would make, in the account that `--profile` is called after, and in `--region`.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::control::Client;

/// The call that a command makes, as boto3 has it.
pub struct Typed {
    /// As boto3 calls it.
    pub service: String,
    /// In snake case.
    pub operation: String,
    /// By their names in the API.
    pub parameters: Value,
    profile: Option<String>,
    region: Option<String>,
}

/// `aws <service> <operation> --option value ...`, perhaps with a file for the answer at its end.
pub async fn type_in(client: &Client, command: &str) -> Result<()> {
    let Typed { service, operation, parameters, profile, region } = call_of(command)?;
    client.call_at((profile.as_deref(), region.as_deref()), &service, &operation, parameters).await.map(drop)
}

/// What a command says.
pub fn call_of(command: &str) -> Result<Typed> {
    let words = shell_words::split(command).context("the command cannot be read")?;
    let [_, service, operation, options @ ..] = &words[..] else { bail!("no command") };
    let options = options.strip_suffix(&["/dev/stdout".to_owned()]).unwrap_or(options);
    let of = |name: &str| options.chunks(2).find(|pair| pair[0] == name).and_then(|pair| pair.get(1)).cloned();
    Ok(Typed {
        service: service.clone(),
        operation: operation.replace('-', "_"),
        parameters: parameters(options)?,
        profile: of("--profile"),
        region: of("--region"),
    })
}

fn parameters(options: &[String]) -> Result<Value> {
    let mut parameters = json!({});
    for pair in options.chunks(2) {
        let [option, value] = pair else { bail!("{pair:?} has no value") };
        match pascal_case(option.trim_start_matches("--")).as_str() {
            "Region" | "Profile" | "CliBinaryFormat" => {}
            "Payload" => parameters["Payload"] = json!(value),
            "CliInputJson" => parameters = serde_json::from_str(value).context("no JSON")?,
            "AlarmNames" => parameters["AlarmNames"] = json!([value]),
            member => parameters[member] = serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
        }
    }
    Ok(parameters)
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
        let words = shell_words::split(
            r#"--region eu-west-1 --profile 222222222222 --listener-arn arn:x --default-actions '[{"Type":"forward"}]'"#,
        );
        let read = parameters(&words.expect("words")).expect("options");
        assert_eq!(read, json!({ "ListenerArn": "arn:x", "DefaultActions": [{ "Type": "forward" }] }));
        assert!(parameters(&["--alone".to_owned()]).is_err());
    }
}
