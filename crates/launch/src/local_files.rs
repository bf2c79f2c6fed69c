//! A driver's files in a directory of this machine.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::{Departure, DriverId, DriverProgram, ResourceId};
use livius_spark_home::files;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use crate::disk;
use crate::driver_dir::DriverDir;
use crate::evidence::Told;
use crate::executor_log::ExecutorLog;
use crate::executors::{self, Known, Roster};
use crate::growth::{Grown, Growth};
use crate::log::DriverLog;
use crate::managers::Managers;
use crate::place::{Mode, Place};
use crate::{
    DriverFiles, Executor, FileContent, LogLines, LogNews, LogPlace, LogSource, PendingUpload,
};

/// The directory of one driver.
#[derive(Debug, Clone)]
pub struct LocalFiles {
    dir: DriverDir,
    /// How many bytes of the disk uploads leave free.
    reserve: u64,
    /// Have the copies of logs of drivers that run elsewhere.
    managers: Option<Arc<Managers>>,
    growth: Arc<Growth>,
}

impl LocalFiles {
    /// The files of a driver below the directory of all drivers.
    pub fn of(drivers: &Utf8Path, id: &DriverId) -> Self {
        Self {
            dir: DriverDir::of(drivers, id),
            reserve: 0,
            managers: None,
            growth: Arc::default(),
        }
    }

    /// Refuses uploads while less than this many bytes are free.
    #[must_use]
    pub fn with_reserve(self, reserve: u64) -> Self {
        Self { reserve, ..self }
    }

    /// Has readers of logs wait for the copy of what containers have written.
    pub(crate) fn with_managers(self, managers: Arc<Managers>) -> Self {
        Self {
            managers: Some(managers),
            ..self
        }
    }

    /// Tells readers of logs when they grow.
    pub(crate) fn with_growth(self, growth: Arc<Growth>) -> Self {
        Self { growth, ..self }
    }

    /// The drivers that have a directory below the directory of all drivers.
    pub async fn list(drivers: &Utf8Path) -> io::Result<Vec<DriverId>> {
        let drivers = drivers.to_owned();
        let list = move || match fs::read_dir(drivers) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => {
                let names = entries?.map(|entry| Ok(entry?.file_name().into_string().ok()));
                let names = names.collect::<io::Result<Vec<_>>>()?.into_iter().flatten();
                Ok(names.filter_map(|name| DriverId::parse(&name)).collect())
            }
        };
        tokio::task::spawn_blocking(list)
            .await
            .map_err(io::Error::other)?
    }

    /// Adds what the log tells to the facts about the driver's end.
    pub fn with_clues(&self, departure: Departure) -> Departure {
        Told::by_log(&self.dir.log()).within(departure)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DriverDir) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let dir = self.dir.clone();
        tokio::task::spawn_blocking(move || work(&dir))
            .await
            .map_err(io::Error::other)?
    }

    async fn remove_all(&self, path: &Utf8Path) {
        if let Err(error) = tokio::fs::remove_dir_all(path).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(driver.dir = %path, %error, "cannot remove a driver's directory");
        }
    }
}

/// The log of a driver that has no name yet: nothing but headings.
pub fn empty_log() -> Arc<dyn LogSource> {
    Arc::new(LocalLog {
        log: Arc::new(DriverLog::new(Utf8PathBuf::new(), Utf8PathBuf::new())),
        mirror: None,
        directory: Utf8PathBuf::new(),
        growth: Arc::default(),
    })
}

#[async_trait]
impl DriverFiles for LocalFiles {
    fn log(&self) -> Arc<dyn LogSource> {
        let managers = self.managers.clone();
        Arc::new(LocalLog {
            log: Arc::new(self.dir.log()),
            mirror: managers.map(|managers| (managers, self.dir.stdout())),
            directory: self.dir.path().to_owned(),
            growth: Arc::clone(&self.growth),
        })
    }

    async fn executors(&self) -> io::Result<Vec<Executor>> {
        let managers = self.managers.clone();
        if let Some(managers) = &managers {
            managers.yarn_executors.refresh(self.dir.path()).await;
        }
        self.blocking(move |dir| {
            let roster = dir.read_roster()?;
            if roster.all().is_empty() {
                return Ok(Vec::new());
            }
            let kept = executors::kept(&dir.executors())?;
            let place = dir.read_place()?;
            // YARN gives out the log of any container.
            let all = matches!(place, Some(Place::Yarn(_)))
                && managers.is_some_and(|managers| managers.yarn_executors.keeps_logs());
            let executor = |known: &Known| Executor {
                name: known.name.clone(),
                node: known.node.clone(),
                state: known.state,
                has_log: all || kept.contains(&known.name),
            };
            Ok(roster.all().iter().map(executor).collect())
        })
        .await
    }

