//! R files.

use std::path::Path;

use serde_json::json;

use super::{Batch, Folder};
use crate::Shared;
use crate::client::environment;

const SCRIPT: &str = r#"
for (argument in commandArgs(trailingOnly = TRUE)) cat("ARG", argument, "\n", sep = "|")
library <- file.path(Sys.getenv("SPARK_HOME"), "R", "lib")
if (dir.exists(file.path(library, "SparkR"))) {
  library(SparkR, lib.loc = library)
  sparkR.session()
  cat("COUNT", count(createDataFrame(data.frame(x = 1:3))), "\n")
}
stop("no luck")
"#;

pub fn runs(shared: &Shared) {
    let Some(rscript) = environment("LIVIUS_TEST_R") else {
        println!("SKIPPED: no batch in R, as LIVIUS_TEST_R is not set");
        return;
    };
    let folder = Folder::make();
    let file = folder.write("an application.R", SCRIPT);
    let request = json!({
        "file": file, "args": ["two words", "λ"],
        "conf": {"spark.r.command": rscript, "spark.ui.enabled": "false"}
    });
    let batch = Batch::create(shared.server(), &request);
    let (code, message) = batch.await_failure();
    let log = batch.log();
    assert_eq!(code, Some(1), "{message}\n{log}");
    assert!(message.contains("no luck"), "{message}\n{log}");
    for argument in ["two words", "λ"] {
        assert!(log.contains(&format!("ARG|{argument}|\n")), "{log}");
    }
    if Path::new(&shared.spark.home).join("R/lib/SparkR").exists() {
        assert!(log.contains("COUNT 3"), "{log}");
        assert!(batch.detail()["runningAt"].is_string());
    } else {
        println!("SKIPPED: no SparkR here, so the batch in R has run without it");
    }
}
