//! No text of the user's code can stop a session: not lone surrogates, zeros, bytes that are no
//! UTF-8, great length or depth. The texts come out as the guide says.

use std::time::Duration;

use livius_testkit::texts::{escaped, nasty, with};
use serde_json::{Value, json};

use crate::client::{Session, environment, eventually, post};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("texts::of_scala", scala),
    ("texts::of_scala_exceptions", scala_exceptions),
    ("texts::of_sql", sql),
];

/// Python, R and the server are the same with every Spark.
pub const ONCE: &[Case] = &[
    ("texts::of_python", python),
    ("texts::of_python_exceptions", python_exceptions),
    ("texts::of_python_jobs", python_jobs),
    ("texts::of_r", r),
    ("texts::of_r_conditions", r_conditions),
    ("texts::of_a_hundred_megabytes", large),
];

fn replaced(text: &[u32]) -> String {
    with(text, |_| "\u{fffd}".to_owned())
}

fn lists(open: &str, close: &str) -> String {
    let lists = nasty().into_iter().map(|text| {
        let points: Vec<String> = text.iter().map(u32::to_string).collect();
        format!("{open}{}{close}", points.join(", "))
    });
    lists.collect::<Vec<_>>().join(", ")
}

fn traceback(error: &Value) -> String {
    let lines = error["traceback"].as_array().unwrap();
    lines.iter().filter_map(Value::as_str).collect()
}

/// Runs code that may fail in any way, but must end with an output.
fn ends(session: &Session, kind: &str, code: &str) -> Value {
    let output = session.run(kind, code)["output"].clone();
    let known = ["ok", "error"].contains(&output["status"].as_str().unwrap_or_default());
    assert!(known, "{kind}: {code}\n{output:#}");
    let died = output["evalue"]
        .as_str()
        .is_some_and(|text| text.contains("Interpreter died"));
    assert!(!died, "{kind}: {code}\n{output:#}");
    output
}

fn scala(shared: &Shared) {
    let session = shared.session();
    session.text(
        "spark",
        &format!(
            "val texts = Array[Array[Int]]({}).map(points => new String(points, 0, points.length))",
            lists("Array[Int](", ")")
        ),
    );
    let texts = nasty();
    let wanted: Vec<String> = texts.iter().map(|text| replaced(text)).collect();
    let data = session.data("spark", "%json texts");
    assert_eq!(data["application/json"], json!(wanted));
    let data = session.data("spark", "%json texts.zipWithIndex.map { case (text, at) => (at, Map(s\"$at$text\" -> text)) }.toMap");
    for (at, text) in wanted.iter().enumerate() {
        assert_eq!(
            data["application/json"][at.to_string()],
            json!({format!("{at}{text}"): text})
        );
    }
    let data = session.data("spark", "%table texts.map(Tuple1(_))");
    let rows: Vec<[&String; 1]> = wanted.iter().map(|text| [text]).collect();
    assert_eq!(
        data["application/vnd.livy.table.v1+json"]["data"],
        json!(rows)
    );
    // Java writes a lone surrogate of printed text as a question mark.
    let lines: Vec<String> = texts
        .iter()
        .map(|text| with(text, |_| "?".to_owned()))
        .collect();
    let printed = format!("<{}>\n", lines.join(">\n<"));
    assert_eq!(
        session.text("spark", "texts.foreach(text => print(s\"<$text>\\n\"))"),
        printed
    );
    session.text(
        "spark",
        "texts.foreach(text => System.err.println(s\"in the log: $text\"))",
    );
    for (at, text) in wanted.iter().enumerate().filter(|(at, _)| at % 3 == 0) {
        let error = session.error(
            "spark",
            &format!("throw new Exception(\"<\" + texts({at}) + \">\")"),
        );
        let all = format!(
            "{}\n{}",
            error["evalue"].as_str().unwrap(),
            traceback(&error)
        );
        // The interpreter takes other control characters out of its messages, as in the shell.
        let plain = |text: &str| text.replace(|c: char| c.is_control() || c == '?', "");
        assert!(
            plain(&all).contains(&plain(&format!("<{text}>"))),
            "{text:?}: {error:#}"
        );
    }
    assert!(session.log().contains("in the log: "));
}

