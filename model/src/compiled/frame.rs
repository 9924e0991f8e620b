//! The header in front of every compiled file. The parent module draws it.

use sha2::{Digest, Sha256};

/// The first bytes of every compiled file.
const MAGIC: [u8; 8] = *b"\x89RPR\r\n\x1a\n";
/// Bytes before the payload.
pub(super) const HEADER: usize = 52;

/// A kind of compiled file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    /// The number of the kind in the header.
    pub kind: u16,
    /// The one version that is written and read.
    pub version: u16,
    /// What people call such a file: `compiled snapshot`.
    pub name: &'static str,
}

/// Whether these bytes are meant to be a compiled file of any kind, whole or not.
pub fn is_compiled(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The kind of a compiled file, whole or not; `None` if it is none, or cut off before its kind.
pub fn kind_of(bytes: &[u8]) -> Option<u16> {
    let (magic, rest) = bytes.split_first_chunk::<{ MAGIC.len() }>()?;
    let (kind, _) = rest.split_first_chunk()?;
    (*magic == MAGIC).then(|| u16::from_le_bytes(*kind))
}

/// What keeps a payload from being looked at, with what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// Other first bytes.
    Magic,
    /// Fewer bytes than a header has.
    Header { found: usize },
    /// A file of another kind.
    Kind { found: u16 },
    /// A version that this program does not read.
    Version { found: u16 },
    /// More or fewer bytes behind the header than it says.
    Length { found: u64, said: u64 },
    /// Another digest than the header says.
    Digest { found: String, said: String },
}

struct Header {
    kind: u16,
    version: u16,
    length: u64,
    digest: [u8; 32],
}

impl Header {
    fn of(format: Format, payload: &[u8]) -> Self {
        Self {
            kind: format.kind,
            version: format.version,
            length: length(payload),
            digest: Sha256::digest(payload).into(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { kind, version, length, digest } = self;
        [&MAGIC[..], &kind.to_le_bytes(), &version.to_le_bytes(), &length.to_le_bytes(), digest].concat()
    }

    /// The header and what follows it; `None` if there are too few bytes.
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (_magic, rest) = bytes.split_first_chunk::<{ MAGIC.len() }>()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (digest, payload) = rest.split_first_chunk()?;
        let (kind, version) = (u16::from_le_bytes(*kind), u16::from_le_bytes(*version));
        Some((Self { kind, version, length: u64::from_le_bytes(*length), digest: *digest }, payload))
    }
}

/// A file with room for the header, to append the payload to.
pub(super) fn reserve() -> Vec<u8> {
    vec![0; HEADER]
}

/// Fills the header in, once the payload is there.
pub(super) fn complete(format: Format, file: &mut Vec<u8>) {
    let header = Header::of(format, file.get(HEADER..).unwrap_or_default());
    file.splice(..HEADER.min(file.len()), header.bytes());
}

/// The payload of a whole and undamaged file of this format.
pub(super) fn payload(format: Format, bytes: &[u8]) -> Result<&[u8], Fault> {
    if !is_compiled(bytes) {
        return Err(Fault::Magic);
    }
    let Some((header, payload)) = Header::split(bytes) else {
        return Err(Fault::Header { found: bytes.len() });
    };
    let Header { kind, version, length: said, digest } = header;
    if kind != format.kind {
        return Err(Fault::Kind { found: kind });
    }
    if version != format.version {
        return Err(Fault::Version { found: version });
    }
    if length(payload) != said {
        return Err(Fault::Length { found: length(payload), said });
    }
    let found: [u8; 32] = Sha256::digest(payload).into();
    if found != digest {
        return Err(Fault::Digest { found: hexadecimal(found), said: hexadecimal(digest) });
    }
    Ok(payload)
}

fn length(payload: &[u8]) -> u64 {
    u64::try_from(payload.len()).unwrap_or(u64::MAX)
}

fn hexadecimal(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
