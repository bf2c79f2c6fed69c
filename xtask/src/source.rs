//! Rust files, read without a parser: `cargo fmt` has brought them into one form.

/// The text without the items that only tests have.
pub fn without_tests(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim_start() == "#[cfg(test)]" {
            skip_item(&mut lines, indent);
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Skips an item that begins on the next line: up to the line that ends with a semicolon, or up to
/// the closing brace in the item's own column.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>, indent: &str) {
    for line in lines {
        let own = line
            .strip_prefix(indent)
            .filter(|rest| !rest.starts_with(' '));
        let Some(own) = own else { continue };
        let is_attribute = own.starts_with("#[") || own.starts_with("//");
        if !is_attribute && (own.ends_with(';') || own.starts_with('}') || own.ends_with("{}")) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_tests_are_left_out_and_others_are_kept() {
        let text = "\
mod a;
#[cfg(test)]
mod tests;
mod b;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = \"a test\")]
fn helper() {
    if true {
    }
}

impl Kept {
    #[cfg(test)]
    fn gone(&self) {
        call();
    }

    fn kept(&self) {}
}

#[cfg(test)]
mod more {
    use super::*;
}
";
        assert_eq!(
            without_tests(text),
            "mod a;\nmod b;\n\n\nimpl Kept {\n\n    fn kept(&self) {}\n}\n\n"
        );
    }
}
