//! Values as data, `%json`, `%table` and SQL: right names, right types, nothing lost.

use serde_json::{Value, json};

use crate::client::Session;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("values::of_case_classes_have_their_names", case_classes),
    ("values::numbers_that_json_lacks_are_numbers", not_a_number),
    ("values::of_one_name_are_all_kept", equal_names),
    ("values::times_are_those_of_spark", times),
    ("values::times_that_old_classes_cannot_show", old_times),
    ("values::magics_take_any_space", magic_spaces),
];

const TABLE: &str = "application/vnd.livy.table.v1+json";

fn shown(session: &Session, kind: &str, code: &str) -> Value {
    session.data(kind, code)["application/json"].clone()
}

fn table(session: &Session, kind: &str, code: &str) -> Value {
    session.data(kind, code)[TABLE].clone()
}

/// Case classes whose fields do not stand in the class as they were declared.
const SHAPES: &str = r#"
case class Lazy(a: Int, b: String) { lazy val c = a * 2; val d = 3; var e = 4; private val f = 5 }
abstract class Base(val id: Int)
case class Over(override val id: Int, n: String) extends Base(id)
case class OverLast(n: String, override val id: Int) extends Base(id)
case class Hidden(private val a: Int, b: String, private var c: Int) { def sum = a + c }
case class Second(a: Int)(val b: Int)
case class Generic[T: Ordering, U](a: T, b: List[U]) { lazy val most = implicitly[Ordering[T]] }
case class Signs(`a-b`: Int, + : Int, `type`: String) { lazy val < = 1 }
case class Others(a: Int, b: Int) { lazy val z = 0; def this(b: Int) = this(b, 1); def this(b: Int, a: Int, c: Int) = this(a, b) }
case class Closed private (a: Int, var b: String) { lazy val c = 1 }
object Closed { def make = Closed(1, "p") }
trait Asks { val t: Int; val z = 9; lazy val y = 8 }
case class Answers(u: Int, t: Int) extends Asks
case class One(a: Int) { lazy val b = 2 }
class Extends extends Lazy(5, "s") { val g = 1; lazy val h = 2 }
class Around { case class Inner(a: Int, b: String) { lazy val c = 1 }; def make = Inner(1, "i") }
case class Given(a: Int = 1, b: String = "x")(implicit o: Ordering[Int]) { lazy val c = o }
case class Nested(one: One, more: Map[String, Over]) { lazy val c = 1 }
case class Nothing0()
case object Single
case class Optional(a: Option[Int], b: Option[Lazy])
case class Wide(z00: Int, z01: Int, z02: Int, z03: Int, z04: Int, z05: Int, z06: Int, z07: Int, z08: Int, z09: Int, z10: Int,
  z11: Int, z12: Int, z13: Int, z14: Int, z15: Int, z16: Int, z17: Int, z18: Int, z19: Int, z20: Int, z21: Int, z22: Int,
  z23: Int, z24: Int) { lazy val a = 1 }
"#;

/// Values of these classes in the order of `shapes_as_json`.
const VALUES: &str = r#"Lazy(1, "x"), Over(1, "x"), OverLast("x", 1), Hidden(1, "x", 2), Second(1)(2), Generic(1, List("x")),
  Signs(1, 2, "t"), Others(1, 2), Closed.make, Answers(1, 2), One(1), new Extends, new Around().make, Given(),
  Nested(One(1), Map("k" -> Over(2, "y"))), Nothing0(), Single, Optional(None, Some(Lazy(1, "x"))),
  Wide(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24),
  { case class Local(b: Int, a: String) { lazy val z = 1 }; Local(1, "l") }, (1, "x"), (1, 2.5)"#;

fn shapes_as_json() -> Vec<Value> {
    let wide = (0..25).map(|at| (format!("z{at:02}"), json!(at)));
    vec![
        json!({"a": 1, "b": "x"}),
        json!({"id": 1, "n": "x"}),
        json!({"n": "x", "id": 1}),
        json!({"a": 1, "b": "x", "c": 2}),
        json!({"a": 1}),
        json!({"a": 1, "b": ["x"]}),
        json!({"a-b": 1, "+": 2, "type": "t"}),
        json!({"a": 1, "b": 2}),
        json!({"a": 1, "b": "p"}),
        json!({"u": 1, "t": 2}),
        json!({"a": 1}),
        json!({"a": 5, "b": "s"}),
        json!({"a": 1, "b": "i"}),
        json!({"a": 1, "b": "x"}),
        json!({"one": {"a": 1}, "more": {"k": {"id": 2, "n": "y"}}}),
        json!({}),
        json!({}),
        json!({"a": null, "b": {"a": 1, "b": "x"}}),
        Value::Object(wide.collect()),
        json!({"b": 1, "a": "l"}),
        json!({"_1": 1, "_2": "x"}),
        json!({"_1": 1, "_2": 2.5}),
    ]
}

