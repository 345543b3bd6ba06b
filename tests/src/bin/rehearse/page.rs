//! The page that is written at the end.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cutover_tests::emulator::Options;
use cutover_tests::report::html::Origin;
use cutover_tests::setup;

use crate::arguments::Arguments;

/// A page that is written at the end.
pub struct Page {
    /// Where.
    pub path: PathBuf,
    /// What makes it.
    pub origin: Origin,
}

impl Page {
    #[expect(
        clippy::disallowed_methods,
        reason = "the lint is for functions; here it is only told when the page was made"
    )]
    /// Where it is to be written, and what makes it.
    pub fn of(arguments: &Arguments, options: &Options, default: &str) -> Self {
        let typed = std::env::args().skip(1).map(|argument| shell_words::quote(&argument).into_owned());
        let origin = Origin {
            made_at: jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string(),
            commit: setup::commit(&options.checkout.root),
            command: ["cargo rehearse".to_owned()].into_iter().chain(typed).collect::<Vec<_>>().join(" "),
        };
        Self { path: arguments.report.clone().unwrap_or_else(|| default.into()), origin }
    }

    /// Whether it can be written, which is told before a run rather than after it. What is there stays as it is.
    pub fn check(path: &Path) -> Result<()> {
        create_folder(path)?;
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
        opened.map(drop).with_context(|| format!("--report {}: cannot be written", path.display()))
    }

    /// Writes it, with the folders above it.
    pub fn write(&self, text: &str) -> Result<()> {
        create_folder(&self.path)?;
        std::fs::write(&self.path, text).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn create_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_cannot_be_written_is_told_and_what_is_there_stays() {
        let folder = std::env::temp_dir().join(format!("cutover-page-{}", std::process::id()));
        let path = folder.join("a/page.html");
        Page::check(&path).expect("folders are made");
        std::fs::write(&path, "before").expect("written");
        Page::check(&path).expect("it can be written again");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "before");
        for cannot in [folder.clone(), path.join("below-a-file.html")] {
            assert!(Page::check(&cannot).is_err(), "{}", cannot.display());
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
