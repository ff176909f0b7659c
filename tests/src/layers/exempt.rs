//! Arrows that go up, and may.

use super::Finding;

/// Arrows that go up for a good reason.
#[derive(Clone, Copy, Debug)]
pub struct Exemption {
    /// The file, or the folder, that uses what stands above it.
    pub from: &'static str,
    /// The file, or the folder, of what it uses.
    pub to: &'static str,
    /// The reason.
    pub why: &'static str,
}

impl Exemption {
    fn covers(&self, finding: &Finding) -> bool {
        finding.file.starts_with(self.from) && finding.other.starts_with(self.to)
    }
}

/// What is wrong: findings that no exemption covers, and exemptions that cover
/// nothing any longer.
#[must_use]
pub fn judge(findings: &[Finding], exemptions: &[Exemption]) -> Vec<String> {
    let exempt = |finding: &&Finding| exemptions.iter().any(|it| it.covers(finding));
    let wrong = findings.iter().filter(|finding| !exempt(finding));
    let needed = |it: &&Exemption| findings.iter().any(|finding| it.covers(finding));
    let unneeded = exemptions.iter().filter(|it| !needed(it));
    let unneeded = unneeded.map(|Exemption { from, to, .. }| {
        format!("{from}: it uses nothing of {to} that stands above it; remove the exemption")
    });
    wrong.map(ToString::to_string).chain(unneeded).collect()
}
