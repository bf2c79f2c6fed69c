use super::*;

fn report() -> Report {
    let mut report = Report::new(vec!["livy".to_owned(), "livius".to_owned()]);
    for (column, seconds) in [(BARE, 5), ("livy", 20), ("livius", 4)] {
        report.time(column, "start", Duration::from_secs(seconds));
    }
    for hundredth in 1..=100 {
        let value = f64::from(hundredth) / 10.0;
        report.add("livius", "statement", Unit::Milliseconds, value);
    }
    report.fail("livy", "statement", Unit::Milliseconds, "no answer");
    report.add("livius", "memory", Unit::Mebibytes, 18.25);
    report.machine = Machine {
        date: "2026-11-30".to_owned(),
        cores: 2,
        processor: "fast".to_owned(),
        memory_gib: 23,
        load: vec!["0.1 0.2 0.3".to_owned(), "2.0 1.0 0.5".to_owned()],
    };
    report
}

#[test]
fn the_table_has_ratios_to_the_first_server_and_to_bare_spark() {
    insta::assert_snapshot!(report().table(), @r"
    2026-11-30, 2 cores (fast), 23 GiB, load average 0.1 0.2 0.3, then 2.0 1.0 0.5

    | what | bare Spark | livy | livius |
    |---|---|---|---|
    | start | 5.00 s | 20.0 s (4.00 x bare Spark) | 4.00 s (0.200 x livy, 0.800 x bare Spark) |
    | statement |  | none: no answer | 5.00 ms, p99 9.90 ms |
    | memory |  |  | 18.2 MiB |
    ");
}

#[test]
fn the_json_has_every_figure() {
    let json = report().json();
    assert_eq!(json["measures"][0]["figures"]["livy"]["p50"], 20_000.0);
    let statement = &json["measures"][1];
    assert_eq!(statement["figures"]["livius"]["count"], 100);
    assert_eq!(statement["figures"]["livius"]["most"], 10.0);
    assert_eq!(statement["figures"]["livy"]["failed"], "no answer");
    assert_eq!(json["servers"], json!(["livy", "livius"]));
}

#[test]
fn a_figure_that_failed_once_stays_failed() {
    let mut report = Report::new(vec![]);
    report.fail("a", "x", Unit::PerSecond, "broken");
    report.add("a", "x", Unit::PerSecond, 1.0);
    assert_eq!(
        report.rows()[0].figures["a"],
        Figure::Failed("broken".to_owned())
    );
}

#[test]
fn a_reason_stays_in_its_cell() {
    let mut report = Report::new(vec!["a".to_owned()]);
    let why = format!("a | b\n{}", "c".repeat(100));
    report.fail("a", "x", Unit::PerSecond, &why);
    let table = report.table();
    let cell = format!("| x | none: a   b {} ... |", "c".repeat(74));
    assert!(table.ends_with(&cell), "{table}");
}
