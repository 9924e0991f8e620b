//! Dense 32-bit ids, one type a kind of resource, and the tables they index.
//!
//! INVARIANT (snapshot ids dense): every id stored in a [`crate::snapshot::Snapshot`] is below the length of its
//! table. [`Table::push`] is the only source of ids; [`crate::change`] numbers them anew.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A dense index into one [`Table`].
pub trait Id: Copy + Eq + Ord + fmt::Debug {
    /// The id of the entry at `index`. Indices past `u32::MAX - 1` saturate, which [`Table::push`] never produces.
    fn from_index(index: usize) -> Self;
    /// The position in the table.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub struct $name(u32);

        impl Id for $name {
            fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// An (account, Region) pair of the snapshot.
    ScopeId;
    /// An input file.
    FileId;
    /// A VPC.
    VpcId;
    /// A subnet.
    SubnetId;
    /// A network interface.
    EniId;
    /// An EC2 instance.
    InstanceId;
    /// A VPC route table.
    RouteTableId;
    /// A security group.
    GroupId;
    /// A network ACL.
    AclId;
    /// A managed prefix list.
    PrefixListId;
    /// An internet gateway.
    IgwId;
    /// An egress-only internet gateway.
    EigwId;
    /// A NAT gateway.
    NatId;
    /// A VPC endpoint.
    EndpointId;
    /// A VPC peering connection.
    PeeringId;
    /// A transit gateway.
    TgwId;
    /// A transit gateway attachment.
    AttachmentId;
    /// A transit gateway route table.
    TgwTableId;
    /// A transit gateway policy table.
    PolicyTableId;
    /// A virtual private gateway.
    VgwId;
    /// An unmodelled component.
    ComponentId;
}

/// A list indexed by its own id type. Copies share the entries until one of them is changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct Table<I, T> {
    #[serde(with = "shared")]
    entries: Arc<Vec<T>>,
    #[serde(skip)]
    key: PhantomData<I>,
}

/// Tables as plain lists.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        entries: &Arc<Vec<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        entries.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Vec<T>>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::new)
    }
}

impl<I, T: PartialEq> PartialEq for Table<I, T> {
    /// Tables that share their entries are not looked through.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries) || self.entries == other.entries
    }
}

impl<I, T: Eq> Eq for Table<I, T> {}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self { entries: Arc::default(), key: PhantomData }
    }
}

impl<I: Id, T> Table<I, T> {
    /// Appends an entry and returns its id.
    pub fn push(&mut self, entry: T) -> I
    where
        T: Clone,
    {
        let id = I::from_index(self.entries.len());
        Arc::make_mut(&mut self.entries).push(entry);
        id
    }

    /// The entry of `id`, or `None` if the id is of another table.
    pub fn get(&self, id: I) -> Option<&T> {
        self.entries.get(id.index())
    }

    /// The entry of `id` for changing it, or `None` if the id is of another table.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T>
    where
        T: Clone,
    {
        Arc::make_mut(&mut self.entries).get_mut(id.index())
    }

    /// All ids with their entries, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.entries.iter().enumerate().map(|(index, entry)| (I::from_index(index), entry))
    }

    /// All entries for changing them, ascending by id.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T>
    where
        T: Clone,
    {
        Arc::make_mut(&mut self.entries).iter_mut()
    }

    /// All entries, ascending by id.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.entries.iter()
    }

    /// All ids, ascending.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.entries.len()).map(I::from_index)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<I: Id, T> FromIterator<T> for Table<I, T> {
    fn from_iter<It: IntoIterator<Item = T>>(iter: It) -> Self {
        Self { entries: Arc::new(iter.into_iter().collect()), key: PhantomData }
    }
}

#[expect(clippy::indexing_slicing, reason = "INVARIANT (snapshot ids dense)")]
impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.entries[id.index()]
    }
}

/// A reference from one resource to another: resolved, or the id of something the snapshot does not hold.
///
/// A missing resource is *unknown*, never empty or absent (R-DATA-3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Ref<I> {
    /// The resource is in the snapshot.
    Known(I),
    /// The input names this id and describes nothing of that id.
    Missing(Box<str>),
}

impl<I: Copy> Ref<I> {
    /// The id, if the resource is in the snapshot.
    pub fn known(&self) -> Option<I> {
        match self {
            Self::Known(id) => Some(*id),
            Self::Missing(_) => None,
        }
    }
}
