//! The input of a verb: a file, or standard input if the file is `-`.

use std::io::Read;
use std::path::Path;

use crate::exit::Failure;

/// The largest file that is read, in MiB.
const MIB_MAX: u64 = 64;

/// The text of a file.
pub fn read_text(file: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(file)?)
        .map_err(|_| Failure::new(format_args!("`{}` is not UTF-8", file.display())))
}

/// The bytes of a file.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let cannot_read =
        |error| Failure::new(format_args!("cannot read `{}`: {error}", file.display()));
    let bytes_max = MIB_MAX << 20;
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(bytes_max + 1)
            .read_to_end(&mut bytes)
    } else {
        let open = std::fs::File::open(file).map_err(cannot_read)?;
        open.take(bytes_max + 1).read_to_end(&mut bytes)
    };
    match read {
        Ok(length) if length as u64 > bytes_max => Err(Failure::new(format_args!(
            "`{}` is too large: expected at most {MIB_MAX} MiB",
            file.display()
        ))),
        Ok(_) => Ok(bytes),
        Err(error) => Err(cannot_read(error)),
    }
}

/// The name of a file in messages.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}
