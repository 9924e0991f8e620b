//! What stands between bincode and the types it decodes: texts are borrowed, and ids are noted.
//!
//! bincode allocates an owned text by the length that the file claims, before it looks whether the bytes are there; a
//! borrowed one it takes from the bytes that are. So [`Guarded`] asks for borrowed texts wherever a type asks for an owned
//! one. (Lists are no danger: serde allocates at most 1 MiB on the word of a length, and every element takes a byte.)
//!
//! INVARIANT (ids noted): every dense id that is decoded passes [`HighestIds`], whatever record holds it.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

macro_rules! id_types {
    ($($name:literal)*) => {
        /// The types of dense ids, as [`crate::id`] names them.
        pub(super) const TYPES: [&str; [$($name),*].len()] = [$($name),*];

        impl HighestIds {
            /// Where ids of this type are noted. Written out, so that it costs nothing where the name is a constant.
            #[inline(always)]
            fn slot(&self, name: &str) -> Option<&Cell<u64>> {
                let mut slots = self.0.iter();
                $(
                    let slot = slots.next();
                    if name == $name {
                        return slot;
                    }
                )*
                None
            }
        }
    };
}

id_types! {
    "ScopeId" "FileId" "VpcId" "SubnetId" "EniId" "InstanceId" "RouteTableId" "GroupId" "AclId" "PrefixListId" "IgwId"
    "EigwId" "NatId" "EndpointId" "PeeringId" "TgwId" "AttachmentId" "TgwTableId" "PolicyTableId" "VgwId" "ComponentId"
}

/// For each type of ids, how many entries its table must have for all ids seen to be in it.
#[derive(Debug, Default)]
pub(super) struct HighestIds([Cell<u64>; TYPES.len()]);

impl HighestIds {
    /// Notes what others have noted, too.
    pub(super) fn join(&self, others: &Self) {
        self.0.iter().zip(&others.0).for_each(|(here, there)| here.set(here.get().max(there.get())));
    }

    /// How many entries the table of this type of ids must have; `None` for a type that is not known.
    pub(super) fn needed(&self, name: &str) -> Option<u64> {
        self.slot(name).map(Cell::get)
    }
}

/// Any of serde's roles, played by `inner` under guard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guarded<'h, T> {
    inner: T,
    ids: &'h HighestIds,
    /// Where to note a number: it is an id.
    id: Option<&'h Cell<u64>>,
}

impl<'h, T> Guarded<'h, T> {
    /// Guards a seed. All ids below it are noted.
    pub(super) fn new(inner: T, ids: &'h HighestIds) -> Self {
        Self { inner, ids, id: None }
    }

    /// The same guard for what `inner` hands out.
    fn guard<U>(&self, inner: U) -> Guarded<'h, U> {
        Guarded { inner, ids: self.ids, id: self.id }
    }
}

macro_rules! values {
    ($($method:ident => $inner:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.guard(visitor);
            self.inner.$inner(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guarded<'_, D> {
    type Error = D::Error;

    values! {
        deserialize_any => deserialize_any,
        deserialize_bool => deserialize_bool,
        deserialize_i8 => deserialize_i8,
        deserialize_i16 => deserialize_i16,
        deserialize_i32 => deserialize_i32,
        deserialize_i64 => deserialize_i64,
        deserialize_u8 => deserialize_u8,
        deserialize_u16 => deserialize_u16,
        deserialize_u32 => deserialize_u32,
        deserialize_u64 => deserialize_u64,
        deserialize_u128 => deserialize_u128,
        deserialize_f32 => deserialize_f32,
        deserialize_f64 => deserialize_f64,
        deserialize_char => deserialize_char,
        deserialize_str => deserialize_str,
        deserialize_string => deserialize_str,
        deserialize_bytes => deserialize_bytes,
        deserialize_byte_buf => deserialize_bytes,
        deserialize_option => deserialize_option,
        deserialize_unit => deserialize_unit,
        deserialize_seq => deserialize_seq,
        deserialize_map => deserialize_map,
        deserialize_identifier => deserialize_identifier,
        deserialize_ignored_any => deserialize_ignored_any,
    }

    #[inline(always)]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.id = self.ids.slot(name);
        if self.id.is_none() && name.ends_with("Id") {
            return Err(D::Error::custom(format!("no table is known for ids of type {name}")));
        }
        let visitor = self.guard(visitor);
        self.inner.deserialize_newtype_struct(name, visitor)
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.guard(visitor);
        self.inner.deserialize_unit_struct(name, visitor)
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.guard(visitor);
        self.inner.deserialize_tuple(length, visitor)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.guard(visitor);
        self.inner.deserialize_tuple_struct(name, length, visitor)
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.guard(visitor);
        self.inner.deserialize_struct(name, fields, visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.guard(visitor);
        self.inner.deserialize_enum(name, variants, visitor)
    }
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visits {
    ($($method:ident($type:ty),)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guarded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visits! {
        visit_bool(bool),
        visit_i8(i8),
        visit_i16(i16),
        visit_i32(i32),
        visit_i64(i64),
        visit_u8(u8),
        visit_u16(u16),
        visit_u64(u64),
        visit_u128(u128),
        visit_f32(f32),
        visit_f64(f64),
        visit_char(char),
        visit_str(&str),
        visit_borrowed_str(&'de str),
        visit_bytes(&[u8]),
        visit_borrowed_bytes(&'de [u8]),
    }

    fn visit_u32<E: Error>(self, value: u32) -> Result<V::Value, E> {
        if let Some(id) = self.id {
            id.set(id.get().max(u64::from(value) + 1));
        }
        self.inner.visit_u32(value)
    }
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.guard(deserializer);
        self.inner.visit_some(deserializer)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.guard(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.guard(access);
        self.inner.visit_seq(access)
    }
    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.guard(access);
        self.inner.visit_map(access)
    }
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.guard(access);
        self.inner.visit_enum(access)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Guarded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.guard(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Guarded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.guard(seed);
        self.inner.next_element_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Guarded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.guard(seed);
        self.inner.next_key_seed(seed)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.guard(seed);
        self.inner.next_value_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 'h, A: EnumAccess<'de>> EnumAccess<'de> for Guarded<'h, A> {
    type Error = A::Error;
    type Variant = Guarded<'h, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let Self { inner, ids, id } = self;
        let (value, variant) = inner.variant_seed(Guarded { inner: seed, ids, id })?;
        Ok((value, Guarded { inner: variant, ids, id }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Guarded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.guard(seed);
        self.inner.newtype_variant_seed(seed)
    }
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.guard(visitor);
        self.inner.tuple_variant(length, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.guard(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}
