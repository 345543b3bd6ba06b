//! The library of links that answer questions ([`cutover::ask`]): who makes one, and how it is read again.
//!
//! A link is the path of an address: `/<question>/<choices>/<end>/<recipient>/<signature>`. The signature is an HMAC-SHA256 of everything
//! before it under the stack's key ([`key`]), so nothing of it can be changed: neither the question (whose id is made of its run), nor
//! what may be answered, nor for whom it was made, nor when it ends. The same link is made however often it is made. The journal keeps
//! [`hash`]es only.

pub mod asking;
pub mod key;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cutover::ask::Choice;
pub use cutover::ask::{of_group, of_topic};
use cutover::contract::digest;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

pub use crate::key::Key;

/// What is signed begins with this: the key signs nothing else that could be taken for a link.
const PURPOSE: &str = "cutover answer link 1";
/// A topic's name has 256 characters at the most (SNS quotas).
const MOST_RECIPIENT_BYTES: usize = 300;

/// What a link lets its holder do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The question's id.
    pub question: String,
    /// What may be answered.
    pub choices: Vec<Choice>,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Whom it was made for: `topic.<name>` or `group.<name>`.
    pub recipient: String,
}

/// Why a link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is none of ours, or was changed.
    Wrong,
    /// It was ours until then.
    Over,
}

impl Link {
    /// Its path, with the signature.
    pub fn path(&self, key: &Key) -> String {
        let claims = self.claims();
        format!("/{claims}/{}", URL_SAFE_NO_PAD.encode(signed(key, &claims).finalize().into_bytes()))
    }

    /// Reads a path. The signature is looked at before all else, and in a time that tells nothing about it.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn read(path: &str, key: &Key, now: Timestamp) -> Result<Self, Refused> {
        let (claims, signature) =
            path.strip_prefix('/').and_then(|path| path.rsplit_once('/')).ok_or(Refused::Wrong)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::Wrong)?;
        signed(key, claims).verify_slice(&signature).map_err(|_| Refused::Wrong)?;
        let link = Self::of(claims).ok_or(Refused::Wrong)?;
        if now > link.ends_at { Err(Refused::Over) } else { Ok(link) }
    }

    fn claims(&self) -> String {
        let choices: String = self.choices.iter().map(|choice| choice.letter()).collect();
        format!("{}/{choices}/{}/{}", self.question, self.ends_at.as_second(), recipient(&self.recipient))
    }

    fn of(claims: &str) -> Option<Self> {
        let parts: Vec<&str> = claims.split('/').collect();
        let [question, choices, ends_at, recipient] = parts.as_slice() else { return None };
        let choice = |letter: char| Choice::ALL.into_iter().find(|choice| choice.letter() == letter);
        Some(Self {
            question: (*question).to_owned(),
            choices: choices.chars().map(choice).collect::<Option<_>>()?,
            ends_at: Timestamp::from_second(ends_at.parse().ok()?).ok()?,
            recipient: (*recipient).to_owned(),
        })
    }
}

/// What is kept of a link: whoever reads it cannot follow it.
pub fn hash(path: &str) -> String {
    digest(path)
}

/// One part of a path, whatever it is made of.
fn recipient(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.chars().take(MOST_RECIPIENT_BYTES).map(|c| if is_plain(c) { c } else { '_' }).collect()
}

fn signed(key: &Key, claims: &str) -> Hmac<Sha256> {
    let mut mac = key.mac();
    mac.update(format!("{PURPOSE}\n{claims}").as_bytes());
    mac
}

/// A MAC takes a key of any length.
fn mac_of(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::<Sha256>::new_from_slice(key).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        Key::of(text).unwrap()
    }

    fn link() -> Link {
        Link {
            question: "0123456789abcdef0123456789abcdef".to_owned(),
            choices: vec![Choice::Approve, Choice::Reject],
            ends_at: "2026-11-27T02:00:00Z".parse().unwrap(),
            recipient: of_topic("arn:aws:sns:eu-west-1:123456789012:cutovers"),
        }
    }

    const KEY: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn a_link_is_what_it_was_until_it_ends() {
        let (link, key) = (link(), key(KEY));
        let path = link.path(&key);
        assert_eq!(path, link.path(&key));
        assert!(path.starts_with("/0123456789abcdef0123456789abcdef/ar/1795744800/topic.cutovers/"), "{path}");
        assert!(path.len() < 120 && hash(&path).len() == 32);
        for (now, expected) in [
            ("2026-11-26T00:00:00Z", Ok(link.clone())),
            ("2026-11-27T02:00:00Z", Ok(link.clone())),
            ("2026-11-27T02:00:00.1Z", Err(Refused::Over)),
            ("2027-11-27T02:00:00Z", Err(Refused::Over)),
        ] {
            assert_eq!(Link::read(&path, &key, now.parse().unwrap()), expected, "{now}");
        }
    }

    #[test]
    fn a_link_of_another_key_or_with_another_word_in_it_is_none() {
        let key = key(KEY);
        let path = link().path(&key);
        let now = "2026-11-26T00:00:00Z".parse().unwrap();
        let changed = [
            path.replace("/ar/", "/arob/"),
            path.replace("/ar/", "/r/"),
            path.replace("1795744800", "1995744800"),
            path.replace("topic.cutovers", "group.executives"),
            path.replace("0123", "0124"),
            format!("{path}/"),
            format!("/x{path}"),
            path.trim_start_matches('/').to_owned(),
            path[..path.len() - 1].to_owned(),
            path.rsplit_once('/').unwrap().0.to_owned() + "/",
            String::new(),
            "/".to_owned(),
            "/favicon.ico".to_owned(),
            "/////".to_owned(),
        ];
        for changed in changed {
            assert_eq!(Link::read(&changed, &key, now), Err(Refused::Wrong), "{changed}");
        }
        let other = Key::of(&KEY.replace('0', "1")).unwrap();
        assert_eq!(Link::read(&path, &other, now), Err(Refused::Wrong));
    }

    #[test]
    fn whomever_it_is_for_it_is_one_part_of_a_path() {
        let key = key(KEY);
        let made = Link { recipient: "group.a/../b?c#d é".to_owned(), ..link() };
        let path = made.path(&key);
        assert_eq!(path.matches('/').count(), 5, "{path}");
        let read = Link::read(&path, &key, "2026-11-26T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(read.recipient, "group.a_.._b_c_d__");
    }

    proptest! {
        #[test]
        fn no_other_path_is_read(path in any::<String>(), place in 0..100_usize, c in any::<char>()) {
            let (key, now) = (key(KEY), "2026-11-26T00:00:00Z".parse().unwrap());
            prop_assert_eq!(Link::read(&path, &key, now), Err(Refused::Wrong));
            let ours = link().path(&key);
            let changed: String = ours.chars().enumerate().map(|(at, old)| if at == place { c } else { old }).collect();
            prop_assert_eq!(Link::read(&changed, &key, now).is_ok(), changed == ours);
        }
    }
}
