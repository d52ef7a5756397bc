//! Sends the request of the form, and explains it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use demo::situation::TIMEOUT;
use demo::support::client::Connection;
use serde::Serialize;
use serde_json::Value;

use crate::explain::Explain;
use crate::play::no_response;
use crate::request::{Checked, Form};
use crate::response::{REVEALING, Received};
use crate::server::{Fault, blocking};
use crate::state::State;

/// What a request brought.
#[derive(Serialize)]
pub struct Answered {
    response: Received,
    /// What `countersign explain` prints.
    explanation: Option<Value>,
    /// Why there is no explanation.
    fault: Option<String>,
}

/// Sends the request to Envoy, and explains it.
pub async fn send(state: Arc<State>, form: Form) -> Result<Answered, Fault> {
    let name = form.target.clone();
    state.target(&name).map_err(Fault::Invalid)?;
    let request = form.check().map_err(Fault::Invalid)?;
    let bytes = request.to_bytes(&[]);
    let asked = Arc::clone(&state);
    let sent = blocking(move || {
        let (response, client) = ask(asked.listener(&name)?, &request)?;
        let explain = Explain::new(asked.command.clone(), asked.target(&name)?);
        Ok((response, client, explain))
    });
    let (response, client, explain) = sent.await?;
    // A permit is there as long as the state is.
    let permit = state.explanations.acquire().await;
    let explained = explain.run(&bytes, client).await;
    drop(permit);
    let (explanation, fault) = match explained {
        Ok(explanation) => (Some(explanation), None),
        Err(fault) => (None, Some(fault)),
    };
    Ok(Answered {
        response,
        explanation,
        fault,
    })
}

/// The response of a server, and the address from which it was asked.
fn ask(server: SocketAddr, request: &Checked) -> Result<(Received, IpAddr), String> {
    let bytes = request.to_bytes(&[(REVEALING, "1"), ("connection", "close")]);
    let mut connection = Connection::new(server, TIMEOUT);
    let own = connection.own_address();
    let answered = own.and_then(|own| Ok((connection.ask(&bytes)?, own)));
    let (response, own) = answered.map_err(|fault| no_response(&fault))?;
    Ok((Received::new(&response), own))
}
