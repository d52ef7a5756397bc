//! Files in a `tar` or a `tar.gz`, in the order given, without the owner or the time of the files on this machine.

use std::fs;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::Fault;

/// A file of an archive.
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
    pub is_executable: bool,
}

impl File {
    /// A file that is not executable.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
            is_executable: false,
        }
    }

    /// A file of this machine, under another name.
    pub fn read(name: &str, path: &str) -> Result<Self, Fault> {
        let in_file = |fault| format!("{path}: {fault}");
        Ok(Self {
            name: name.to_owned(),
            bytes: fs::read(path).map_err(in_file)?,
            is_executable: is_executable(&fs::metadata(path).map_err(in_file)?),
        })
    }
}

#[cfg(unix)]
fn is_executable(file: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

/// An archive of files, all with this time.
pub fn plain(files: &[File], time: u64) -> Result<Vec<u8>, Fault> {
    let mut archive = Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if file.is_executable { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        header.set_size(file.bytes.len().try_into()?);
        archive.append_data(&mut header, &file.name, file.bytes.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

/// The same, compressed.
pub fn compressed(files: &[File], time: u64) -> Result<Vec<u8>, Fault> {
    compress(&plain(files, time)?)
}

/// Bytes compressed with gzip, without a name and a time.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut encoder, bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
#[allow(clippy::restriction, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn an_archive_has_the_files_with_their_modes_and_one_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, "x").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        let program = File::read("a/program", path.to_str().unwrap()).unwrap();
        let files = [program, File::new("a/text", "hello")];
        let archive = compressed(&files, 7).unwrap();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(archive.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        let mut archive = tar::Archive::new(plain.as_slice());
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut bytes = String::new();
                entry.read_to_string(&mut bytes).unwrap();
                let header = entry.header();
                (
                    entry.path().unwrap().display().to_string(),
                    bytes,
                    header.mode().unwrap(),
                    header.mtime().unwrap(),
                    header.uid().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a/program".to_owned(), "x".to_owned(), 0o755, 7, 0),
                ("a/text".to_owned(), "hello".to_owned(), 0o644, 7, 0),
            ]
        );
    }
}
