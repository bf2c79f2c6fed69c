//! The names of this machine, under which browsers may reach the server without any setting.

use std::fs;

/// The machine's host name, and the other names of the same line in `/etc/hosts`. The search domains
/// of the resolver are left out: a stranger's network may hand them out.
pub fn own_names() -> Vec<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    names_of(
        read("/proc/sys/kernel/hostname").trim(),
        &read("/etc/hosts"),
    )
}

fn names_of(host: &str, hosts: &str) -> Vec<String> {
    if host.is_empty() {
        return Vec::new();
    }
    let mut names = vec![host.to_owned()];
    for line in hosts.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let on_line = line.split_whitespace().skip(1);
        if on_line.clone().any(|name| name.eq_ignore_ascii_case(host)) {
            names.extend(on_line.map(str::to_owned));
        }
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_its_host_name_and_what_the_hosts_file_adds() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tedge7.corp.example edge7 # edge8\n\n# 10.0.0.1 edge7 old\n10.0.0.2 other\n::1 EDGE7 edge7-v6";
        for (host, expected) in [
            (
                "edge7",
                &["EDGE7", "edge7", "edge7-v6", "edge7.corp.example"][..],
            ),
            ("edge7.corp.example", &["edge7", "edge7.corp.example"]),
            ("alone", &["alone"]),
            ("edge8", &["edge8"]),
            ("", &[]),
        ] {
            assert_eq!(names_of(host, hosts), expected, "{host}");
        }
    }
}
