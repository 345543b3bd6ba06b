//! The accounts beside the stack's own, and by which role each is entered: pure, but for the reading of the environment.
//!
//! The stack's owner lists them; a plan names no role. An account that is not listed cannot be entered, also where its own policies
//! would let the functions in.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::arn::{Place, execution_name};
use crate::bootstrap::Environment;

/// The longest name of a session (STS API reference, `RoleSessionName`).
const MOST_SESSION_NAME: usize = 64;

static SESSIONS_ENDED: AtomicU64 = AtomicU64::new(0);

/// How often AWS has told this process that a session was over: what was kept before is not used again.
pub fn sessions_ended() -> u64 {
    SESSIONS_ENDED.load(Ordering::Relaxed)
}

pub(crate) fn note_session_ended() {
    SESSIONS_ENDED.fetch_add(1, Ordering::Relaxed);
}

/// The roles of other accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Alike>);

/// Accounts whose roles are called alike.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alike {
    /// With `*` where the account stands.
    role_arn: String,
    external_id: String,
    accounts: Vec<String>,
}

/// A role in another account, and what its trust asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What whoever assumes it must say.
    pub external_id: String,
}

/// How the note beside a command begins that is to be typed in another account; its number comes next. Whoever reads pages of what is left knows the
/// account by it.
pub const NOTE_OF_ACCOUNT: &str = "(in the account ";

impl Accounts {
    /// From `ACCOUNTS`.
    ///
    /// # Errors
    /// It is not set, or is no such list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Ok(Self::read(&environment.variable("ACCOUNTS")?)?)
    }

    /// From JSON: `[{"role_arn": "arn:aws:iam::*:role/cutover-access", "external_id": "x", "accounts": ["222222222222"]}]`.
    ///
    /// # Errors
    /// It is no such list.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("ACCOUNTS is no list of accounts: {error}"))
    }

    /// The role of an account; none where it is not listed.
    pub fn role(&self, account: &str) -> Option<Role> {
        let listed = self.0.iter().find(|alike| alike.accounts.iter().any(|one| one == account))?;
        Some(Role { arn: listed.role_arn.replace('*', account), external_id: listed.external_id.clone() })
    }

    /// What is wrong with what lies in an account without a role, and what to do about it.
    pub fn no_role(there: Place<'_>, here: Place<'_>) -> (String, String) {
        let Place { region, account } = there;
        let is = if account == here.account {
            format!("is in {region}, and this run is in {}", here.region)
        } else {
            format!("is in the account {account}, and this run is in {}", here.account)
        };
        let fix = format!(
            "deploy the stack CutoverAccess in the account {account}, and list it in the accounts of this stack; or start the run there, by the \
             Cutover that is installed there"
        );
        (format!("{is}, whose stack has no role for it"), fix)
    }
}

/// A session's name, which tells the run whose it is: the name of its execution, as far as STS takes it.
pub fn session_name(run_id: &str) -> String {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
    let name = execution_name(run_id);
    let plain: String = name.chars().map(|c| if is_taken(c) { c } else { '-' }).collect();
    if plain == name && (2..=MOST_SESSION_NAME).contains(&plain.len()) {
        return plain;
    }
    // What was cut off, or replaced, still tells one from another.
    let digest: String = Sha256::digest(run_id).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = plain.chars().take(MOST_SESSION_NAME - digest.len() - 1).collect();
    format!("{kept}-{digest}")
}

/// A session's own policy: it may do what both this and the role's policies allow (IAM user guide, session policies).
pub fn session_policy(actions: &[&str]) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] })
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_entered_by_its_own_role_and_no_other_is() {
        let listed = r#"[{ "role_arn": "arn:aws:iam::*:role/cutover-access", "external_id": "x", "accounts": ["222222222222", "333333333333"] },
            { "role_arn": "arn:aws:iam::444444444444:role/theirs", "external_id": "y", "accounts": ["444444444444"] }]"#;
        let accounts = Accounts::read(listed).unwrap();
        let role = |account| accounts.role(account).map(|role| (role.arn, role.external_id));
        let expected = |arn: &str, id: &str| Some((arn.to_owned(), id.to_owned()));
        assert_eq!(role("333333333333"), expected("arn:aws:iam::333333333333:role/cutover-access", "x"));
        assert_eq!(role("444444444444"), expected("arn:aws:iam::444444444444:role/theirs", "y"));
        assert_eq!(role("555555555555"), None);
        assert_eq!(Accounts::read("[]").unwrap().role("222222222222"), None);
        for wrong in ["", "{}", r#"[{"role_arn": "x"}]"#] {
            assert!(Accounts::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_session_is_called_after_its_run() {
        let of = |name: &str| session_name(&format!("arn:aws:states:eu-west-1:123456789012:execution:cutover:{name}"));
        assert_eq!(of("shop-1"), "shop-1");
        assert_eq!(of(&"a".repeat(64)), "a".repeat(64));
        let (long, other) = (of(&"a".repeat(80)), of(&format!("{}b", "a".repeat(79))));
        assert!(long.len() == 64 && long.starts_with("aaaa") && long != other, "{long} {other}");
        let odd = of("für shop");
        assert!(odd.starts_with("f-r-shop-") && odd.is_ascii(), "{odd}");
        assert_ne!(of("a b"), of("a-b"));
        assert!(of("x").len() >= 2, "STS wants two characters");
    }

    #[test]
    fn a_session_has_no_more_than_its_function_needs() {
        let policy: serde_json::Value = serde_json::from_str(&session_policy(&["route53:Get*"])).unwrap();
        assert_eq!(policy["Statement"][0]["Action"], json!(["route53:Get*"]));
    }
}
