//! TLS between a test and Envoy: what a listener is configured with, and the client's side.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use super::certificate::{Certificate, SERVER, TRUSTED};

/// A TLS connection to a listener.
pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A `DownstreamTlsContext` that asks for no client certificate.
pub fn server() -> Value {
    let text = |text: String| json!({"inline_string": text});
    json!({
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": [{
            "certificate_chain": text(SERVER.pem()),
            "private_key": text(SERVER.key_pem()),
        }]},
    })
}

/// As [`server`], which verifies a client certificate if the client has one.
pub fn optional() -> Value {
    validating(json!({"trusted_ca": {"inline_string": TRUSTED.pem()}}))
}

/// As [`server`], with this `CertificateValidationContext`.
pub fn validating(validation: Value) -> Value {
    let mut context = server();
    context["common_tls_context"]["validation_context"] = validation;
    context
}

/// As [`server`], which verifies the certificate that each client must have.
pub fn required() -> Value {
    let mut context = optional();
    context["require_client_certificate"] = json!(true);
    context
}

/// As [`optional`], which accepts every certificate.
pub fn accept_untrusted() -> Value {
    let mut context = optional();
    context["common_tls_context"]["validation_context"]["trust_chain_verification"] =
        json!("ACCEPT_UNTRUSTED");
    context
}

/// A client with a certificate, or without any. It resumes its sessions (RFC 8446 §2.2).
#[derive(Clone)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    /// # Panics
    /// rustls rejects the certificate.
    pub fn new(certificate: Option<&Certificate>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(TRUSTED.der()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots);
        Self(Arc::new(match certificate {
            None => builder.with_no_client_auth(),
            Some(own) => builder
                .with_client_auth_cert(vec![own.der()], own.key_der())
                .expect("a certificate with its key"),
        }))
    }

    /// TLS over a connection to a listener.
    ///
    /// # Errors
    /// What rustls returns. That Envoy refuses the certificate is an error of the first read, since TLS 1.3 ends the handshake
    /// of the client before.
    pub fn connect(&self, stream: TcpStream) -> io::Result<Stream> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let session = ClientConnection::new(Arc::clone(&self.0), name);
        Ok(StreamOwned::new(session.map_err(io::Error::other)?, stream))
    }
}
