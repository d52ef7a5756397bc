//! The files that configurations name, in a folder of a test.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support;
use crate::support::certificate::{Certificate, SERVER, TRUSTED};
use crate::support::envoy::module_path;

/// A folder with certificates and keys, by the names that configurations give them.
pub struct Files(TempDir);

impl Files {
    pub fn new() -> Self {
        let files = Self(TempDir::new().expect("a folder"));
        let write = |name: &str, text: String| {
            fs::write(files.folder().join(name), text).expect("a file is written");
        };
        write("server.pem", SERVER.pem());
        write("server.key", SERVER.key_pem());
        write("clients.pem", TRUSTED.pem());
        write("ca-certificates.crt", TRUSTED.pem());
        files.mount("v1", &SERVER);
        let text = fs::read_to_string(support::in_repository(
            "envoy/kubernetes/base/certificate.yaml",
        ));
        let secret = files
            .secret()
            .into_os_string()
            .into_string()
            .expect("a path in UTF-8");
        write(
            "certificate.yaml",
            text.expect("a file").replace("/etc/envoy-tls", &secret),
        );
        files
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    fn secret(&self) -> PathBuf {
        self.folder().join("secret")
    }

    /// Mounts a certificate as Kubernetes mounts a Secret: links lead to a folder with the files, and a link to another folder
    /// replaces all files at once.
    pub fn mount(&self, version: &str, certificate: &Certificate) {
        let secret = self.secret();
        let is_new = !secret.exists();
        fs::create_dir_all(secret.join(version)).expect("a folder");
        fs::write(secret.join(version).join("tls.crt"), certificate.pem()).expect("a file");
        fs::write(secret.join(version).join("tls.key"), certificate.key_pem()).expect("a file");
        std::os::unix::fs::symlink(version, secret.join("..data_tmp")).expect("a link");
        fs::rename(secret.join("..data_tmp"), secret.join("..data")).expect("a link");
        if is_new {
            for name in ["tls.crt", "tls.key"] {
                let target = Path::new("..data").join(name);
                std::os::unix::fs::symlink(target, secret.join(name)).expect("a link");
            }
        }
    }

    /// Replaces the paths of files in a configuration: the module by the one that was built, and others by the file of this
    /// folder with the same name.
    ///
    /// # Panics
    /// There is no such file here.
    pub fn place(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let path = member.as_str().map(PathBuf::from);
                    match path.filter(|path| path.is_absolute()) {
                        Some(path) if name == "filename" => *member = json!(self.own(&path)),
                        Some(path) if name == "path" && path.starts_with("/etc/envoy") => {
                            *member = json!(self.own(&path));
                        }
                        _ => self.place(member),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.place(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn own(&self, path: &Path) -> PathBuf {
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            return module_path();
        }
        let own = self.folder().join(path.file_name().expect("a name"));
        assert!(own.exists(), "no file stands for {}", path.display());
        own
    }
}
