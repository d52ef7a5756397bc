//! `hash`: the hash that a configuration has in place of a secret.
//!
//! The secret is read from standard input, because an argument would be visible in the process list and in the shell's
//! history.

use std::io::{IsTerminal, Read};

use argon2::{Argon2, PasswordHasher};
use countersign::authenticate::basic::password::PasswordHash;
use countersign::authenticate::digest::{DigestAlgorithm, Ha1};
use countersign::authenticate::listed::is_name;
use countersign::credential::{API_KEY_MAX, is_api_key};
use countersign::grammar::can_be_quoted;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::exit::{Failure, Report};

/// The longest password that bcrypt hashes as a whole, in bytes.
///
/// bcrypt hashes at most 72 bytes: the password and a final zero byte. A password of 72 bytes is hashed without the zero
/// byte.
const BCRYPT_BYTES_MAX: usize = 72;

/// The bcrypt costs that the filter accepts.
const BCRYPT_COSTS: std::ops::RangeInclusive<i64> = {
    let costs = PasswordHash::BCRYPT_COSTS;
    *costs.start() as i64..=*costs.end() as i64
};

const BCRYPT_COST_DEFAULT: u32 = 10;

/// The most that is read from standard input. A secret is shorter; more is a file that was passed by mistake.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Hashes a secret from standard input.
#[derive(clap::Args)]
pub struct Hash {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// An API key: SHA-256 in hexadecimal. Only for random keys, which cannot be guessed
    Key,
    /// A password: bcrypt or argon2id
    Password {
        /// The function. argon2id needs 19 MiB for a verification
        #[arg(long, value_enum, default_value_t = Algorithm::Bcrypt)]
        algorithm: Algorithm,
        /// The bcrypt cost: each step doubles the time of a guess and of a verification [default: 10]
        #[arg(long, value_parser = clap::value_parser!(u32).range(BCRYPT_COSTS))]
        cost: Option<u32>,
    },
    /// A password for a `digest` provider: an entry of its `users`. It is as good as the password, within the realm
    Digest {
        /// The user name
        #[arg(long)]
        user: String,
        /// The `realm` of the configuration, which the hash contains
        #[arg(long)]
        realm: String,
        /// The function: `SHA-256` or `MD5`. Give it twice for both
        #[arg(long = "algorithm", value_name = "ALGORITHM", value_parser = digest_algorithm, default_value = "SHA-256")]
        algorithms: Vec<DigestAlgorithm>,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Algorithm {
    Bcrypt,
    Argon2id,
}

impl Hash {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let secret = read_secret()?;
        match &self.what {
            What::Key if !is_api_key(&secret) => Err(Failure::new(format_args!(
                "the filter does not accept this key: expected at most {API_KEY_MAX} visible ASCII characters without a comma"
            ))),
            What::Key => Ok(Report::success(hexadecimal(&Sha256::digest(&secret)))),
            What::Password { algorithm, cost } => {
                password(&secret, *algorithm, *cost).map(Report::success)
            }
            What::Digest {
                user,
                realm,
                algorithms,
            } => digest(&secret, user, realm, algorithms).map(Report::success),
        }
    }
}

fn password(secret: &[u8], algorithm: Algorithm, cost: Option<u32>) -> Result<String, Failure> {
    // RFC 7617 §2: the filter denies a login with another password.
    check_text(secret)?;
    match (algorithm, cost) {
        (Algorithm::Bcrypt, cost) => bcrypt(secret, cost.unwrap_or(BCRYPT_COST_DEFAULT)),
        (Algorithm::Argon2id, None) => argon2id(secret),
        (Algorithm::Argon2id, Some(_)) => {
            Err(Failure::new("`--cost` is of bcrypt, not of argon2id"))
        }
    }
}

/// An entry of the users of a `digest` provider, in JSON, which is YAML too.
fn digest(
    secret: &[u8],
    user: &str,
    realm: &str,
    algorithms: &[DigestAlgorithm],
) -> Result<String, Failure> {
    if !is_name(user) {
        return Err(Failure::new(
            "the filter does not accept this user name: expected 1 to 256 bytes, without whitespace at an end and without \
             invisible characters",
        ));
    }
    if !can_be_quoted(realm) {
        return Err(Failure::new(
            "the filter does not accept this realm: expected visible ASCII characters and spaces",
        ));
    }
    // Otherwise clients differ in the octets that they hash (RFC 7616 §4).
    check_text(secret)?;
    let members = DigestAlgorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithms.contains(algorithm))
        .map(|algorithm| {
            let ha1 = Ha1::new(algorithm, user, realm, secret);
            let digits = String::from_utf8_lossy(ha1.digits());
            format!("\"{}\": \"{digits}\"", algorithm.name())
        });
    let hashes = members.collect::<Vec<_>>().join(", ");
    let user = Value::from(user);
    Ok(format!("{{\"name\": {user}, \"ha1\": {{{hashes}}}}}"))
}

fn digest_algorithm(name: &str) -> Result<DigestAlgorithm, &'static str> {
    DigestAlgorithm::from_name(name.as_bytes()).ok_or("expected `SHA-256` or `MD5`")
}

/// Refuses a password that the filter does not accept, or that clients do not send alike.
fn check_text(secret: &[u8]) -> Result<(), Failure> {
    let is_sent = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
    if std::str::from_utf8(secret).is_ok_and(is_sent) {
        return Ok(());
    }
    Err(Failure::new(
        "the filter does not accept this password: expected UTF-8 without control characters",
    ))
}

/// Hashes with the parameters that OWASP recommends: 19 MiB, two passes, one lane.
fn argon2id(secret: &[u8]) -> Result<String, Failure> {
    let parameters = argon2::Params::new(19 * 1024, 2, 1, None).map_err(Failure::new)?;
    let hash = Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        parameters,
    )
    .hash_password(secret)
    .map_err(Failure::new)?;
    Ok(hash.to_string())
}

fn bcrypt(secret: &[u8], cost: u32) -> Result<String, Failure> {
    if secret.len() > BCRYPT_BYTES_MAX {
        return Err(Failure::new(format_args!(
            "the password has {} bytes: expected at most {BCRYPT_BYTES_MAX}, because bcrypt ignores the rest",
            secret.len()
        )));
    }
    let hash = bcrypt::hash_with_result(secret, cost).map_err(Failure::new)?;
    Ok(hash.format_for_version(bcrypt::Version::TwoY))
}

/// Reads the secret, without its final line break.
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
        return Err(Failure::new("the secret has more than one line"));
    }
    Ok(secret)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
