//! Reads code from a terminal or a pipe: the ends of statements, line editing, history, completion.

mod complete;
mod editor;
mod outline;
mod pipe;
mod splitter;

pub use editor::Editor;
pub use pipe::Pipe;

/// One piece of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// A statement, or a command of the shell.
    Code(String),
    /// The user dropped the line.
    Nothing,
    /// The end of the input.
    End,
    /// The input cannot be read.
    Failed(String),
}
