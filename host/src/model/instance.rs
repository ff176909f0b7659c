//! The ids of instances: runs of a node that are more than one, as a map has them
//! (rule R21). The one place in the host where they are taken apart.

/// The node and the index in the id of an instance, such as `resize[3]`. `None` if it
/// is the id of a node. An index is decimal, without leading zeros.
#[must_use]
pub fn instance_of(id: &str) -> Option<(&str, u32)> {
    let (node_id, digits) = id.strip_suffix(']')?.rsplit_once('[')?;
    let is_plain = digits == "0"
        || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let index = is_plain.then(|| digits.parse().ok()).flatten()?;
    (!node_id.is_empty()).then_some((node_id, index))
}

/// The node that a run is of: an instance's map, else the node itself.
#[must_use]
pub fn node_of_run(id: &str) -> &str {
    instance_of(id).map_or(id, |(node_id, _)| node_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r21_an_instance_has_one_spelling() {
        for (id, found) in [
            ("resize[3]", Some(("resize", 3))),
            ("resize[0]", Some(("resize", 0))),
            ("resize[03]", None),
            ("resize[]", None),
            ("resize[-1]", None),
            ("resize[+1]", None),
            ("resize[4294967296]", None),
            ("[3]", None),
            ("resize", None),
            ("resize[3", None),
        ] {
            assert_eq!(instance_of(id), found, "{id}");
            assert_eq!(node_of_run(id), found.map_or(id, |(node, _)| node));
        }
    }
}
