//! The logs of containers: from the NodeManager while the application runs, later from the server
//! that has the aggregated logs.

mod frame;

use reqwest::Url;
use serde::Deserialize;

use self::frame::{Head, Read};
use crate::container::Container;
use crate::error::{Miss, YarnError};
use crate::http::{Failure, Http, Request, Response, foreign};
use crate::lists::one_or_many;
use crate::managers::Managers;
use crate::text::clipped;

/// The longest list of files.
const LONGEST_LIST: usize = 4 << 20;

/// The most files of a container that are told.
const MOST_FILES: usize = 1_000;

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 255;

/// The bytes by which a log may grow between two requests.
const GROWTH: u64 = 64 << 10;

/// A log file of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its name, such as `stdout`.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A part of a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    /// The content from the wanted place. Empty at the file's end.
    pub content: Vec<u8>,
    /// The length of the whole file in bytes, as of now.
    pub total: u64,
}

/// Reads logs of one container.
pub struct Reader<'a> {
    http: &'a Http,
    container: &'a Container,
    /// The REST interfaces that may have the logs, in the order in which they are asked.
    sources: Vec<Url>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedListing {
    #[serde(default, deserialize_with = "one_or_many")]
    container_logs_info: Vec<Listing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    #[serde(default, deserialize_with = "one_or_many")]
    container_log_info: Vec<ListedFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedFile {
    file_name: String,
    file_size: String,
}

/// A NodeManager wraps its list, and the server of aggregated logs does not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Bare(Vec<Listing>),
    Named(NamedListing),
}

impl<'a> Reader<'a> {
    pub fn new(managers: &'a Managers, container: &'a Container) -> Self {
        let site = &managers.site;
        let node = container.node.as_ref().and_then(|node| site.node(node));
        let node = node.map(|mut url| {
            url.set_path("/ws/v1/node");
            url
        });
        Self {
            http: &managers.http,
            container,
            sources: node.into_iter().chain(site.log_server().cloned()).collect(),
        }
    }

    /// The files.
    pub async fn files(&self) -> Result<Vec<LogFile>, YarnError> {
        let mut refusals = Refusals::default();
        for source in &self.sources {
            match self.files_at(source).await {
                Ok(files) => return Ok(files),
                Err(failure) => refusals.add(failure)?,
            }
        }
        Err(refusals.last_word(self.container))
    }

    async fn files_at(&self, source: &Url) -> Result<Vec<LogFile>, Failure> {
        let path = ["containers", &self.container.id, "logs"];
        let answer = self.http.json(source, Request::get(&path), LONGEST_LIST);
        let listings = match answer.await? {
            Answer::Bare(listings) => listings,
            Answer::Named(named) => named.container_logs_info,
        };
        let files = listings.into_iter().flat_map(|one| one.container_log_info);
        Ok(files
            .filter(|file| file.file_name.len() <= LONGEST_NAME)
            .filter_map(|file| {
                Some(LogFile {
                    bytes: file.file_size.parse().ok()?,
                    name: file.file_name,
                })
            })
            .take(MOST_FILES)
            .collect())
    }

    /// At most so many bytes of a file, from a place on.
    pub async fn part(&self, file: &str, from: u64, at_most: usize) -> Result<LogPart, YarnError> {
        let mut refusals = Refusals::default();
        for source in &self.sources {
            let place = Place {
                reader: self,
                source,
                file,
            };
            match place.part(from, at_most).await {
                Ok(part) => return Ok(part),
                Err(failure) => refusals.add(failure)?,
            }
        }
        Err(refusals.last_word(self.container))
    }
}

/// A file at one of the daemons. The daemons send its first or its last bytes, but none from the
/// middle.
struct Place<'a> {
    reader: &'a Reader<'a>,
    source: &'a Url,
    file: &'a str,
}

