//! What is laid out.

/// What is laid out.
pub(crate) struct Graph<'a> {
    /// How wide each node is.
    pub(crate) widths: &'a [f64],
    /// The nodes that each edge leads from and to.
    pub(crate) edges: &'a [(usize, usize)],
    /// Whether each node stands below all of those for which this is not so.
    pub(crate) is_last: &'a [bool],
    /// How many nodes may stand in one layer; `None` for what suits a page.
    pub(crate) in_layer_max: Option<usize>,
    /// The free space between two boxes.
    pub(crate) space: f64,
    /// How wide a line is on its way through a layer, the space about it included.
    pub(crate) line: f64,
}
