//! A file of `envoy/handoff/` in a real Envoy, with an upstream: whose answer a request gets.

use serde_json::{Value, json};

use super::client::{self, Request, Response};
use super::envoy::Envoy;
use super::example::{self, Mint};
use super::upstream::Upstream;

/// Where a rate limit service counts, which must be started.
pub const RATELIMIT: &str = "envoy/handoff/ratelimit.yaml";

/// A running example: Envoy, and an upstream that says what reached it.
pub struct Running {
    pub envoy: Envoy,
    mint: Mint,
    _upstream: Upstream,
}

/// What came back, as far as the tests ask.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream was reached.
    Passed,
    /// Countersign refused, with this status.
    Refused(u16),
    /// Envoy's own filter refused, with this status.
    RefusedByEnvoy(u16),
}

impl Running {
    pub fn start(bootstrap: impl FnOnce(u16) -> Value) -> Self {
        let upstream = Upstream::start();
        Self {
            envoy: Envoy::start_with(&bootstrap(upstream.port()), std::process::Stdio::null()),
            mint: Mint::new(),
            _upstream: upstream,
        }
    }

    pub fn of(path: &str) -> Self {
        Self::start(|upstream| example::bootstrap(path, &[("upstream", upstream)]))
    }

    /// Sends a request: with a token of these claims, if there are any, and these fields.
    pub fn send(&self, request: &str, claims: Option<&Value>, fields: &[(&str, &str)]) -> Outcome {
        outcome(&self.response(request, claims, fields))
    }

    fn response(&self, request: &str, claims: Option<&Value>, fields: &[(&str, &str)]) -> Response {
        let (method, target) = request.split_once(' ').unwrap();
        let authorization = claims.map(|claims| format!("Bearer {}", self.mint.token(claims)));
        let token = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()));
        let fields = token.chain(fields.iter().copied());
        let request = Request::of(method, target, "orders.example.com", fields);
        client::send(self.envoy.listener("public"), &request).expect("Envoy answers")
    }
}

fn outcome(response: &Response) -> Outcome {
    let is_ours = serde_json::from_slice::<Value>(&response.body)
        .is_ok_and(|body| body["error"].is_string() && body["request_id"].is_string());
    if response.values("x-upstream").next().is_some() {
        Outcome::Passed
    } else if is_ours {
        Outcome::Refused(response.status)
    } else {
        Outcome::RefusedByEnvoy(response.status)
    }
}

/// Three requests of each: what others send in a caller's name is not counted.
pub fn limits_hold(running: &Running) {
    let (alice, bob) = (json!({"sub": "alice"}), json!({"sub": "bob"}));
    let as_alice = [("x-auth-subject", "alice")];
    let again =
        |times: usize, claims: Option<&Value>, fields: &[(&str, &str)], expected: Outcome| {
            for number in 1..=times {
                let outcome = running.send("GET /orders/1", claims, fields);
                assert_eq!(
                    outcome, expected,
                    "{claims:?} {fields:?}, for the {number}. time"
                );
            }
        };
    // Nobody in particular spends nothing, whatever is claimed.
    again(5, None, &as_alice, Outcome::Refused(401));
    again(1, Some(&alice), &[], Outcome::Passed);
    again(3, Some(&bob), &as_alice, Outcome::Passed);
    again(1, Some(&bob), &as_alice, Outcome::RefusedByEnvoy(429));
    again(2, Some(&alice), &[], Outcome::Passed);
    again(1, Some(&alice), &[], Outcome::RefusedByEnvoy(429));
    again(1, None, &[], Outcome::Refused(401));
    for _ in 0..5 {
        assert_eq!(
            running.send("GET /healthz", None, &as_alice),
            Outcome::Passed
        );
    }
}
