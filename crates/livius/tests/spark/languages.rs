//! The output of each language, in one shared session on one SparkSession.

use serde_json::{Value, json};

use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    (
        "python::shows_the_last_expression_after_what_was_printed",
        python_text,
    ),
    ("python::errors_have_the_users_frames_only", python_errors),
    (
        "python::output_of_descriptors_and_children_is_shown_and_breaks_nothing",
        python_descriptors,
    ),
    ("python::magics_and_their_failures", python_magics),
    ("python::figures_are_pictures", python_figures),
    (
        "python::classes_and_closures_reach_the_executors",
        python_executors,
    ),
    ("python::strange_text_is_safe", python_strange_text),
    ("python::calls_of_the_shell_are_not_logged", python_logging),
    ("python::fifty_megabytes_come_through", python_large),
    ("python::ten_megabytes_of_code_run", long_code),
    ("python::pyspark3_has_its_own_executable", pyspark3),
    ("scala::code_is_compiled_as_it_was_written", scala_syntax),
    ("scala::echoes_errors_and_magics", scala_outputs),
    (
        "scala::closures_over_classes_of_the_repl_run_on_executors",
        scala_executors,
    ),
    (
        "scala::the_ports_of_a_local_driver_know_their_own",
        scala_ports,
    ),
    ("sql::values_are_exact", sql_values),
    ("sql::a_cut_is_told_in_the_log", sql_cut),
    ("r::runs_or_says_what_is_missing", r_runs),
    ("all::one_spark_session_for_every_kind", one_session),
];

fn python_text(shared: &Shared) {
    let session = shared.session();
    let cases = [
        ("1 + 1", "2"),
        ("print('a')\n1", "a\n1"),
        ("x = 5", ""),
        ("for i in range(3):\n  i", "0\n1\n2"),
        ("None", ""),
        (
            "import sys\nsys.stderr.write('e\\n')\nprint('o')\n'v'",
            "o\n'v'\ne",
        ),
        ("def f(a):\r\n    return a * 2\r\n\r\nf(21)", "42"),
        ("'λ 🤔'", "'λ 🤔'"),
        ("spark.range(100).count()", "100"),
        (
            "sc.parallelize([1, 2, 3]).map(lambda v: v * 2).collect()",
            "[2, 4, 6]",
        ),
        ("__name__", "'__main__'"),
        ("# nothing but a comment", ""),
        ("", ""),
    ];
    for (code, text) in cases {
        assert_eq!(session.text("pyspark", code), text, "{code:?}");
    }
}