    async fn executor_log(&self, name: &str) -> io::Result<Option<Arc<dyn LogSource>>> {
        let managers = self.managers.clone();
        let name = name.to_owned();
        self.blocking(move |dir| {
            let roster = dir.read_roster()?;
            // A name of the roster is no path.
            let Some(known) = roster.find(&name) else {
                return Ok(None);
            };
            open_log(dir, managers.as_deref(), &roster, known)
        })
        .await
    }

    async fn explain(&self, program: DriverProgram, text: &str) -> io::Result<()> {
        let text = text.to_owned();
        self.blocking(move |dir| {
            files::private_dir(dir.path())?;
            append(&dir.last_log(program), &text)
        })
        .await
    }

    async fn sees_this_machine(&self) -> io::Result<bool> {
        self.blocking(|dir| {
            let place = dir.read_place()?;
            let is_in_cluster = place.is_some_and(|place| place.mode() == Mode::Cluster);
            // Only a driver on a worker of a standalone cluster has an order.
            Ok(!is_in_cluster && !dir.order_file().try_exists()?)
        })
        .await
    }

    async fn begin_upload(&self) -> io::Result<Box<dyn PendingUpload>> {
        let reserve = self.reserve;
        let (uploads, (file, path)) = self
            .blocking(move |dir| {
                disk::check_room(dir.path(), reserve)?;
                let uploads = dir.uploads();
                files::private_dir(&uploads)?;
                // Temporary files are private from the start.
                let file = tempfile::Builder::new()
                    .prefix("arriving-")
                    .tempfile_in(&uploads)?;
                Ok((uploads, file.into_parts()))
            })
            .await?;
        Ok(Box::new(LocalUpload {
            file: File::from_std(file),
            path,
            uploads,
        }))
    }

    async fn uploaded(&self, resource: ResourceId) -> io::Result<Option<FileContent>> {
        let file = match File::open(self.dir.upload(resource)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let length = file.metadata().await?.len();
        Ok(Some(FileContent::new(file, length)))
    }

    async fn discard_upload(&self, resource: ResourceId) -> io::Result<()> {
        self.blocking(move |dir| files::remove_if_present(&dir.upload(resource)))
            .await
    }

    async fn sweep_uploads(&self, wanted: &[ResourceId]) -> io::Result<()> {
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        self.blocking(move |dir| sweep(&dir.uploads(), &wanted))
            .await
    }

    async fn clear_temporary(&self) {
        self.remove_all(&self.dir.temporary()).await;
        self.remove_all(&self.dir.uploads()).await;
    }

    async fn remove(&self) {
        self.remove_all(self.dir.path()).await;
    }
}

/// Opens the log of an executor. `None` if it is not kept.
fn open_log(
    dir: &DriverDir,
    managers: Option<&Managers>,
    roster: &Roster,
    known: &Known,
) -> io::Result<Option<Arc<dyn LogSource>>> {
    let is_kept = || Ok::<_, io::Error>(executors::kept(&dir.executors())?.contains(&known.name));
    let mirror = match (dir.read_place()?, managers) {
        (Some(Place::Yarn(place)), Some(managers)) => {
            match managers.log_on_yarn(&place, dir, roster, known) {
                Ok(Some(mirror)) => Some(mirror),
                Ok(None) => return Ok(None),
                // Hadoop's configuration is not there any more.
                Err(_) if is_kept()? => None,
                Err(error) => return Err(error),
            }
        }
        _ if is_kept()? => None,
        _ => return Ok(None),
    };
    let files = dir.executor(&known.name);
    Ok(Some(Arc::new(ExecutorLog::new(files, &known.name, mirror))))
}

/// A text that is the end of the file already is not written again: a server may have explained the
/// driver's end and died before it could store that. The driver's last line may lack its line end.
fn append(path: &Utf8Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let last = last_bytes(&file, text.len())?;
    if last == text.as_bytes() {
        return Ok(());
    }
    let separator = if last.last().is_none_or(|byte| *byte == b'\n') {
        ""
    } else {
        "\n"
    };
    file.write_all(format!("{separator}{text}").as_bytes())
}

fn last_bytes(file: &fs::File, count: usize) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(count as u64);
    let mut last = vec![0; count.min(usize::try_from(length).unwrap_or(count))];
    file.read_exact_at(&mut last, start)?;
    Ok(last)
}

