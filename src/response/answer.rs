//! Responses to requests that the filter answers without denying them: metadata and preflights.

use super::headers::{Headers, put};
use super::{Exchange, Reply, cors};
use crate::evaluate::Answer;

impl Exchange<'_> {
    #[inline(never)]
    pub(super) fn answer(&self, answer: Answer) -> Reply {
        let mut headers = Headers::new();
        let (status, details, body) = match answer {
            Answer::Metadata => {
                // Metadata is public, and changes only with the configuration (RFC 9728 §7.10).
                put(&mut headers, "cache-control", "public, max-age=3600");
                put(&mut headers, "access-control-allow-origin", "*");
                put(&mut headers, "x-content-type-options", "nosniff");
                put(&mut headers, "content-type", "application/json");
                let metadata = self.presentation.metadata.as_ref();
                let json = metadata.map(|metadata| metadata.json.clone());
                (200, "countersign_metadata", json.unwrap_or_default())
            }
            Answer::MetadataPreflight => {
                cors::allow_reading_metadata(self.request, &mut headers);
                (204, "countersign_metadata", String::new())
            }
            Answer::Preflight => {
                if let Some(cors) = &self.presentation.cors {
                    cors::answer_preflight(cors, self.request, &mut headers);
                }
                (204, "countersign_preflight", String::new())
            }
        };
        Reply {
            status,
            error: None,
            details: details.to_owned(),
            headers,
            body,
        }
    }
}