fn python_errors(shared: &Shared) {
    let session = shared.session();
    let error = session.error("pyspark", "def outer():\n    return inner()\n\ndef inner():\n    return 1 / 0\n\nprint('before')\nouter()");
    assert_eq!(
        (&error["ename"], &error["evalue"]),
        (&json!("ZeroDivisionError"), &json!("division by zero"))
    );
    let traceback: String = error["traceback"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for expected in [
        "before",
        "Traceback (most recent call last):\n",
        "in outer",
        "in inner",
        "ZeroDivisionError: division by zero",
    ] {
        assert!(traceback.contains(expected), "{expected:?} in {traceback}");
    }
    assert!(!traceback.contains("livius"), "{traceback}");
    let cases = [
        ("abcde", "NameError", "name 'abcde' is not defined"),
        ("print('x'", "SyntaxError", "'(' was never closed"),
        ("input()", "EOFError", "EOF when reading a line"),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt()", "KeyboardInterrupt", ""),
        (
            "class Bad(Exception):\n    def __str__(self):\n        raise ValueError('no')\nraise Bad()",
            "Bad",
            "",
        ),
    ];
    for (code, ename, evalue) in cases {
        let error = session.error("pyspark", code);
        assert_eq!(error["ename"], ename, "{code:?}");
        assert!(
            error["evalue"].as_str().unwrap().starts_with(evalue),
            "{code:?}: {error:#}"
        );
    }
    assert_eq!(session.text("pyspark", "1 + 2"), "3");
}

fn python_descriptors(shared: &Shared) {
    let session = shared.session();
    let code = "import os, subprocess, ctypes\nprint('one')\nos.system('echo two')\nprint('three')\nos.write(1, b'four\\n')\n\
                libc = ctypes.CDLL(None)\nlibc.puts(b'five'); libc.fflush(None)\nsubprocess.run(['echo', '{\"id\": 1}'])\nprint('six')";
    let text = session.text("pyspark", code);
    assert_eq!(text, "one\ntwo\nthree\nfour\nfive\n{\"id\": 1}\nsix");
    // Code that closes its stdout loses only that stream.
    let closed = session.run("pyspark", "os.close(1)\nprint('gone?')")["output"].clone();
    assert!(
        closed["status"] == "ok" || closed["ename"] == "OSError",
        "{closed:#}"
    );
    // The interpreter still returns each statement's own result.
    assert_eq!(
        session.run("pyspark", "raise ValueError('mine')")["output"]["evalue"],
        "mine"
    );
    session.run("pyspark", "os._exit(0)");
    assert_eq!(session.text("pyspark", "'fresh'"), "'fresh'");
}

fn python_magics(shared: &Shared) {
    let session = shared.session();
    session.text("pyspark", "data = {'a': [1, None, True], 'b': float('nan')}\nrows = [(1, 'x'), (2, 'y')]\nframe = spark.range(3)");
    let shown = session.data("pyspark", "%json data");
    assert_eq!(shown["application/json"]["a"], json!([1, null, true]));
    let table = session.data("pyspark", "%table rows");
    let table = &table["application/vnd.livy.table.v1+json"];
    assert_eq!(
        table["headers"],
        json!([{"name": "0", "type": "INT_TYPE"}, {"name": "1", "type": "STRING_TYPE"}])
    );
    assert_eq!(table["data"], json!([[1, "x"], [2, "y"]]));
    for (code, ename) in [
        ("%json nosuch", "NameError"),
        ("%json", "ValueError"),
        ("%nosuch data", "UnknownMagic"),
        ("%", "UnknownMagic"),
        ("%json object()", "TypeError"),
        ("mixed = [[1], ['x']]\n%table mixed", "TypeError"),
    ] {
        let error = session.error("pyspark", code);
        assert_eq!(error["ename"], ename, "{code}: {error:#}");
    }
    session.data("pyspark", "%json frame");
    assert_eq!(session.text("pyspark", "1"), "1");
}

fn python_figures(shared: &Shared) {
    let session = shared.session();
    let data = session.data(
        "pyspark",
        "import matplotlib.pyplot as plt\nlines = plt.plot([1, 2, 3])",
    );
    let picture = data["image/png"]
        .as_str()
        .unwrap_or_else(|| panic!("{data:#}"));
    assert!(picture.starts_with("iVBORw0KGgo"), "{picture:.20}");
    session.text("pyspark", "lines = plt.figure() and None\nplt.close('all')");
    session.run("pyspark", "points = plt.scatter([1], [2])");
    let data = session.data("pyspark", "%matplot plt");
    assert!(
        data["image/png"]
            .as_str()
            .unwrap()
            .starts_with("iVBORw0KGgo")
    );
}

fn python_executors(shared: &Shared) {
    let session = shared.session();
    let code = "class Point:\n    def __init__(self, x):\n        self.x = x\n\nfactor = 10\n\
                sorted(sc.parallelize([1, 2, 3], 2).map(lambda v: Point(v * factor)).map(lambda p: p.x).collect())";
    assert_eq!(session.text("pyspark", code), "[10, 20, 30]");
    let code = "from pyspark.sql.functions import udf\nfrom pyspark.sql.types import IntegerType\n\
                plus = udf(lambda v: v + factor, IntegerType())\n[row[0] for row in spark.range(3).select(plus('id')).collect()]";
    assert_eq!(session.text("pyspark", code), "[10, 11, 12]");
}

fn python_strange_text(shared: &Shared) {
    let session = shared.session();
    session.text("pyspark", "'\\ud800 lone'");
    session.text("pyspark", "print('\\ud800')");
    assert_eq!(session.text("pyspark", "print('a\\x00b')"), "a\u{0}b");
    session.text("pyspark", "import os\nn = os.write(1, bytes(range(256)))");
    session.data(
        "pyspark",
        "strange = ['\\ud800', float('inf'), float('nan'), b'\\xff', 2**70]\n%json strange",
    );
    assert_eq!(session.text("pyspark", "print('😀' * 3)"), "😀😀😀");
}

fn python_logging(shared: &Shared) {
    let session = shared.session();
    let code = "import logging, sys\nlogging.basicConfig(level=logging.DEBUG)\n\
                logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))";
    session.text("pyspark", code);
    assert_eq!(session.text("pyspark", "x = 5"), "");
    // The user's own calls are shown, as in Python's interactive shell.
    let shown = session.text("pyspark", "_ = spark.range(1).count()");
    assert!(shown.contains("Command to send"), "{shown}");
    session.text(
        "pyspark",
        "logging.basicConfig(level=logging.WARNING, force=True)",
    );
}

fn python_large(shared: &Shared) {
    let session = shared.session();
    let text = session.text("pyspark", "print('0123456789' * 5_000_000)");
    assert_eq!(text.len(), 50_000_000);
    assert!(
        text.bytes()
            .enumerate()
            .step_by(9_999)
            .all(|(index, byte)| usize::from(byte - b'0') == index % 10)
    );
}

fn long_code(shared: &Shared) {
    let session = shared.session();
    let code = format!("len('{}')", "\"".repeat(10_000_000));
    assert_eq!(session.text("pyspark", &code), "10000000");
}

fn pyspark3(shared: &Shared) {
    let session = shared.session();
    let program = |kind: &str| {
        let path = session.text(kind, "import sys\nprint(sys.executable)");
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        (program("pyspark").as_str(), program("pyspark3").as_str()),
        ("python3", "python")
    );
    assert_eq!(session.text("pyspark3", "spark.range(5).count()"), "5");
}

fn scala_syntax(shared: &Shared) {
    let session = shared.session();
    let cases = [
        (
            "val chain = sc.parallelize(1 to 10)\n  .map(_ * 2)\n  .filter(_ > 10)\n  .count()",
            "chain: Long = 5\n",
        ),
        ("if (chain > 100)\n  \"big\"\nelse\n  \"small\"", "small"),
        (
            "class Pair(val a: Int)\nobject Pair {\n  def of(a: Int) = new Pair(a)\n}\nPair.of(7).a",
            "7",
        ),
        ("// only a comment", ""),
        (
            "val one = 1\nval two = 2\none + two",
            "one: Int = 1\ntwo: Int = 2\n",
        ),
        ("println(\"out\")", "out\n"),
        ("()", ""),
        ("def twice(n: Int): Int = {\n  n * 2\n}\n\ntwice(4)", "8"),
        ("spark.range(5).as[Long].map(_ + 1).reduce(_ + _)", "15"),
        ("val unit = ()", "unit: Unit = ()\n"),
        (
            "val `a name` = Array(1, 2)",
            "a name: Array[Int] = Array(1, 2)\n",
        ),
        (
            "lazy val later: Int = sys.error(\"too early\")",
            "later: Int",
        ),
        (
            "class Metres(val n: Int) extends AnyVal { override def toString = n + \" m\" }\nval far = new Metres(3)",
            "far: Metres = 3 m\n",
        ),
        ("val near = far", "near: Metres = 3 m\n"),
    ];
    for (code, expected) in cases {
        let text = session.text("spark", code);
        assert!(text.contains(expected), "{code:?}: {text:?}");
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "{code:?}: {text:?}"
        );
    }
    assert_eq!(session.text("spark", "// nothing"), "");
}

