//! The log: canonical bytes, the hash chain, the one JSON form, the export.
