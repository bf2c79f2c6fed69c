//! Code as it is typed, or comes from a pipe: where a statement ends, line editing, history, completion.

mod complete;
mod editor;
mod outline;
mod pipe;
mod splitter;

pub use editor::Editor;
pub use pipe::Pipe;

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// A statement, or a command of the shell.
    Code(String),
    /// Somebody began to type and thought better of it.
    Nothing,
    /// There is no more.
    End,
    /// It cannot be read.
    Failed(String),
}
