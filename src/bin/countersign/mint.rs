//! `mint`: signs a token for tests.

mod claim;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::json;
use countersign::mint::SigningKey;
use countersign::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::exit::{Failure, Report};
use crate::{clock, input};

/// Signs a token.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("signer").required(true)))]
pub struct Mint {
    /// The private key, a JSON Web Key
    #[arg(long, value_name = "FILE", group = "signer")]
    key: Option<PathBuf>,
    /// Generate a key for this algorithm, such as `ES256`
    #[arg(long, value_name = "ALGORITHM", group = "signer")]
    generate: Option<String>,
    /// The file for the public key, as a JSON Web Key Set for the configuration
    #[arg(long, value_name = "FILE")]
    jwks_out: Option<PathBuf>,
    /// The file for the private key, for `--key`; the file must not exist
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
    /// The `kid` in the token's header; default: the `kid` of the key
    #[arg(long)]
    kid: Option<String>,
    /// The `typ` in the token's header
    #[arg(long = "type", value_name = "TYPE", default_value = "JWT")]
    typ: String,
    /// The claim `iss`
    #[arg(long)]
    issuer: Option<String>,
    /// The claim `aud`; repeat it for a list
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// The claim `sub`
    #[arg(long)]
    subject: Option<String>,
    /// The claim `scope`; repeat it or separate scopes by spaces
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Any claim, also in place of those above: `level=3`, `tenant=red`, `roles=[admin, operator]`,
    /// `address={country: DE}`, `auth_time=now-5m`; a quoted
    /// value (`'level="3"'` in a shell) is a string
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// The lifetime of the token
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    expires_in: String,
    /// The time of issue: RFC 3339, or seconds since 1970; default: now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<String>,
}

impl Mint {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let claims = self.claims()?;
        let mut key = self.signing_key()?;
        if let Some(kid) = &self.kid {
            key = key.with_kid(Some(kid));
        }
        let algorithm = algorithm_of(&key)?;
        let mut header = json!({ "alg": algorithm.name(), "typ": self.typ });
        if let (Some(kid), Some(header)) = (key.kid(), header.as_object_mut()) {
            header.insert("kid".to_owned(), kid.into());
        }
        let token = key
            .sign(
                algorithm,
                &header,
                Value::Object(claims).to_string().as_bytes(),
            )
            .map_err(Failure::new)?;
        self.write_keys(&key)?;
        Ok(Report::success(token))
    }

    fn signing_key(&self) -> Result<SigningKey, Failure> {
        if let Some(file) = &self.key {
            let invalid = |fault: &dyn std::fmt::Display| {
                input::failure(file, |name| {
                    format!("`{name}` is not a private key: {fault}")
                })
            };
            let jwk =
                json::parse_strict(&input::read_bytes(file)?).map_err(|fault| invalid(&fault))?;
            return SigningKey::from_jwk(&jwk).map_err(|fault| invalid(&fault));
        }
        if self.jwks_out.is_none() && self.key_out.is_none() {
            return Err(Failure::new(
                "`--generate`: the new key would be lost; add `--jwks-out FILE` or `--key-out FILE`",
            ));
        }
        let name = self.generate.as_deref().unwrap_or_default();
        Algorithm::from_name(name)
            .map(SigningKey::generate)
            .ok_or_else(|| {
                let known: Vec<_> = Algorithm::ALL.iter().map(|known| known.name()).collect();
                Failure::new(format_args!(
                    "`--generate`: expected an algorithm, one of {}, found `{name}`",
                    known.join(", ")
                ))
            })
    }

    fn claims(&self) -> Result<Map<String, Value>, Failure> {
        let now = clock::time(self.now.as_deref())?;
        for (option, values) in [("--audience", &self.audiences), ("--scope", &self.scopes)] {
            if let Some(list) = values.iter().find(|value| value.starts_with('[')) {
                return Err(Failure::new(format_args!(
                    "`{option}`: expected one value, found the list `{list}`: repeat `{option}` for each value"
                )));
            }
        }
        let lifetime = humantime::parse_duration(&self.expires_in).map_err(|_| {
            Failure::new(format_args!(
                "`--expires-in`: expected a duration such as `10m`, found `{}`",
                self.expires_in
            ))
        })?;
        let audience = match self.audiences.as_slice() {
            [] => None,
            [one] => Some(json!(one)),
            several => Some(json!(several)),
        };
        let registered = [
            ("iss", self.issuer.as_ref().map(|issuer| json!(issuer))),
            ("sub", self.subject.as_ref().map(|subject| json!(subject))),
            ("aud", audience),
            (
                "scope",
                (!self.scopes.is_empty()).then(|| json!(self.scopes.join(" "))),
            ),
            ("iat", Some(seconds(now, Duration::ZERO))),
            ("exp", Some(seconds(now, lifetime))),
        ];
        let registered = registered
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut claims: Map<_, _> = registered.collect();
        for claim in &self.claims {
            let (name, value) = claim::parse(claim, now)?;
            claims.insert(name.to_owned(), value);
        }
        Ok(claims)
    }

    fn write_keys(&self, key: &SigningKey) -> Result<(), Failure> {
        if let Some(file) = &self.key_out {
            write(file, &key.private_jwk(), true)?;
        }
        if let Some(file) = &self.jwks_out {
            let jwk = key.public_jwk();
            // The key that verifies an HMAC also signs one.
            let is_secret = jwk.get("kty").is_some_and(|kty| kty == "oct");
            write(file, &json!({ "keys": [jwk] }), is_secret)?;
        }
        Ok(())
    }
}

fn seconds(now: Timestamp, later: Duration) -> Value {
    now.plus(later).millis().div_euclid(1000).into()
}

/// The algorithm of the key, or the first algorithm that the key can sign with; RS256 is tried first.
fn algorithm_of(key: &SigningKey) -> Result<Algorithm, Failure> {
    let rs256_first = std::iter::once(Algorithm::Rs256).chain(Algorithm::ALL);
    key.algorithm()
        .or_else(|| {
            rs256_first
                .into_iter()
                .find(|algorithm| key.sign_raw(*algorithm, b"").is_ok())
        })
        .ok_or_else(|| Failure::new("the key is too short to sign a token"))
}

/// Writes a JSON file. A file with a secret is readable by its owner only, and never replaces another file.
fn write(file: &Path, value: &Value, is_secret: bool) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    if is_secret {
        options.create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    } else {
        options.create(true).truncate(true);
    }
    let written = options
        .open(file)
        .and_then(|mut open| writeln!(open, "{value:#}"));
    written.map_err(|error| input::failure(file, |name| format!("cannot write `{name}`: {error}")))
}
