//! The module as a container image, in one archive that both kinds of tools read.
//!
//! The image is the *compat* variant of the Wasm image specification: one layer, `application/vnd.oci.image.layer.v1.tar+gzip`,
//! with the file `plugin.wasm`. Istio and Envoy Gateway read it. They also read the *oci* variant with the layer
//! `application/vnd.module.wasm.content.layer.v1+wasm`, which Docker and Kubernetes cannot pull as an image.
//!
//! The archive is an OCI image layout (`skopeo`, `crane`, `oras`, `podman`), and has the `manifest.json` that `docker load`
//! reads. It has one manifest and no index: Istio compares `sha256` with the digest of the manifest, and an index has another.
//!
//! Libraries: `tar` and `flate2` write the archives. `ocidir` would write the layout, but it requires OpenSSL. `oci-spec` has
//! types for the four JSON documents below, with thirty more dependencies.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bundle::{self, File};
use crate::{Fault, digest};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// What Istio and Envoy Gateway look for in the last layer.
const FILE: &str = "plugin.wasm";
const NAME: &str = "countersign";

/// What the labels of an image say.
pub struct Labels<'a> {
    pub version: &'a str,
    pub revision: &'a str,
    /// In seconds since 1970.
    pub created: u64,
}

impl Labels<'_> {
    /// The labels that the Dockerfile sets too, and the time.
    fn annotations(&self) -> Value {
        json!({
            "org.opencontainers.image.title": NAME,
            "org.opencontainers.image.description": "Countersign, an authentication filter for Envoy and Istio",
            "org.opencontainers.image.version": self.version,
            "org.opencontainers.image.revision": self.revision,
            "org.opencontainers.image.licenses": "Apache-2.0",
        })
    }

    fn time(&self) -> String {
        let time = UNIX_EPOCH + Duration::from_secs(self.created);
        humantime::format_rfc3339_seconds(time).to_string()
    }
}

/// An image in an archive.
pub struct Image {
    pub archive: Vec<u8>,
    /// The digest of the manifest, by which the image is pinned.
    pub digest: String,
}

/// The image of a module.
pub fn write(module: &[u8], labels: &Labels<'_>) -> Result<Image, Fault> {
    let plain = bundle::plain(&[File::new(FILE, module)], labels.created)?;
    let layer = bundle::compress(&plain)?;
    let config = json!({
        // Istio and Envoy Gateway ignore the platform. Docker loads only images of Linux.
        "architecture": "amd64",
        "os": "linux",
        "created": labels.time(),
        "config": {"Labels": labels.annotations()},
        "rootfs": {"type": "layers", "diff_ids": [digest(&plain)]},
        "history": [{"created": labels.time(), "created_by": format!("COPY {FILE} /")}],
    })
    .to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config.as_bytes()),
        "layers": [descriptor(LAYER, &layer)],
        "annotations": labels.annotations(),
    })
    .to_string();
    let mut named = descriptor(MANIFEST, manifest.as_bytes());
    if let Some(named) = named.as_object_mut() {
        let name = json!({"org.opencontainers.image.ref.name": labels.version});
        named.insert("annotations".to_owned(), name);
    }
    let index = json!({"schemaVersion": 2, "manifests": [named]});
    let for_docker = json!([{
        "Config": blob_name(config.as_bytes()),
        "RepoTags": [format!("{NAME}:{}", labels.version)],
        "Layers": [blob_name(&layer)],
    }]);
    let digest = digest(manifest.as_bytes());
    let files = [
        File::new(
            "oci-layout",
            json!({"imageLayoutVersion": "1.0.0"}).to_string(),
        ),
        File::new("index.json", index.to_string()),
        File::new("manifest.json", for_docker.to_string()),
        blob(manifest.into_bytes()),
        blob(config.into_bytes()),
        blob(layer),
    ];
    Ok(Image {
        archive: bundle::plain(&files, labels.created)?,
        digest,
    })
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(blob), "size": blob.len()})
}

fn blob(bytes: Vec<u8>) -> File {
    File::new(&blob_name(&bytes), bytes)
}

fn blob_name(bytes: &[u8]) -> String {
    format!("blobs/{}", digest(bytes).replace(':', "/"))
}
