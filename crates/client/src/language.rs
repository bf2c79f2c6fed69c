//! Kinds of code: their names, the files that hold them, and switching between them.

use camino::Utf8Path;
use livius_domain::Kind;

/// The syntax of a kind, for finding the end of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Python.
    Python,
    /// Scala.
    Scala,
    /// R.
    R,
    /// SQL.
    Sql,
    /// A kind that only the server knows.
    Unknown,
}

impl Dialect {
    /// The dialect of a kind.
    pub fn of(kind: &str) -> Self {
        match Kind::parse(kind) {
            Some(Kind::PySpark | Kind::PySpark3) => Self::Python,
            Some(Kind::Spark) => Self::Scala,
            Some(Kind::SparkR) => Self::R,
            Some(Kind::Sql) => Self::Sql,
            Some(Kind::Shared) | None => Self::Unknown,
        }
    }
}

/// The name of the kind that servers show, for any of its names.
pub fn canonical(kind: &str) -> String {
    Kind::parse(kind).map_or_else(|| kind.to_owned(), |kind| kind.as_str().to_owned())
}

/// The kind of code in a file of this name.
pub fn of_file(path: &Utf8Path) -> Option<&'static str> {
    match path.extension()?.to_ascii_lowercase().as_str() {
        "py" => Some("pyspark"),
        "scala" | "sc" => Some("spark"),
        "sql" => Some("sql"),
        "r" => Some("sparkr"),
        _ => None,
    }
}

/// Code that starts with its own kind, as in notebooks: `%sql SELECT 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched<'a> {
    /// The kind.
    pub kind: &'static str,
    /// The code.
    pub code: &'a str,
    /// True if it starts with `%%`, for code on several lines.
    pub is_long: bool,
}

/// Reads the kind at the start of code. Livy's own magics (`%json`, `%table`, `%matplot`) are not
/// kinds; they are left for the server.
pub fn switched(text: &str) -> Option<Switched<'_>> {
    let rest = text.strip_prefix('%')?;
    let (rest, is_long) = rest
        .strip_prefix('%')
        .map_or((rest, false), |rest| (rest, true));
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let kind = match &rest[..end] {
        "sql" => "sql",
        "pyspark" | "python" | "py" => "pyspark",
        "spark" | "scala" => "spark",
        "sparkr" | "r" => "sparkr",
        _ => return None,
    };
    Some(Switched {
        kind,
        code: rest[end..].trim_start(),
        is_long,
    })
}

/// The code to send. The semicolon that ends an SQL statement is not part of it.
pub fn to_send<'a>(code: &'a str, kind: &str) -> &'a str {
    let code = code.trim_end();
    match Dialect::of(kind) {
        Dialect::Sql => code.strip_suffix(';').unwrap_or(code).trim_end(),
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_tell_the_kind() {
        let cases = [
            ("a.py", Some("pyspark")),
            ("dir.sql/a.scala", Some("spark")),
            ("a.SQL", Some("sql")),
            ("a.R", Some("sparkr")),
            ("a.r", Some("sparkr")),
            ("a.jar", None),
            ("py", None),
            ("-", None),
        ];
        for (path, kind) in cases {
            assert_eq!(of_file(Utf8Path::new(path)), kind, "{path}");
        }
    }

    #[test]
    fn code_may_name_its_kind() {
        let cases = [
            ("%sql SELECT 1", Some(("sql", "SELECT 1", false))),
            ("%%sql\nSELECT 1", Some(("sql", "SELECT 1", true))),
            ("%r", Some(("sparkr", "", false))),
            ("%scala 1", Some(("spark", "1", false))),
            ("%json x", None),
            ("%table x", None),
            ("%sqlx y", None),
            ("sql SELECT 1", None),
            ("% sql", None),
        ];
        for (text, expected) in cases {
            let found = switched(text).map(|found| (found.kind, found.code, found.is_long));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_semicolon_ends_sql_alone() {
        assert_eq!(to_send("SELECT ';' ; \n", "sql"), "SELECT ';'");
        assert_eq!(to_send("a = 1;\n", "pyspark"), "a = 1;");
        assert_eq!(
            (canonical("python"), canonical("other")),
            ("pyspark".into(), "other".into())
        );
    }
}
