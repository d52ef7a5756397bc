//! The examples at the end of each `--help`. A test runs every one of them.

pub const CHECK: &str = "\
Examples:
  countersign check gate.yaml
  countersign check --strict envoy.yaml gate.yaml
  countersign check --format sarif gate.yaml > countersign.sarif
  cat gate.yaml | countersign check -

Exit codes:
  0  every configuration is valid
  1  failure: an invalid command line, an unreadable file, or a file without a configuration
  3  a file has an error, or with `--strict` a warning";

pub const EXPLAIN: &str = "\
Examples:
  countersign explain gate.yaml --path /orders/7 --bearer-file token
  countersign explain envoy.yaml --method PUT --path /orders/7 --client 192.0.2.1
  countersign explain gate.yaml --request request.http --format json
  countersign explain gate.yaml --path /orders/7 --bearer-file - < token

Exit codes:
  0  the request passes
  1  failure: an invalid command line, an unreadable file, or a response that is needed and not given
  2  the request is denied, or answered by the filter
  3  the configuration is invalid";

pub const SCHEMA: &str = "\
Examples:
  countersign schema > countersign.schema.json
  countersign schema error";

pub const HASH: &str = "\
Examples:
  countersign hash key < api-key
  countersign hash password < password
  countersign hash digest --user scanner --realm orders < password";

pub const MINT: &str = "\
Examples:
  countersign mint --generate ES256 --jwks-out jwks.json --key-out new-key.json --issuer https://login.example.com --audience orders > token
  countersign mint --key key.json --issuer https://login.example.com --audience orders --scope orders:read
  countersign mint --key key.json --claim 'roles=[admin, operator]' --claim auth_time=now-5m --expires-in 10m";

pub const COMPLETIONS: &str = "\
Examples:
  countersign completions bash > ~/.local/share/bash-completion/completions/countersign
  countersign completions zsh > ~/.zfunc/_countersign
  countersign completions fish > ~/.config/fish/completions/countersign.fish";

pub const MAN: &str = "\
Examples:
  countersign man > countersign.1
  countersign man hash key > countersign-hash-key.1
  countersign man --out man";
