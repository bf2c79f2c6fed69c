//! Options that stand in another place than clap expects.
//!
//! clap reads an option only after the command that has it. A person also types it before the
//! command, or gives it to another command.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options that no command has, and the advice for a person who tries them.
const ADVICE: [(&[&str], &str); 10] = [
    (
        &["--password"],
        "set LIVIUS_PASSWORD in the environment, and give the name with '--user'",
    ),
    (
        &["--token", "--auth"],
        "give the credentials with '--header', as in '--header @FILE'",
    ),
    (
        &["--host", "--port", "--address", "--bind"],
        "'--listen ADDR:PORT' is the address of a new server, and '--url http://HOST:PORT' names a running one",
    ),
    (&["--server", "--endpoint"], "'--url URL' names the server"),
    (
        &["--args"],
        "the application's arguments come after '--', as in 'livius submit job.py -- ARGUMENT'",
    ),
    (&["--main-class"], "'--class CLASS' names the main class"),
    (
        &["--env", "--property", "--properties-file"],
        "'--conf NAME=TEXT' sets Spark configuration, and '--set KEY=VALUE' the server's",
    ),
    (
        &["--id", "--session", "--name"],
        "the number or name comes without an option, as in 'livius logs 0'",
    ),
    (&["--version", "-V"], "'livius --version' shows the version"),
    (
        &["--verbose", "--debug"],
        "'--log-level debug' of 'livius serve' shows more",
    ),
];

/// Options of `spark-submit` for which Livy's requests have no field, and Spark's keys for them.
const OF_SPARK: [(&str, &str); 11] = [
    ("--master", "spark.master"),
    ("--deploy-mode", "spark.submit.deployMode"),
    ("--packages", "spark.jars.packages"),
    ("--exclude-packages", "spark.jars.excludes"),
    ("--repositories", "spark.jars.repositories"),
    ("--total-executor-cores", "spark.cores.max"),
    ("--driver-class-path", "spark.driver.extraClassPath"),
    ("--driver-java-options", "spark.driver.extraJavaOptions"),
    ("--driver-library-path", "spark.driver.extraLibraryPath"),
    ("--keytab", "spark.kerberos.keytab"),
    ("--principal", "spark.kerberos.principal"),
];

/// Moves the options that come before a command to the place after it. `livius --url URL sessions`
/// becomes `livius sessions --url URL`.
pub fn after_the_command(root: &clap::Command, words: Vec<OsString>) -> Vec<OsString> {
    let options = Options::of(root);
    let line = Line::read(root, &options, &words);
    if line.command.has_subcommands() {
        // There is no command to move them to.
        return words;
    }
    let rest = words.get(line.read..).unwrap_or_default();
    [&line.names[..], &line.early[..], rest].concat()
}

/// Adds the right place of an option to an error that says that it is unknown.
pub fn explained(mut error: clap::Error, root: &clap::Command, words: &[OsString]) -> clap::Error {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(argument))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return error;
    };
    let option = argument.split('=').next().unwrap_or_default().to_owned();
    let options = Options::of(root);
    let line = Line::read(root, &options, words);
    let tips = tips(&options, line.command, &option);
    if tips.is_empty() {
        return error;
    }
    // clap knows only the options of one command, and guesses.
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::SuggestedSubcommand);
    let guesses = error.remove(ContextKind::Suggested);
    let mut tips: Vec<StyledStr> = tips.into_iter().map(StyledStr::from).collect();
    // The option may be meant for the application that `submit` runs.
    if line.command.get_positionals().any(clap::Arg::is_last_set)
        && let Some(ContextValue::StyledStrs(guesses)) = guesses
    {
        tips.extend(guesses);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    error
}

fn tips(options: &Options, command: &clap::Command, option: &str) -> Vec<String> {
    let mut tips = Vec::new();
    let has = |id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
    let key = OF_SPARK.iter().find(|(name, _)| *name == option);
    if let (true, Some((_, key))) = (has("proxy_user"), key) {
        tips.push(format!("'--conf {key}=TEXT' sets this for Spark"));
    }
    let is_reference = ["--session", "--name"].contains(&option);
    let advice = ADVICE.iter().find(|(names, _)| names.contains(&option));
    if let Some((_, text)) = advice
        && (!is_reference || has("which") || command.get_name() == "statements")
    {
        tips.push((*text).to_owned());
    }
    if option.starts_with("http://") || option.starts_with("https://") {
        tips.push(format!("'--url {option}' names the server"));
    }
    if let Some(found) = options.by_name.get(option) {
        tips.push(format!(
            "'{option}' is an option of {}",
            listed(&found.commands)
        ));
    }
    tips
}

