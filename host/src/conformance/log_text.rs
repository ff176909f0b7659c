//! A log as its lines, while they are edited.

use super::json_line::Problem;

/// The lines of a log, without their line breaks. They need be neither JSON nor UTF-8.
pub(super) struct LogText {
    lines: Vec<Vec<u8>>,
    /// Whether the last line has its line break.
    pub(super) is_ended: bool,
}

impl LogText {
    pub(super) fn new<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        Self {
            lines: lines.map(|line| line.as_bytes().to_vec()).collect(),
            is_ended: true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The line of this number, from 1.
    pub(super) fn line(&self, number: usize) -> Result<&[u8], Problem> {
        let found = number.checked_sub(1).and_then(|at| self.lines.get(at));
        found.map(Vec::as_slice).ok_or_else(|| self.none(number))
    }

    /// The same as text.
    pub(super) fn text(&self, number: usize) -> Result<&str, Problem> {
        let line = std::str::from_utf8(self.line(number)?);
        line.map_err(|error| format!("line {number} is no UTF-8 text: {error}"))
    }

    pub(super) fn put(&mut self, number: usize, line: impl Into<Vec<u8>>) -> Result<(), Problem> {
        let none = self.none(number);
        let found = number.checked_sub(1).and_then(|at| self.lines.get_mut(at));
        *found.ok_or(none)? = line.into();
        Ok(())
    }

    /// Puts a line before the one of this number, or behind the last.
    pub(super) fn insert(
        &mut self,
        before: usize,
        line: impl Into<Vec<u8>>,
    ) -> Result<(), Problem> {
        if !(1..=self.lines.len() + 1).contains(&before) {
            return Err(self.none(before));
        }
        self.lines.insert(before - 1, line.into());
        Ok(())
    }

    pub(super) fn remove(&mut self, number: usize) -> Result<Vec<u8>, Problem> {
        self.line(number)?;
        Ok(self.lines.remove(number - 1))
    }

    /// Leaves the lines before this one, and so many bytes of it.
    pub(super) fn cut(&mut self, number: usize, bytes: usize) -> Result<(), Problem> {
        let line = self.line(number)?;
        let kept = line.get(..bytes).map(<[u8]>::to_vec);
        let kept = kept.ok_or_else(|| format!("line {number} has not so many bytes"))?;
        self.lines.truncate(number - 1);
        if !kept.is_empty() {
            self.lines.push(kept);
            self.is_ended = false;
        }
        Ok(())
    }

    /// The file.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.lines.join(&b'\n');
        if self.is_ended && !self.lines.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    }

    fn none(&self, number: usize) -> Problem {
        format!(
            "there is no line {number}: the log has {}",
            self.lines.len()
        )
    }
}
