//! JSON text kept verbatim: objects by key, duplicate keys refused, merge.
