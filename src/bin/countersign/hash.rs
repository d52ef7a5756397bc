//! `hash`: what stands for a secret in a document.
//!
//! The secret is read from standard input: an argument would stand in the list of processes and in the shell's
//! history.

use std::io::{IsTerminal, Read};

use sha2::{Digest, Sha256};

use crate::ending::{Failure, Report};

/// bcrypt looks at no more than this (its 72 bytes hold the final zero byte too where there is room).
const BCRYPT_BYTES_MAX: usize = 72;

/// Secrets are short; a file is given by mistake.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Hashes a secret that is read from standard input.
#[derive(clap::Args)]
pub struct Hash {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// An API key: its SHA-256 in hexadecimal. Only for keys that are random: those cannot be guessed
    Key,
    /// A password: bcrypt
    Password {
        /// How hard it is to guess: each step doubles the time that it takes
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(4..=31))]
        cost: u32,
    },
}

impl Hash {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let secret = read_secret()?;
        match self.what {
            What::Key => Ok(Report::done(hexadecimal(&Sha256::digest(&secret)))),
            What::Password { cost } => bcrypt(&secret, cost).map(Report::done),
        }
    }
}

fn bcrypt(secret: &[u8], cost: u32) -> Result<String, Failure> {
    if secret.len() > BCRYPT_BYTES_MAX {
        return Err(Failure::new(format_args!(
            "the password has {} bytes; bcrypt looks at the first {BCRYPT_BYTES_MAX} only",
            secret.len()
        )));
    }
    if secret.contains(&0) {
        return Err(Failure::new(
            "the password has a zero byte, where bcrypt stops",
        ));
    }
    let hash = bcrypt::hash_with_result(secret, cost).map_err(Failure::new)?;
    Ok(hash.format_for_version(bcrypt::Version::TwoY))
}

/// The secret, without the newline that ends its line.
fn read_secret() -> Result<Vec<u8>, Failure> {
    let cannot = |error| Failure::new(format_args!("cannot read the secret: {error}"));
    let mut secret = if std::io::stdin().is_terminal() {
        rpassword::prompt_password("secret: ")
            .map_err(cannot)?
            .into_bytes()
    } else {
        let mut bytes = Vec::new();
        let mut input = std::io::stdin().lock().take(SECRET_BYTES_MAX);
        input.read_to_end(&mut bytes).map_err(cannot)?;
        bytes
    };
    if secret.last() == Some(&b'\n') {
        secret.pop();
        if secret.last() == Some(&b'\r') {
            secret.pop();
        }
    }
    if secret.is_empty() {
        return Err(Failure::new("the secret is empty"));
    }
    if secret.contains(&b'\n') {
        return Err(Failure::new("the secret is more than one line"));
    }
    Ok(secret)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
