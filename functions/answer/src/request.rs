//! What a Lambda Function URL calls with and is answered by: payload format 2.0 (Lambda developer guide, invoking function URLs).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover::ask::MOST_NAME_CHARACTERS;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decide::Form;
use crate::page::Notice;

/// A form with the longest name and reason, each character of them escaped, has less.
const MOST_BODY_BYTES: usize = 16 * 1024;
/// What the longest link has is a quarter.
pub(crate) const MOST_PATH_BYTES: usize = 2 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// A request. What is not read of it is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The path, as it was sent.
    pub raw_path: String,
    /// By names in lower case; those that came several times are joined by commas.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Method, host.
    pub request_context: Context,
    /// What was sent.
    #[serde(default)]
    pub body: Option<String>,
    /// Whether that is written in Base64.
    #[serde(default)]
    pub is_base64_encoded: bool,
}

/// Of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The host that was called.
    pub domain_name: String,
    /// `GET`, `POST`.
    pub method: String,
    /// Whether Lambda has checked who has signed the request (AuthType AWS_IAM).
    #[serde(default)]
    pub is_signed: bool,
}

/// By hand: the method lies deeper.
impl TryFrom<Value> for Context {
    type Error = String;

    fn try_from(context: Value) -> Result<Self, String> {
        let text = |value: &Value, place: &str| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| crate::no_request(&format!("`requestContext.{place}` is no text")).message)
        };
        Ok(Self {
            domain_name: text(&context["domainName"], "domainName")?,
            method: text(&context["http"]["method"], "http.method")?,
            is_signed: context["authorizer"]["iam"]["userArn"].as_str().is_some_and(|arn| !arn.is_empty()),
        })
    }
}

impl Request {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.trim())
    }

    /// Who has signed on, as whoever stands before the pages tells by this header. Only a request that Lambda has let in by its signature is believed:
    /// anybody can write a header.
    pub(crate) fn signed_on(&self, header: Option<&str>) -> Option<&str> {
        let name =
            header.filter(|_| self.request_context.is_signed).and_then(|name| self.header(&name.to_ascii_lowercase()));
        name.filter(|name| !name.is_empty() && name.chars().count() <= MOST_NAME_CHARACTERS)
    }

    /// Under which name something is said: whoever has signed on says it under that one, whatever the form has.
    pub(crate) fn said_by<'a>(&'a self, form: &'a Form, header: Option<&str>) -> &'a str {
        self.signed_on(header).unwrap_or(&form.name)
    }

    /// Whether it answers.
    pub(crate) fn is_post(&self) -> bool {
        self.request_context.method == "POST"
    }

    /// Whether only the headers are wanted.
    pub(crate) fn is_head(&self) -> bool {
        self.request_context.method == "HEAD"
    }

    /// What the form says. A field that comes twice has its last value.
    pub(crate) fn form(&self) -> Result<Form, Notice> {
        let kind = self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case(FORM) {
            return Err(Notice::NoForm);
        }
        let mut form = Form::default();
        for (name, value) in form_urlencoded::parse(&self.bytes()?) {
            match name.as_ref() {
                "name" => form.name = value.into_owned(),
                "reason" => form.reason = value.into_owned(),
                "choice" => form.choice = value.into_owned(),
                "turn" => form.turn = value.into_owned(),
                _ => {}
            }
        }
        Ok(form)
    }

    fn bytes(&self) -> Result<Vec<u8>, Notice> {
        let body = self.body.as_deref().unwrap_or_default();
        // Base64 makes four characters of three bytes.
        if body.len() > MOST_BODY_BYTES / 3 * 4 {
            return Err(Notice::TooLarge);
        }
        let bytes =
            if self.is_base64_encoded { STANDARD.decode(body).map_err(|_| Notice::NoForm)? } else { body.into() };
        if bytes.len() > MOST_BODY_BYTES { Err(Notice::TooLarge) } else { Ok(bytes) }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The status.
    pub status_code: u16,
    /// By name.
    pub headers: BTreeMap<String, String>,
    /// The page.
    pub body: String,
}

impl Reply {
    /// A page. `style`: the hash of its style sheet, which is all that it may load.
    pub(crate) fn page(status_code: u16, html: String, style: &str) -> Self {
        let policy = format!(
            "default-src 'none'; style-src '{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let headers = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", &policy),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-robots-tag", "noindex, nofollow"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { status_code, headers: headers.into(), body: html }
    }

