//! Writes the files of a release. The same input gives the same bytes, on every machine.
//!
//! - `release image MODULE OUT`: the module as a container image, in an archive.
//! - `release bundle OUT FOLDER NAME=FILE…`: files in a `tar.gz`, below a folder.
//! - `release sbom IN LINKED ARTIFACT OUT`: the bill of materials of one artifact.
//!
//! Variables: `SOURCE_DATE_EPOCH` is the time in every file, in seconds since 1970. `VERSION` and `REVISION` are in the labels
//! of the image.

mod bundle;
mod image;
mod sbom;

use std::process::ExitCode;
use std::{env, fs};

/// Why a file cannot be written.
type Fault = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("release: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Fault> {
    match *arguments {
        ["image", module, out] => {
            let labels = image::Labels {
                version: &variable("VERSION")?,
                revision: &variable("REVISION")?,
                created: created()?,
            };
            let image = image::write(&read(module)?, &labels)?;
            fs::write(out, image.archive).map_err(|fault| format!("{out}: {fault}"))?;
            println!("{}", image.digest);
        }
        ["bundle", out, folder, ref files @ ..] => {
            let files = files.iter().map(|file| {
                let (name, path) = file
                    .split_once('=')
                    .ok_or_else(|| format!("expected NAME=FILE, found `{file}`"))?;
                bundle::File::read(&format!("{folder}/{name}"), path)
            });
            let files = files.collect::<Result<Vec<_>, Fault>>()?;
            fs::write(out, bundle::compressed(&files, created()?)?)
                .map_err(|fault| format!("{out}: {fault}"))?;
        }
        ["sbom", all, linked, artifact, out] => {
            let name = artifact.rsplit('/').next().unwrap_or(artifact);
            let linked = String::from_utf8(read(linked)?)?;
            let sbom = sbom::of_artifact(&read(all)?, &linked, name, &read(artifact)?)?;
            fs::write(out, sbom).map_err(|fault| format!("{out}: {fault}"))?;
        }
        _ => return Err("expected `image`, `bundle` or `sbom`, and its arguments".into()),
    }
    Ok(())
}

fn read(path: &str) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(|fault| format!("{path}: {fault}").into())
}

fn variable(name: &str) -> Result<String, Fault> {
    env::var(name).map_err(|fault| format!("{name}: {fault}").into())
}

/// The time in every file, in seconds since 1970.
fn created() -> Result<u64, Fault> {
    let seconds = variable("SOURCE_DATE_EPOCH")?;
    let invalid = |fault| format!("SOURCE_DATE_EPOCH: {fault}");
    Ok(seconds.parse().map_err(invalid)?)
}

/// A digest as images name it: `sha256:` and 64 hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(bytes))
}

/// The SHA-256 of bytes, in hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    let digest = <sha2::Sha256 as sha2::Digest>::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
