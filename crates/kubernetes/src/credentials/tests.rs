use std::fs;

use camino::Utf8PathBuf;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

/// An authority that signed nothing. Its key is gone.
pub const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmjCCAT+gAwIBAgIURQroyPgWLdOH15SoV2dcy6wwCO8wCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWYW4gYXV0aG9yaXR5IGZvciB0ZXN0czAgFw0yNjExMzAxNzE1
NTBaGA8yMTI2MTEwNjE3MTU1MFowITEfMB0GA1UEAwwWYW4gYXV0aG9yaXR5IGZv
ciB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEOx5nRJhet8vgZQqvs8
jpqmzVaKtT2awPQCkjJpyFaSbM3bETwZCY67oRytzboJTGSjgVGrr+N7lv2E1O8l
uvSjUzBRMB0GA1UdDgQWBBTKd6Cmhwt/s0DWzv8xarMRMNo6fDAfBgNVHSMEGDAW
gBTKd6Cmhwt/s0DWzv8xarMRMNo6fDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0kAMEYCIQDoKqZhIiEAJbM6ffj4t1lPRv6M7LG8nBVaMG97KN9ZiwIhALuD
IolJ0QhTRb5GlYGv3S30e8vsbJxvqSRPqkYHJkET
-----END CERTIFICATE-----
";

const URL: &str = "https://api.example:6443";

struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join(name)).unwrap()
    }

    fn file(&self, name: &str, content: &str) -> Utf8PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A kubeconfig with two clusters, and a context for each.
    fn kubeconfig(&self) -> Utf8PathBuf {
        self.file("ca.crt", AUTHORITY);
        self.kubeconfig_with("certificate-authority: ca.crt, tls-server-name: inner.example")
    }

    fn kubeconfig_with(&self, more: &str) -> Utf8PathBuf {
        let text = format!(
            "apiVersion: v1
kind: Config
clusters:
- {{name: one, cluster: {{server: '{URL}/', {more}}}}}
- {{name: other, cluster: {{server: 'https://other.example'}}}}
users:
- {{name: ann, user: {{token: secret-of-ann}}}}
- {{name: bob, user: {{token: secret-of-bob}}}}
- {{name: eve, user: {{token: secret-of-eve}}}}
contexts:
- {{name: elsewhere, context: {{cluster: other, user: eve}}}}
- {{name: here, context: {{cluster: one, user: ann}}}}
- {{name: nobody, context: {{cluster: none, user: nobody}}}}
current-context: elsewhere
"
        );
        self.file("kubeconfig", &text)
    }

    fn with_kubeconfig(&self, url: &str, context: Option<&str>) -> Access {
        Access {
            kubeconfig: Some(self.path("kubeconfig")),
            context: context.map(str::to_owned),
            ..Access::to(url)
        }
    }

    /// The files of a service account.
    fn service_account(&self) -> Utf8PathBuf {
        fs::create_dir(self.path("account")).unwrap();
        self.file("account/token", "secret-of-pod");
        self.file("account/ca.crt", AUTHORITY);
        self.path("account")
    }

    fn read(&self, access: &Access) -> Result<Credentials, String> {
        Credentials::read(access, &self.path("account")).map_err(|error| {
            let text = error.to_string();
            assert!(!text.contains("secret"), "{text}");
            text
        })
    }
}

fn token(credentials: &Credentials) -> Option<&str> {
    let token = credentials.user.token.as_ref()?;
    Some(token.expose_secret())
}

#[test]
fn without_files_there_is_only_the_address() {
    let found = World::new().read(&Access::to(URL)).unwrap();
    assert_eq!(found.url.to_string(), format!("{URL}/"));
    assert!(!found.has_user() && found.ca.is_none() && found.server_name.is_none());
}

#[test]
fn a_context_with_the_address_has_the_credentials() {
    let world = World::new();
    world.kubeconfig();
    for context in [None, Some("here")] {
        let found = world.read(&world.with_kubeconfig(URL, context)).unwrap();
        assert_eq!(token(&found), Some("secret-of-ann"));
        assert_eq!(found.ca.as_deref(), Some(AUTHORITY.as_bytes()));
        assert_eq!(found.server_name.as_deref(), Some("inner.example"));
        // The address is the one that was asked for.
        assert_eq!(found.url.to_string(), format!("{URL}/"));
    }
    let found = world.read(&world.with_kubeconfig("https://OTHER.example:443", None));
    assert_eq!(token(&found.unwrap()), Some("secret-of-eve"));
}

#[test]
fn credentials_for_another_address_stay_in_their_file() {
    let world = World::new();
    world.kubeconfig();
    world.service_account();
    let cases = [
        (
            "https://evil.example:6443",
            None,
            "has no context, or several, with a cluster at",
        ),
        (
            "https://evil.example:6443",
            Some("here"),
            "for another address than",
        ),
        (
            "https://evil.example:6443",
            Some("elsewhere"),
            "for another address than",
        ),
        ("https://api.example", None, "has no context, or several"),
        (URL, Some("elsewhere"), "for another address than"),
        (URL, Some("nobody"), "for another address than"),
        (URL, Some("none"), "has no context \"none\""),
    ];
    for (url, context, expected) in cases {
        let error = world
            .read(&world.with_kubeconfig(url, context))
            .unwrap_err();
        assert!(error.contains(expected), "{url} {context:?}: {error}");
    }
}

