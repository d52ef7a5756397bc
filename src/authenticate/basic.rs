//! Basic: user names and passwords (RFC 7617).

pub mod password;
