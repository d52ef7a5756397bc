//! `networks`: from where requests may come.

use crate::config::read::object;

object! {
    /// Networks such as `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.1`.
    pub struct Networks {
        /// Requests from these are allowed. Default: all but the denied ones.
        narrowing allow: Vec<String>,
        /// Requests from these are denied, also where `allow` contains them.
        narrowing deny: Vec<String>,
    }
}
