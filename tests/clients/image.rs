//! The image of a release in a real registry: what Istio and Envoy Gateway find there, by which digest.
//!
//! Needs what `scripts/setup-registry` installs, and in `RELEASE_TOOL` the path of `tools/release`; `make test-all` runs this.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{self, Request, Response};
use crate::support::envoy::module_path;
use crate::support::until;

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A running registry; it ends with this value.
struct Registry {
    process: Child,
    address: SocketAddr,
}

impl Registry {
    fn start(folder: &Path) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let address = free.expect("a free port");
        let configuration = folder.join("registry.yaml");
        let content = json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": folder.join("registry")}},
            "http": {"addr": address.to_string()},
        });
        fs::write(&configuration, content.to_string()).expect("a configuration is written");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry runs: `scripts/setup-registry` installs it");
        until("the registry listens", || {
            TcpStream::connect(address).is_ok()
        });
        Self { process, address }
    }

    /// Pushes an archive of one of the formats that `skopeo` reads.
    fn push(&self, format: &str, archive: &Path, name: &str) {
        let pushed = Command::new("skopeo")
            .args(["copy", "--quiet", "--dest-tls-verify=false"])
            .arg(format!("{format}:{}", archive.display()))
            .arg(format!("docker://{}/{name}:1.2.3", self.address))
            .status();
        assert!(pushed.expect("skopeo runs").success(), "{format}");
    }

    fn get(&self, path: &str) -> Response {
        let host = self.address.to_string();
        let accept = format!("{OCI}, {DOCKER}");
        let request = Request {
            method: b"GET",
            target: path.as_bytes(),
            headers: vec![(b"host", host.as_bytes()), (b"accept", accept.as_bytes())],
            body: b"",
        };
        let response = client::send(self.address, &request).expect("the registry answers");
        assert_eq!(response.status, 200, "{path}");
        response
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `plugin.wasm` is in a layer, as Istio reads it: a `tar` compressed with gzip.
fn plugin(layer: &[u8], folder: &Path) -> Vec<u8> {
    let path = folder.join("layer");
    fs::write(&path, layer).expect("the layer is written");
    let extracted = Command::new("tar")
        .args(["--extract", "--gzip", "--to-stdout", "--file"])
        .args([&path, Path::new("plugin.wasm")])
        .output()
        .expect("tar runs");
    assert!(extracted.status.success());
    extracted.stdout
}

#[test]
fn a_registry_serves_the_module_by_the_digest_of_the_release() {
    let folder = TempDir::new().expect("a folder");
    let archive = folder.path().join("image.tar");
    let tool = std::env::var_os("RELEASE_TOOL").expect("RELEASE_TOOL is the path of tools/release");
    let written = Command::new(tool)
        .arg("image")
        .args([module_path(), archive.clone()])
        .env("VERSION", "1.2.3")
        .env("REVISION", "abc")
        .env("SOURCE_DATE_EPOCH", "86400")
        .output()
        .expect("the tool runs");
    assert!(written.status.success(), "{written:?}");
    let digest = String::from_utf8_lossy(&written.stdout).trim().to_owned();
    let module = fs::read(module_path()).expect("the module can be read");
    let registry = Registry::start(folder.path());

    // `docker load` reads the other format. The manifest that Docker makes has another digest.
    for (format, name, kind, layer_kind) in [
        (
            "oci-archive",
            "as-oci",
            OCI,
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
        (
            "docker-archive",
            "as-docker",
            DOCKER,
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    ] {
        registry.push(format, &archive, name);
        let by_tag = registry.get(&format!("/v2/{name}/manifests/1.2.3"));
        let manifest: Value = serde_json::from_slice(&by_tag.body).expect("a manifest");
        assert_eq!(manifest["mediaType"], kind);
        let own = by_tag.values("docker-content-digest").next();
        assert_eq!(own == Some(digest.as_bytes()), format == "oci-archive");
        let [layer] = manifest["layers"].as_array().expect("layers").as_slice() else {
            panic!("{manifest}");
        };
        assert_eq!(layer["mediaType"], layer_kind);
        let blob = registry.get(&format!(
            "/v2/{name}/blobs/{}",
            layer["digest"].as_str().expect("a digest")
        ));
        assert!(plugin(&blob.body, folder.path()) == module, "{format}");
    }
    registry.get(&format!("/v2/as-oci/manifests/{digest}"));
}
