//! The sizes that decide how much memory a session, a batch or a driver takes while it waits. Each
//! channel has room for 32 messages from the start, and thousands of batches may wait.

use std::mem::size_of;

use crate::batches::message::Message as BatchMessage;
use crate::driver::{DriverMessage, FromAgent};
use crate::message::Message;

#[test]
fn messages_are_short() {
    for (what, bytes) in [
        ("to a driver", size_of::<DriverMessage>()),
        ("from an agent", size_of::<FromAgent>()),
        ("to a session", size_of::<Message>()),
        ("to a batch", size_of::<BatchMessage>()),
    ] {
        assert!(bytes <= 56, "a message {what} has {bytes} bytes");
    }
}
