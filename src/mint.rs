//! Signs test tokens.