/// Exceptions that fail when they are asked, or never come to an end; and other odd values.
const ODD: &str = "class Silent extends Exception { override def getMessage: String = null; override def toString: String = null }\n\
        class Mute extends Exception { override def getMessage: String = throw new Mute; override def toString: String = throw this }\n\
        class Endless extends Exception { override def getCause: Throwable = new Endless }\n\
        class Around extends java.lang.reflect.InvocationTargetException(null) { override def getCause = this }\n\
        class Blank extends Exception { override def getStackTrace = null; override def getCause = throw new Error }\n\
        class Printing extends Exception { override def printStackTrace(to: java.io.PrintWriter): Unit = throw new Printing }\n\
        class Odd { override def toString = throw new Mute; override def equals(o: Any) = throw new Mute; override def hashCode = throw new Mute }\n\
        class Nameless { override def toString: String = null }\n\
        case class Holds(odd: Any, n: Int)\n\
        val circle = new Exception(\"circle\")\nval other = new Exception(\"other\", circle)\ncircle.initCause(other)\n\
        val list = new java.util.ArrayList[Any]\nlist.add(Map(\"inner\" -> list)); ()\nval map = new java.util.HashMap[String, Any]\nmap.put(\"map\", map)\n\
        val array = new Array[Any](1)\nobject Loops { array(0) = array; val deep: Any = (1 to 10000).foldLeft[Any](1)((inner, _) => Array(inner)) }\nLoops.hashCode; ()";

fn scala_exceptions(shared: &Shared) {
    let session = shared.session();
    session.text("spark", ODD);
    for (code, evalue) in [
        ("throw new Silent", "null"),
        ("throw new Mute", "Mute (its text could not be made: Mute)"),
        ("throw new Endless", "Endless"),
        ("throw new Around", "Around"),
        ("throw new Blank", "Blank"),
        ("throw new Printing", "Printing"),
        ("throw circle", "java.lang.Exception: circle"),
        ("new Odd", "Mute (its text could not be made: Mute)"),
    ] {
        let error = session.error("spark", code);
        assert!(
            error["evalue"].as_str().unwrap().ends_with(evalue),
            "{code}: {error:#}"
        );
        assert!(traceback(&error).len() < 300_000, "{code}");
    }
    for code in [
        "%json list",
        "%json map",
        "%json array",
        "%json Loops.deep",
        "%table List(map)",
    ] {
        let error = session.error("spark", code);
        let evalue = "the value has more than 100 levels, or contains itself";
        assert_eq!(error["evalue"], evalue, "{code}");
    }
    for (code, shown) in [
        (
            "%json Map(new Nameless -> new Nameless)",
            json!({"null": null}),
        ),
        ("%json java.nio.file.Paths.get(\"/a/b\")", json!("/a/b")),
        (
            "%json (1 to 100).foldLeft[Any](1)((inner, _) => Array(inner)) match { case Array(x: Array[_]) => x.length }",
            json!(1),
        ),
        (
            "%json List(BigInt(10).pow(5000), BigDecimal(\"1E+100000\"))",
            json!([format!("1{}", "0".repeat(5000)), "1E+100000"]),
        ),
    ] {
        assert_eq!(
            session.data("spark", code)["application/json"],
            shown,
            "{code}"
        );
    }
    for code in [
        "%json new Odd",
        "%table List(Holds(new Odd, 1))",
        "%json Map(1 -> new Odd)",
        "throw null",
        "%json Iterator.continually(1)",
    ] {
        session.error("spark", code);
    }
    assert!(session.text("spark", "1 + 1").ends_with("Int = 2\n"));
}

fn sql(shared: &Shared) {
    let session = shared.session();
    let texts = nasty();
    let hex = |text: &[u32]| -> String {
        let bytes = text.iter().flat_map(|&point| generalised(point));
        let digits: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    };
    // The name of a column has no quotes, and Spark knows one line end only.
    let name = |text: &[u32]| replaced(text).replace(['`', '\r', '\u{fffd}'], "");
    let columns: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| format!("cast(X'{}' as string) as `{at}{}`", hex(text), name(text)))
        .collect();
    let data = session.data("sql", &format!("select {}", columns.join(", ")));
    // Bytes that are no UTF-8 become one or more U+FFFD, as Spark shows them.
    let trimmed = |text: &str| text.replace('\u{fffd}', "");
    for (at, text) in texts.iter().enumerate() {
        let shown = data["application/json"]["data"][0][at].as_str().unwrap();
        assert_eq!(trimmed(shown), trimmed(&replaced(text)));
        let field = &data["application/json"]["schema"]["fields"][at];
        assert_eq!(field["name"], format!("{at}{}", name(text)));
    }
    let error = session.error(
        "sql",
        "select raise_error(concat('<', decode(X'610000e280a862', 'UTF-8'), '>'))",
    );
    assert!(
        error["evalue"]
            .as_str()
            .unwrap()
            .contains("<a\0\0\u{2028}b>"),
        "{error:#}"
    );
    ends(
        session,
        "sql",
        "select raise_error(cast(X'ffeda080' as string))",
    );
    ends(session, "sql", "select `\0\u{ffff}`");
    assert_eq!(
        session.data("sql", "select 1")["application/json"]["data"],
        json!([[1]])
    );
}

