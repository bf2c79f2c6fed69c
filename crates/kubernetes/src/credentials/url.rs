//! Addresses of API servers.

use http::Uri;

/// The address of an API server. Two addresses are equal if requests to them go to the same place.
#[derive(Debug)]
pub struct Address {
    uri: Uri,
    normal: String,
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Address {
    /// Reads an address. The error is in words.
    pub fn read(text: &str) -> Result<Self, String> {
        // An address can have a password in it, so the message does not repeat it.
        let malformed = || "the address of the API server is no http or https address".to_owned();
        let uri: Uri = text.trim().parse().map_err(|_| malformed())?;
        let scheme = uri.scheme_str().ok_or_else(malformed)?;
        let default_port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(malformed()),
        };
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err("the address of the API server has a user or a query".to_owned());
        }
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(default_port);
        let path = uri.path().trim_end_matches('/');
        let normal = format!("{scheme}://{host}:{port}{path}");
        Ok(Self { uri, normal })
    }

    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Tells whether requests to it are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        Address::read(one).unwrap() == Address::read(other).unwrap()
    }

    #[test]
    fn addresses_of_the_same_place_are_equal() {
        assert!(same("https://api.example", "https://API.example:443/"));
        assert!(same("https://[::1]:6443", "https://[::1]:6443/"));
        assert!(same("http://a", "http://a:80"));
        assert!(same("https://a/k8s/c-1", "https://a/k8s/c-1/"));
        assert!(!same("https://a/k8s/c-1", "https://a/k8s/c-2"));
        assert!(!same("https://a:6443", "https://a"));
        assert!(!same("https://a", "http://a:443"));
        assert!(!same("https://a.example", "https://a.example.evil"));
    }

    #[test]
    fn other_texts_are_refused_and_not_repeated() {
        for text in [
            "",
            "a",
            "a:6443",
            "ftp://a",
            "https://",
            "https://u:secret@a",
            "https://a/?x=secret",
            "unix:///secret",
        ] {
            let problem = Address::read(text).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
