//! What is laid out.

/// What is laid out.
pub(in crate::picture) struct Graph<'a> {
    /// How wide each node is.
    pub(in crate::picture) widths: &'a [f64],
    /// The nodes that each edge leads from and to.
    pub(in crate::picture) edges: &'a [(usize, usize)],
    /// Whether each node stands below all of those for which this is not so.
    pub(in crate::picture) is_last: &'a [bool],
    /// How many nodes may stand in one layer; `None` for what suits a page.
    pub(in crate::picture) in_layer_max: Option<usize>,
    /// The free space between two boxes.
    pub(in crate::picture) space: f64,
    /// How wide a line is on its way through a layer, the space about it included.
    pub(in crate::picture) line: f64,
}