/// UTF-8, also of a code point that may not stand alone.
fn generalised(point: u32) -> Vec<u8> {
    match char::from_u32(point) {
        Some(known) => known.to_string().into_bytes(),
        None => [
            0xe0 | (point >> 12),
            0x80 | (point >> 6 & 0x3f),
            0x80 | (point & 0x3f),
        ]
        .map(|byte| u8::try_from(byte).unwrap())
        .to_vec(),
    }
}

fn python(shared: &Shared) {
    let session = shared.session();
    session.text(
        "pyspark",
        &format!(
            "texts = [''.join(map(chr, points)) for points in [{}]]",
            lists("[", "]")
        ),
    );
    let texts = nasty();
    let wanted: Vec<String> = texts.iter().map(|text| escaped(text)).collect();
    assert_eq!(
        session.data("pyspark", "%json texts")["application/json"],
        json!(wanted)
    );
    let data = session.data(
        "pyspark",
        "%json [{str(at) + text: text} for at, text in enumerate(texts)]",
    );
    for (at, text) in wanted.iter().enumerate() {
        assert_eq!(
            data["application/json"][at],
            json!({format!("{at}{text}"): text})
        );
    }
    let rows: Vec<[&String; 1]> = wanted.iter().map(|text| [text]).collect();
    let data = session.data("pyspark", "%table [[text] for text in texts]");
    assert_eq!(
        data["application/vnd.livy.table.v1+json"]["data"],
        json!(rows)
    );
    let printed = format!("<{}>", wanted.join(">\n<"));
    let shown = session.text("pyspark", "for text in texts: print('<' + text + '>')");
    assert_eq!(shown, printed);
    for (at, text) in wanted.iter().enumerate() {
        let error = session.error(
            "pyspark",
            &format!("raise Exception('<' + texts[{at}] + '>')"),
        );
        assert_eq!(error["evalue"], format!("<{text}>"));
        assert!(
            traceback(&error).contains(&format!("Exception: <{text}>")),
            "{error:#}"
        );
    }
    session.text("pyspark", "import sys, warnings\nfor text in texts: print('in the log: ' + text, file=sys.__stderr__)");
    for code in [
        "for text in texts: warnings.warn('<' + text + '>')",
        "for text in texts: sc.setJobDescription(text)",
        "for text in texts: sc._jvm.System.out.println(text)",
        "class Shown:\n    def __repr__(self): return ''.join(texts)\nShown()",
        "sys.stdout.buffer.write(bytes(range(256)) * 100); None",
        "type('T' * 1000000, (Exception,), {})()",
        "exec(compile('x = (', texts[0], 'exec'))",
    ] {
        ends(session, "pyspark", code);
    }
    assert_eq!(
        session.text("pyspark", "len(texts)"),
        texts.len().to_string()
    );
}

