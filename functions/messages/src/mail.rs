//! A mail: text and HTML, in one thread a run. Its headers are made by a library from texts without line ends.

use cutover::contract::digest;
use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

use crate::content::Content;
use crate::templates::Templates;
use crate::text;

/// What the headers say besides the subject.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The sender's address.
    pub from: &'a str,
    /// The sender's name, as people see it.
    pub from_name: &'a str,
    /// Whom it goes to.
    pub to: &'a [String],
    /// What tells this moment from others: see [`crate::Told::key`].
    pub key: &'a str,
    /// The run.
    pub run_id: &'a str,
    /// When it is sent.
    pub at: Timestamp,
}

/// The whole mail as SMTP carries it, and why a team's layouts were not used.
///
/// # Errors
/// The library's, writing to memory.
pub fn raw(content: &Content, templates: &Templates, envelope: &Envelope) -> std::io::Result<(Vec<u8>, Vec<String>)> {
    let (plain, text_failed) = text::body(content, templates);
    let (html, html_failed) = html(content, templates);
    let domain = envelope.from.rsplit('@').next().unwrap_or("localhost");
    // SES puts its own Message-ID in place of ours. So the thread hangs on a root that no mail has: clients thread what has the same one.
    let root = format!("{}@{domain}", digest(envelope.run_id));
    let id = format!("{}@{domain}", digest(&format!("{}#{}", envelope.key, content.group)));
    // Of the contents themselves, which cannot hold their own digest.
    let boundary = format!("=_{}", digest(&format!("{plain}{html}")));
    let parts =
        vec![MimePart::new("text/plain; charset=utf-8", plain), MimePart::new("text/html; charset=utf-8", html)];
    let body = MimePart::new(ContentType::new("multipart/alternative").attribute("boundary", boundary), parts);
    let to: Vec<&str> = envelope.to.iter().map(String::as_str).collect();
    let mail = MessageBuilder::new()
        .from((envelope.from_name, envelope.from))
        .to(to)
        .subject(content.subject())
        .message_id(id)
        .in_reply_to(root.clone())
        .references(root)
        .date(envelope.at.as_second())
        // No automatic answer comes back (RFC 3834).
        .header("Auto-Submitted", HeaderType::Raw(Raw::new("auto-generated")))
        .body(body);
    Ok((mail.write_to_vec()?, text_failed.into_iter().chain(html_failed).collect()))
}

/// The HTML part.
pub fn html(content: &Content, templates: &Templates) -> (String, Option<String>) {
    templates.layout("layout.html", &serde_json::to_value(content).unwrap_or_default())
}