fn scala_outputs(shared: &Shared) {
    let session = shared.session();
    let error = session.error("spark", "abcde");
    assert_eq!(error["ename"], "Error");
    assert!(
        error["evalue"]
            .as_str()
            .unwrap()
            .contains("not found: value abcde"),
        "{error:#}"
    );
    let error = session.error("spark", "println(\"first\"); throw new Exception(\"boom\")");
    assert_eq!(error["evalue"], "java.lang.Exception: boom");
    let code = "class Loud { override def toString = sys.error(\"loud\") }\nnew Loud";
    let error = session.error("spark", code);
    assert_eq!(error["evalue"], "java.lang.RuntimeException: loud");
    let trace = error["traceback"].to_string();
    assert!(trace.contains("Loud.toString"), "{trace}");
    assert!(!trace.contains("livius"), "{trace}");
    let error = session.error("spark", "def incomplete(");
    assert_eq!(
        (&error["ename"], &error["evalue"]),
        (&json!("Error"), &json!("incomplete statement"))
    );
    let data = session.data(
        "spark",
        "// what sparklyr sends\nvar answer = \"a string\"\n%json answer",
    );
    assert_eq!(data, json!({"application/json": "a string"}));
    let data = session.data(
        "spark",
        "val pairs = List((1, \"x\"), (2, \"y\"))\n%table pairs",
    );
    let table = &data["application/vnd.livy.table.v1+json"];
    assert_eq!(table["data"], json!([[1, "x"], [2, "y"]]));
    assert_eq!(
        session.error("spark", "%nosuch pairs")["ename"],
        "UnknownMagic"
    );
    session.error("spark", "%json neverdefined");
    assert!(session.text("spark", "1 + 1").ends_with("Int = 2\n"));
}

