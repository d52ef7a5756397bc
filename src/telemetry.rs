//! Decision → counters, the audit line, and filter state for access logs. They contain no secret.

mod audit;
mod definitions;
mod denied;
mod names;
mod state;

pub use self::audit::{AuditLines, is_audited};
pub use self::definitions::Definitions;
pub use self::denied::{DeniedCounters, MOST_DENIED};
pub use self::names::{ALLOWED, metric_of};
pub use self::state::{CHANGED, filter_state};
