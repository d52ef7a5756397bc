//! Responses to requests that the filter answers without denying them: metadata and preflights.

use super::{Exchange, Reply, cors};
use crate::evaluate::Answer;

impl Exchange<'_> {
    #[inline(never)]
    pub(super) fn answer(&self, answer: Answer, reply: &mut Reply) {
        reply.error = None;
        let headers = &mut reply.headers;
        (reply.status, reply.details) = match answer {
            Answer::Metadata => {
                // Metadata is public, and changes only with the configuration (RFC 9728 §7.10).
                headers.put("cache-control", "public, max-age=3600");
                headers.put("access-control-allow-origin", "*");
                headers.put("x-content-type-options", "nosniff");
                headers.put("content-type", "application/json");
                if let Some(metadata) = &self.presentation.metadata {
                    reply.body.push_str(&metadata.json);
                }
                (200, "countersign_metadata")
            }
            Answer::MetadataPreflight => {
                cors::allow_reading_metadata(self.request, headers);
                (204, "countersign_metadata")
            }
            Answer::Preflight => {
                if let Some(cors) = &self.presentation.cors {
                    cors::answer_preflight(cors, self.request, headers);
                }
                (204, "countersign_preflight")
            }
        };
    }
}
