//! What a workflow's text says of its nodes and edges, for tests of workflows and for
//! pictures, as the crate of pictures reads it.

pub(crate) use refrain_picture::graph::{
    APPROVAL, Child, ChildWorkflow, END, Edge, Graph, Kind, MAP, On, Rule,
};
