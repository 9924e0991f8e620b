//! Why a compiled file cannot be used: one line that says what was found, what was expected and what to do.

use std::fmt;

use super::frame::{Fault, Format, HEADER};

/// A compiled file that cannot be read or written. [`fmt::Display`] gives one line for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledError(Box<Kind>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// The header tells that the payload is of no use.
    Frame { format: Format, file: String, fault: Fault },
    /// The payload holds no such value, or one that no input describes.
    Invalid { format: Format, file: String, fault: String },
    /// The value has no binary form.
    Unwritable { format: Format, fault: String },
}

impl CompiledError {
    pub(super) fn frame(format: Format, file: &str, fault: Fault) -> Self {
        Self(Box::new(Kind::Frame { format, file: file.to_owned(), fault }))
    }

    pub(crate) fn invalid(format: Format, file: &str, fault: &str) -> Self {
        Self(Box::new(Kind::Invalid { format, file: file.to_owned(), fault: fault.to_owned() }))
    }

    pub(super) fn unwritable(format: Format, fault: &str) -> Self {
        Self(Box::new(Kind::Unwritable { format, fault: fault.to_owned() }))
    }

    /// Whether the file is of a version that this program does not read; it may be perfectly sound.
    pub fn is_foreign_version(&self) -> bool {
        matches!(*self.0, Kind::Frame { fault: Fault::Version { .. }, .. })
    }
}

impl fmt::Display for CompiledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Frame { format, file, fault } => {
                write!(f, "{}: ", file)?;
                fault.explain(*format, f)
            }
            Kind::Invalid { format, file, fault } => {
                write!(f, "{}: {}; this is no {}, make it again", file, fault, format.name)
            }
            Kind::Unwritable { format, fault } => {
                write!(f, "cannot write a {}: {}", format.name, fault)
            }
        }
    }
}

impl Fault {
    fn explain(&self, format: Format, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Format { kind, version, name } = format;
        match self {
            Self::Magic => write!(f, "found other first bytes than those of a {name}; give such a file"),
            Self::Header { found } => write!(
                f,
                "found {found} bytes, expected at least the {HEADER} of a header; the file was cut off, make it again"
            ),
            Self::Kind { found } => {
                write!(
                    f,
                    "found a compiled file of kind {found}, expected {kind}, a {name}; give such a file"
                )
            }
            Self::Version { found } => write!(
                f,
                "found a {name} of format version {found}, expected {version}; make it again with this reachproof"
            ),
            Self::Length { found, said } => write!(
                f,
                "found {found} bytes behind the header, expected {said}; the file was cut off or added to, make it again"
            ),
            Self::Digest { found, said } => write!(
                f,
                "found content of sha256:{found}, expected sha256:{said}; the file is damaged, make it again"
            ),
        }
    }
}

impl std::error::Error for CompiledError {}