fn sweep(uploads: &Utf8Path, wanted: &[String]) -> io::Result<()> {
    let entries = match uploads.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !wanted.iter().any(|name| name == entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file among a driver's uploads that has no number yet.
#[derive(Debug)]
struct LocalUpload {
    file: File,
    /// Removes the file when it is dropped.
    path: TempPath,
    uploads: Utf8PathBuf,
}

#[async_trait]
impl PendingUpload for LocalUpload {
    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await
    }

    async fn place(self: Box<Self>, resource: ResourceId) -> io::Result<()> {
        let Self { path, uploads, .. } = *self;
        let placed = move || {
            path.persist(uploads.join(resource.to_string()))
                .map_err(|error| error.error)
        };
        tokio::task::spawn_blocking(placed)
            .await
            .map_err(io::Error::other)?
    }
}

/// The log files in the directory.
#[derive(Debug)]
struct LocalLog {
    log: Arc<DriverLog>,
    /// The name of this log among those that may be copied from containers.
    mirror: Option<(Arc<Managers>, Utf8PathBuf)>,
    /// The directory that has the files.
    directory: Utf8PathBuf,
    growth: Arc<Growth>,
}

impl LocalLog {
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&DriverLog) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        if let Some((managers, stdout)) = &self.mirror {
            managers.mirrors.refresh(stdout).await;
        }
        let log = Arc::clone(&self.log);
        tokio::task::spawn_blocking(move || read(&log))
            .await
            .map_err(io::Error::other)?
    }
}

#[async_trait]
impl LogSource for LocalLog {
    async fn page(&self, from: i64, size: i64) -> io::Result<LogLines> {
        self.read(move |log| log.page(from, size)).await
    }

    async fn past(&self, place: LogPlace, most: u64, is_over: bool) -> io::Result<LogNews> {
        self.read(move |log| log.past(place, most, is_over)).await
    }

    async fn before_last(&self, count: u64) -> io::Result<LogPlace> {
        self.read(move |log| log.before_last(count)).await
    }

    fn growth(&self) -> Option<Grown> {
        self.growth.of(&self.directory)
    }

    fn tail(&self, count: usize) -> io::Result<Vec<String>> {
        self.log.tail(count)
    }

    fn recent_tail(&self, count: usize) -> Option<Vec<String>> {
        self.log.recent_tail(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, LocalFiles) {
        let home = tempfile::tempdir().unwrap();
        let drivers = Utf8Path::from_path(home.path()).unwrap();
        let files = LocalFiles::of(drivers, &DriverId::parse("s-0-aa").unwrap());
        (home, files)
    }

    fn count(files: &LocalFiles) -> usize {
        let uploads = files.dir.uploads();
        uploads.read_dir_utf8().unwrap().count()
    }

    #[tokio::test]
    async fn uploads_that_nobody_waits_for_are_swept_and_nothing_else() {
        let (_home, files) = home();
        files.sweep_uploads(&[]).await.unwrap();
        for id in [1, 2] {
            let upload = files.begin_upload().await.unwrap();
            upload.place(ResourceId(id)).await.unwrap();
        }
        // As after a SIGKILL, it is not dropped.
        std::mem::forget(files.begin_upload().await.unwrap());
        assert_eq!(count(&files), 3);
        files.sweep_uploads(&[ResourceId(1)]).await.unwrap();
        assert_eq!(count(&files), 1);
        assert!(files.uploaded(ResourceId(1)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn an_upload_that_breaks_off_is_gone() {
        let (_home, files) = home();
        let mut upload = files.begin_upload().await.unwrap();
        upload.write(b"half").await.unwrap();
        assert_eq!(count(&files), 1);
        drop(upload);
        assert_eq!(count(&files), 0);
    }

    #[tokio::test]
    async fn an_explanation_begins_a_line_and_stands_once() {
        let (_home, files) = home();
        let program = DriverProgram::Application;
        files.explain(program, "livius: a\n").await.unwrap();
        let path = files.dir.last_log(program);
        fs::write(&path, "unended").unwrap();
        for _ in 0..2 {
            files.explain(program, "livius: a\n").await.unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "unended\nlivius: a\n");
        assert!(!files.dir.stderr().exists());
    }
}