impl Place<'_> {
    async fn part(&self, from: u64, at_most: usize) -> Result<LogPart, Failure> {
        let wanted = at_most as u64;
        // A reader that follows a log wants its end.
        let end = self.open(Side::Last(wanted)).await?;
        let total = end.total;
        if from >= end.begins {
            return end.read(from, at_most).await;
        }
        drop(end);
        let (before, after) = (from.saturating_add(wanted), total - from);
        if after < before {
            let last = self.open(Side::Last(after.saturating_add(GROWTH))).await?;
            if from >= last.begins {
                return last.read(from, at_most).await;
            }
        }
        self.open(Side::First(before))
            .await?
            .read(from, at_most)
            .await
    }

    async fn open(&self, side: Side) -> Result<Opened, Failure> {
        let wanted = match side {
            Side::First(bytes) => format!("{bytes}"),
            Side::Last(bytes) => format!("-{bytes}"),
        };
        let request = Request {
            path: &["containerlogs", &self.reader.container.id, self.file],
            query: &[("size", &wanted)],
            body: None,
        };
        let mut response = self.reader.http.send(self.source, request).await?;
        let mut text = Vec::new();
        let Head { total, content } = loop {
            match frame::head(&text) {
                Read::Complete(head) => break head,
                Read::Incomplete => {}
                Read::NoLog => return Err(self.no_log(&text)),
            }
            match response.chunk().await? {
                Some(chunk) => text.extend_from_slice(chunk.as_ref()),
                None => return Err(self.no_log(&text)),
            }
        };
        let (begins, length) = match side {
            Side::First(bytes) => (0, bytes.min(total)),
            Side::Last(bytes) => (total.saturating_sub(bytes), bytes.min(total)),
        };
        text.drain(..content);
        Ok(Opened {
            response,
            read: text,
            total,
            begins,
            left: length,
        })
    }

    /// The server of aggregated logs says with status 200 that it has no such file.
    fn no_log(&self, text: &[u8]) -> Failure {
        let start = String::from_utf8_lossy(&text[..text.len().min(300)]).into_owned();
        if start.starts_with("Can not find") {
            return Failure::Final(YarnError::NotFound { text: start });
        }
        foreign(self.source, format!("no log in {start:?}"))
    }
}

/// The end of a file at which a part starts or ends, with its length in bytes.
#[derive(Debug, Clone, Copy)]
enum Side {
    First(u64),
    Last(u64),
}

/// A response whose head has been read.
struct Opened {
    response: Response,
    /// The part of the content that came with the head.
    read: Vec<u8>,
    total: u64,
    /// The place in the file of the next byte.
    begins: u64,
    /// The bytes of content in this response.
    left: u64,
}

impl Opened {
    /// Reads from a place that is in this response.
    async fn read(mut self, from: u64, at_most: usize) -> Result<LogPart, Failure> {
        let mut skip = from - self.begins;
        let mut content = Vec::new();
        let mut chunk = std::mem::take(&mut self.read);
        loop {
            // Bytes after the content belong to the end mark.
            chunk.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= chunk.len() as u64;
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= skipped as u64;
            let room = at_most - content.len();
            content.extend(chunk.iter().skip(skipped).take(room));
            if content.len() == at_most || self.left == 0 {
                let total = self.total;
                return Ok(LogPart { content, total });
            }
            match self.response.chunk().await? {
                Some(next) => chunk = next.as_ref().to_vec(),
                None => return Err(self.response.cut_short()),
            }
        }
    }
}

/// The sources that do not have the logs.
#[derive(Default)]
struct Refusals {
    misses: Vec<Miss>,
    unknown: Option<String>,
}

impl Refusals {
    /// Takes a failure after which the next source may have the logs.
    fn add(&mut self, failure: Failure) -> Result<(), YarnError> {
        let text = match failure {
            Failure::Final(YarnError::NotFound { text }) => text,
            // A NodeManager that does not know a container sends us to the server of logs, which is
            // asked next, at the configured address.
            Failure::Elsewhere(miss) => miss.reason,
            Failure::Miss(Miss { reason: text, .. }) if text.contains("not authorized") => {
                return Err(YarnError::Forbidden { text });
            }
            // Both daemons say with other statuses, too, that they do not know a container.
            Failure::Final(YarnError::Refused { text, .. }) if is_unknown(&text) => text,
            Failure::Miss(miss) if is_unknown(&miss.reason) => miss.reason,
            Failure::Miss(miss) => {
                self.misses.push(miss);
                return Ok(());
            }
            Failure::Final(error) => return Err(error),
        };
        self.unknown = Some(text);
        Ok(())
    }

    /// A source that was away may have the logs when it is back.
    fn last_word(self, container: &Container) -> YarnError {
        if !self.misses.is_empty() {
            return YarnError::Away(self.misses);
        }
        let text = self.unknown.unwrap_or_else(|| {
            format!(
                "no server of logs is configured, and the node of {} is not known",
                clipped(container.id.clone(), LONGEST_NAME)
            )
        });
        YarnError::NotFound { text }
    }
}

fn is_unknown(text: &str) -> bool {
    ["Unknown container", "Can not find", "Cannot find"]
        .iter()
        .any(|words| text.contains(words))
}
