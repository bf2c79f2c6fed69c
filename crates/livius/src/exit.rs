//! What the process's exit code says.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It did what it was asked to, or was asked to stop and did.
    Good,
    /// It failed.
    Failed,
    /// The command line or the configuration is wrong: trying again will not help.
    Misused,
    /// A signal, this one, cut it short: a server's shutdown, or a client's waiting.
    Interrupted(u8),
    /// The application that it ran and waited for ended with this code, which is not zero.
    Application(u8),
}

impl Ending {
    /// The code. One for a signal is 128 and its number, as shells have it.
    pub fn number(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Misused => 2,
            Self::Interrupted(signal) => 128 + signal,
            Self::Application(code) => code,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        ending.number().into()
    }
}
