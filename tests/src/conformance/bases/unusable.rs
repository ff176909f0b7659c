//! Bytes that logs bring for a scheduler, and that are none for anybody who speaks this
//! version of the contract.

use anyhow::Result;

/// What they are, in the order of [`all`].
pub(in super::super) const NAMES: [&str; 5] = [
    "of_contract_0_1",
    "of_a_later_contract",
    "with_wasi",
    "no_component",
    "no_wasm",
];

pub(super) fn all() -> Result<Vec<Vec<u8>>> {
    let guest_of = |version: &str| {
        format!(
            r#"(component (instance $none) (export "refrain:scheduler/decisions@{version}" (instance $none)))"#
        )
    };
    let wasi = r#"(component (import "wasi:cli/exit@0.2.0" (instance)))"#;
    Ok(vec![
        wat::parse_str(guest_of("0.1.0"))?,
        wat::parse_str(guest_of("9.0.0"))?,
        wat::parse_str(wasi)?,
        wat::parse_str("(module)")?,
        b"refrain".to_vec(),
    ])
}
