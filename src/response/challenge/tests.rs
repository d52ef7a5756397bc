use super::*;

#[test]
fn h_10_only_quotes_and_backslashes_are_escaped() {
    let challenge = Challenge::bearer("Bearer", r#"a"b\c, d"#, &OAuth::default());
    assert_eq!(challenge.to_string(), r#"Bearer realm="a\"b\\c, d""#);
}

#[test]
fn bearer_has_each_parameter_once_and_in_order() {
    let challenge = Challenge::bearer(
        "Bearer",
        "api",
        &OAuth {
            error: Some(ErrorCode::InsufficientUserAuthentication),
            error_description: Some("A stronger authentication is required"),
            acr_values: vec!["mfa", "phr"],
            max_age: Some(Duration::from_secs(300)),
            scope: vec!["read", "write"],
            resource_metadata: Some("https://api.example.com/.well-known/oauth-protected-resource"),
        },
    );
    assert_eq!(
        challenge.to_string(),
        "Bearer realm=\"api\", error=\"insufficient_user_authentication\", \
         error_description=\"A stronger authentication is required\", acr_values=\"mfa phr\", max_age=\"300\", \
         scope=\"read write\", resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\""
    );
}

#[test]
fn d_14_the_algorithms_of_proofs_follow_the_realm() {
    let oauth = OAuth {
        error: Some(ErrorCode::UseDpopNonce),
        ..OAuth::default()
    };
    assert_eq!(
        Challenge::dpop("api", &["ES256", "EdDSA"], &oauth).to_string(),
        r#"DPoP realm="api", algs="ES256 EdDSA", error="use_dpop_nonce""#
    );
}

#[test]
fn ba_01_ba_02_ba_03_basic_has_a_realm_and_a_charset() {
    assert_eq!(
        Challenge::basic("api").to_string(),
        r#"Basic realm="api", charset="UTF-8""#
    );
}

#[test]
fn dg_01_dg_03_dg_17_digest_quotes_what_rfc_7616_quotes() {
    let mut digest = Digest {
        algorithm: "SHA-256",
        nonce: "n",
        opaque: "o",
        stale: false,
    };
    assert_eq!(
        Challenge::digest("api", &digest).to_string(),
        r#"Digest realm="api", qop="auth", algorithm=SHA-256, nonce="n", opaque="o", charset=UTF-8"#
    );
    digest.stale = true;
    assert_eq!(
        Challenge::digest("api", &digest).to_string(),
        r#"Digest realm="api", qop="auth", algorithm=SHA-256, nonce="n", opaque="o", stale=true, charset=UTF-8"#
    );
}

#[test]
fn k_02_the_challenge_for_a_key_names_its_location() {
    assert_eq!(
        Challenge::api_key("api", KeyPart::Header, "x-api-key").to_string(),
        r#"ApiKey realm="api", in="header", name="x-api-key""#
    );
}
