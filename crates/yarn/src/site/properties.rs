//! Hadoop's configuration files: XML with names and values, which may refer to each other.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};

use camino::Utf8Path;
use roxmltree::{Document, Node};

/// The longest file. Real ones have some tens of kilobytes.
const MOST_BYTES: u64 = 4 << 20;

/// Hadoop's own limit of references in one value.
const MOST_REFERENCES: usize = 20;

/// The longest value, so that values that refer to each other cannot grow without end.
const LONGEST_VALUE: usize = 8 << 10;

/// The properties of one configuration.
#[derive(Debug, Default)]
pub struct Properties(HashMap<String, String>);

/// A file cannot be used.
#[derive(Debug)]
pub enum PropertiesError {
    Read(io::Error),
    Malformed(String),
}

impl Properties {
    /// Adds the properties of a file. They override those of earlier files.
    pub fn read(&mut self, path: &Utf8Path) -> Result<(), PropertiesError> {
        let mut text = String::new();
        let file = File::open(path).map_err(PropertiesError::Read)?;
        let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
        read.map_err(PropertiesError::Read)?;
        if text.len() as u64 > MOST_BYTES {
            let problem = format!("it has more than {MOST_BYTES} bytes");
            return Err(PropertiesError::Malformed(problem));
        }
        self.add(&text)
    }

    fn add(&mut self, text: &str) -> Result<(), PropertiesError> {
        // The parser refuses a DTD, so no entity can grow.
        let malformed = |error: roxmltree::Error| PropertiesError::Malformed(error.to_string());
        let document = Document::parse(text).map_err(malformed)?;
        let root = document.root_element();
        if !root.has_tag_name("configuration") {
            let problem = format!("its root is <{}>", root.tag_name().name());
            return Err(PropertiesError::Malformed(problem));
        }
        for property in root.children().filter(|node| node.has_tag_name("property")) {
            if let (Some(name), Some(value)) = (child(property, "name"), child(property, "value")) {
                self.0.insert(name, value);
            }
        }
        Ok(())
    }

    /// A value, with its references to other properties resolved as far as possible. An empty value
    /// counts as none.
    pub fn get(&self, key: &str) -> Option<String> {
        let mut value = self.0.get(key)?.clone();
        for _ in 0..MOST_REFERENCES {
            let Some(resolved) = self.resolve_one(&value) else {
                break;
            };
            value = resolved;
        }
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The text with its first known reference replaced. `None` if there is none.
    fn resolve_one(&self, text: &str) -> Option<String> {
        let mut from = 0;
        while let Some(at) = text[from..].find("${") {
            let start = from + at;
            let end = start + text[start..].find('}')?;
            let name = &text[start + 2..end];
            if let Some(value) = self.0.get(name) {
                let resolved = [&text[..start], value, &text[end + 1..]].concat();
                return (resolved.len() <= LONGEST_VALUE).then_some(resolved);
            }
            from = end;
        }
        None
    }
}

/// The whole text of a child element.
fn child(property: Node, name: &str) -> Option<String> {
    let element = property.children().find(|node| node.has_tag_name(name))?;
    let texts = element.children().filter_map(|node| node.text());
    Some(texts.collect::<String>().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(body: &str) -> Properties {
        let mut properties = Properties::default();
        properties
            .add(&format!("<configuration>{body}</configuration>"))
            .unwrap();
        properties
    }

    fn property(name: &str, value: &str) -> String {
        format!("<property><name>{name}</name><value>{value}</value></property>")
    }

    #[test]
    fn values_refer_to_other_properties() {
        let all = properties(
            &[
                property("host", "rm.example"),
                property("address", "${host}:${port}"),
                property("port", "80${unknown}"),
                property("nested", "<![CDATA[${address}]]> "),
                property("open", "${host"),
                property("empty", " "),
            ]
            .concat(),
        );
        assert_eq!(
            all.get("nested").as_deref(),
            Some("rm.example:80${unknown}")
        );
        assert_eq!(all.get("open").as_deref(), Some("${host"));
        assert_eq!(all.get("empty"), None);
        assert_eq!(all.get("missing"), None);
    }

    #[test]
    fn references_in_a_circle_and_growing_ones_end() {
        let all = properties(&[property("a", "${b}"), property("b", "${a}")].concat());
        assert!(all.get("a").unwrap().starts_with("${"));
        let all = properties(&property("a", "${a}${a}${a}"));
        assert!(all.get("a").unwrap().len() <= LONGEST_VALUE);
        let long = "x".repeat(5_000);
        let all = properties(&[property("a", "${b}${b}"), property("b", &long)].concat());
        assert!(all.get("a").unwrap().len() <= LONGEST_VALUE);
    }

    #[test]
    fn a_later_file_overrides_an_earlier_one() {
        let mut all = properties(&property("a", "1"));
        all.add(&format!(
            "<?xml version=\"1.0\"?><!-- x --><configuration>{}<other/></configuration>",
            property("a", "2")
        ))
        .unwrap();
        assert_eq!(all.get("a").as_deref(), Some("2"));
    }

    #[test]
    fn files_of_another_kind_are_refused() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><configuration>&b;</configuration>"#;
        for text in ["", "no xml", "<configuration>", "<html></html>", bomb] {
            let mut all = Properties::default();
            assert!(
                matches!(all.add(text), Err(PropertiesError::Malformed(_))),
                "{text}"
            );
        }
    }
}
