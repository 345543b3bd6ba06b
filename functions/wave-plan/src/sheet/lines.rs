//! From places in a portfolio's JSON to those in the sheets that it was read from: file, line and column.

use cutover::finding::Finding;

/// The lines of a portfolio's applications and dependencies.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    pub(super) applications: Vec<u64>,
    pub(super) dependencies: Vec<u64>,
}

impl Lines {
    /// A text with every `$.applications[3].not_before` in it as `applications.csv.line[5].not_before`.
    pub fn named(&self, text: &str) -> String {
        let (mut named, mut rest) = (String::new(), text);
        while let Some(place) = rest.find("$.") {
            named.push_str(&rest[..place]);
            rest = &rest[place..];
            let known = [
                ("$.applications[", "applications.csv", &self.applications),
                ("$.dependencies[", "dependencies.csv", &self.dependencies),
            ];
            let line = known.into_iter().find_map(|(list, sheet, lines)| {
                let (number, behind) = rest.strip_prefix(list)?.split_once(']')?;
                let line = lines.get(number.parse::<usize>().ok()?)?;
                Some((format!("{sheet}.line[{line}]"), behind))
            });
            let (place, behind) = line.unwrap_or_else(|| ("$.".to_owned(), &rest[2..]));
            named.push_str(&place);
            rest = behind;
        }
        named + rest
    }

    /// A finding with its place in the sheets. What is within a cell has the cell's place.
    pub fn located(&self, finding: Finding) -> Finding {
        let path = self.named(&finding.path);
        let path = match path.split_once("].").filter(|_| path != finding.path) {
            Some((line, column)) => format!("{line}].{}", column.split(['.', '[']).next().unwrap_or_default()),
            None => path,
        };
        Finding { path, problem: self.named(&finding.problem), fix: self.named(&finding.fix), ..finding }
    }
}
