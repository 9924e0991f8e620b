//! Interfaces that come and go. Ids are positions, so all ids behind the place are written anew.

use crate::id::{EniId, Id, Ref, Table};
use crate::snapshot::{Entry, Exit, Interface, Snapshot, Target};

impl Snapshot {
    /// INVARIANT (canonical order): the interface gets the place that reading it would have given it.
    pub(super) fn insert_interface(&mut self, interface: &Interface) {
        let place = |other: &&Interface| {
            (other.meta.scope, &other.meta.id) <= (interface.meta.scope, &interface.meta.id)
        };
        let position = self.interfaces.values().take_while(place).count();
        self.renumber(&|id| EniId::from_index(id.index() + usize::from(id.index() >= position)));
        let mut rows: Vec<Interface> = self.interfaces.values().cloned().collect();
        rows.insert(position, interface.clone());
        self.interfaces = rows.into_iter().collect();
        let instance =
            interface.attachment.as_ref().and_then(|row| row.instance.as_ref()).and_then(Ref::known);
        if let Some(instance) = instance.and_then(|id| self.instances.get_mut(id)) {
            instance.interfaces.push(EniId::from_index(position));
            instance.interfaces.sort_unstable();
        }
    }

    /// R-ROUTE-11: routes to it are blackholes that name what is gone.
    pub(super) fn remove_interface(&mut self, gone: EniId) {
        let Some(name) = self.interfaces.get(gone).map(|row| row.meta.id.boxed()) else { return };
        for route in self.route_tables.values_mut().flat_map(|table| &mut table.routes) {
            if route.target == Target::Interface(Ref::Known(gone)) {
                route.target = Target::Interface(Ref::Missing(name.clone()));
                route.state = Some("blackhole".into());
            }
        }
        for instance in self.instances.values_mut() {
            instance.interfaces.retain(|id| *id != gone);
        }
        let kept = self.interfaces.iter().filter(|(id, _)| *id != gone).map(|(_, row)| row.clone());
        self.interfaces = kept.collect::<Table<EniId, Interface>>();
        self.renumber(&|id| EniId::from_index(id.index() - usize::from(id > gone)));
    }

    /// Writes every id of an interface anew.
    fn renumber(&mut self, number: &dyn Fn(EniId) -> EniId) {
        let referred = |reference: &mut Ref<EniId>| {
            if let Ref::Known(id) = reference {
                *id = number(*id);
            }
        };
        let of_instances = self.instances.values_mut().flat_map(|row| &mut row.interfaces);
        of_instances.for_each(|id| *id = number(*id));
        let addresses = self.nat_gateways.values_mut().flat_map(|row| &mut row.addresses);
        addresses.filter_map(|row| row.interface.as_mut()).for_each(referred);
        self.endpoints.values_mut().flat_map(|row| &mut row.interfaces).for_each(referred);
        for route in self.route_tables.values_mut().flat_map(|table| &mut table.routes) {
            if let Target::Interface(reference) = &mut route.target {
                referred(reference);
            }
        }
        for component in self.components.values_mut() {
            for entry in &mut component.entries {
                if let Entry::Interface(id) | Entry::Sender(id) = entry {
                    *id = number(*id);
                }
            }
            for exit in &mut component.exits {
                if let Exit::Interface { interface, .. } = exit {
                    *interface = number(*interface);
                }
            }
        }
    }
}
