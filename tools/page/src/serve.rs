//! `serve`: the page of an Envoy that runs elsewhere, with the configuration that `bootstrap` wrote.

use std::fs;
use std::net::{SocketAddr, SocketAddrV4, TcpListener};
use std::path::PathBuf;

use demo::support::certificate::TRUSTED_KEY;
use demo::wait_for_signal;
use tokio::sync::Semaphore;

use crate::bootstrap::{ADMIN_PORT, AUTHORITY_KEY, GATE, PORTS, PUBLIC, stand_ins};
use crate::run::public_target;
use crate::server;
use crate::state::{EXPLANATIONS, Situations, State, Target};

/// Serve the page of an Envoy that runs elsewhere
#[derive(clap::Args)]
pub struct Serve {
    /// The folder that `bootstrap` wrote
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// The host name of Envoy
    #[arg(long, value_name = "HOST")]
    envoy: String,
    /// The file with the Countersign configuration of port 10000
    #[arg(long, value_name = "FILE")]
    gate: PathBuf,
    /// The native command
    #[arg(long, value_name = "FILE")]
    command: PathBuf,
    /// The keys of the issuer of port 10000, if they are not in the configuration: a URL without TLS, or a file
    #[arg(long, value_name = "URL|FILE")]
    jwks: Option<String>,
    /// Where a user signs in to get a token for port 10000
    #[arg(long, value_name = "URL")]
    sign_in: Option<String>,
    /// Where the page listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:10100")]
    listen: SocketAddr,
    /// A host and port that browsers use for the page; repeat it for several
    #[arg(long = "host", value_name = "HOST:PORT", required = true)]
    hosts: Vec<String>,
    /// Where the servers listen that introspect tokens and have the list of API keys
    #[arg(long, value_name = "ADDRESS:PORT")]
    stand_ins: SocketAddrV4,
}

impl Serve {
    /// Runs until Ctrl-C or SIGTERM.
    pub fn run(self) -> Result<(), String> {
        let file = self.folder.join(AUTHORITY_KEY);
        let key = fs::read_to_string(&file);
        let key = key.map_err(|fault| format!("{}: {fault}", file.display()))?;
        TRUSTED_KEY.set(key).expect("it is set once");
        let listener = TcpListener::bind(self.listen);
        let listener = listener.map_err(|fault| format!("{}: {fault}", self.listen))?;
        let _stand_ins = stand_ins(self.stand_ins);
        let address = |port: u16| format!("{}:{port}", self.envoy);
        let listeners: std::collections::BTreeMap<_, _> = PORTS
            .iter()
            .map(|(name, port)| ((*name).to_owned(), address(*port)))
            .collect();
        let gate = Target {
            listener: GATE,
            title: format!("port 10000: {}", self.gate.display()),
            configuration: self.gate,
            jwks: self.jwks,
            accepts_demo_tokens: false,
        };
        let public = public_target(&listeners[PUBLIC]);
        let state = State {
            admin: address(ADMIN_PORT),
            listeners,
            command: self.command,
            targets: vec![gate, public],
            hosts: self.hosts,
            sign_in: self.sign_in,
            situations: Situations::default(),
            explanations: Semaphore::new(EXPLANATIONS),
        };
        println!(
            "==> the page is at http://{}",
            state.hosts.join(", http://")
        );
        server::start(listener, state)?;
        wait_for_signal();
        Ok(())
    }
}
