use livius_domain::ResourceId;

use super::*;

const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const NONCE: &str = "000102030405060708090a0b0c0d0e0f";
const CHALLENGE: &str = "f0f1f2f3";

fn driver() -> DriverId {
    DriverId::parse("s-0-9f2c41d07ab3").unwrap()
}

/// The values were computed with another implementation of SHA-256 and HMAC.
#[test]
fn proofs_are_hmacs_of_lines() {
    let key = AgentKey::of_token(TOKEN);
    let driver = driver();
    let purpose = resource_purpose(ResourceId(7));
    let request = ProvenRequest {
        driver: &driver,
        nonce: NONCE,
        purpose: &purpose,
    };
    assert_eq!(
        [
            key.as_hash(),
            &key.request_proof(request, CHALLENGE, br#"{"v":1}"#),
            &key.response_proof(request, 401, CHALLENGE),
            &key.response_proof(request, 200, ""),
        ],
        [
            "2a8abfa8cb9906290437854193ca6bca41d4d4e26d1d454bd66a35158095e737",
            "7a6e1a6347c2e92058bcd5efd2988040c457647c2e2cd2744db8e8bbec565a00",
            "8d494493e7d8c31c8c9b9007115ef5cd8378927fa7e737636a170a302f99a0b7",
            "db3df291bc3c46ad10b58de80434f051edb4e3d555e59a00975b546c1a1c9d25",
        ]
    );
}

#[test]
fn a_proof_fits_one_request_only() {
    let key = AgentKey::of_token(TOKEN);
    let (own, other) = (driver(), DriverId::parse("s-1-9f2c41d07ab3").unwrap());
    let request = ProvenRequest {
        driver: &own,
        nonce: NONCE,
        purpose: CONNECT,
    };
    let proof = key.request_proof(request, CHALLENGE, b"body");
    assert!(key.proves_request(request, CHALLENGE, b"body", &proof));
    let changed = [
        ProvenRequest {
            driver: &other,
            ..request
        },
        ProvenRequest {
            nonce: "00",
            ..request
        },
        ProvenRequest {
            purpose: REPORT,
            ..request
        },
    ];
    for changed in changed {
        assert!(!key.proves_request(changed, CHALLENGE, b"body", &proof));
        assert_ne!(
            key.response_proof(changed, 200, ""),
            key.response_proof(request, 200, "")
        );
    }
    assert!(!key.proves_request(request, "f0", b"body", &proof));
    assert!(!key.proves_request(request, CHALLENGE, b"bodY", &proof));
    assert!(!key.proves_request(request, CHALLENGE, b"body", &proof[..63]));
    assert!(!key.proves_request(request, CHALLENGE, b"body", ""));
    let stranger = AgentKey::of_token("other");
    assert!(!stranger.proves_request(request, CHALLENGE, b"body", &proof));
    assert!(!key.is(&stranger));
    // The proof of one side is none of the other's.
    assert_ne!(key.response_proof(request, 101, CHALLENGE), proof);
    assert_ne!(
        key.response_proof(request, 401, ""),
        key.response_proof(request, 101, "")
    );
}

#[test]
fn a_key_is_not_shown() {
    let shown = format!("{:?}", AgentKey::of_token(TOKEN));
    assert!(
        !shown.contains(AgentKey::of_token(TOKEN).as_hash()),
        "{shown}"
    );
}

#[test]
fn a_nonce_is_hex_of_a_safe_length() {
    for (text, expected) in [
        (NONCE, true),
        (&TOKEN[..64], true),
        (&NONCE[..31], false),
        ("", false),
        ("0001020304050607\n08090a0b0c0d0e0f", false),
        ("zz0102030405060708090a0b0c0d0e0f", false),
    ] {
        assert_eq!(is_nonce(text), expected, "{text}");
    }
    assert!(!is_nonce(&"0".repeat(65)));
}