    /// The browser asks for the page anew, so that loading it again sends nothing again. The path is one that was read as a link: it has
    /// no character of a header's own.
    pub(crate) fn see(path: &str) -> Self {
        let headers = [("location", path), ("cache-control", "no-store"), ("referrer-policy", "no-referrer")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { status_code: 303, headers: headers.into(), body: String::new() }
    }

    /// With more to say.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// As HEAD is answered.
    pub(crate) fn without_body(mut self) -> Self {
        self.body.clear();
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn request(method: &str, headers: Value, body: Option<&str>) -> Request {
        let event = json!({
            "version": "2.0", "rawPath": "/a", "rawQueryString": "", "headers": headers, "body": body, "isBase64Encoded": false,
            "requestContext": { "domainName": "x.lambda-url.eu-west-1.on.aws", "http": { "method": method, "path": "/a" } },
        });
        serde_json::from_value(event).unwrap()
    }

    fn form(body: &str, is_base64_encoded: bool, kind: &str) -> Result<Form, Notice> {
        let request = request("POST", json!({ "content-type": kind }), Some(body));
        Request { is_base64_encoded, ..request }.form()
    }

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let body = "choice=approve&name=Ada+L%C3%B6v&reason=it%0D%0Ais&x=y&name=Ada";
        let expected =
            Form { name: "Ada".into(), reason: "it\r\nis".into(), choice: "approve".into(), ..Form::default() };
        assert_eq!(form(body, false, "Application/x-www-form-urlencoded; charset=utf-8"), Ok(expected.clone()));
        assert_eq!(form(&STANDARD.encode(body), true, FORM), Ok(expected));
        assert_eq!(form("", false, FORM), Ok(Form::default()));
    }

    #[test]
    fn what_is_no_form_or_too_large_is_not_read() {
        for (body, is_base64, kind, expected) in [
            ("{}", false, "application/json", Notice::NoForm),
            ("name=a", false, "", Notice::NoForm),
            ("multipart", false, "multipart/form-data", Notice::NoForm),
            ("%%%", true, FORM, Notice::NoForm),
            (&"x".repeat(MOST_BODY_BYTES + 1), false, FORM, Notice::TooLarge),
            (&STANDARD.encode("x".repeat(MOST_BODY_BYTES + 1)), true, FORM, Notice::TooLarge),
            (&"x".repeat(6 * 1024 * 1024), true, FORM, Notice::TooLarge),
        ] {
            assert_eq!(form(body, is_base64, kind), Err(expected), "{kind}");
        }
        // The longest that passes is far below.
        let longest =
            format!("name={}&reason={}&choice=approve", "%F0%9F%98%80".repeat(200), "%F0%9F%98%80".repeat(1_000));
        assert!(longest.len() < MOST_BODY_BYTES);
    }

    #[test]
    fn who_has_signed_on_is_believed_of_signed_requests_only() {
        let form = Form { name: "Eve".to_owned(), ..Form::default() };
        let asked = |authorizer: Value, headers: Value, wanted: Option<&str>| {
            let event = json!({ "rawPath": "/a", "headers": headers, "requestContext": { "domainName": "x", "http": { "method": "POST" },
                "authorizer": authorizer } });
            let request: Request = serde_json::from_value(event).unwrap();
            let signed_on = request.signed_on(wanted).map(str::to_owned);
            assert_eq!(request.said_by(&form, wanted), signed_on.as_deref().unwrap_or("Eve"));
            signed_on
        };
        let signed = json!({ "iam": { "userArn": "arn:aws:sts::1:assumed-role/proxy/x" } });
        let ada = json!({ "x-forwarded-user": " ada@example.com " });
        assert_eq!(asked(signed.clone(), ada.clone(), Some("X-Forwarded-User")).as_deref(), Some("ada@example.com"));
        for forged in [
            Value::Null,
            json!({}),
            json!({ "iam": {} }),
            json!({ "iam": { "userArn": "" } }),
            json!({ "jwt": { "sub": "ada" } }),
        ] {
            assert_eq!(asked(forged, ada.clone(), Some("x-forwarded-user")), None);
        }
        assert_eq!(asked(signed.clone(), ada, None), None, "the stack names no header");
        assert_eq!(asked(signed.clone(), json!({ "x-forwarded-user": "" }), Some("x-forwarded-user")), None);
        assert_eq!(asked(signed, json!({}), Some("x-forwarded-user")), None);
    }

    #[test]
    fn an_event_that_is_no_request_says_what_is_missing() {
        for event in [json!({}), json!({ "rawPath": "/" }), json!({ "rawPath": "/", "requestContext": { "http": {} } })]
        {
            let problem = serde_json::from_value::<Request>(event).unwrap_err().to_string();
            assert!(problem.contains("rawPath") || problem.contains("requestContext"), "{problem}");
        }
    }
}
