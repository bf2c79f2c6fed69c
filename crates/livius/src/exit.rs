//! Exit codes.

use std::process::ExitCode;

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It succeeded, or it was asked to stop and did.
    Good,
    /// It failed.
    Failed,
    /// The command line or the configuration is wrong, so a retry cannot help.
    Misused,
    /// This signal interrupted a server's shutdown, or a client's wait.
    Interrupted(u8),
    /// The application ended with this code, which is not zero.
    Application(u8),
}

impl Ending {
    /// The code. Like shells, it adds 128 to the number of a signal.
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
