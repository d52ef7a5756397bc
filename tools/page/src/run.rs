//! `make run`: Envoy with every listener of the demo, and the page.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use demo::support::envoy::{Envoy, module_path};
use demo::support::example::Mint;
use demo::support::upstream::Upstream;
use demo::support::{authorization, in_repository};
use demo::{ADMIN, LISTENER, free_or, print_requests, wait_for_signal, write_tokens};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::bootstrap::{self, PORTS, PUBLIC, cluster};
use crate::server;
use crate::state::{EXPLANATIONS, Situations, State, Target};

/// The port of the page, unless it is in use. Browsers refuse some ports of this range, among them 10080 (`ERR_UNSAFE_PORT`).
const PORT: u16 = 10100;

/// Start Envoy with the listeners of the demo, and serve the page
#[derive(clap::Args)]
pub struct Run {
    /// The native command [default: `countersign` in the folder of this program]
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
    /// Use any free ports, and print the address of the page alone
    #[arg(long)]
    any_ports: bool,
}

impl Run {
    /// Runs until Ctrl-C or SIGTERM.
    pub fn run(&self) -> Result<(), String> {
        let command = self.command()?;
        if !self.any_ports {
            println!("==> starting the upstream and Envoy");
        }
        let (upstream, login, mint) = (Upstream::start(), authorization::start(), Mint::new());
        let local = |name, port: u16| cluster(name, &format!("127.0.0.1:{port}"));
        let tls = TempDir::new().map_err(|fault| fault.to_string())?;
        bootstrap::write_certificates(tls.path())?;
        let configuration = bootstrap::Envoy {
            module: &module_path(),
            tls: tls.path(),
            bind: "127.0.0.1",
            gate: None,
            clusters: vec![
                local("upstream", upstream.port())?,
                local("login", login.port())?,
                local("keys", login.port())?,
            ],
        };
        let port = |port| if self.any_ports { 0 } else { free_or(port) };
        let configuration = configuration.bootstrap(
            |name| if name == PUBLIC { port(LISTENER) } else { 0 },
            port(ADMIN),
        );
        let stdout = if self.any_ports {
            Stdio::null()
        } else {
            Stdio::inherit()
        };
        let envoy = Envoy::start_with(&configuration, stdout);
        let listener = TcpListener::bind(("127.0.0.1", port(PORT)));
        let listener = listener.map_err(|fault| fault.to_string())?;
        let page = listener.local_addr().map_err(|fault| fault.to_string())?;
        let listeners = PORTS.iter().filter(|(name, _)| *name != bootstrap::GATE);
        let state = State {
            listeners: listeners
                .map(|(name, _)| ((*name).to_owned(), envoy.listener(name).to_string()))
                .collect(),
            admin: envoy.admin_address().to_string(),
            command,
            targets: vec![public_target(&envoy.listener(PUBLIC).to_string())],
            hosts: ["127.0.0.1", "localhost"]
                .map(|host| format!("{host}:{}", page.port()))
                .into(),
            sign_in: None,
            situations: Situations::default(),
            explanations: Semaphore::new(EXPLANATIONS),
        };
        server::start(listener, state)?;
        if self.any_ports {
            println!("http://{page}");
        } else {
            write_tokens(&mint);
            println!("==> the page is at http://{page}");
            print_requests(envoy.listener(PUBLIC), envoy.admin_address());
        }
        wait_for_signal();
        Ok(())
    }

    fn command(&self) -> Result<PathBuf, String> {
        let given = self.command.clone();
        let own = || {
            let program = std::env::current_exe().ok()?;
            Some(program.parent()?.join("countersign"))
        };
        let command = given.or_else(own).filter(|command| Path::exists(command));
        command.ok_or_else(|| "expected the native command: `--command FILE`".to_owned())
    }
}

/// The listener of `envoy/envoy.yaml` as a target of the form.
pub fn public_target(address: &str) -> Target {
    Target {
        listener: PUBLIC,
        title: format!("envoy/envoy.yaml ({address})"),
        configuration: in_repository("envoy/envoy.yaml"),
        jwks: None,
        accepts_demo_tokens: true,
    }
}
