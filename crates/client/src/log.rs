//! Reads logs while they grow.
//!
//! A Livy log is one list of sections: `stdout: `, its lines, `\nstderr: `, its lines, and more on
//! some clusters. A new line in one section moves every section after it. Livy itself keeps only
//! the last lines of each section. An index alone therefore does not show which lines are new. The
//! reader keeps a count and the last lines of each section, requests them again together with the
//! lines after them, and aligns the two.

use std::collections::VecDeque;

use crate::answers::LogPage;
use crate::error::ClientError;
use crate::livy::Livy;
use crate::reference::Reference;

/// The page size.
const PAGE: u64 = 1_000;
/// The number of lines of a section that the reader keeps: as many as Livy keeps.
const REMEMBERED: usize = 200;
/// The heading of the first section. The other headings begin with a line break, which no log line
/// contains.
const FIRST_HEADING: &str = "stdout: ";

/// Receives the lines. An error ends the reading.
pub type Sink<'a> = dyn FnMut(&str) -> std::io::Result<()> + 'a;

/// The reason why reading a log ended early.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A request failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The sink failed.
    #[error("cannot write the log")]
    Sink(#[source] std::io::Error),
}

/// A reader of one log.
#[derive(Debug)]
pub struct LogReader<'a> {
    livy: &'a Livy,
    reference: &'a Reference,
    sections: Vec<Section>,
    /// The section of the last line that was passed on.
    told: usize,
}

#[derive(Debug, Default)]
struct Section {
    heading: String,
    /// The number of the server's current lines that were passed on.
    seen: u64,
    last: VecDeque<String>,
}

impl<'a> LogReader<'a> {
    /// Starts at the first line.
    pub fn new(livy: &'a Livy, reference: &'a Reference) -> Self {
        Self {
            livy,
            reference,
            sections: Vec::new(),
            told: 0,
        }
    }

    /// Passes new lines to the sink, and returns whether there were any.
    pub async fn poll(&mut self, sink: &mut Sink<'_>) -> Result<bool, LogError> {
        let Some(mut start) = self.first_line().await? else {
            return Ok(false);
        };
        let mut any = false;
        for index in 0.. {
            let (news, end) = self.advance(index, start, sink).await?;
            any |= news;
            let Some((heading, next)) = end else { break };
            if self.sections.len() == index + 1 {
                self.sections.push(Section {
                    heading,
                    ..Section::default()
                });
            }
            start = next;
        }
        Ok(any)
    }

    /// The index of the first line of the first section, if the log is not empty.
    async fn first_line(&mut self) -> Result<Option<u64>, ClientError> {
        if self.sections.is_empty() {
            let page = self.page(0, 1).await?;
            let Some(line) = page.log.into_iter().next() else {
                return Ok(None);
            };
            let heading = if line == FIRST_HEADING {
                line
            } else {
                String::new()
            };
            self.sections.push(Section {
                heading,
                ..Section::default()
            });
        }
        Ok(Some(u64::from(!self.sections[0].heading.is_empty())))
    }

    /// Passes on the new lines of a section that starts at this index. Returns heading and start of
    /// the next section, if there is one.
    async fn advance(
        &mut self,
        index: usize,
        mut start: u64,
        sink: &mut Sink<'_>,
    ) -> Result<(bool, Option<(String, u64)>), LogError> {
        let section = &self.sections[index];
        let overlap = section.last.len() as u64;
        let mut from = start + section.seen.saturating_sub(overlap);
        let (mut is_overlap, mut any) = (overlap > 0, false);
        loop {
            let LogPage { log, total } = self.page(from, PAGE).await?;
            let mut lines = log.as_slice();
            // The previous section has grown since we read it.
            if let Some(own) = own_heading(lines, &self.sections[index].heading) {
                lines = &lines[own + 1..];
                from += own as u64 + 1;
                start = from;
            }
            let length = lines.iter().position(|line| line.starts_with('\n'));
            let of_section = &lines[..length.unwrap_or(lines.len())];
            let known = if std::mem::take(&mut is_overlap) {
                known(self.sections[index].last.make_contiguous(), of_section)
            } else {
                0
            };
            any |= known < of_section.len();
            self.tell(index, &of_section[known..], sink)?;
            from += of_section.len() as u64;
            self.sections[index].seen = from - start;
            if let Some(length) = length {
                return Ok((any, Some((lines[length].clone(), from + 1))));
            }
            if log.is_empty() || total.is_none_or(|total| from >= total) {
                return Ok((any, None));
            }
        }
    }

    fn tell(
        &mut self,
        index: usize,
        lines: &[String],
        sink: &mut Sink<'_>,
    ) -> Result<(), LogError> {
        if lines.is_empty() {
            return Ok(());
        }
        let section = &mut self.sections[index];
        if self.told != index {
            sink(section.heading.trim()).map_err(LogError::Sink)?;
            self.told = index;
        }
        for line in lines {
            sink(line).map_err(LogError::Sink)?;
        }
        section.last.extend(lines.iter().cloned());
        let surplus = section.last.len().saturating_sub(REMEMBERED);
        section.last.drain(..surplus);
        Ok(())
    }

    async fn page(&self, from: u64, size: u64) -> Result<LogPage, ClientError> {
        let path = format!("{}/log?from={from}&size={size}", self.reference.path());
        self.livy.look(&path).await
    }
}

/// The last lines of a log, with headings.
pub async fn tail(
    livy: &Livy,
    reference: &Reference,
    lines: u32,
) -> Result<Vec<String>, ClientError> {
    let path = format!("{}/log?from=-1&size={lines}", reference.path());
    let page: LogPage = livy.get(&path).await?;
    Ok(page.log)
}

/// Finds the section's own heading among the lines.
fn own_heading(lines: &[String], heading: &str) -> Option<usize> {
    if !heading.starts_with('\n') {
        return None;
    }
    lines.iter().position(|line| line == heading)
}

/// Counts the lines that the reader has already seen.
fn known(last: &[String], lines: &[String]) -> usize {
    // The known lines are at the same place, or further on if lines came in before them.
    if let Some(position) = lines
        .windows(last.len().max(1))
        .position(|window| window == last)
    {
        return position + last.len();
    }
    // The server has dropped some of the known lines.
    (1..=last.len().min(lines.len()))
        .rev()
        .find(|count| last[last.len() - count..] == lines[..*count])
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    #[test]
    fn known_lines_are_found_again() {
        let cases = [
            ("abc", "abc", 3),
            ("abc", "abcde", 3),
            ("abc", "xyabcde", 5),
            ("abc", "bcd", 2),
            ("abc", "cd", 1),
            ("abc", "de", 0),
            ("aaa", "aaaaa", 3),
            ("abc", "", 0),
            ("", "", 0),
        ];
        for (last, now, expected) in cases {
            assert_eq!(known(&lines(last), &lines(now)), expected, "{last} {now}");
        }
    }
}