fn python_exceptions(shared: &Shared) {
    let session = shared.session();
    session.text("pyspark", "kept = 1\n\
        class Mute(Exception):\n    def __str__(self): raise SystemExit\n    def __repr__(self): raise KeyboardInterrupt\n\
        class Silent(Exception):\n    def __str__(self): return None\n\
        class Meta(type):\n    __name__ = property(lambda cls: 1 / 0)\n    __module__ = property(lambda cls: 1 / 0)\n\
        class Hidden(Exception, metaclass=Meta): pass\n\
        class Odd:\n    __hash__ = None\n    def __eq__(self, other): raise SystemExit\n    def __str__(self): raise ValueError\n    __repr__ = __str__\n    def __getattr__(self, name): raise OSError\n\
        a, b = Exception('a'), Exception('b')\na.__cause__, b.__cause__ = b, a\n\
        chain = None\nfor i in range(5000):\n    link = Exception(i); link.__cause__ = chain; chain = link\n\
        endless, around, deep = [], {}, []\nendless.append(endless); around['a'] = [around]\nfor i in range(10000): deep = [deep]");
    for (code, ename) in [
        ("raise Mute()", "Mute"),
        ("raise Silent()", "Silent"),
        ("raise Hidden()", "Hidden"),
        ("raise a", "Exception"),
        ("raise chain", "Exception"),
        ("Odd()", "ValueError"),
        ("%json Odd()", "TypeError"),
        ("%table [Odd()]", "ValueError"),
        ("%json endless", "RecursionError"),
        ("%table [around]", "RecursionError"),
        ("%json {'deep': deep}", "RecursionError"),
        ("raise SyntaxError('m', (1, 2, 3, 4))", "SyntaxError"),
        ("raise SyntaxError(1, 2, 3)", "SyntaxError"),
    ] {
        assert_eq!(session.error("pyspark", code)["ename"], ename, "{code}");
    }
    let long = session.data("pyspark", "%json 10 ** 5000");
    assert_eq!(long["application/json"], format!("1{}", "0".repeat(5000)));
    assert_eq!(session.text("pyspark", "kept"), "1");
}

fn python_jobs(shared: &Shared) {
    let session = shared.session();
    for (code, state, error) in [
        ("lambda context: chr(0xd800) + chr(0)", "SUCCEEDED", None),
        (
            "lambda context: exec('raise Exception(chr(0xd800) + chr(0) + \"<\" + chr(0x2028))')",
            "FAILED",
            Some("\\ud800\0<\u{2028}"),
        ),
        (
            "lambda context: exec('raise Exception(\"x\" * 10 ** 7)')",
            "FAILED",
            Some("xxx"),
        ),
        (
            "lambda context: print(chr(0xd800), chr(0))",
            "SUCCEEDED",
            None,
        ),
        (
            "lambda context: exec('class E(Exception):\\n def __str__(self): raise SystemExit\\nraise E()')",
            "FAILED",
            Some("E: "),
        ),
    ] {
        let pickle = session.text("pyspark", &format!(
            "import base64\nfrom pyspark import cloudpickle\nprint(base64.b64encode(cloudpickle.dumps({code})).decode())"
        ));
        let (status, job) = post(
            &format!("{}/submit-job", session.url),
            &json!({"job": pickle, "jobType": "pyspark"}),
        );
        assert_eq!(status, 201, "{job}");
        let url = format!("{}/jobs/{}", session.url, job["id"]);
        let job = eventually("the job ends", Duration::from_mins(1), || {
            let job = crate::client::get(&url).1;
            ["SUCCEEDED", "FAILED"]
                .contains(&job["state"].as_str().unwrap_or_default())
                .then_some(job)
        });
        assert_eq!(job["state"], state, "{code}: {job:#}");
        assert_eq!(job["result"].is_null(), state == "FAILED", "{job:#}");
        if let Some(text) = error {
            assert!(
                job["error"].as_str().unwrap().contains(text),
                "{code}: {job:#}"
            );
        }
    }
    assert_eq!(session.text("pyspark", "1"), "1");
}

/// The session, if this machine has R.
fn with_r(shared: &Shared) -> Option<&Session> {
    if environment("LIVIUS_TEST_R").is_none() {
        println!("SKIPPED: no R on this machine (LIVIUS_TEST_R is not set)");
        return None;
    }
    Some(shared.session())
}

