//! The commands of docs/API.md do what the document says.

use std::process::Command;

use crate::server::Server;
use crate::{Case, Shared};

/// The commands are about the server.
pub const ONCE: &[Case] = &[("documents::the_commands_of_the_api_work", api)];

const PAGE: &str = include_str!("../../../../docs/API.md");

/// The commands of the page, in their order.
fn commands() -> Vec<&'static str> {
    PAGE.lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect()
}

fn api(shared: &Shared) {
    // The page names session 0 and batch 0.
    let server = Server::start(&shared.spark.home, &[]);
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let line = command
            .replace("localhost:8998", &server.url)
            .replace("curl -s", "curl --fail-with-body -s");
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{line}\n{text}");
        if command.contains("/events") {
            assert!(text.contains("event: "), "{line}\n{text}");
        } else {
            let answer: serde_json::Value = serde_json::from_str(&text).expect(&line);
            assert!(answer.is_object(), "{line}\n{text}");
            if command.contains("dryRun") {
                assert_eq!(answer["accepted"], true, "{line}\n{text}");
            }
        }
    }
    server.stop();
}
