//! Finds circles among the modules of a crate: files that name each other, directly or over others.
//!
//! A file and the files in its folder may name each other: they are one module with its parts.
//! Every other arrow must point one way, so that a reader can understand one file after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source::without_tests;

/// A module by its path in the crate: `["http", "body"]`. The crate's root is empty.
pub type Module = Vec<String>;

/// The module of a file, given by its path under `src/`.
pub fn module_of(file: &Path) -> Module {
    let mut module: Module = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if module.len() == 1 && ["lib", "main"].contains(&module[0].as_str()) {
        module.clear();
    }
    module
}

/// Each circle as its modules in order, given the text of every file. The code of tests does not
/// count.
pub fn find(files: &BTreeMap<Module, String>) -> Vec<Vec<Module>> {
    let codes: BTreeMap<&Module, String> = files
        .iter()
        .map(|(module, text)| (module, code_only(text)))
        .collect();
    let exports: Exports = codes
        .iter()
        .flat_map(|(module, code)| exports(module, code))
        .collect();
    let arrows: BTreeMap<&Module, BTreeSet<&Module>> = codes
        .iter()
        .map(|(module, code)| (*module, named(module, code, files, &exports)))
        .collect();
    let mut circles = Vec::new();
    let mut placed: BTreeSet<&Module> = BTreeSet::new();
    for module in files.keys() {
        if placed.contains(module) {
            continue;
        }
        // A circle is what a module reaches and what reaches the module.
        let from_here = reached(module, &arrows);
        let circle: BTreeSet<&Module> = from_here
            .into_iter()
            .filter(|other| reached(other, &arrows).contains(module))
            .collect();
        placed.extend(&circle);
        if circle.len() > 1 {
            circles.push(circle.into_iter().cloned().collect());
        }
    }
    circles
}

fn reached<'a>(
    from: &'a Module,
    arrows: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for other in arrows.get(module).into_iter().flatten() {
            if found.insert(*other) {
                next.push(other);
            }
        }
    }
    found
}

/// The names that a module re-exports: the full name there, by the full name here.
type Exports = BTreeMap<Module, Module>;

/// The items that a file re-exports from other files.
fn exports(module: &Module, code: &str) -> Vec<(Module, Module)> {
    let mut found = Vec::new();
    for line in code.split(';') {
        let Some((before, path)) = line.split_once("use ") else {
            continue;
        };
        let visibility = before.trim_start().trim_end();
        if !visibility.ends_with("pub") && !visibility.ends_with(')') {
            continue;
        }
        for target in paths_from(path) {
            let Some(name) = target.last() else { continue };
            let mut here = module.clone();
            here.push(name.clone());
            let there = absolute(module, &target).unwrap_or_else(|| {
                // A child module, or another crate: that leads to no file.
                let mut there = module.clone();
                there.extend_from_slice(&target);
                there
            });
            if here != there {
                found.push((here, there));
            }
        }
    }
    found
}

/// The files whose items a file names.
fn named<'a>(
    module: &Module,
    code: &str,
    files: &'a BTreeMap<Module, String>,
    exports: &Exports,
) -> BTreeSet<&'a Module> {
    paths(code)
        .iter()
        .filter_map(|path| absolute(module, path))
        .filter_map(|path| file_of(&origin(path, exports), files))
        .filter(|other| !is_family(module, other))
        .collect()
}

/// The path of an item where it is defined. A file may pass on what another one passes on.
fn origin(mut path: Module, exports: &Exports) -> Module {
    for _ in 0..8 {
        let exported = (1..=path.len()).rev().find_map(|length| {
            let there = exports.get(&path[..length])?;
            Some([there.as_slice(), &path[length..]].concat())
        });
        match exported {
            Some(there) => path = there,
            None => break,
        }
    }
    path
}

/// Tells whether one file is the parent of the other, or both are one. The root of a crate is no
/// parent: it only lists modules.
fn is_family(one: &Module, other: &Module) -> bool {
    let child = |parent: &Module, child: &Module| child.starts_with(parent);
    other.is_empty() || child(one, other) || child(other, one)
}

/// A path from the crate's root, of one that starts with `crate`, `self` or `super`.
fn absolute(module: &Module, path: &[String]) -> Option<Module> {
    let mut at = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            at.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|word| word == "super") {
                at.pop()?;
                rest = &rest[1..];
            }
        }
        _ => return None,
    }
    at.extend_from_slice(rest);
    Some(at)
}

/// The file that a path leads into: the longest beginning that is a file's module.
fn file_of<'a>(path: &[String], files: &'a BTreeMap<Module, String>) -> Option<&'a Module> {
    (0..=path.len())
        .rev()
        .find_map(|length| files.get_key_value(&path[..length]))
        .map(|(module, _)| module)
}

/// Every path in some code that starts with `crate::`, `self::` or `super::`. Lists in braces are
/// taken apart.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((at, word)) = first_path(rest) {
        let mut reader = Reader {
            text: &rest[at + word.len()..],
        };
        reader.read(vec![word.to_owned()], &mut found);
        rest = reader.text;
    }
    found
}