fn r(shared: &Shared) {
    let Some(session) = with_r(shared) else {
        return;
    };
    session.text("sparkr", "kept <- 'kept'");
    for text in nasty() {
        // R's texts have no zeros.
        let text: Vec<u32> = text.into_iter().filter(|&point| point != 0).collect();
        let bytes: Vec<String> = text
            .iter()
            .flat_map(|&point| generalised(point))
            .map(|byte| byte.to_string())
            .collect();
        let make = format!(
            "text <- rawToChar(as.raw(c({}))); Encoding(text) <- 'UTF-8'",
            bytes.join(", ")
        );
        session.text("sparkr", &make);
        let shown = session.text("sparkr", "cat('<'); cat(text); cat('>')");
        // Colours are for terminals. Bytes that are no UTF-8 become one or more U+FFFD.
        let plain = |text: &str| text.replace("\u{1b}[31m", "").replace('\u{fffd}', "");
        assert_eq!(plain(&shown), plain(&format!("<{}>", replaced(&text))));
        let error = session.error("sparkr", "stop(paste0('<', text, '>'))");
        if text.iter().all(|&point| char::from_u32(point).is_some()) {
            let wanted = plain(&format!("<{}>", replaced(&text)));
            assert!(
                plain(error["evalue"].as_str().unwrap()).contains(&wanted),
                "{text:x?}: {error:#}"
            );
        }
        ends(session, "sparkr", "print(text)");
        ends(session, "sparkr", "warning(text)");
        ends(
            session,
            "sparkr",
            "assign(paste0('x', text), 1); eval(as.call(list(as.name(paste0('x', text)), 2)))",
        );
    }
    assert_eq!(session.text("sparkr", "kept"), "[1] \"kept\"");
}

fn r_conditions(shared: &Shared) {
    let Some(session) = with_r(shared) else {
        return;
    };
    session.text("sparkr", "kept <- 'kept'\ncondition <- function(message, call = NULL) structure(class = c('own', 'error', 'condition'), list(message = message, call = call))");
    for (code, evalue) in [
        ("stop(condition(NULL))", "Error: "),
        (
            "stop(condition(c('a', 'b'), quote(f(x))))",
            "Error in f(x): a\nb",
        ),
        ("stop(condition(list(1, 2), 'x'))", "Error in \"x\": 1\n2"),
        (
            "stop(condition(function() 1))",
            "Error: <the message of the condition could not be made>",
        ),
        (
            "x <- '\\xff'; Encoding(x) <- 'bytes'; stop(condition(x))",
            "Error: <ff>",
        ),
        (
            "x <- '\\xe9'; Encoding(x) <- 'latin1'; stop(condition(x))",
            "Error: é",
        ),
    ] {
        assert_eq!(session.error("sparkr", code)["evalue"], evalue, "{code}");
    }
    for code in [
        "conditionMessage.own <- function(c) stop(c); stop(condition('x'))",
        "rm(conditionMessage.own); conditionCall.own <- function(c) stop('again'); stop(condition('x'))",
        "rm(conditionCall.own); stop(condition(strrep('x\\xff', 1e6)))",
        "do.call(stop, list(rawToChar(as.raw(0xff)), strrep('y', 1e6)))",
        "print.odd <- function(x, ...) stop(x); structure(1, class = 'odd')",
        "f <- function(x) f(x + 1); f(1)",
        "deep <- list(); for (i in 1:2000) deep <- list(deep); deep",
        "around <- new.env(); around$around <- around; around",
        "signalCondition(structure(class = c('interrupt', 'condition'), list()))",
    ] {
        ends(session, "sparkr", code);
    }
    assert_eq!(session.text("sparkr", "kept"), "[1] \"kept\"");
}

/// Longer than an output may be: cut if it is for reading, refused if it is data.
/// In a session of its own: the tests that list the statements of the shared one read all outputs.
fn large(shared: &Shared) {
    let session = shared.server().create(&json!({"kind": "pyspark"}));
    session.await_idle();
    let text = session.text("spark", "print(\"x\" * 100000000)");
    assert!(
        (60_000_000..70_000_000).contains(&text.len()),
        "{}",
        text.len()
    );
    assert!(text.contains("output cut"));
    for (kind, code) in [
        ("pyspark", "%json 'x' * 10 ** 8"),
        ("spark", "%json \"x\" * 100000000"),
        ("sql", "select repeat('x', 70000000)"),
    ] {
        let error = session.error(kind, code);
        assert_eq!(error["ename"], "OutputTooLarge", "{kind}: {error:#}");
    }
    for (kind, code) in [
        ("pyspark", "raise Exception('x' * 10 ** 8)"),
        ("spark", "throw new Exception(\"x\" * 100000000)"),
        ("sparkr", "stop(strrep('x', 1e8))"),
    ] {
        if kind == "sparkr" && environment("LIVIUS_TEST_R").is_none() {
            continue;
        }
        let error = session.error(kind, code);
        assert!(error.to_string().len() < 3_000_000, "{kind}: {code}");
    }
    assert_eq!(session.text("pyspark", "1"), "1");
    assert!(session.text("spark", "1 + 1").ends_with("Int = 2\n"));
    session.delete();
}