fn case_classes(shared: &Shared) {
    let session = shared.session();
    session.text("spark", SHAPES);
    session.text("spark", &format!("val shapes = List[Product]({VALUES})"));
    let expected = shapes_as_json();
    assert_eq!(shown(session, "spark", "%json shapes"), json!(expected));
    for (at, one) in expected.iter().enumerate().step_by(9) {
        let table = table(session, "spark", &format!("%table List(shapes({at}))"));
        let names = table["headers"].as_array().unwrap().iter();
        let names: Vec<&str> = names.filter_map(|header| header["name"].as_str()).collect();
        let mut wanted: Vec<&str> = one
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        wanted.sort_unstable();
        assert_eq!(names, wanted);
        let cells: Vec<&Value> = names.iter().map(|name| &one[name]).collect();
        assert_eq!(table["data"], json!([cells]));
    }
    // In a package and loaded as from a jar. Only there can a class extend AnyVal.
    let source = format!(
        "package shapes\nclass Metres(val length: Double) extends AnyVal\ncase class Boxed(n: Int) extends AnyVal\n\
         case class Way(to: Metres, box: Boxed) {{ lazy val a = 1 }}\n{SHAPES}\n\
         object All {{ val all = List[Product](Boxed(7), Way(new Metres(2.5), Boxed(1)), {VALUES}) }}"
    );
    let compile = format!(
        "val folder = java.nio.file.Files.createTempDirectory(\"shapes\")\n\
         val file = java.nio.file.Files.write(folder.resolve(\"Shapes.scala\"), {source:?}.getBytes(\"UTF-8\"))\n\
         val compiled = scala.tools.nsc.Main.process(Array(\"-usejavacp\", \"-nowarn\", \"-d\", folder.toString, file.toString))\n\
         val loader = new java.net.URLClassLoader(Array(folder.toUri.toURL), getClass.getClassLoader)\n\
         val module = loader.loadClass(\"shapes.All$\")\n\
         val all = module.getMethod(\"all\").invoke(module.getField(\"MODULE$\").get(null)).asInstanceOf[List[Product]]\n\
         %json all.drop(2)"
    );
    assert_eq!(shown(session, "spark", &compile), json!(expected));
    let boxed = shown(session, "spark", "%json all.take(2)");
    assert_eq!(boxed[0], json!({"n": 7}));
    assert_eq!(boxed[1]["box"], json!({"n": 1}));
    let names: Vec<&String> = boxed[1].as_object().unwrap().keys().collect();
    assert_eq!(names, ["to", "box"]);
}

/// A column of a table: its values, its type, and its cells.
type Column = (&'static str, &'static str, Value);

fn columns() -> Vec<Column> {
    let five = "1.5, Double.NaN, null, Double.PositiveInfinity, Double.NegativeInfinity";
    vec![
        (
            five,
            "DOUBLE_TYPE",
            json!([1.5, "NaN", null, "Infinity", "-Infinity"]),
        ),
        (
            "Float.NaN, 1.5f, None",
            "DOUBLE_TYPE",
            json!(["NaN", 1.5, null]),
        ),
        (
            "1, Double.NaN, Some(2)",
            "DOUBLE_TYPE",
            json!([1.0, "NaN", 2.0]),
        ),
        (
            "9007199254740993L, 0.5",
            "DOUBLE_TYPE",
            json!([9_007_199_254_740_993_i64, 0.5]),
        ),
        (
            "Some(1), None, 2L, 3.toByte",
            "BIGINT_TYPE",
            json!([1, null, 2, 3]),
        ),
        (
            "\"NaN\", null, 'c'",
            "STRING_TYPE",
            json!(["NaN", null, "c"]),
        ),
        ("true, null", "BOOLEAN_TYPE", json!([true, null])),
        (
            "BigDecimal(\"1.5\"), null",
            "DECIMAL_TYPE",
            json!([1.5, null]),
        ),
        (
            "java.sql.Date.valueOf(\"2020-01-02\"), null",
            "STRING_TYPE",
            json!(["2020-01-02", null]),
        ),
        (
            "(1, \"x\"), None",
            "MAP_TYPE",
            json!([{"_1": 1, "_2": "x"}, null]),
        ),
        (
            "List(1, \"x\"), null",
            "ARRAY_TYPE",
            json!([[1, "x"], null]),
        ),
        ("null, None", "NULL_TYPE", json!([null, null])),
    ]
}

