//! The bill of materials of one artifact, made of the one that `cargo-cyclonedx` writes for the package.
//!
//! `cargo-cyclonedx` lists every package that some build of the workspace needs, with procedural macros and build scripts,
//! and names the package by its folder on this machine. This keeps the packages that `cargo tree` lists as linked, names the
//! package by name and version, and names the artifact with its SHA-256.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Fault, hexadecimal};

/// The bill of materials of an artifact. `linked` is what `cargo tree --prefix none --format '{p}'` prints.
pub fn of_artifact(
    all: &[u8],
    linked: &str,
    name: &str,
    artifact: &[u8],
) -> Result<Vec<u8>, Fault> {
    let mut sbom: Value = serde_json::from_slice(all)?;
    let linked: BTreeSet<(&str, &str)> = linked.lines().filter_map(package).collect();
    let main = sbom
        .pointer("/metadata/component")
        .cloned()
        .ok_or("no `metadata.component`")?;
    let (own, version) = (text(&main, "bom-ref")?, text(&main, "version")?);
    let own_name = format!("{}@{version}", text(&main, "name")?);

    let components = array(&mut sbom, "components")?;
    components.retain(|component| {
        linked.contains(&(str_of(component, "name"), str_of(component, "version")))
    });
    let kept: BTreeSet<String> = components
        .iter()
        .map(|component| str_of(component, "bom-ref").to_owned())
        .collect();
    if let Some((name, version)) = missing(&linked, components, &main) {
        return Err(
            format!("`{name} {version}` is linked, but not in the bill of materials").into(),
        );
    }

    let dependencies = array(&mut sbom, "dependencies")?;
    dependencies.retain(|dependency| {
        kept.contains(str_of(dependency, "ref")) || str_of(dependency, "ref") == own
    });
    for dependency in dependencies {
        if let Some(on) = dependency
            .get_mut("dependsOn")
            .and_then(Value::as_array_mut)
        {
            on.retain(|on| on.as_str().is_some_and(|on| kept.contains(on)));
        }
        if str_of(dependency, "ref") == own
            && let Some(dependency) = dependency.as_object_mut()
        {
            dependency.insert("ref".to_owned(), json!(own_name));
        }
    }

    let component = json!({
        "type": "application",
        "bom-ref": own_name,
        "name": text(&main, "name")?,
        "version": version,
        "description": format!("the file {name}"),
        "hashes": [{"alg": "SHA-256", "content": hexadecimal(artifact)}],
        "licenses": main.get("licenses"),
        "purl": format!("pkg:cargo/{own_name}"),
    });
    if let Some(metadata) = sbom.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("component".to_owned(), component);
    }
    let mut written = serde_json::to_vec_pretty(&sbom)?;
    written.push(b'\n');
    Ok(written)
}

/// The name and the version in a line such as `serde v1.0.229` or `rsa v0.9.10 (*)`.
fn package(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

/// A linked package without a component.
fn missing<'a>(
    linked: &BTreeSet<(&'a str, &'a str)>,
    components: &[Value],
    main: &Value,
) -> Option<(&'a str, &'a str)> {
    let has = |component: &Value, (name, version)| {
        (str_of(component, "name"), str_of(component, "version")) == (name, version)
    };
    linked.iter().copied().find(|package| {
        !has(main, *package) && !components.iter().any(|component| has(component, *package))
    })
}

fn array<'a>(sbom: &'a mut Value, name: &str) -> Result<&'a mut Vec<Value>, Fault> {
    let array = sbom.get_mut(name).and_then(Value::as_array_mut);
    array.ok_or_else(|| format!("no `{name}`").into())
}

fn text(component: &Value, name: &str) -> Result<String, Fault> {
    let text = component.get(name).and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("no `{name}`"))?.to_owned())
}

fn str_of<'a>(component: &'a Value, name: &str) -> &'a str {
    component
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::restriction, reason = "a test may panic")]
mod tests {
    use super::*;

    fn all() -> Vec<u8> {
        let own = "path+file:///home/amy/countersign#countersign@1.2.3";
        let component = |name: &str| json!({"type": "library", "bom-ref": format!("registry#{name}"), "name": name, "version": "1.0.0"});
        let sbom = json!({
            "bomFormat": "CycloneDX",
            "metadata": {"component": {
                "bom-ref": own, "name": "countersign", "version": "1.2.3", "licenses": [{"expression": "Apache-2.0"}],
                "components": [{"bom-ref": format!("{own} bin-target-0")}],
            }},
            "components": [component("serde"), component("serde_derive"), component("serde_core")],
            "dependencies": [
                {"ref": own, "dependsOn": ["registry#serde"]},
                {"ref": "registry#serde", "dependsOn": ["registry#serde_core", "registry#serde_derive"]},
                {"ref": "registry#serde_core"},
                {"ref": "registry#serde_derive"},
            ],
        });
        sbom.to_string().into_bytes()
    }

    #[test]
    fn only_linked_packages_are_listed() {
        let linked = "countersign v1.2.3 (/home/amy/countersign)\nserde v1.0.0\nserde_core v1.0.0\nserde v1.0.0 (*)\n";
        let sbom = of_artifact(&all(), linked, "filter.wasm", b"abc").unwrap();
        let text = String::from_utf8(sbom.clone()).unwrap();
        assert!(!text.contains("amy") && !text.contains("derive"), "{text}");
        let sbom: Value = serde_json::from_slice(&sbom).unwrap();
        let component = &sbom["metadata"]["component"];
        assert_eq!(component["description"], "the file filter.wasm");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(component["hashes"][0]["content"], sha256);
        assert_eq!(
            sbom["dependencies"],
            json!([
                {"ref": "countersign@1.2.3", "dependsOn": ["registry#serde"]},
                {"ref": "registry#serde", "dependsOn": ["registry#serde_core"]},
                {"ref": "registry#serde_core"},
            ])
        );
    }

    #[test]
    fn a_linked_package_that_is_not_listed_is_an_error() {
        let fault = of_artifact(&all(), "serde v1.0.0\nrsa v0.9.10\n", "filter.wasm", b"abc");
        assert_eq!(
            fault.unwrap_err().to_string(),
            "`rsa 0.9.10` is linked, but not in the bill of materials"
        );
    }
}
