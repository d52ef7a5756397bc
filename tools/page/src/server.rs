//! The web server: the files of the page, and what its script asks for.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use axum::extract::{DefaultBodyLimit, State as Extracted};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use demo::support::example::Mint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::assets::ASSETS;
use crate::counters::{self, Counters};
use crate::guard::guard;
use crate::play::{self, Play, Results};
use crate::request::Form;
use crate::send::{self, Answered};
use crate::state::State;

/// The longest request body, in bytes. Envoy accepts headers of 60 kB.
const LONGEST: usize = 128 * 1024;
/// How many requests wait for Envoy at the same time.
const WAITING: usize = 8;

/// Why a request of the script has no result.
pub enum Fault {
    /// The request is not valid.
    Invalid(String),
    /// Envoy, or another part, does not answer.
    Unavailable(String),
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Invalid(text) => (StatusCode::BAD_REQUEST, text),
            Self::Unavailable(text) => (StatusCode::BAD_GATEWAY, text),
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}

/// Answers requests on another thread, for as long as the process runs.
pub fn start(listener: TcpListener, state: State) -> Result<(), String> {
    let fault = |fault: std::io::Error| format!("cannot serve the page: {fault}");
    listener.set_nonblocking(true).map_err(fault)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WAITING)
        .build()
        .map_err(fault)?;
    let router = router(Arc::new(state));
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        })
    });
    Ok(())
}

fn router(state: Arc<State>) -> Router {
    let mut router = Router::new();
    for asset in &ASSETS {
        router = router.route(asset.path, get(|| async { asset.response() }));
    }
    router
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api/page", get(describe))
        .route("/api/play", post(play))
        .route("/api/send", post(send))
        .route("/api/token", post(token))
        .route("/api/counters", get(counters))
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), guard))
        .with_state(state)
}

type Page = Extracted<Arc<State>>;

/// What the page shows before anything is played.
async fn describe(Extracted(state): Page) -> Result<Json<Value>, Fault> {
    let described = blocking(move || {
        let groups = state.situations.groups();
        let groups = groups.iter().map(|group| {
            let situations = group.situations.iter().map(|situation| {
                json!({
                    "method": situation.method,
                    "path": situation.path,
                    "content": situation.content,
                    "reason": situation.reason,
                    "expected": {"status": situation.status, "challenge": situation.challenge},
                    "has_counterpart": play::counterpart(situation).is_some(),
                    "beyond_tokens": situation.beyond_tokens,
                })
            });
            json!({
                "name": group.listener,
                "title": group.what,
                "address": state.listeners.get(group.listener),
                "situations": situations.collect::<Vec<_>>(),
            })
        });
        let targets = state.targets.iter().map(|target| {
            json!({
                "name": target.listener,
                "title": target.title,
                "accepts_demo_tokens": target.accepts_demo_tokens,
            })
        });
        Ok(json!({
            "groups": groups.collect::<Vec<_>>(),
            "targets": targets.collect::<Vec<_>>(),
            "sign_in": state.sign_in,
        }))
    });
    described.await.map(Json)
}

async fn play(Extracted(state): Page, Json(play): Json<Play>) -> Result<Json<Results>, Fault> {
    blocking(move || play.run(&state)).await.map(Json)
}

async fn send(Extracted(state): Page, Json(form): Json<Form>) -> Result<Json<Answered>, Fault> {
    send::send(state, form).await.map(Json)
}

async fn counters(Extracted(state): Page) -> Result<Json<Counters>, Fault> {
    blocking(move || counters::read(&state)).await.map(Json)
}

/// Which token of the demo's issuer to issue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: String,
}

#[derive(Serialize)]
struct Issued {
    token: String,
}

async fn token(Json(asked): Json<Asked>) -> Result<Json<Issued>, Fault> {
    let token = blocking(move || Ok(demo::support::example::token(&Mint::new(), &asked.name)));
    let token = token.await?;
    let token = token.ok_or_else(|| Fault::Invalid("unknown token".to_owned()))?;
    Ok(Json(Issued { token }))
}

/// Runs what waits for Envoy where it does not delay other requests.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Fault::Unavailable),
        Err(fault) => Err(Fault::Unavailable(format!("the page failed: {fault}"))),
    }
}