#[test]
fn of_several_contexts_with_the_address_one_has_to_be_named() {
    let world = World::new();
    let path = world.kubeconfig();
    let text = fs::read_to_string(&path).unwrap();
    let also = "contexts:\n- {name: also, context: {cluster: one, user: bob}}\n";
    let text = text.replace("contexts:\n", also);
    fs::write(&path, &text).unwrap();
    let error = world.read(&world.with_kubeconfig(URL, None)).unwrap_err();
    assert!(error.contains("or several"), "{error}");
    let found = world.read(&world.with_kubeconfig(URL, Some("also")));
    assert_eq!(token(&found.unwrap()), Some("secret-of-bob"));
    let current = text.replace("current-context: elsewhere", "current-context: also");
    fs::write(&path, current).unwrap();
    let found = world.read(&world.with_kubeconfig(URL, None));
    assert_eq!(token(&found.unwrap()), Some("secret-of-bob"));
}

#[test]
fn named_files_come_before_the_kubeconfig() {
    let world = World::new();
    world.kubeconfig();
    let ca = world.file("own.crt", "own");
    let access = Access {
        token_file: Some("/token".into()),
        ..world.with_kubeconfig(URL, None)
    };
    let found = world.read(&access).unwrap();
    assert_eq!(found.user.token_file.as_deref(), Some("/token"));
    assert_eq!(token(&found), None);
    assert_eq!(found.ca.as_deref(), Some(AUTHORITY.as_bytes()));
    let access = Access {
        ca: Some(ca),
        client_certificate: Some(("/c.pem".into(), "/k.pem".into())),
        token_file: None,
        // With credentials of its own, the kubeconfig does not have to know the address.
        ..Access {
            url: "https://b".to_owned(),
            ..access
        }
    };
    let found = world.read(&access).unwrap();
    assert_eq!(found.user.client_certificate.as_deref(), Some("/c.pem"));
    assert_eq!(found.user.client_key.as_deref(), Some("/k.pem"));
    assert_eq!(found.ca.as_deref(), Some(b"own".as_slice()));
}

#[test]
fn the_service_account_is_used_if_its_own_authority_vouches_for_the_server() {
    let world = World::new();
    let account = world.service_account();
    let token = Some(account.join("token").into_string());
    let found = world.read(&Access::to(URL)).unwrap();
    assert_eq!(found.user.token_file, token);
    assert_eq!(found.ca.as_deref(), Some(AUTHORITY.as_bytes()));

    let ca = world.file("own.crt", AUTHORITY);
    let found = world
        .read(&Access {
            ca: Some(ca),
            ..Access::to(URL)
        })
        .unwrap();
    assert!(!found.has_user());
    let found = world.read(&Access::to("http://127.0.0.1:8001")).unwrap();
    assert!(!found.has_user());
    fs::remove_file(account.join("ca.crt")).unwrap();
    let error = world.read(&Access::to(URL)).unwrap_err();
    assert!(
        error.contains("cannot read") && error.contains("ca.crt"),
        "{error}"
    );
}

#[test]
fn nothing_secret_goes_without_encryption() {
    let world = World::new();
    let access = Access {
        token_file: Some("/token".into()),
        ..Access::to("http://127.0.0.1:8001")
    };
    let error = world.read(&access).unwrap_err();
    assert!(error.contains("without encryption"), "{error}");
}

#[test]
fn what_would_weaken_the_connection_is_refused() {
    let world = World::new();
    for (more, expected) in [
        ("insecure-skip-tls-verify: true", "insecure-skip-tls-verify"),
        ("proxy-url: 'http://secret@proxy'", "names a proxy"),
        ("certificate-authority: missing.crt", "missing.crt"),
        ("certificate-authority-data: '?'", "base64"),
    ] {
        world.kubeconfig_with(more);
        let error = world.read(&world.with_kubeconfig(URL, None)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let world = World::new();
    let access = world.with_kubeconfig(URL, None);
    let error = world.read(&access).unwrap_err();
    assert!(
        error.contains("cannot read") && error.contains("kubeconfig"),
        "{error}"
    );
    // The parser's own words would have the token in them.
    for text in [
        "users: [{name: a, user: {token: secret}",
        "secret: [",
        "- secret",
        "",
    ] {
        world.file("kubeconfig", text);
        world.read(&access).unwrap_err();
    }
    let access = Access {
        ca: Some(world.path("missing")),
        ..Access::to(URL)
    };
    let error = world.read(&access).unwrap_err();
    assert!(error.contains("cannot read"), "{error}");
    let long = fs::File::create(world.path("long")).unwrap();
    long.set_len(LONGEST_FILE + 1).unwrap();
    let access = Access {
        ca: Some(world.path("long")),
        ..Access::to(URL)
    };
    let error = world.read(&access).unwrap_err();
    assert!(error.contains("bytes"), "{error}");
}
