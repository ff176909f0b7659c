//! An export as it is written, line by line.

use std::io::{self, Write};

use super::Header;
use crate::log::component::{self, Component};
use crate::log::{ErasedEvent, StoredEvent, json};

/// Writes an export.
#[derive(Debug)]
pub struct ExportWriter<W> {
    to: W,
}

impl<W: Write> ExportWriter<W> {
    /// Begin with the header.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn new(mut to: W, header: &Header) -> io::Result<Self> {
        writeln!(to, "{}", header.write())?;
        Ok(Self { to })
    }

    /// Go on with the next of the header's components.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn component(&mut self, component: &Component) -> io::Result<()> {
        writeln!(self.to, "{}", component::write(component))
    }

    /// Go on with the next event.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn event(&mut self, event: &StoredEvent) -> io::Result<()> {
        writeln!(self.to, "{}", json::write_stored(event))
    }

    /// Go on with the next event of an erased log.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn erased(&mut self, event: &ErasedEvent) -> io::Result<()> {
        writeln!(self.to, "{}", json::write_erased(event))
    }

    /// End.
    ///
    /// # Errors
    ///
    /// What writing says.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}
