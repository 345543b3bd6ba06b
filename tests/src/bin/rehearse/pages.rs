//! The pages on which the rehearsal answered what the run asked: said at the end, and left as files to open.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cutover_tests::approver::Answered;
use cutover_tests::own::OwnNames;

/// Says which pages there were, with their links, and writes each as it was opened and as it was after the answer. Without any, the folder
/// of an earlier rehearsal goes.
pub fn tell(pages: &[Answered], own: &OwnNames, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    if pages.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    eprintln!("\nPages that answered, left in {}:", folder.display());
    for (index, page) in pages.iter().enumerate() {
        let states = [("asked", Some(&page.asked)), ("answered", page.answered.as_ref())];
        let mut files = Vec::new();
        for (state, html) in states {
            let Some(html) = html else { continue };
            let file = format!("{:02}-{state}.html", index + 1);
            fs::write(folder.join(&file), own.in_text(html)).with_context(|| format!("cannot write {file}"))?;
            files.push(file);
        }
        eprintln!("  {}: {}", files.join(", "), page.link);
    }
    Ok(())
}
