//! Matches names of keys in which the administrator chooses a part, such as
//! `livy.server.auth.<name>.class`.

/// Tells whether a name matches the pattern. Every `<…>` stands for some text, which may contain
/// dots.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else {
        return pattern == name;
    };
    let after = rest.split_once('>').map_or("", |(_, after)| after);
    let Some(open) = name.strip_prefix(before) else {
        return false;
    };
    let ends = open.char_indices().map(|(index, c)| index + c.len_utf8());
    ends.into_iter().any(|end| matches(after, &open[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_part_is_never_empty() {
        let cases = [
            ("livy.ui.enabled", "livy.ui.enabled", true),
            ("livy.ui.enabled", "livy.ui.enabled.x", false),
            ("auth.<name>.class", "auth.jwt.class", true),
            ("auth.<name>.class", "auth.a.b.class", true),
            ("auth.<name>.class", "auth..class", false),
            ("auth.<name>.class", "auth.jwt.klass", false),
            ("auth.<name>.param.<x>", "auth.jwt.param.a.b", true),
            ("auth.<name>.param.<x>", "auth.jwt.param.", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
