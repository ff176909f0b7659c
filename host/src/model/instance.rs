//! The ids of runs of a node that are more than one: instances, as a map has them (rule
//! R21), and compensations (rule R27). The one place in the host where they are taken
//! apart.

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

/// The run that the compensation of this id undoes: `charge` of `charge!undo`,
/// `resize[3]` of `resize[3]!undo`. `None` if it is the id of no compensation.
#[must_use]
pub fn undone_by(id: &str) -> Option<&str> {
    id.strip_suffix("!undo").filter(|undone| !undone.is_empty())
}

/// The node that a run is of: an instance's map, the node that is undone, else the node
/// itself.
#[must_use]
pub fn node_of_run(id: &str) -> &str {
    let run = undone_by(id).unwrap_or(id);
    instance_of(run).map_or(run, |(node_id, _)| node_id)
}

/// Whether it is the id of a node itself, and not that of an instance or of a compensation:
/// these lead nowhere, and their patches do not touch the state.
#[must_use]
pub fn is_node(id: &str) -> bool {
    node_of_run(id) == id
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
            assert_eq!((undone_by(id), is_node(id)), (None, found.is_none()));
        }
    }

    #[test]
    fn r27_a_compensation_names_what_it_undoes() {
        for (id, undone, node) in [
            ("charge!undo", Some("charge"), "charge"),
            ("resize[3]!undo", Some("resize[3]"), "resize"),
            ("!undo", None, "!undo"),
            ("charge!und", None, "charge!und"),
        ] {
            assert_eq!((undone_by(id), node_of_run(id)), (undone, node), "{id}");
            assert_eq!(instance_of(id), None, "{id}");
            assert_eq!(is_node(id), undone.is_none(), "{id}");
        }
    }
}
