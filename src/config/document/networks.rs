//! `networks`: from where requests may come.

use crate::config::read::object;

object! {
    /// Networks such as `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.1`. At least one key is required.
    pub struct Networks {
        /// Requests from these networks are allowed.
        #[schemars(extend("x-default" = "all", "examples" = [["10.0.0.0/8", "2001:db8::/32"]]))]
        narrowing allow: Vec<String>,
        /// Requests from these networks are denied, also if `allow` contains them.
        #[schemars(extend("x-default" = "none", "examples" = [["10.9.0.0/16"]]))]
        narrowing deny: Vec<String>,
    }
}