/// `'livius a', 'livius b' and 'livius c'`.
fn listed(commands: &[String]) -> String {
    let quoted: Vec<String> = commands.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A command line up to the first word that belongs to its command.
struct Line<'a> {
    command: &'a clap::Command,
    /// The program and the names of the commands.
    names: Vec<OsString>,
    /// The options before the last name, with their values.
    early: Vec<OsString>,
    /// The number of words in both.
    read: usize,
}

impl<'a> Line<'a> {
    fn read(root: &'a clap::Command, options: &Options, words: &[OsString]) -> Self {
        let mut line = Line {
            command: root,
            names: words.iter().take(1).cloned().collect(),
            early: Vec::new(),
            read: words.len().min(1),
        };
        while line.command.has_subcommands()
            && let Some(word) = words.get(line.read)
        {
            if let Some(length) = options.length(word) {
                let end = words.len().min(line.read + length);
                line.early.extend_from_slice(&words[line.read..end]);
                line.read = end;
            } else if let Some(command) = line.command.find_subcommand(word) {
                line.command = command;
                line.names.push(word.clone());
                line.read += 1;
            } else {
                break;
            }
        }
        line
    }
}

/// The options of all commands.
#[derive(Default)]
struct Options {
    by_name: HashMap<String, OptionFound>,
}

#[derive(Default)]
struct OptionFound {
    takes_value: bool,
    commands: Vec<String>,
}

impl Options {
    fn of(root: &clap::Command) -> Self {
        let mut options = Self::default();
        options.collect(root, root.get_name());
        options
    }

    fn collect(&mut self, command: &clap::Command, path: &str) {
        for arg in command.get_arguments() {
            let long = arg.get_long().map(|name| format!("--{name}"));
            let short = arg.get_short().map(|name| format!("-{name}"));
            for name in long.into_iter().chain(short) {
                let found = self.by_name.entry(name).or_default();
                found.takes_value = arg.get_action().takes_values();
                found.commands.push(path.to_owned());
            }
        }
        for command in command.get_subcommands() {
            if !command.is_hide_set() {
                self.collect(command, &format!("{path} {}", command.get_name()));
            }
        }
    }

