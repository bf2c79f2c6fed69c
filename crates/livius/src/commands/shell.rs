//! `livius shell`: runs code from a terminal or a pipe, statement by statement.

mod directive;

use std::io::IsTerminal as _;

use livius_client::input::{Editor, Entered, Pipe};
use livius_client::session::Session;
use livius_client::{ClientError, language, log};

use crate::cli::{SHELL_HELP, Shell};
use crate::commands::evaluation::{self, Evaluation, Live};
use crate::commands::{connection, workplace};
use crate::config::ProcessEnvironment;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::server::{Signal, Signals};
use crate::terminal::{complain, say};
use directive::Directive;

/// Runs the command.
pub fn run(arguments: &Shell) -> anyhow::Result<Ending> {
    let environment = ProcessEnvironment::of_this_process();
    let livy = connection::open(&arguments.server, &environment)?;
    let kind = arguments.kind.as_deref();
    on_runtime(async {
        let mut signals = Signals::listen()?;
        let session = workplace::open(&livy, &arguments.session, kind, &environment).await?;
        let ending = talk(&session, kind, &environment, &mut signals).await;
        workplace::close(&session, &arguments.session, &mut signals).await;
        ending
    })
}

async fn talk(
    session: &Session,
    kind: Option<&str>,
    environment: &ProcessEnvironment,
    signals: &mut Signals,
) -> anyhow::Result<Ending> {
    if let Some(signal) = workplace::await_ready(session, signals).await? {
        return Ok(Ending::Interrupted(signal.number()));
    }
    let kind = session.first_kind(kind);
    let input = Input::open(session, environment);
    if input.is_typed() {
        complain(&format!(
            "session {} on {}; :help tells what there is, Ctrl-D ends",
            session.id,
            session.livy().base()
        ));
    }
    let conversation = Conversation {
        session,
        kind,
        input,
        has_failed: false,
    };
    conversation.run(signals).await
}

enum Input {
    Typed(Editor),
    Piped(Pipe),
}

impl Input {
    fn open(session: &Session, environment: &ProcessEnvironment) -> Self {
        if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
            let history = environment.default_state_dir();
            Self::Typed(Editor::open(
                session,
                history.map(|dir| dir.join("history")),
            ))
        } else {
            Self::Piped(Pipe::open())
        }
    }

    fn is_typed(&self) -> bool {
        matches!(self, Self::Typed(_))
    }

    async fn next(&mut self, kind: &str) -> Entered {
        match self {
            Self::Typed(editor) => editor.next(kind).await,
            Self::Piped(pipe) => pipe.next(kind).await,
        }
    }
}

struct Conversation<'a> {
    session: &'a Session,
    kind: String,
    input: Input,
    has_failed: bool,
}

impl Conversation<'_> {
    async fn run(mut self, signals: &mut Signals) -> anyhow::Result<Ending> {
        loop {
            let entered = match self.entered(signals).await {
                Ok(entered) => entered,
                Err(signal) => return Ok(Ending::Interrupted(signal.number())),
            };
            match entered {
                Entered::Nothing => {}
                Entered::End => return Ok(self.ending()),
                Entered::Failed(reason) => anyhow::bail!("cannot read what is typed: {reason}"),
                Entered::Code(text) if text.starts_with(':') => {
                    if self.obey(&text).await {
                        return Ok(self.ending());
                    }
                }
                Entered::Code(text) => {
                    if let Some(signal) = self.evaluate(&text, signals).await? {
                        return Ok(Ending::Interrupted(signal.number()));
                    }
                }
            }
        }
    }

    /// Waits for input or a signal. On a terminal, the editor reads Ctrl-C as a key, so a SIGINT
    /// from elsewhere is ignored.
    async fn entered(&mut self, signals: &mut Signals) -> Result<Entered, Signal> {
        let is_typed = self.input.is_typed();
        let next = self.input.next(&self.kind);
        tokio::pin!(next);
        loop {
            tokio::select! {
                biased;
                signal = signals.next() => {
                    if !is_typed || signal != Signal::Interrupt {
                        return Err(signal);
                    }
                }
                entered = &mut next => return Ok(entered),
            }
        }
    }

    /// Runs a statement and prints its output. Returns the signal that ends the shell.
    async fn evaluate(
        &mut self,
        text: &str,
        signals: &mut Signals,
    ) -> anyhow::Result<Option<Signal>> {
        let (kind, code) = match language::switched(text) {
            Some(switched) => (switched.kind, switched.code),
            None => (self.kind.as_str(), text),
        };
        let code = language::to_send(code, kind);
        if code.is_empty() {
            return Ok(None);
        }
        let live = Live::whole();
        let evaluated = evaluation::evaluate(self.session, code, kind, signals, &live).await;
        let Evaluation { statement, signal } = match evaluated {
            Ok(evaluation) => evaluation,
            Err(error) => {
                self.bear(error).await?;
                return Ok(None);
            }
        };
        let succeeded = statement
            .as_ref()
            .is_some_and(|statement| evaluation::print(statement, &live));
        self.has_failed |= !succeeded;
        Ok(signal.filter(|signal| !self.input.is_typed() || *signal != Signal::Interrupt))
    }

    /// Prints why a statement did not run. The shell ends if its session has ended.
    async fn bear(&mut self, error: ClientError) -> anyhow::Result<()> {
        if let Some(end) = self.session.end().await {
            return Err(end.into());
        }
        let error = anyhow::Error::new(error);
        complain(&format!("livius: {error:#}"));
        connection::explain(&error);
        self.has_failed = true;
        Ok(())
    }

    /// Runs a command of the shell. Returns whether it ends the shell.
    async fn obey(&mut self, text: &str) -> bool {
        match Directive::parse(text) {
            Ok(Directive::Quit) => return true,
            Ok(Directive::Help) => say(SHELL_HELP),
            Ok(Directive::Kind(None)) => say(&self.kind),
            Ok(Directive::Kind(Some(kind))) => self.kind = kind,
            Ok(Directive::Session) => self.tell_session().await,
            Ok(Directive::Log(lines)) => self.tell_log(lines).await,
            Err(reason) => {
                complain(&format!("livius: {reason}"));
                self.has_failed = true;
            }
        }
        false
    }

    async fn tell_session(&self) {
        match self.session.look().await {
            Ok(entry) => {
                let page = entry.app_info.and_then(|info| info.spark_ui_url);
                let page =
                    page.map_or_else(String::new, |page| format!(", Spark's pages at {page}"));
                let id = self.session.id;
                let base = self.session.livy().base();
                let line = format!("session {id} on {base} is {}{page}", entry.state);
                say(&livius_client::text::escaped(&line));
            }
            Err(error) => complain(&format!("livius: {error}")),
        }
    }

    async fn tell_log(&self, lines: u32) {
        let session = self.session;
        match log::tail(session.livy(), &session.reference, lines).await {
            Ok(lines) => {
                for line in lines {
                    say(&livius_client::text::escaped_lines(&line));
                }
            }
            Err(error) => complain(&format!("livius: {error}")),
        }
    }

    /// A user at a terminal has seen the failures. A script sees only the exit code.
    fn ending(&self) -> Ending {
        if self.has_failed && !self.input.is_typed() {
            Ending::Failed
        } else {
            Ending::Good
        }
    }
}