fn scala_executors(shared: &Shared) {
    let session = shared.session();
    let code = "case class Item(id: Int, name: String)\nval items = sc.parallelize(1 to 4, 2).map(i => Item(i, \"n\" + i))\n\
                println(items.map(_.id).reduce(_ + _))\nprintln(items.toDF.filter($\"id\" > 2).count)";
    let text = session.text("spark", code);
    assert!(text.contains("10\n") && text.contains("2\n"), "{text}");
}

/// Other users of the machine can connect to the ports of a driver.
fn scala_ports(shared: &Shared) {
    let session = shared.session();
    let settings =
        r#"Seq("spark.authenticate", "spark.ui.killEnabled").map(sc.getConf.get).mkString(" ")"#;
    assert!(session.text("spark", settings).contains("true false"));
    let shuffled = "sc.parallelize(1 to 100, 4).map(i => (i % 10, i)).reduceByKey(_ + _).count()";
    assert!(session.text("spark", shuffled).contains("= 10"));
    // Strangers that say nothing do not keep an interpreter's process waiting.
    let greeted = r#"
val listener = new livius.agent.ChildListener
val strangers = (1 to 100).map(_ => new java.net.Socket("127.0.0.1", listener.port))
val child = new java.net.Socket("127.0.0.1", listener.port)
val greeting = s"${listener.secret} run 42".getBytes
new java.io.DataOutputStream(child.getOutputStream).writeInt(greeting.length)
child.getOutputStream.write(greeting)
val pid = listener.accept("run", 2000).pid
listener.close()
(strangers :+ child).foreach(_.close())
println(s"pid $pid")"#;
    let shown = session.text("spark", greeted);
    assert!(shown.contains("pid 42"), "{shown}");
}

