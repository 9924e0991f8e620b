//! Names of places, as AWS and people know them.

use crate::network::{Network, Sink, SourcePlace};

/// A source, as people know it.
pub fn source_name(network: &Network<'_>, place: SourcePlace) -> String {
    let snapshot = network.snapshot;
    match place {
        SourcePlace::Interface(id) => snapshot.interfaces[id].meta.id.to_string(),
        SourcePlace::Internet => "internet".into(),
        SourcePlace::Gateway(id) => network.gateways()[id].id.to_string(),
        SourcePlace::Attachment(id) => snapshot.attachments[id].meta.id.to_string(),
        SourcePlace::Peer(id) => snapshot.peerings[id].meta.id.to_string(),
        SourcePlace::Component(id) => network.components()[id].id.to_string(),
    }
}

/// A sink, as people know it.
pub fn sink_name(network: &Network<'_>, sink: Sink) -> String {
    match sink {
        Sink::Interface(id) => source_name(network, SourcePlace::Interface(id)),
        Sink::Internet => "internet".into(),
        Sink::Gateway(id) => source_name(network, SourcePlace::Gateway(id)),
        Sink::Attachment(id) => source_name(network, SourcePlace::Attachment(id)),
        Sink::Peer(id) => source_name(network, SourcePlace::Peer(id)),
        Sink::Service(id) => network.snapshot.endpoints[id].meta.id.to_string(),
        Sink::Infrastructure(id) => network.vpc(id).meta.id.to_string(),
        Sink::Unseen(id) => network.subnet(id).meta.id.to_string(),
        Sink::Component(id) => source_name(network, SourcePlace::Component(id)),
    }
}
