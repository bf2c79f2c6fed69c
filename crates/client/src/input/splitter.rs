//! Splits lines of a pipe into statements. Unlike on a terminal, a Python block needs no blank line
//! after it, and blank lines inside it do not end it.

use super::complete::{continues_block, has_block, is_closed, is_complete, rule};
use crate::language::Dialect;

/// The lines of an unfinished statement.
#[derive(Debug, Default)]
pub struct Splitter {
    text: String,
}

impl Splitter {
    /// Takes a line, and returns the statements that it completes: the one before it, the line
    /// itself, both or none.
    pub fn feed(&mut self, line: &str, kind: &str) -> Vec<String> {
        let mut finished = Vec::new();
        if self.ends_before(line, kind) {
            finished.extend(self.finish());
        }
        if self.text.is_empty() {
            if line.trim().is_empty() {
                return finished;
            }
        } else {
            self.text.push('\n');
        }
        self.text.push_str(line);
        if self.is_ready(kind) {
            finished.extend(self.finish());
        }
        finished
    }

    /// Returns the unfinished statement at the end of the input.
    pub fn finish(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.text);
        Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
    }

    fn ends_before(&self, line: &str, kind: &str) -> bool {
        let dialect = rule(&self.text, kind).dialect;
        let is_at_margin = !line.starts_with([' ', '\t']) && !line.is_empty();
        is_at_margin
            && dialect == Dialect::Python
            && is_closed(&self.text, dialect)
            && has_block(&self.text, dialect)
            && !self.awaits_definition()
            && !line.starts_with('#')
            && !continues_block(line)
    }

    /// Tells whether the last line is a decorator.
    fn awaits_definition(&self) -> bool {
        self.text
            .lines()
            .next_back()
            .is_some_and(|line| line.starts_with('@'))
    }

    fn is_ready(&self, kind: &str) -> bool {
        let dialect = rule(&self.text, kind).dialect;
        !has_block(&self.text, dialect) && is_complete(&self.text, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, kind: &str) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut found: Vec<String> = text
            .lines()
            .flat_map(|line| splitter.feed(line, kind))
            .collect();
        found.extend(splitter.finish());
        found
    }

    #[test]
    fn python_needs_no_blank_lines() {
        let text = "\
import os

def f(x):
    y = x

    return y
print(f(1))
@decorated
def g():
    pass
if a:
    b
# a remark
else:
    c
:kind sql
x = (1,

  2)
for i in y:
    i";
        assert_eq!(
            split(text, "pyspark"),
            [
                "import os",
                "def f(x):\n    y = x\n\n    return y",
                "print(f(1))",
                "@decorated\ndef g():\n    pass",
                "if a:\n    b\n# a remark\nelse:\n    c",
                ":kind sql",
                "x = (1,\n\n  2)",
                "for i in y:\n    i",
            ]
        );
    }

    #[test]
    fn other_languages_end_as_they_do_when_typed() {
        assert_eq!(
            split("SELECT\n 1;\nSELECT 2\n\nSELECT 3", "sql"),
            ["SELECT\n 1;", "SELECT 2", "SELECT 3"]
        );
        assert_eq!(
            split("class A {\n\n  val x = 1\n}\nnew A().x", "spark"),
            ["class A {\n\n  val x = 1\n}", "new A().x"]
        );
        assert_eq!(
            split("%sql SELECT 1\n%%sql\nSELECT\n2;\n1", "pyspark"),
            ["%sql SELECT 1", "%%sql\nSELECT\n2;", "1"]
        );
        assert_eq!(split("\n\n", "pyspark"), Vec::<String>::new());
    }
}
