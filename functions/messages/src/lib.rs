//! What each group of people is told of a run, in each channel's form. Pure: what happened and whom it is for in, a message out.
//!
//! Three steps, a module each: [`cutover::told`] says what a moment is, [`content`] makes its words for a format, by templates that a
//! team may override, and [`mail`], [`chat`] and [`text`] put them into a channel's form. A figure stands in a message if it was
//! measured in that run, and is left out otherwise. Whatever somebody else wrote is cleaned before it reaches a template: one line, of
//! bounded length, in quotes.

pub mod chat;
pub mod content;
mod digest;
mod incident;
mod lists;
pub mod mail;
mod next;
pub mod templates;
pub mod text;
mod timeline;
mod wave;
pub mod when;
mod why;

pub use content::{Content, List};
pub use cutover::told::Told;
pub use templates::{Branding, Templates};
