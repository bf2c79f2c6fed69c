//! Logs of containers, line by line.

mod lines;

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::AsyncBufRead;
use futures_util::io::AsyncBufReadExt as _;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;

use self::lines::Splitter;
use crate::error::KubernetesError;
use crate::names::check_name;
use crate::place::Place;
use crate::pod::DriverPod;

pub use self::lines::LogLine;

/// The lines of a container's log, as a stream.
///
/// The stream ends with the log: that of a container that has ended, or what there is of one that
/// runs if it is not followed. The API server also ends it when the node begins a new file for the
/// log. An error means that the connection broke. The caller asks again from the last line's time on
/// in both cases, and drops the lines that it has.
pub struct LogLines(BoxStream<'static, Result<LogLine, KubernetesError>>);

impl Stream for LogLines {
    type Item = Result<LogLine, KubernetesError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

/// Opens the log of a container.
pub async fn open(
    place: &Place,
    pod: &DriverPod,
    container: &str,
    since: Option<Timestamp>,
    follow: bool,
) -> Result<LogLines, KubernetesError> {
    check_name("a pod", &pod.name)?;
    check_name("a container", container)?;
    // The library sends whole seconds, and rounds up. That would lose lines.
    let since = since.and_then(|since| Timestamp::from_second(since.as_second()).ok());
    let params = LogParams {
        container: Some(container.to_owned()),
        follow,
        since_time: since,
        timestamps: true,
        ..LogParams::default()
    };
    let opened = place.api::<Pod>().log_stream(&pod.name, &params).await;
    let reader = opened.map_err(|error| place.error(&error))?;
    let state = (Box::pin(reader), Splitter::default(), place.url.clone());
    Ok(LogLines(
        stream::try_unfold(state, |(mut reader, mut splitter, url)| async move {
            let line = next(&mut reader, &mut splitter).await;
            let line = line.map_err(|error| KubernetesError::lost(&url, &error))?;
            Ok(line.map(|line| (line, (reader, splitter, url))))
        })
        .boxed(),
    ))
}

/// The next line. `None` after the last one.
async fn next(
    reader: &mut (impl AsyncBufRead + Unpin),
    splitter: &mut Splitter,
) -> std::io::Result<Option<LogLine>> {
    loop {
        let read = reader.fill_buf().await?;
        if read.is_empty() {
            return Ok(splitter.rest());
        }
        let (taken, line) = splitter.take(read);
        reader.consume_unpin(taken);
        if line.is_some() {
            return Ok(line);
        }
    }
}
