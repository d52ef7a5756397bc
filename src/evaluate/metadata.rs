//! Requests for the metadata of the protected resource (RFC 9728).

use super::{Answer, Evaluation};
use crate::authorize::Access;
use crate::presentation::metadata::Asked;
use crate::reject::Reject;
use crate::request::path::Readings;

impl Evaluation<'_, '_> {
    /// Whether the request is for metadata, by every reading of its path.
    pub(super) fn asked_for_metadata(
        &self,
        readings: &Readings<'_>,
    ) -> Result<Option<Asked>, Reject> {
        let Some(metadata) = &self.presentation.metadata else {
            return Ok(None);
        };
        readings.agree(|reading| Ok(metadata.asked(reading, self.request.query())))
    }

    /// The response to a request for metadata, which is public (RFC 9728 §3). Below a public rule the upstream serves the
    /// metadata of other resources.
    pub(super) fn metadata(
        &self,
        access: &Access,
        asked: Option<Asked>,
    ) -> Result<Option<Answer>, Reject> {
        match (asked, self.request.method()) {
            (None, _) => Ok(None),
            (Some(Asked::Another), _) if matches!(access, Access::Public) => Ok(None),
            (Some(Asked::Another), _) => Err(Reject::NoSuchMetadata),
            (Some(Asked::This), b"GET" | b"HEAD") => Ok(Some(Answer::Metadata)),
            (Some(Asked::This), b"OPTIONS") if self.request.as_preflight().is_some() => {
                Ok(Some(Answer::MetadataPreflight))
            }
            (Some(Asked::This), _) => Err(Reject::MetadataMethod),
        }
    }
}
