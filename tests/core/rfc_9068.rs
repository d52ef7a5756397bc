//! The access token that RFC 9068 §2.2 shows, signed here, since the RFC prints no signature.

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::request::RequestView;
use countersign::time::Timestamp;
use serde_json::json;

#[test]
fn the_example_passes_at_its_resource_server_and_its_scopes_are_read() {
    let key = SigningKey::generate(Algorithm::Rs256).with_kid(Some("RjEwOwOA"));
    let header = json!({"typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA"});
    let claims = json!({
        "iss": "https://authorization-server.example.com/",
        "sub": "5ba552d67",
        "aud": "https://rs.example.com/",
        "exp": 1_639_528_912,
        "iat": 1_618_354_090,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    });
    let token = key.sign(Algorithm::Rs256, &header, claims.to_string().as_bytes());
    let authorization = format!("Bearer {}", token.unwrap());
    let plan = config::load_value(&json!({"providers": [{"name": "as", "jwt": {
        "issuer": "https://authorization-server.example.com/",
        "audiences": ["https://rs.example.com/"],
        "token_type": "at+jwt",
        "jwks": {"inline": {"keys": [key.public_jwk()]}},
    }}]}))
    .unwrap()
    .plan;
    let request = RequestView::new(vec![
        (b":method", b"GET"),
        (b":path", b"/"),
        (b":authority", b"rs.example.com"),
        (b"authorization", authorization.as_bytes()),
    ]);
    let now = Timestamp::from_seconds(1_618_354_100);
    let outcome = evaluate(
        &plan,
        &request,
        &plan.empty_store(),
        Circumstances::new(&Pure, now),
        &mut (),
    );
    let Outcome::Decided(decision, _) = outcome else {
        panic!("the keys are in the document");
    };
    assert!(decision.passage().is_some(), "{:?}", decision.verdict);
    let principal = decision.principal().unwrap();
    assert_eq!(principal.subject(), Some("5ba552d67"));
    let scopes: Vec<_> = principal.scopes().iter().collect();
    assert_eq!(scopes, ["openid", "profile", "reademail"]);
}
