//! A module that answers questions about signatures: a JSON array of them as a request's body, an object with the
//! verdicts of both backends as the response. `tests/envoy/host_crypto.rs` asks.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::restriction, reason = "a test may panic")]
#![allow(
    missing_docs,
    reason = "`main!` writes a public function without documentation"
)]

#[path = "../../../published/judge.rs"]
mod judge;

use std::time::Duration;

use countersign::authenticate::jose::signature::{AlgorithmSet, Backend, Chosen, Pure, self_test};
use countersign::host::crypto::HostCrypto;
use proxy_wasm::hostcalls::get_current_time;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use serde_json::{Value, json};

use judge::judge;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { by_host: AlgorithmSet::EMPTY }) });
}}

struct Root {
    by_host: AlgorithmSet,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.by_host = self_test(&HostCrypto);
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let by_host = self.by_host;
        Some(Box::new(Stream {
            by_host,
            body: Vec::new(),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    by_host: AlgorithmSet,
    body: Vec<u8>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if end_of_stream {
            self.body = self.get_http_request_body(0, size).unwrap_or_default();
            let (status, answer) = match serde_json::from_slice(&self.body) {
                Ok(Value::Array(questions)) => (200, self.answer(&questions)),
                _ => (400, json!("no questions")),
            };
            self.send_http_response(status, Vec::new(), Some(answer.to_string().as_bytes()));
        }
        Action::Pause
    }
}

impl Stream {
    fn answer(&self, questions: &[Value]) -> Value {
        let host = Chosen::new(HostCrypto, self.by_host);
        let by = |backend: &dyn Backend| -> Vec<Value> {
            questions
                .iter()
                .map(|question| verdict(backend, question))
                .collect()
        };
        json!({
            "by_host": self.by_host.to_string(),
            "host": by(&host),
            "wasm": by(&Pure),
        })
    }
}

/// `true`, or why not; with `repeat`, the time of one verification in nanoseconds.
fn verdict(backend: &dyn Backend, question: &Value) -> Value {
    let Some(times) = question["repeat"].as_u64() else {
        return match judge(backend, question) {
            Ok(_) => Value::Bool(true),
            Err(why) => Value::String(why),
        };
    };
    let timed = judge::prepared(question, |algorithm, key, message, signature| {
        use countersign::authenticate::jose::signature::Verify as _;
        // Before the time counts, the key computes what it keeps.
        for _ in 0..2 {
            backend.verify(algorithm, key, message, signature).ok()?;
        }
        let start = get_current_time().ok()?;
        for _ in 0..times {
            backend.verify(algorithm, key, message, signature).ok()?;
        }
        get_current_time().ok()?.duration_since(start).ok()
    });
    let total: Option<Duration> = timed.ok().flatten();
    json!(total.map(|total| total.as_nanos() / u128::from(times)))
}
