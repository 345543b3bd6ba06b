//! The pages that answer, as a person's browser sees them: opened by the link of a message, and sent by its form.
//!
//! Contract: nothing is known of a page but its link and what it shows. Redirects are followed by hand, as they are part of it.

use anyhow::{Context, Result, bail};
use form_urlencoded::Serializer;
use reqwest::{Client, Method, redirect};

use crate::control::Message;

/// More redirects than these lead nowhere.
const MOST_REDIRECTS: usize = 3;

/// A page as it came.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its status.
    pub status: u16,
    /// Its headers, by names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its HTML.
    pub html: String,
}

impl Page {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What is hidden in a form, by its name.
    pub fn hidden(&self, name: &str) -> Option<&str> {
        let mark = format!("type=\"hidden\" name=\"{name}\" value=\"");
        self.html.split(&mark).nth(1)?.split('"').next()
    }

    /// Whether a text is to be seen, as HTML writes it.
    pub fn shows(&self, text: &str) -> bool {
        self.html.contains(text)
    }
}

/// A browser that keeps nothing.
#[derive(Clone, Debug)]
pub struct Browser(Client);

impl Browser {
    /// A new one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open() -> Result<Self> {
        let client = Client::builder().redirect(redirect::Policy::none()).build().context("cannot make a browser")?;
        Ok(Self(client))
    }

    /// What a method answers, without following anything.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn ask(
        &self,
        method: Method,
        link: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Page> {
        let mut request = self.0.request(method, link);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.with_context(|| format!("{link} does not answer"))?;
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        let (status, headers) = (answer.status().as_u16(), answer.headers().iter().map(header).collect());
        Ok(Page { status, headers, html: answer.text().await.with_context(|| format!("{link} breaks off"))? })
    }

    /// Opens a link.
    ///
    /// # Errors
    /// Nobody answers, or it leads round and round.
    pub async fn get(&self, link: &str) -> Result<Page> {
        let page = self.ask(Method::GET, link, &[("sec-fetch-site", "cross-site")], None).await?;
        self.follow(link, page).await
    }

    /// Sends the form of a page, as a browser does under the policy `no-referrer`, and answers what is seen then.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn answer(&self, link: &str, name: &str, reason: &str, choice: &str) -> Result<Page> {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "null"),
            ("sec-fetch-site", "same-origin"),
        ];
        let page = self.ask(Method::POST, link, &headers, Some(form(name, reason, choice))).await?;
        self.follow(link, page).await
    }

    /// Opens the page of an incident, and sends its form with what is hidden in it.
    ///
    /// # Errors
    /// Nobody answers, or the page has no form.
    pub async fn say(&self, link: &str, name: &str, text: &str, choice: &str) -> Result<Page> {
        let page = self.get(link).await?;
        let turn = page.hidden("turn").context("a page without a form")?.to_owned();
        self.say_in_turn(link, &turn, name, text, choice).await
    }

    /// Sends the form of an incident's page as it was in a turn.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn say_in_turn(&self, link: &str, turn: &str, name: &str, text: &str, choice: &str) -> Result<Page> {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        let body = format!("{}&turn={turn}", form(name, text, choice));
        let page = self.ask(Method::POST, link, &headers, Some(body)).await?;
        self.follow(link, page).await
    }

    async fn follow(&self, link: &str, mut page: Page) -> Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            if !(300..400).contains(&page.status) {
                return Ok(page);
            }
            let to = page.header("location").context("a redirect that leads nowhere")?;
            let to = reqwest::Url::parse(link).and_then(|from| from.join(to)).context("a redirect to no address")?;
            page = self.ask(Method::GET, to.as_str(), &[], None).await?;
        }
        bail!("{link} leads round and round")
    }
}

/// What the form of a page sends.
pub fn form(name: &str, reason: &str, choice: &str) -> String {
    Serializer::new(String::new())
        .append_pair("name", name)
        .append_pair("reason", reason)
        .append_pair("choice", choice)
        .finish()
}

/// The link of a message that asks: the line that is one.
pub fn link(message: &Message) -> Option<&str> {
    link_in(&message.message)
}

/// The same of any text: on this machine a page has an address of it.
pub fn link_in(text: &str) -> Option<&str> {
    let start = text.match_indices("http://127.0.0.1:").map(|(at, _)| &text[at..]);
    let link = |text: &'_ str| text.split(|c: char| c.is_whitespace() || "\"'<>|)".contains(c)).next().map(str::len);
    let mut links = start.filter_map(|text| link(text).map(|length| &text[..length]));
    // Host, question, choices, end, recipient, signature.
    links.find(|link| link.trim_start_matches("http://").split('/').count() == 6)
}
