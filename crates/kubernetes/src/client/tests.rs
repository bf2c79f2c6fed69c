use std::fs;

use super::*;
use crate::credentials::tests::AUTHORITY;

#[tokio::test]
async fn a_connection_sets_nothing_for_the_whole_process() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Utf8PathBuf::from_path_buf(folder.path().join("ca.crt")).unwrap();
    fs::write(&ca, AUTHORITY).unwrap();
    for ca in [Some(ca), None] {
        let access = Access {
            ca,
            ..Access::to("https://127.0.0.1:1")
        };
        connect_with(&access, folder_of(&folder)).await.unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder_of(&folder);
    fs::write(path.join("no.crt"), "no certificate").unwrap();
    fs::write(path.join("ca.crt"), AUTHORITY).unwrap();
    let cases = [
        Access {
            ca: Some(path.join("no.crt")),
            ..Access::to("https://a")
        },
        Access {
            client_certificate: Some((path.join("no.crt"), path.join("no.crt"))),
            ..Access::to("https://a")
        },
        Access {
            client_certificate: Some((path.join("ca.crt"), path.join("no.crt"))),
            ..Access::to("https://a")
        },
        Access {
            token_file: Some(path.join("missing")),
            ..Access::to("https://a")
        },
    ];
    for access in cases {
        let error = connect_with(&access, path.clone()).await.err().unwrap();
        assert!(matches!(error, KubernetesError::Access { .. }), "{error}");
    }
}

fn folder_of(folder: &tempfile::TempDir) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap()
}

/// A kubeconfig whose token comes from a command of the shell.
fn with_program(folder: &Utf8Path, command: &str) -> Access {
    let text = format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: 'https://a'}}}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: sh
      args: [-c, '{command}']
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
"
    );
    let path = folder.join("kubeconfig");
    fs::write(&path, text).unwrap();
    Access {
        kubeconfig: Some(path),
        ..Access::to("https://a")
    }
}

#[tokio::test]
async fn the_output_of_a_program_that_gives_no_token_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder_of(&folder);
    for (command, expected) in [
        (
            "echo secret; echo not logged in >&2; exit 3",
            "not logged in",
        ),
        ("echo secret", "gives no credentials"),
        ("echo \"{secret\"", "gives no credentials"),
    ] {
        let access = with_program(&path, command);
        let error = connect_with(&access, path.clone()).await.err().unwrap();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let token = r#"echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}""#;
    let access = with_program(&path, token);
    connect_with(&access, path).await.unwrap();
}
