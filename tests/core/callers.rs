//! The callers that a decision rests on.

use countersign::authenticate::ProviderId;
use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, Passage, evaluate};
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::reject::{Invalid, Reject, TokenFault};
use countersign::request::RequestView;
use countersign::scheme::{Scheme, SchemeSet};
use countersign::time::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A provider of users, whose tokens are in `Authorization`, and one of services, whose are in `x-service`.
fn plan(key: &SigningKey, accepted: &[&str]) -> Plan {
    let provider = |name: &str, from: Value| {
        let jwks = json!({"inline": {"keys": [key.public_jwk()]}});
        let issuer = format!("https://{name}");
        json!({"name": name, "jwt": {"issuer": issuer, "audiences": ["api"], "jwks": jwks, "from": [from]}})
    };
    let configuration = json!({
        "providers": [
            provider("user", json!({"header": "authorization", "scheme": "Bearer"})),
            provider("service", json!({"header": "x-service"})),
        ],
        "rules": [{"name": "all", "providers": accepted}],
    });
    config::load_value(&configuration).unwrap().plan
}

fn token(key: &SigningKey, provider: &str, subject: &str) -> String {
    let claims = json!({
        "iss": format!("https://{provider}"), "aud": "api", "sub": subject, "exp": NOW.millis() / 1000 + 600,
    });
    let header = json!({"alg": "ES256"});
    key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .unwrap()
}

/// The callers of a request with these credentials, the first one first; else why it is denied.
fn callers(plan: &Plan, user: &str, service: &str) -> Result<Vec<(ProviderId, String)>, Reject> {
    let authorization = format!("Bearer {user}");
    let request = RequestView::new(vec![
        (b":method", b"GET"),
        (b":path", b"/"),
        (b":authority", b"api"),
        (b"authorization", authorization.as_bytes()),
        (b"x-service", service.as_bytes()),
    ]);
    let circumstances = Circumstances::new(&Pure, NOW);
    let outcome = evaluate(plan, &request, &plan.empty_store(), circumstances, &mut ());
    let Outcome::Decided(decision, _) = outcome else {
        panic!("the keys are in the configuration");
    };
    let offered = [Scheme::BEARER].into_iter();
    let used = decision.schemes.among(offered);
    assert_eq!(used, SchemeSet::default().with(Scheme::BEARER));
    let first = decision.principal().and_then(|caller| caller.subject());
    match decision.passage() {
        Some(Passage::Permitted(permit)) => {
            let permitted = permit.principal().and_then(|caller| caller.subject());
            assert_eq!(permitted, first);
        }
        Some(Passage::Shadow(_)) => panic!("the configuration is enforced"),
        None => return Err(decision.refusal().unwrap()),
    }
    let callers = decision.principals.iter();
    let named = |subject: Option<&str>| subject.unwrap_or_default().to_owned();
    Ok(callers
        .map(|caller| (caller.provider(), named(caller.subject())))
        .collect())
}

#[test]
fn a_decision_rests_on_every_caller_whose_credential_is_presented() {
    let key = SigningKey::generate(Algorithm::Es256);
    let (user, service) = (token(&key, "user", "amy"), token(&key, "service", "cart"));
    let amy = (ProviderId(0), "amy".to_owned());
    let cart = (ProviderId(1), "cart".to_owned());
    let asked = |accepted: &[&str]| callers(&plan(&key, accepted), &user, &service);
    let both = [amy.clone(), cart.clone()];
    assert_eq!(asked(&["user", "service"]), Ok(both.to_vec()));
    assert_eq!(asked(&["user"]), Ok(both.to_vec()));
    // The caller of an accepted provider is first.
    assert_eq!(asked(&["service"]), Ok(vec![cart, amy]));
}

#[test]
fn one_credential_that_fails_denies_the_request() {
    let key = SigningKey::generate(Algorithm::Es256);
    let forged = SigningKey::generate(Algorithm::Es256);
    let plan = plan(&key, &["user"]);
    let (user, service) = (
        token(&key, "user", "amy"),
        token(&forged, "service", "cart"),
    );
    let signature = Err(Reject::Invalid(Invalid::Token(TokenFault::Signature)));
    assert_eq!(callers(&plan, &user, &service), signature);
}