/// The paths of one `use`.
fn paths_from(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut reader = Reader { text };
    let first = reader.word();
    if !first.is_empty() {
        reader.read(vec![first], &mut found);
    }
    found
}

fn first_path(text: &str) -> Option<(usize, &'static str)> {
    let begins = |word: &'static str| {
        let mut from = 0;
        while let Some(at) = text[from..].find(word) {
            let at = from + at;
            let before = text[..at].chars().next_back();
            let starts = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
            if starts && text[at + word.len()..].starts_with("::") {
                return Some((at, word));
            }
            from = at + word.len();
        }
        None
    };
    ["crate", "self", "super"]
        .into_iter()
        .filter_map(begins)
        .min()
}

/// Reads what follows the first word of a path.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn read(&mut self, mut path: Vec<String>, found: &mut Vec<Vec<String>>) {
        while self.take("::") {
            if self.take("{") {
                return self.read_list(&path, found);
            }
            let word = self.word();
            if word.is_empty() {
                break;
            }
            path.push(word);
        }
        found.push(path);
    }

    fn read_list(&mut self, path: &[String], found: &mut Vec<Vec<String>>) {
        loop {
            self.skip_blanks();
            if self.text.is_empty() || self.take("}") {
                return;
            }
            let word = self.word();
            if word.is_empty() {
                // A comma, `*`, or the new name after `as`.
                let mut chars = self.text.chars();
                chars.next();
                self.text = chars.as_str();
                continue;
            }
            let mut item = path.to_vec();
            if word != "self" {
                item.push(word);
            }
            self.read(item, found);
        }
    }

    fn take(&mut self, wanted: &str) -> bool {
        match self.text.strip_prefix(wanted) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        let end = self
            .text
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        word.to_owned()
    }

    fn skip_blanks(&mut self) {
        self.text = self.text.trim_start();
    }
}

/// The text without comments and tests.
fn code_only(text: &str) -> String {
    let code = without_tests(text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<Module, String> {
        list.iter()
            .map(|(file, text)| (module_of(Path::new(file)), (*text).to_owned()))
            .collect()
    }

    fn circles(list: &[(&str, &str)]) -> Vec<String> {
        let shown = |circle: Vec<Module>| {
            let names = circle.iter().map(|module| module.join("::"));
            names.collect::<Vec<_>>().join(" ")
        };
        find(&files(list)).into_iter().map(shown).collect()
    }

    #[test]
    fn arrows_that_point_one_way_are_no_circle() {
        assert!(
            circles(&[
                ("lib.rs", "pub use crate::top::Top; mod top;"),
                ("top.rs", "use crate::middle::Middle;"),
                (
                    "middle.rs",
                    "use crate::low::Low;\nfn f() -> crate::Error {}"
                ),
                ("low.rs", "use std::fmt; use other::top::Thing;"),
            ])
            .is_empty()
        );
    }

    #[test]
    fn files_that_name_each_other_are_one_circle() {
        assert_eq!(
            circles(&[
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "fn f() { crate::c::f() }"),
                (
                    "c.rs",
                    "use crate::{\n    d::{self, D},\n    a::A as Other,\n};"
                ),
                ("d.rs", ""),
            ]),
            ["a b c"]
        );
    }

    #[test]
    fn a_parent_and_its_own_children_are_one_module() {
        assert!(
            circles(&[
                ("config.rs", "mod keys; use self::keys::KEYS;"),
                ("config/keys.rs", "use super::Key;"),
                (
                    "config/keys/spark.rs",
                    "use crate::config::Key; use super::super::Other;"
                ),
            ])
            .is_empty()
        );
    }

    #[test]
    fn siblings_are_not_a_family() {
        assert_eq!(
            circles(&[
                ("config.rs", ""),
                ("config/keys.rs", "use super::layers::Layer;"),
                ("config/layers.rs", "use crate::config::keys;"),
            ]),
            ["config::keys config::layers"]
        );
    }

    #[test]
    fn a_child_stands_for_itself_and_not_for_its_parent() {
        assert_eq!(
            circles(&[
                ("http.rs", ""),
                ("http/body.rs", "use crate::session::Session;"),
                ("session.rs", "use crate::http::body::Body;"),
            ]),
            ["http::body session"]
        );
    }

    #[test]
    fn a_name_that_a_file_passes_on_belongs_to_where_it_is_defined() {
        assert_eq!(
            circles(&[
                (
                    "lib.rs",
                    "mod java;\nmod spark;\npub use java::{Java, JavaError};\npub use spark::Spark;"
                ),
                ("java.rs", "use crate::Spark;"),
                ("spark.rs", "fn f(java: &crate::Java) {}"),
            ]),
            ["java spark"]
        );
    }

    #[test]
    fn comments_and_tests_do_not_count() {
        assert!(
            circles(&[
                ("a.rs", "use crate::b::B;"),
                (
                    "b.rs",
                    "/// As [`crate::a`].\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"
                ),
            ])
            .is_empty()
        );
    }
}
