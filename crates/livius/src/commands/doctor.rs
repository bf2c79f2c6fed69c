//! `livius doctor`: shows what was found, what sessions would meet here, and how to fix the rest.

mod cluster;
mod orphans;

use std::time::Duration;

use anyhow::Context as _;
use livius_spark_home::{AgentFacts, Finding, Origin, Python, Report};
use serde_json::json;

use self::cluster::ClusterReport;
use crate::cli::Doctor;
use crate::config::Configuration;
use crate::exit::Ending;
use crate::terminal::{Progress, say};

/// Runs the command.
pub fn run(arguments: &Doctor) -> anyhow::Result<Ending> {
    let (Configuration { settings, .. }, environment) = super::load(&arguments.flags.layer())?;
    if arguments.orphans {
        return orphans::run(&settings, &environment, arguments.json);
    }
    if arguments.run {
        Progress::begin().step("compiling the agent where needed, and running a small Spark job");
    }
    let search = settings.search(&environment);
    let report = livius_spark_home::doctor(&search, arguments.run);
    let probe = arguments.probe.then(|| {
        Progress::begin().step(
            "submitting a small application to the cluster, and waiting for its driver to connect",
        );
        Duration::from_secs(arguments.probe_timeout)
    });
    let cluster = cluster::report(
        arguments.master.as_deref(),
        (&settings, &environment),
        &search,
        probe,
    )?;
    let healthy = report.healthy && cluster.as_ref().is_none_or(ClusterReport::is_healthy);
    say(&if arguments.json {
        as_json(&report, cluster.as_ref(), healthy)?
    } else {
        text(&report, cluster.as_ref(), healthy)
    });
    Ok(if healthy {
        Ending::Good
    } else {
        Ending::Failed
    })
}

fn as_json(
    report: &Report,
    cluster: Option<&ClusterReport>,
    healthy: bool,
) -> anyhow::Result<String> {
    let mut document = serde_json::to_value(report).context("cannot write the report")?;
    document["healthy"] = json!(healthy);
    if let Some(cluster) = cluster {
        document["cluster"] = json!(cluster);
    }
    Ok(format!("{document:#}"))
}

fn text(report: &Report, cluster: Option<&ClusterReport>, healthy: bool) -> String {
    let spark = finding("Spark", &report.spark, |spark| {
        format!(
            "{} (Scala {}) at {}, {}",
            spark.version,
            spark.scala,
            spark.home,
            origin(spark.origin)
        )
    });
    let java = finding("Java", &report.java, |java| {
        format!("{} at {}, {}", java.version, java.home, origin(java.origin))
    });
    let agent = finding("agent", &report.agent, agent);
    let show_python = |python: &Python| format!("{} at {}", python.version, python.program);
    let python = finding("Python", &report.python, show_python);
    let python3 = report
        .python3
        .as_ref()
        .map(|python3| finding("Python 3", python3, show_python));
    let r = finding("R", &report.r, |r| {
        let sparkr = r.sparkr.as_deref().unwrap_or("none");
        format!("{} at {}, SparkR: {sparkr}", r.version, r.program)
    });
    let kinds = report.kinds.iter().map(|facts| match &facts.problem {
        None => format!("  {:<9} works", facts.kind.as_str()),
        Some(problem) => format!("  {:<9} would not work: {problem}", facts.kind.as_str()),
    });
    let verdict = match (healthy, report.healthy) {
        (true, _) => "doctor: healthy",
        (false, true) => {
            "doctor: NOT healthy: sessions would not work on the cluster; see its problems above"
        }
        (false, false) => {
            "doctor: NOT healthy: no session can be started here; see what is missing above"
        }
    };
    let mut lines = vec![spark, java, agent, python];
    lines.extend(python3);
    lines.extend([
        r,
        String::new(),
        "Sessions and statements of kind".to_owned(),
    ]);
    lines.extend(kinds);
    if let Some(cluster) = cluster {
        lines.extend([String::new(), cluster.text()]);
    }
    lines.extend([String::new(), verdict.to_owned()]);
    lines.join("\n")
}

fn agent(agent: &AgentFacts) -> String {
    let place = match &agent.jar {
        Some(jar) => format!("compiled at {jar}"),
        None => {
            "will be compiled by the first session; `livius setup` does it ahead of time".to_owned()
        }
    };
    let ran = agent.check.as_ref();
    let ran = ran.map_or_else(String::new, |said| format!(", and it ran: {said}"));
    let archive = match &agent.class_archive {
        Some(archive) => format!("drivers start from the class archive {archive}"),
        None => {
            "no class archive yet: `livius setup` makes it, or the server after the first launch"
                .to_owned()
        }
    };
    format!("{place}{ran}\n         {archive}")
}

fn finding<T>(name: &str, finding: &Finding<T>, show: impl Fn(&T) -> String) -> String {
    match finding {
        Finding::Present {
            what,
            warning: None,
        } => format!("{name:<8} {}", show(what)),
        Finding::Present {
            what,
            warning: Some(warning),
        } => format!("{name:<8} {}\n         note: {warning}", show(what)),
        Finding::Missing { problem, remedy } => {
            format!("{name:<8} MISSING: {problem}\n         what to do: {remedy}")
        }
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Configured => "as configured",
        Origin::Environment => "from the environment",
        Origin::Path => "found on the PATH",
        Origin::Managed => "made by `livius setup`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_is_there_or_what_to_do() {
        let show = |number: &u8| format!("version {number}");
        assert_eq!(
            finding(
                "Java",
                &Finding::Present {
                    what: 17,
                    warning: None
                },
                show
            ),
            "Java     version 17"
        );
        let old = Finding::Present {
            what: 8,
            warning: Some("old".to_owned()),
        };
        assert_eq!(
            finding("Java", &old, show),
            "Java     version 8\n         note: old"
        );
        let missing = Finding::<u8>::Missing {
            problem: "gone".to_owned(),
            remedy: "buy one".to_owned(),
        };
        assert_eq!(
            finding("Java", &missing, show),
            "Java     MISSING: gone\n         what to do: buy one"
        );
    }
}