fn sql_values(shared: &Shared) {
    let session = shared.session();
    session.data("sql", "SET spark.sql.session.timeZone=UTC");
    let query = "select cast(1.50 as decimal(10,2)) d, cast('12345678901234567890.123456789' as decimal(38,9)) big, \
                 timestamp'2020-01-02 03:04:05.123456' t, date'2020-01-02' day, X'00FF' b, named_struct('a', 1, 'b', 'x') s, \
                 map('k', 1) m, array(1, null) l, double('NaN') n, cast(null as int) z, true y, 9007199254740993 wide";
    let data = session.data("sql", query);
    assert_eq!(data.as_object().unwrap().len(), 1);
    let result = &data["application/json"];
    assert_eq!(result["schema"]["type"], "struct");
    assert_eq!(result["schema"]["fields"][0]["name"], "d");
    let raw = session.raw_text("sql", query);
    let row = r#"[1.50,12345678901234567890.123456789,"2020-01-02T03:04:05.123456Z","2020-01-02","AP8=",{"a":1,"b":"x"},{"k":1},[1,null],"NaN",null,true,9007199254740993]"#;
    assert!(raw.contains(row), "{raw}");
    let created = session.data(
        "sql",
        "create or replace temporary view numbers as select id from range(3)",
    );
    assert_eq!(created["application/json"]["data"], json!([]));
    assert_eq!(
        session.data("sql", "select count(*) c from numbers;")["application/json"]["data"],
        json!([[3]])
    );
    let error = session.error("sql", "select * from no_such_table");
    assert_eq!(error["ename"], "Error");
    assert!(
        error["evalue"].as_str().unwrap().contains("no_such_table"),
        "{error:#}"
    );
    session.error("sql", "select 1; select 2");
    session.error("sql", "");
}

fn sql_cut(shared: &Shared) {
    let session = shared.session();
    let rows = session.data("sql", "select id from range(5000)")["application/json"]["data"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(rows, 1000);
    let log = session.log();
    assert!(
        log.contains("cut at 1000 rows"),
        "{}",
        &log[log.len().saturating_sub(2_000)..]
    );
}

fn r_runs(shared: &Shared) {
    let session = shared.session();
    if crate::client::environment("LIVIUS_TEST_R").is_none() {
        println!(
            "SKIPPED: no R on this machine (LIVIUS_TEST_R is not set): only its absence is tested"
        );
        let error = session.error("sparkr", "1 + 2");
        assert!(error["evalue"].as_str().unwrap().contains('R'), "{error:#}");
        return;
    }
    assert_eq!(session.text("sparkr", "1 + 2"), "[1] 3");
    assert_eq!(session.text("sparkr", "x <- 'é λ'\nx"), "[1] \"é λ\"");
    assert_eq!(session.text("sparkr", "cat('a\\n'); invisible(5)"), "a");
    let error = session.error("sparkr", "nosuch");
    assert!(
        error["evalue"]
            .as_str()
            .unwrap()
            .contains("object 'nosuch' not found"),
        "{error:#}"
    );
    let data = session.data("sparkr", "plot(1:3)");
    assert!(
        data["image/png"]
            .as_str()
            .unwrap()
            .starts_with("iVBORw0KGgo"),
        "{data:#}"
    );
    assert_eq!(session.text("sparkr", "x"), "[1] \"é λ\"");
    if session.log().contains("SparkR") {
        println!(
            "SKIPPED: no SparkR here, so `spark` and `sc` in R are not tested; the log says so too"
        );
    } else {
        assert!(session.text("sparkr", "class(spark)").contains("jobj"));
    }
}

fn one_session(shared: &Shared) {
    let session = shared.session();
    session.text("pyspark", "spark.range(7).createOrReplaceTempView('seven')");
    assert_eq!(
        session.data("sql", "select count(*) from seven")["application/json"]["data"],
        json!([[7]])
    );
    assert!(
        session
            .text("spark", "spark.table(\"seven\").count")
            .ends_with("Long = 7\n")
    );
    assert_eq!(
        session.text("pyspark", "sc.applicationId"),
        format!("'{}'", session.text("pyspark", "print(sc.applicationId)"))
    );
}
