//! Sections whose tables are named by whoever writes them: `[attributes.NAME]`, `[providers.NAME]`. What members such a table
//! may have, and of which types, the tables among the defaults say.

use std::collections::BTreeMap;

use toml::Value;

/// Such a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    name: &'static str,
    /// Whether a file that has this section has only the tables that it declares, and none of the defaults.
    pub(super) replaced: bool,
    secrets: &'static [&'static str],
}

pub(super) const SECTIONS: [Section; 2] = [
    Section { name: "attributes", replaced: true, secrets: &[] },
    Section { name: "providers", replaced: false, secrets: &["client_secret"] },
];

impl Section {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a setting belongs to a table of this section.
    pub(super) fn holds(&self, name: &str) -> bool {
        member(name).is_some_and(|(section, _)| section == self)
    }
}

/// The section of a setting that belongs to such a table, and the member that it is there.
fn member(name: &str) -> Option<(&'static Section, &str)> {
    let (section, rest) = name.split_once('.')?;
    let (table, member) = rest.split_once('.')?;
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    (!table.is_empty() && !member.contains('.')).then_some((section, member))
}

/// Whether a setting is a secret of such a table.
pub(super) fn is_secret(name: &str) -> bool {
    member(name).is_some_and(|(section, member)| section.secrets.contains(&member))
}

/// Whether a setting belongs to such a table.
pub(super) fn is_member(name: &str) -> bool {
    member(name).is_some()
}

/// What the settings of a setting's table begin with; of the table itself, too.
pub(super) fn table(name: &str) -> Option<String> {
    let mut parts = name.split('.');
    let (section, table) = (parts.next()?, parts.next()?);
    SECTIONS.iter().any(|known| known.name == section).then(|| format!("{section}.{table}."))
}

/// The members that tables may have, each with a value of its type.
#[derive(Default)]
pub(super) struct Members(BTreeMap<(&'static str, String), Value>);

impl Members {
    /// Learns from a default.
    pub(super) fn learn(&mut self, name: &str, value: &Value) {
        if let Some((section, member)) = member(name) {
            self.0.insert((section.name, member.to_owned()), value.clone());
        }
    }

    /// A value of the type that a setting has.
    pub(super) fn model(&self, name: &str) -> Option<&Value> {
        let (section, member) = member(name)?;
        self.0.get(&(section.name, member.to_owned()))
    }
}
