//! The certificates and keys of a cluster.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certificate, and its key: both as PEM.
pub struct Certified {
    pub certificate: String,
    pub key: String,
}

/// The authority that every part of a cluster trusts.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, as PEM.
    pub certificate: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::default();
        wanted
            .distinguished_name
            .push(DnType::CommonName, "kubernetes-for-tests");
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = wanted.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(wanted, key),
            certificate,
        }
    }

    /// A certificate for servers with these host names and addresses.
    pub fn server(&self, names: &[&str]) -> Certified {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut wanted = CertificateParams::new(names).unwrap();
        wanted
            .distinguished_name
            .push(DnType::CommonName, "server-for-tests");
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&wanted)
    }

    /// A certificate that names a user to the API server.
    pub fn user(&self, name: &str) -> Certified {
        let mut wanted = CertificateParams::default();
        wanted.distinguished_name.push(DnType::CommonName, name);
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&wanted)
    }

    fn issue(&self, wanted: &CertificateParams) -> Certified {
        let key = KeyPair::generate().unwrap();
        Certified {
            certificate: wanted.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A key that signs the tokens of service accounts: the private and the public part, as PEM.
pub fn signing_key() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (key.serialize_pem(), key.public_key_pem())
}