fn not_a_number(shared: &Shared) {
    let session = shared.session();
    let columns = columns();
    let lists: Vec<String> = columns
        .iter()
        .map(|(values, _, _)| format!("List[Any]({values})"))
        .collect();
    let code = format!(
        "val columns = List[List[Any]]({}).zipWithIndex\n\
         %table (0 until 5).map(row => columns.map {{ case (cells, at) => f\"c$at%02d\" -> cells.lift(row).orNull }}.toMap)",
        lists.join(", ")
    );
    let shown = table(session, "spark", &code);
    for (at, (values, kind, cells)) in columns.iter().enumerate() {
        assert_eq!(shown["headers"][at]["type"], *kind, "{values}");
        for (row, cell) in cells.as_array().unwrap().iter().enumerate() {
            assert_eq!(shown["data"][row][at], *cell, "{values}");
        }
    }
    let query = "select * from values (double('nan'), float('inf'), named_struct('i', 1, 't', 'x', 'n', double('nan')), null), \
                 (null, null, null, 1), (2.5d, 1.5f, null, null) as t(a, b, c, d)";
    let shown = table(session, "spark", &format!("%table spark.sql(\"{query}\")"));
    let kinds: Vec<&Value> = shown["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| &header["type"])
        .collect();
    assert_eq!(
        json!(kinds),
        json!(["DOUBLE_TYPE", "DOUBLE_TYPE", "MAP_TYPE", "BIGINT_TYPE"])
    );
    assert_eq!(
        shown["data"],
        json!([["NaN", "Infinity", {"i": 1, "t": "x", "n": "NaN"}, null], [null, null, null, 1], [2.5, 1.5, null, null]])
    );
    let python = table(
        session,
        "pyspark",
        &format!("%table spark.sql(\"{query}\")"),
    );
    assert_eq!(python["data"], shown["data"]);
    assert_eq!(python["headers"][0]["type"], "DOUBLE_TYPE");
    for value in ["List[Any](1, \"x\")", "List[Any](\"x\", Double.NaN)"] {
        let error = session.error("spark", &format!("%table {value}"));
        assert_eq!(error["ename"], "TypeError", "{value}");
    }
}

fn equal_names(shared: &Shared) {
    let session = shared.session();
    let query = "select 1 a, 2 a, 3 a_2, named_struct('x', 1, 'x', 2) s, map('k', 1) m";
    let expected = json!([{"a": 1, "a_3": 2, "a_2": 3, "s": {"x": 1, "x_2": 2}, "m": {"k": 1}}]);
    let scala = format!("val twice = spark.sql(\"{query}\")");
    session.text("spark", &scala);
    assert_eq!(shown(session, "spark", "%json twice"), expected);
    assert_eq!(shown(session, "spark", "%json twice.collect"), expected);
    let table = table(session, "spark", "%table twice");
    assert_eq!(
        table["data"],
        json!([[1, 3, 2, {"k": 1}, {"x": 1, "x_2": 2}]])
    );
    session.text("pyspark", &format!("twice = spark.sql(\"{query}\")"));
    assert_eq!(shown(session, "pyspark", "%json twice"), expected);
    assert_eq!(shown(session, "pyspark", "%json twice.collect()"), expected);
    assert_eq!(
        shown(session, "sql", query)["data"],
        json!([[1, 2, 3, {"x": 1, "x_2": 2}, {"k": 1}]])
    );
    assert_eq!(
        shown(session, "spark", "%json Map(1 -> \"a\", \"1\" -> \"b\")"),
        json!({"1": "a", "1_2": "b"})
    );
}

/// All of Spark's range, the gap between the calendars, and hours that a clock shows twice.
const TIMES: &str = "select make_date(y, 3, 15) d, make_timestamp(y, 3, 15, 1, 2, 3.5) t, make_timestamp_ntz(y, 3, 15, 1, 2, 3.000001) n \
    from (select explode(sequence(-290000, 294000, 1000)) y) union all \
    select make_date(y, 3, 15) d, make_timestamp(y, 10, 25, 1, 30, 0) t, make_timestamp_ntz(y, 3, 15, 0, 0, 0) n \
    from (select explode(sequence(-9500, 12500, 500)) y) union all select * from values \
    (date'1582-10-10', timestamp'1582-10-10 12:00:00', timestamp_ntz'1582-10-10 12:00:00'), \
    (date'1000-02-28', timestamp'1899-12-31 23:59:59.999999', timestamp_ntz'0000-01-01 00:00:00'), \
    (date'0000-02-29', timestamp'2020-10-25 01:30:00', null), (null, null, null), \
    (date_add(date'1970-01-01', 2147483647), timestamp_micros(9223372036854775807), null), \
    (date_add(date'1970-01-01', -2147483648), timestamp_micros(-9223372036854775808), null) as v(d, t, n)";

fn times(shared: &Shared) {
    let session = shared.session();
    let query = format!(
        "select d, t, n, array(d) ds, struct(t as inner) ts, cast(d as string) ds0, cast(t as string) ts0, cast(n as string) ns0 from ({TIMES})"
    );
    for (zone, newer) in [
        ("UTC", "false"),
        ("Europe/Paris", "true"),
        ("America/Los_Angeles", "false"),
        ("America/Los_Angeles", "true"),
    ] {
        let api = "spark.sql.datetime.java8API.enabled";
        session.data("sql", &format!("SET spark.sql.session.timeZone={zone}"));
        session.data("sql", &format!("SET {api}={newer}"));
        let rows = shown(session, "sql", &query)["data"].clone();
        let rows = rows.as_array().unwrap();
        assert!(rows.len() > 600, "{}", rows.len());
        for row in rows {
            let found = json!([
                row[0],
                row[3][0],
                local(&row[1]),
                local(&row[4]["inner"]),
                local(&row[2])
            ]);
            let wanted = json!([row[5], row[5], row[6], row[6], row[7]]);
            assert_eq!(found, wanted, "{zone}, {newer}: {row}");
        }
        let data = shown(session, "spark", &format!("%json spark.sql(\"{query}\")"));
        for row in data.as_array().unwrap() {
            let found = json!([
                row["d"],
                row["ds"][0],
                row["t"],
                row["ts"]["inner"],
                row["n"]
            ]);
            let wanted = json!([row["ds0"], row["ds0"], row["ts0"], row["ts0"], row["ns0"]]);
            assert_eq!(found, wanted, "{zone}, {newer}: {row}");
        }
    }
    let table = table(
        session,
        "spark",
        &format!("%table spark.sql(\"select * from ({query}) where d = date'-9500-03-15'\")"),
    );
    assert_eq!(table["data"][0][0], "-9500-03-15");
    session.data("sql", "SET spark.sql.session.timeZone=UTC");
    session.data("sql", "RESET spark.sql.datetime.java8API.enabled");
}

/// The time of ISO 8601 as Spark writes it: in the session's zone, without the zone's offset.
fn local(time: &Value) -> Value {
    let Some(text) = time.as_str() else {
        return Value::Null;
    };
    let (day, clock) = text.split_once('T').unwrap();
    let clock = clock.split(['Z', '+', '-']).next().unwrap();
    json!(format!("{day} {clock}"))
}

fn old_times(shared: &Shared) {
    let session = shared.session();
    let code = "import java.sql.{Date, Timestamp}\n\
        val days = List(new Date(12345 - 1900, 0, 2), Date.valueOf(\"2020-01-02\"), Date.valueOf(\"0001-01-01\"), \
        new Date(-44 - 1900 + 1, 2, 15), new Timestamp(12345 - 1900, 0, 2, 3, 4, 5, 600000000), \
        Timestamp.valueOf(\"2020-01-02 03:04:05.1\"), new Timestamp(-44 - 1900 + 1, 2, 15, 1, 2, 3, 0))\n%json days";
    let expected = [
        "+12345-01-02",
        "2020-01-02",
        "0001-01-01",
        "-0043-03-15",
        "+12345-01-02 03:04:05.6",
        "2020-01-02 03:04:05.1",
        "-0043-03-15 01:02:03.0",
    ];
    assert_eq!(shown(session, "spark", code), json!(expected));
    // Python's own dates end with the year 9999.
    session.text(
        "pyspark",
        "far = spark.sql(\"select date'-0044-03-15' d, date'+12345-01-01' e, array(timestamp'+12345-01-01 01:02:03') t, 1 n\")",
    );
    let row = json!(["-0044-03-15", "+12345-01-01", ["+12345-01-01 01:02:03"], 1]);
    assert_eq!(
        shown(session, "pyspark", "%json far"),
        json!([{"d": row[0], "e": row[1], "t": row[2], "n": 1}])
    );
    assert_eq!(
        table(session, "pyspark", "%table far")["data"],
        json!([row])
    );
}

fn magic_spaces(shared: &Shared) {
    let session = shared.session();
    for kind in ["spark", "pyspark"] {
        for code in ["%json\t1", "% json 1", "%\tjson \t 1 \t\r", "%json\u{a0}1"] {
            assert_eq!(shown(session, kind, code), json!(1), "{kind} {code:?}");
        }
        let error = session.error(kind, "%json-x 1");
        assert_eq!(error["ename"], "UnknownMagic", "{kind}");
        assert!(
            error["evalue"].as_str().unwrap().contains("json-x"),
            "{error}"
        );
    }
}