    /// The number of words of the option that starts with this word. `None` for other words.
    fn length(&self, word: &OsStr) -> Option<usize> {
        let word = word.to_str()?;
        let name = word.split('=').next()?;
        let found = self.by_name.get(name)?;
        Some(if found.takes_value && name == word {
            2
        } else {
            1
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn options_before_a_command_are_moved_after_it() {
        let root = Cli::command();
        for (typed, read) in [
            (
                "livius --url http://h:1 sessions",
                "livius sessions --url http://h:1",
            ),
            (
                "livius --url=http://h:1 sessions",
                "livius sessions --url=http://h:1",
            ),
            (
                "livius --json batches --user me",
                "livius batches --json --user me",
            ),
            (
                "livius --user sessions sessions",
                "livius sessions --user sessions",
            ),
            ("livius -f --tail 5 logs 0", "livius logs -f --tail 5 0"),
            ("livius --conf a=b run -", "livius run --conf a=b -"),
            (
                "livius --name n submit job.py -- --name x",
                "livius submit --name n job.py -- --name x",
            ),
            (
                "livius --set a.b=c --listen [::1]:0 serve",
                "livius serve --set a.b=c --listen [::1]:0",
            ),
            (
                "livius --config c.toml config --json show --master yarn",
                "livius config show --config c.toml --json --master yarn",
            ),
            (
                "livius serve --config c.toml",
                "livius serve --config c.toml",
            ),
        ] {
            assert_eq!(
                after_the_command(&root, words(typed)),
                words(read),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_line_without_a_known_command_stays_as_it_is() {
        let root = Cli::command();
        for line in [
            "",
            "livius",
            "livius --url",
            "livius --url sessions",
            "livius --listen [::1]:0",
            "livius --help sessions",
            "livius help sessions",
            "livius --no-such sessions",
            "livius --json lists",
            "livius -- sessions",
            "livius --config c.toml config",
        ] {
            assert_eq!(after_the_command(&root, words(line)), words(line), "{line}");
        }
        let mut line = words("livius sessions");
        line.insert(1, OsString::from("--url"));
        #[cfg(unix)]
        line.insert(2, std::os::unix::ffi::OsStringExt::from_vec(vec![0xff]));
        let moved = after_the_command(&root, line.clone());
        assert_eq!(moved, [&line[..1], &line[3..], &line[1..3]].concat());
    }

    /// Otherwise the words of an option could not be known before its command is.
    #[test]
    fn an_option_has_a_value_in_all_commands_or_in_none() {
        fn check(command: &clap::Command, options: &Options) {
            for arg in command.get_arguments() {
                if let Some(name) = arg.get_long() {
                    let found = &options.by_name[&format!("--{name}")];
                    assert_eq!(
                        found.takes_value,
                        arg.get_action().takes_values(),
                        "--{name}"
                    );
                }
            }
            for command in command.get_subcommands().filter(|it| !it.is_hide_set()) {
                check(command, options);
            }
        }
        let root = Cli::command();
        check(&root, &Options::of(&root));
    }

    #[test]
    fn every_option_is_taken_before_its_command() {
        fn check(command: &clap::Command, path: &str) {
            let options = command
                .get_arguments()
                .filter(|arg| arg.get_long().is_some());
            for arg in options {
                let name = arg.get_long().unwrap_or_default();
                let value = if arg.get_action().takes_values() {
                    " 1"
                } else {
                    ""
                };
                let (program, names) = path.split_once(' ').unwrap();
                let typed = format!("{program} --{name}{value} {names}");
                let read = format!("{path} --{name}{value}");
                let root = Cli::command();
                assert_eq!(
                    after_the_command(&root, words(&typed)),
                    words(&read),
                    "{typed}"
                );
            }
            for command in command.get_subcommands().filter(|it| !it.is_hide_set()) {
                check(command, &format!("{path} {}", command.get_name()));
            }
        }
        let root = Cli::command();
        check(&root, root.get_name());
    }

    fn told(line: &str) -> String {
        match super::super::read(words(line)) {
            Ok(_) => "it is taken".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_option_of_another_command_is_told_with_its_commands() {
        for (line, tip) in [
            (
                "livius serve --version",
                "'livius --version' shows the version",
            ),
            (
                "livius serve --url http://h:1",
                "'--url' is an option of 'livius shell', 'livius run', 'livius submit', 'livius sessions', 'livius batches', \
                 'livius statements', 'livius logs' and 'livius kill'",
            ),
            (
                "livius sessions --follow",
                "'--follow' is an option of 'livius logs'",
            ),
            ("livius kill 0 -f", "'-f' is an option of 'livius logs'"),
            (
                "livius sessions --listen [::1]:1",
                "'--listen' is an option of 'livius quickstart', 'livius serve' and 'livius config show'",
            ),
            (
                "livius --listen [::1]:1",
                "'--listen' is an option of 'livius quickstart', 'livius serve' and 'livius config show'",
            ),
            (
                "livius --exit serve",
                "'--exit' is an option of 'livius quickstart'",
            ),
            (
                "livius --from x config show",
                "'--from' is an option of 'livius config import'",
            ),
            (
                "livius config --write=x reference",
                "'--write' is an option of 'livius config import'",
            ),
            (
                "livius submit job.py --master yarn",
                "'--conf spark.master=TEXT' sets this for Spark",
            ),
            (
                "livius submit job.py --packages a:b:1",
                "'--conf spark.jars.packages=TEXT' sets this for Spark",
            ),
            (
                "livius sessions --password x",
                "set LIVIUS_PASSWORD in the environment",
            ),
            ("livius serve --port 8998", "'--listen ADDR:PORT'"),
            ("livius --host h sessions", "'--url http://HOST:PORT'"),
            ("livius submit job.py --args x", "after '--'"),
            ("livius logs --id 0", "without an option"),
            ("livius statements --session 0", "without an option"),
            ("livius kill --name etl", "without an option"),
            (
                "livius submit job.py --json",
                "'--json' is an option of 'livius run'",
            ),
            ("livius submit job.py --json", "-- --json"),
        ] {
            let text = told(line);
            assert!(
                text.contains(&format!("tip: {tip}")) || text.contains(tip),
                "{line}\n{text}"
            );
            assert!(text.contains("Usage: "), "{text}");
        }
    }

    #[test]
    fn an_address_without_an_option_is_told_the_option() {
        let text = told("livius sessions http://h:1");
        let tip = "tip: '--url http://h:1' names the server";
        assert!(text.contains(tip), "{text}");
    }

    #[test]
    fn an_unknown_option_has_claps_tips() {
        let text = told("livius sessions --jsn");
        assert!(text.contains("'--json'"), "{text}");
        let text = told("livius submit job.py --flag-of-the-job");
        assert!(text.contains("-- --flag-of-the-job"), "{text}");
    }
}
