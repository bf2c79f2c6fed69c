//! Reads Server-Sent Events, as far as a Livius server sends them.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;

/// A stream without a byte for so long is dead: the server sends a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(45);

/// The longest event that is read. The server sends an output of at most 64 KiB whole, and JSON may
/// write each of its characters with six.
const LONGEST: usize = 16 << 20;

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: String,
}

/// The events of an open response.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    parser: Parser,
    read: VecDeque<Event>,
}

impl EventStream {
    /// Reads the events of a response.
    pub fn new(response: Response) -> Self {
        Self {
            response,
            parser: Parser::default(),
            read: VecDeque::new(),
        }
    }

    /// Waits for the next event. `None` when the connection has ended, or is dead.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(event);
            }
            let piece = tokio::time::timeout(SILENCE, self.response.chunk()).await;
            let Ok(Ok(Some(piece))) = piece else {
                return None;
            };
            self.read.extend(self.parser.add(&piece));
        }
    }
}

/// Turns bytes, as they arrive, into events.
#[derive(Debug, Default)]
struct Parser {
    /// The line that has not ended.
    line: Vec<u8>,
    event: Event,
}

impl Parser {
    /// Adds bytes, and returns the events that they complete.
    fn add(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.line);
            events.extend(self.end_line(&String::from_utf8_lossy(&line)));
        }
        if self.line.len() + rest.len() <= LONGEST {
            self.line.extend_from_slice(rest);
        }
        events
    }

    fn end_line(&mut self, line: &str) -> Option<Event> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.event.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                let data = &mut self.event.data;
                if !data.is_empty() {
                    data.push('\n');
                }
                if data.len() + value.len() <= LONGEST {
                    data.push_str(value);
                }
            }
            // A comment has no field.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, name: &str, data: &str) -> Event {
        Event {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "id: 3-0\nevent: output\ndata: {\"text\":\"é\"}\n\n:\n\nevent:end\r\ndata:a\ndata: b\n\n";
        let expected = [
            event(Some("3-0"), "output", "{\"text\":\"é\"}"),
            event(None, "end", "a\nb"),
        ];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let pieces = text.as_bytes().chunks(size);
            let events: Vec<_> = pieces.flat_map(|piece| parser.add(piece)).collect();
            assert_eq!(events, expected, "{size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_bounded() {
        let mut parser = Parser::default();
        for _ in 0..3 {
            assert_eq!(parser.add(&vec![b'x'; LONGEST / 2 + 1]), []);
        }
        assert!(parser.line.len() <= LONGEST);
    }
}
