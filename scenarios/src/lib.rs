//! The scenario corpus, its file format, and seeded generators of networks.
