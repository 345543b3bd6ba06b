//! Whose AWS is asked: endpoint, region and credentials.
//!
//! Contract: an endpoint on this machine is an emulated AWS: it gets no real credentials, and nobody is asked for any. Otherwise
//! they are those of the environment, or what the AWS CLI has (profiles, SSO, roles). No metadata service is asked.
//!
//! The AWS CLI, and not the crate `aws-config`: that one switches features of the AWS crates on which the functions do not have,
//! and what is built together is built with the features of all.

use std::net::IpAddr;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use clap::Args;
use serde::Deserialize;

/// Of `cargo rehearse --serve`.
const EMULATED_REGION: &str = "eu-west-1";
/// Of whoever sets it up, who may do everything where roles are enforced.
const EMULATED_KEY: &str = "local";
/// Of what the AWS CLI says.
const MOST_SAID_BYTES: usize = 300;
const CLI_MISSING: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or install the AWS CLI (2.9 or later) and sign in by it";

/// Which AWS.
#[derive(Clone, Debug, Default, Args)]
pub struct Account {
    /// Ask here instead of AWS, such as http://127.0.0.1:4566 [default: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,

    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's]
    #[arg(long)]
    pub region: Option<String>,

    /// The profile of the AWS CLI [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// What `aws configure export-credentials` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Account {
    /// The settings of clients.
    ///
    /// # Errors
    /// There is no region, or there are no credentials.
    pub fn settings(&self) -> Result<SdkConfig> {
        let (endpoint_url, is_emulated) = (self.endpoint_told(), self.is_emulated()?);
        let (region, credentials) = match is_emulated {
            true => (self.region_told().unwrap_or_else(|| EMULATED_REGION.to_owned()), emulated()),
            false => (self.region()?, self.credentials()?),
        };
        let credentials = SharedCredentialsProvider::new(credentials);
        Ok(cutover::bootstrap::client_settings(Region::new(region), credentials, endpoint_url))
    }

    /// The variables by which boto3 and the AWS CLI are told the same; `None`: one that must not be set.
    ///
    /// # Errors
    /// The endpoint is no URL.
    pub fn variables(&self) -> Result<Vec<(&'static str, Option<String>)>> {
        let (endpoint_url, is_emulated) = (self.endpoint_told(), self.is_emulated()?);
        let mut variables = vec![("AWS_ENDPOINT_URL", endpoint_url)];
        let region = self.region_told().or_else(|| is_emulated.then(|| EMULATED_REGION.to_owned()));
        variables.extend(region.map(|region| ("AWS_DEFAULT_REGION", Some(region))));
        if is_emulated {
            let key = || Some(EMULATED_KEY.to_owned());
            variables.extend([("AWS_ACCESS_KEY_ID", key()), ("AWS_SECRET_ACCESS_KEY", key())]);
            variables.extend([("AWS_SESSION_TOKEN", None), ("AWS_PROFILE", None)]);
        } else if let Some(profile) = &self.profile {
            variables.push(("AWS_PROFILE", Some(profile.clone())));
            // A profile that is named counts, and not what the environment has beside it.
            variables
                .extend(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].map(|name| (name, None)));
        }
        Ok(variables)
    }

    /// Whether this is an emulated AWS on this machine.
    ///
    /// # Errors
    /// The endpoint is no URL.
    pub fn is_emulated(&self) -> Result<bool> {
        Ok(self.endpoint_told().as_deref().map(is_here).transpose()?.unwrap_or(false))
    }

    fn endpoint_told(&self) -> Option<String> {
        self.endpoint_url.clone().or_else(|| variable("AWS_ENDPOINT_URL"))
    }

    fn region_told(&self) -> Option<String> {
        self.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"))
    }

    fn region(&self) -> Result<String> {
        if let Some(region) = self.region_told() {
            return Ok(region);
        }
        let region = self.aws(&["configure", "get", "region"]).unwrap_or_default().trim().to_owned();
        ensure!(!region.is_empty(), "no region is known: give --region, or set AWS_REGION");
        Ok(region)
    }

    fn credentials(&self) -> Result<Credentials> {
        let of_environment = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        if let (Some(id), Some(secret), None) = (of_environment.0, of_environment.1, &self.profile) {
            return Ok(Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment"));
        }
        let text = self.aws(&["configure", "export-credentials", "--format", "process"])?;
        let exported: Exported = serde_json::from_str(&text).context("the AWS CLI printed no credentials")?;
        let Exported { access_key_id, secret_access_key, session_token } = exported;
        Ok(Credentials::new(access_key_id, secret_access_key, session_token, None, "aws-cli"))
    }

    fn aws(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("aws");
        command.args(arguments).env("AWS_EC2_METADATA_DISABLED", "true");
        if let Some(profile) = &self.profile {
            command.args(["--profile", profile]);
        }
        let output = command.output().with_context(|| format!("no credentials: {CLI_MISSING}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("no credentials: `aws {}` {}; {CLI_MISSING}", arguments.join(" "), said_by_cli(&said));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// What the AWS CLI says, without the pages of usage that it puts around it. Version 1 knows no `export-credentials`.
fn said_by_cli(stderr: &str) -> String {
    if stderr.contains("nvalid choice") {
        return "is not known to this AWS CLI, which is too old".to_owned();
    }
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next_back().unwrap_or("nothing");
    format!("says: {}", cutover::text::shown(last, MOST_SAID_BYTES))
}

/// Any do.
fn emulated() -> Credentials {
    Credentials::new("test", "test", None, None, "emulated")
}

/// Whether a URL is of this machine.
fn is_here(url: &str) -> Result<bool> {
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let rest = rest.with_context(|| format!("--endpoint-url {url}: write http:// or https:// before it"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    ensure!(!host.is_empty(), "--endpoint-url {url}: it has no host");
    Ok(host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// A variable that is empty is one that is not set.
#[expect(clippy::disallowed_methods, reason = "the lint is for functions; a tool is told by its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_endpoint_on_this_machine_is_an_emulated_aws() {
        for url in ["http://127.0.0.1:4566", "http://localhost:4566/", "https://[::1]:1", "http://me@127.0.0.1"] {
            assert!(is_here(url).unwrap(), "{url}");
        }
        let others = [
            "https://vpce-1.elb.eu-west-1.vpce.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
        ];
        for url in others {
            assert!(!is_here(url).unwrap(), "{url}");
        }
        assert!(is_here("127.0.0.1:4566").unwrap_err().to_string().contains("write http://"));
        assert!(is_here("http://").is_err());
    }

    #[test]
    fn what_the_cli_says_is_told_without_its_usage() {
        let old = "usage: aws [options] <command>\nTo see help text, you can run:\n\naws: error: argument subcommand: Invalid choice, valid choices are:\n\nlist | get\n";
        assert_eq!(said_by_cli(old), "is not known to this AWS CLI, which is too old");
        assert_eq!(
            said_by_cli("\nThe config profile (x) could not be found\n"),
            "says: The config profile (x) could not be found"
        );
        assert_eq!(said_by_cli(""), "says: nothing");
    }

    #[test]
    fn an_emulated_aws_gets_no_real_credentials() {
        let account = Account {
            endpoint_url: Some("http://127.0.0.1:4566".to_owned()),
            profile: Some("none".to_owned()),
            ..Account::default()
        };
        let settings = account.settings().expect("nobody is asked for credentials");
        assert_eq!(settings.endpoint_url(), Some("http://127.0.0.1:4566"));
        let variables = account.variables().expect("variables");
        assert!(variables.contains(&("AWS_SESSION_TOKEN", None)) && variables.contains(&("AWS_PROFILE", None)));
    }
}
