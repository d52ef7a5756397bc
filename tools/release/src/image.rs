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

#[cfg(test)]
#[allow(clippy::restriction, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read as _;

    fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap();
        let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
            let mut entry: tar::Entry<'_, &[u8]> = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        };
        entries.map(read).collect()
    }

    fn image() -> Image {
        let labels = Labels {
            version: "1.2.3",
            revision: "abc",
            created: 86_400,
        };
        write(b"\0asm", &labels).unwrap()
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    /// The content of a descriptor, whose digest and size are right.
    fn content<'f>(files: &'f BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'f [u8] {
        let named = descriptor["digest"].as_str().unwrap();
        let bytes = &files[&format!("blobs/{}", named.replace(':', "/"))];
        assert_eq!(named, digest(bytes));
        assert_eq!(descriptor["size"], bytes.len());
        bytes
    }

    #[test]
    fn an_image_has_one_manifest_with_one_layer_that_has_the_module() {
        let image = image();
        let files = files(&image.archive);
        let index = json(&files["index.json"]);
        let [named] = index["manifests"].as_array().unwrap().as_slice() else {
            panic!("{index}");
        };
        assert_eq!(named["digest"], image.digest);
        let manifest = json(content(&files, named));
        let config = json(content(&files, &manifest["config"]));
        let [layer] = manifest["layers"].as_array().unwrap().as_slice() else {
            panic!("{manifest}");
        };
        assert_eq!(layer["mediaType"], LAYER);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(content(&files, layer))
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(config["rootfs"]["diff_ids"], json!([digest(&plain)]));
        let module = (FILE.to_owned(), b"\0asm".to_vec());
        assert_eq!(super::tests::files(&plain), BTreeMap::from([module]));
        assert_eq!(config["created"], "1970-01-02T00:00:00Z");
        assert_eq!(config["config"]["Labels"], manifest["annotations"]);
        assert_eq!(
            manifest["annotations"]["org.opencontainers.image.version"],
            "1.2.3"
        );
    }

    #[test]
    fn docker_finds_the_same_image() {
        let files = files(&image().archive);
        let for_docker = json(&files["manifest.json"]);
        let index = json(&files["index.json"]);
        let manifest = json(content(&files, &index["manifests"][0]));
        let blob = |descriptor: &Value| {
            format!(
                "blobs/{}",
                descriptor["digest"].as_str().unwrap().replace(':', "/")
            )
        };
        assert_eq!(
            for_docker,
            json!([{
                "Config": blob(&manifest["config"]),
                "RepoTags": ["countersign:1.2.3"],
                "Layers": [blob(&manifest["layers"][0])],
            }])
        );
    }

    /// `ARG VERSION=0.1.0` is the version of the package.
    #[test]
    fn the_dockerfile_has_the_same_labels() {
        let dockerfile = include_str!("../../../envoy/image/Dockerfile");
        let labels = Labels {
            version: "$VERSION",
            revision: "$REVISION",
            created: 0,
        };
        let found: Value = dockerfile
            .lines()
            .filter_map(|line| {
                let (_, label) = line.split_once("org.opencontainers.image.")?;
                let (name, value) = label.trim_end_matches(" \\").split_once('=')?;
                let name = format!("org.opencontainers.image.{name}");
                Some((name, json!(value.trim_matches('"'))))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        assert_eq!(found, labels.annotations());
        let version = include_str!("../../../Cargo.toml")
            .lines()
            .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        assert!(dockerfile.contains(&format!("ARG VERSION={}\n", version.unwrap())));
        assert!(dockerfile.contains(&format!("COPY countersign.wasm /{FILE}\n")));
    }

    /// The digest is that of the bytes, which no machine and no time of day changes.
    #[test]
    fn the_same_module_gives_the_same_digest() {
        assert_eq!(image().archive, image().archive);
        assert_eq!(
            image().digest,
            "sha256:bfb948b67299b9d86831b876789abc81f756b3abe65581122f64affead202e57"
        );
    }
}
