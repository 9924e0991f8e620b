//! The digest of a snapshot: SHA-256 over its facts, whatever files they came from.
//!
//! The facts are fed to the hash in the order of the fields and tables, each value behind a byte that tells its kind and
//! each text or sequence with its length, so that no two different snapshots feed the same bytes. Left out are the names of
//! files, the places in them, and notices: the same facts in other files, or in one, have the same digest.

use std::fmt;

use serde::ser::{self, Serialize};
use sha2::{Digest, Sha256};

use super::Snapshot;

/// Fields that say where a fact was read, or what was odd about it.
const NOT_FACTS: &[&str] = &["source", "files", "notices"];

impl Snapshot {
    /// SHA-256 of the facts, in lower-case hexadecimal. Equal iff the facts are (up to collisions of the hash).
    pub fn digest(&self) -> String {
        let mut hasher = Hasher(Sha256::new());
        // Writing to a hash cannot fail, and a snapshot has no map key that is not a string.
        let _written = self.serialize(&mut hasher);
        hasher.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A serializer whose output is hashed.
struct Hasher(Sha256);

impl Hasher {
    fn put(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update([kind]);
        self.0.update(bytes);
    }

    fn text(&mut self, kind: u8, text: &str) {
        self.length(kind, text.len());
        self.0.update(text.as_bytes());
    }

    fn length(&mut self, kind: u8, length: usize) {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.put(kind, &length.to_be_bytes());
    }
}

/// What can go wrong: nothing that a snapshot contains.
#[derive(Debug)]
struct Unhashable(String);

impl fmt::Display for Unhashable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unhashable {}

impl ser::Error for Unhashable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! numbers {
    ($($method:ident($type:ty) = $kind:literal;)*) => {$(
        fn $method(self, value: $type) -> Result<(), Unhashable> {
            self.put($kind, &value.to_be_bytes());
            Ok(())
        }
    )*};
}

impl ser::Serializer for &mut Hasher {
    type Ok = ();
    type Error = Unhashable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8(i8) = b'a';
        serialize_i16(i16) = b'b';
        serialize_i32(i32) = b'c';
        serialize_i64(i64) = b'd';
        serialize_u8(u8) = b'e';
        serialize_u16(u16) = b'f';
        serialize_u32(u32) = b'g';
        serialize_u64(u64) = b'h';
        serialize_f32(f32) = b'i';
        serialize_f64(f64) = b'j';
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unhashable> {
        self.put(b'?', &[u8::from(value)]);
        Ok(())
    }
    fn serialize_char(self, value: char) -> Result<(), Unhashable> {
        self.put(b'\'', &u32::from(value).to_be_bytes());
        Ok(())
    }
    fn serialize_str(self, value: &str) -> Result<(), Unhashable> {
        self.text(b'"', value);
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unhashable> {
        self.length(b'#', value.len());
        self.0.update(value);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Unhashable> {
        self.put(b'-', &[]);
        Ok(())
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Unhashable> {
        self.put(b'+', &[]);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unhashable> {
        self.put(b'0', &[]);
        Ok(())
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Unhashable> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Unhashable> {
        self.text(b'v', variant);
        Ok(())
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Unhashable> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unhashable> {
        self.text(b'v', variant);
        value.serialize(self)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Unhashable> {
        self.length(b'[', length.unwrap_or(usize::MAX));
        Ok(self)
    }
    fn serialize_tuple(self, length: usize) -> Result<Self, Unhashable> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Self, Unhashable> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, Unhashable> {
        self.text(b'v', variant);
        self.serialize_seq(Some(length))
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Self, Unhashable> {
        self.length(b'{', length.unwrap_or(usize::MAX));
        Ok(self)
    }
    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Self, Unhashable> {
        self.text(b's', name);
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self, Unhashable> {
        self.text(b'v', variant);
        Ok(self)
    }
    /// Addresses and ids are hashed in their binary form, as in a compiled snapshot.
    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! elements {
    ($($trait:ident :: $method:ident;)*) => {$(
        impl ser::$trait for &mut Hasher {
            type Ok = ();
            type Error = Unhashable;
            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unhashable> {
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Unhashable> {
                self.put(b'.', &[]);
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

impl ser::SerializeMap for &mut Hasher {
    type Ok = ();
    type Error = Unhashable;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Unhashable> {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unhashable> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Unhashable> {
        self.put(b'.', &[]);
        Ok(())
    }
}

macro_rules! fields {
    ($($trait:ident;)*) => {$(
        impl ser::$trait for &mut Hasher {
            type Ok = ();
            type Error = Unhashable;
            fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Unhashable> {
                if NOT_FACTS.contains(&key) {
                    return Ok(());
                }
                self.text(b'k', key);
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Unhashable> {
                self.put(b'.', &[]);
                Ok(())
            }
        }
    )*};
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::FileId;
    use crate::snapshot::{Meta, State, Vpc};
    use crate::source::Source;

    fn vpc(id: &str, file: &str, state: State) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let file: FileId = snapshot.files.push(file.into());
        let scope = snapshot.scopes.push(Default::default());
        let source = Source { file, pointer: "/Vpcs/0".into() };
        let meta = Meta { id: id.into(), scope, owner: None, arn: None, tags: Default::default(), source };
        let vpc =
            Vpc { meta, state, cidrs: Vec::new(), is_default: false, block_mode: None, encryption: None };
        snapshot.vpcs.push(vpc);
        snapshot
    }

    #[test]
    fn places_are_no_facts() {
        assert_eq!(vpc("vpc-1", "a", None).digest(), vpc("vpc-1", "b", None).digest());
    }

    #[test]
    fn facts_change_the_digest() {
        let digest = vpc("vpc-1", "a", None).digest();
        assert_eq!(digest.len(), 64);
        assert_ne!(digest, vpc("vpc-2", "a", None).digest());
        assert_ne!(digest, vpc("vpc-1", "a", Some("".into())).digest());
        assert_ne!(digest, Snapshot::default().digest());
    }
}
