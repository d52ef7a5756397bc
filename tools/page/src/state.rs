//! What the page knows: where the listeners are, what the form can send to, and the situations.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use demo::Group;
use demo::support::example::Mint;

/// How long the tokens of the situations are used. They are valid for a day.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The state of the server.
pub struct State {
    /// The address of each listener, as `HOST:PORT`.
    pub listeners: BTreeMap<String, String>,
    /// The address of Envoy's admin interface.
    pub admin: String,
    /// The native command.
    pub command: PathBuf,
    pub targets: Vec<Target>,
    /// The values of `Host` that are answered.
    pub hosts: Vec<String>,
    /// Where a user signs in to get a token.
    pub sign_in: Option<String>,
    pub situations: Situations,
}

/// A listener to which the form sends requests.
pub struct Target {
    /// The name of the listener.
    pub listener: &'static str,
    /// What the form shows.
    pub title: String,
    /// The file with the listener's Countersign configuration.
    pub configuration: PathBuf,
    /// The keys of the issuer, if they are not in the configuration: a URL or a file.
    pub jwks: Option<String>,
    /// Whether the tokens of the demo's issuer are valid there.
    pub accepts_demo_tokens: bool,
}

/// The situations of the demo, with tokens that are valid.
#[derive(Default)]
pub struct Situations(Mutex<Option<(Instant, Arc<[Group; 4]>)>>);

impl Situations {
    /// The groups of situations.
    pub fn groups(&self) -> Arc<[Group; 4]> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((made, groups)) if made.elapsed() < FRESH => Arc::clone(groups),
            _ => {
                let groups = Arc::new(demo::groups(&Mint::new()));
                *kept = Some((Instant::now(), Arc::clone(&groups)));
                groups
            }
        }
    }
}

impl State {
    /// Where a listener is now.
    pub fn listener(&self, name: &str) -> Result<SocketAddr, String> {
        let address = self.listeners.get(name);
        resolve(address.ok_or_else(|| format!("unknown listener `{name}`"))?)
    }

    /// The target with this name.
    pub fn target(&self, name: &str) -> Result<&Target, String> {
        let mut targets = self.targets.iter();
        let target = targets.find(|target| target.listener == name);
        target.ok_or_else(|| format!("unknown target `{name}`"))
    }
}

/// Resolves `HOST:PORT`.
pub fn resolve(address: &str) -> Result<SocketAddr, String> {
    let resolved = address.to_socket_addrs();
    let resolved = resolved.map_err(|fault| format!("cannot resolve `{address}`: {fault}"))?;
    let addresses: Vec<SocketAddr> = resolved.collect();
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    let chosen = ipv4.or(addresses.first()).copied();
    chosen.ok_or_else(|| format!("`{address}` has no address"))
}
