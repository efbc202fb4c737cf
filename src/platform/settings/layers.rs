//! Puts the sources of settings over each other, and remembers where each value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Settings;
use super::free_named::{self, Members, SECTIONS};

const DEFAULTS: &str = include_str!("../../../config/bonafide.toml");
const PREFIX: &str = "BONAFIDE_";

/// Settings whose values are never shown.
const SECRETS: [&str; 5] =
    ["adapter.secret", "database.url", "bootstrap.admin_password", "mail.password", "storage.key"];

/// What the program was started with.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub file: Option<PathBuf>,
    /// The process's environment; variables of others are ignored.
    pub environment: Vec<(String, String)>,
    /// Settings by their dotted names.
    pub flags: Vec<(String, String)>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Why the program does not start: the setting, where it came from, the reason. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting {setting} ({origin}): {reason}")]
pub struct SettingsError {
    pub setting: String,
    pub origin: Origin,
    pub reason: String,
}

/// A setting as `bonafide config` shows it.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: String,
    pub value: Value,
    pub origin: Origin,
}

/// All values with their origins, not yet typed.
pub struct Layers {
    values: BTreeMap<String, (Value, Origin)>,
    /// Of tables that are named freely.
    members: Members,
}

fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name) || free_named::is_secret(name)
}

impl Layers {
    pub fn gather(sources: &Sources) -> Result<Self, SettingsError> {
        let mut layers = Self { values: BTreeMap::new(), members: Members::default() };
        let defaults = parse(DEFAULTS, &Origin::Default)?;
        walk("", &defaults, &mut |name, value| {
            layers.members.learn(name, value);
            layers.values.insert(name.to_owned(), (value.clone(), Origin::Default));
            Ok(())
        })?;
        if let Some(path) = &sources.file {
            layers.add_file(path)?;
        }
        for (variable, text) in &sources.environment {
            layers.add_variable(variable, text)?;
        }
        for (name, text) in &sources.flags {
            layers.set_text(name, text, Origin::Flag)?;
        }
        Ok(layers)
    }

    /// Types and checks the values.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        // Typing value by value would need a second description of the settings; a failing one is found by leaving
        // the others at their defaults, which are known to do.
        let settings: Settings = self.typed(|_| true).or_else(|whole| {
            for name in self.values.keys() {
                self.typed::<Settings>(|other| other == name).map_err(|reason| self.refuse(name, reason))?;
            }
            Err(self.refuse("issuer", whole))
        })?;
        settings.check().map_err(|(name, reason)| self.refuse(name, reason))?;
        settings.attributes.check().map_err(|(name, reason)| self.refuse(&name, reason))?;
        let providers = settings.providers.check(&settings.issuer, &settings.outgoing.allow, &settings.attributes);
        providers.map_err(|(name, reason)| self.refuse(&name, reason))?;
        // Whoever sets it to nothing has a variable that is missing somewhere, and believes to have a secret.
        if settings.adapter.secret.expose().is_empty() && !self.is_default("adapter.secret") {
            return Err(self.refuse("adapter.secret", "is set, but empty: leave it out, or give it a value".to_owned()));
        }
        Ok(settings)
    }

    /// Whether nobody has said anything about a setting.
    pub fn is_default(&self, name: &str) -> bool {
        self.values.get(name).is_none_or(|(_, origin)| *origin == Origin::Default)
    }

    /// Every setting with its origin, secrets hidden.
    pub fn list(&self) -> Vec<Setting> {
        self.values
            .iter()
            .map(|(name, (value, origin))| Setting {
                name: name.clone(),
                value: if is_secret(name) && value.as_str() != Some("") && *origin != Origin::Default {
                    Value::from("[hidden]")
                } else {
                    value.clone()
                },
                origin: origin.clone(),
            })
            .collect()
    }

    fn typed<T: serde::de::DeserializeOwned>(&self, chosen: impl Fn(&str) -> bool) -> Result<T, String> {
        let mut tree = Table::new();
        let defaults = parse(DEFAULTS, &Origin::Default).map_err(|error| error.reason)?;
        let mut fallback = BTreeMap::new();
        walk("", &defaults, &mut |name, value| {
            fallback.insert(name.to_owned(), value.clone());
            Ok(())
        })
        .map_err(|error| error.reason)?;
        for (name, (value, _)) in &self.values {
            let value = if chosen(name) { Some(value) } else { fallback.get(name) };
            // A table that is not of the defaults can be left out; everything else is there.
            if let Some(value) = value {
                plant(&mut tree, name, value.clone());
            }
        }
        tree.try_into().map_err(|error| error.message().to_owned())
    }

    fn refuse(&self, name: &str, reason: String) -> SettingsError {
        let table = free_named::table(name);
        let of_table = |known: &str| table.as_ref().is_some_and(|table| known.starts_with(table));
        let mut beside = self.values.iter().filter(|(known, _)| of_table(known)).map(|(_, found)| found);
        // What is left out of a table that is named freely comes from where the rest of it is.
        let found = self.values.get(name).or_else(|| beside.next());
        let origin = found.map_or(Origin::Default, |(_, origin)| origin.clone());
        SettingsError { setting: name.to_owned(), origin, reason }
    }

    fn add_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let origin = Origin::File(path.to_owned());
        let text = std::fs::read_to_string(path).map_err(|error| SettingsError {
            setting: "--config".to_owned(),
            origin: origin.clone(),
            reason: error.to_string(),
        })?;
        let table = parse(&text, &origin)?;
        for section in SECTIONS.iter().filter(|section| section.replaced) {
            if matches!(table.get(section.name()), Some(Value::Table(_))) {
                self.values.retain(|name, _| !section.holds(name));
            }
        }
        walk("", &table, &mut |name, value| self.set(name, value.clone(), origin.clone()))
    }

    fn add_variable(&mut self, variable: &str, text: &str) -> Result<(), SettingsError> {
        let Some(rest) = variable.strip_prefix(PREFIX) else { return Ok(()) };
        let origin = Origin::Environment(variable.to_owned());
        let name = rest.to_lowercase().replace("__", ".");
        let of_file = name.strip_suffix("_file").filter(|_| self.model(&name).is_none());
        let Some(name) = of_file.map(|name| self.as_declared(name)) else {
            return self.set_text(&self.as_declared(&name), text, origin);
        };
        let content = std::fs::read_to_string(text).map_err(|error| SettingsError {
            setting: name.clone(),
            origin: origin.clone(),
            reason: format!("{text}: {error}"),
        })?;
        let content = content.strip_suffix('\n').unwrap_or(&content);
        self.set_text(&name, content.strip_suffix('\r').unwrap_or(content), origin)
    }

    /// Tables that are there keep the spelling of their names, whatever the environment's is.
    fn as_declared(&self, name: &str) -> String {
        let known = |known: &&String| free_named::is_member(name) && known.eq_ignore_ascii_case(name);
        self.values.keys().find(known).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// A value of the type that a setting has; `None`: there is no such setting.
    fn model(&self, name: &str) -> Option<&Value> {
        let own = self.values.get(name).map(|(value, _)| value);
        own.or_else(|| self.members.model(name))
    }

    /// Sets from text, which the default's type tells how to read.
    fn set_text(&mut self, name: &str, text: &str, origin: Origin) -> Result<(), SettingsError> {
        let value = match self.model(name) {
            Some(Value::Integer(_)) => text.trim().parse().map(Value::Integer).map_err(|_| "must be a whole number"),
            Some(Value::Float(_)) => text.trim().parse().map(Value::Float).map_err(|_| "must be a number"),
            Some(Value::Boolean(_)) => text.trim().parse().map(Value::Boolean).map_err(|_| "must be true or false"),
            Some(Value::Array(_)) => Ok(Value::Array(
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect(),
            )),
            _ => Ok(Value::String(text.to_owned())),
        };
        let value = value.map_err(|reason| SettingsError {
            setting: name.to_owned(),
            origin: origin.clone(),
            reason: reason.to_owned(),
        })?;
        self.set(name, value, origin)
    }

    fn set(&mut self, name: &str, value: Value, origin: Origin) -> Result<(), SettingsError> {
        let refuse = |reason: String| SettingsError { setting: name.to_owned(), origin: origin.clone(), reason };
        let Some(present) = self.model(name) else {
            return Err(refuse("no such setting; `bonafide config` lists them all".to_owned()));
        };
        if !present.same_type(&value) {
            return Err(refuse(format!("must be {}, not {}", article(present), article(&value))));
        }
        self.values.insert(name.to_owned(), (value, origin));
        Ok(())
    }
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

fn parse(text: &str, origin: &Origin) -> Result<Table, SettingsError> {
    text.parse::<Table>().map_err(|error| SettingsError {
        setting: "(syntax)".to_owned(),
        origin: origin.clone(),
        reason: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

type Visit<'v> = dyn FnMut(&str, &Value) -> Result<(), SettingsError> + 'v;

/// Visits every leaf with its dotted name.
fn walk(prefix: &str, table: &Table, visit: &mut Visit<'_>) -> Result<(), SettingsError> {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => walk(&name, inner, visit)?,
            leaf => visit(&name, leaf)?,
        }
    }
    Ok(())
}

fn plant(tree: &mut Table, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            tree.insert(name.to_owned(), value);
        }
        Some((section, rest)) => {
            if let Value::Table(inner) = tree.entry(section).or_insert_with(|| Value::Table(Table::new())) {
                plant(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let own = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::load(&Sources { file: None, environment: own(environment), flags: own(flags) })
    }

    #[test]
    fn defaults_do() {
        let settings = load(&[], &[]).unwrap();
        assert_eq!(settings.issuer, "http://localhost:8080");
        assert_eq!(settings.tokens.refresh_grace.get(), 10_000);
    }

    #[test]
    fn environment_is_read_by_the_type_of_the_default_and_flags_win() {
        let settings = load(
            &[
                ("BONAFIDE_LIMITS__ENABLED", "false"),
                ("BONAFIDE_PASSWORDS__THREADS", "3"),
                ("BONAFIDE_BOOTSTRAP__ADMIN_PASSWORD", "12345678"),
                ("BONAFIDE_PROXIES__TRUSTED", "10.0.0.0/8, 192.168.0.0/16"),
                ("BONAFIDE_TOKENS__REFRESH_GRACE", "5s"),
                ("PATH", "/bin"),
            ],
            &[("tokens.refresh_grace", "0s")],
        )
        .unwrap();
        assert!(!settings.limits.enabled);
        assert_eq!(settings.passwords.threads, 3);
        assert_eq!(settings.bootstrap.admin_password.expose(), "12345678");
        assert_eq!(settings.proxies.trusted.len(), 2);
        assert_eq!(settings.tokens.refresh_grace.get(), 0);
    }

    #[test]
    fn errors_name_the_setting_its_origin_and_the_reason() {
        let said = |environment: &[(&str, &str)]| load(environment, &[]).unwrap_err().to_string();
        assert_eq!(
            said(&[("BONAFIDE_NOPE", "1")]),
            "setting nope (environment BONAFIDE_NOPE): no such setting; `bonafide config` lists them all"
        );
        assert!(said(&[("BONAFIDE_HTTP__MAX_BODY", "big")]).ends_with("must be a whole number"));
        let duration = said(&[("BONAFIDE_TOKENS__ID_LIFETIME", "soon")]);
        assert!(
            duration.starts_with("setting tokens.id_lifetime (environment BONAFIDE_TOKENS__ID_LIFETIME)"),
            "{duration}"
        );
        assert!(said(&[("BONAFIDE_ISSUER", "http://id.example.com")]).contains("must be https"));
        assert!(said(&[("BONAFIDE_DATABASE__URL_FILE", "/nowhere")]).contains("/nowhere"));
    }

    #[test]
    fn files_are_strict_and_secrets_are_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, "[database]\nurl = 'postgres://u:hunter2@h/d'\n").unwrap();
        let sources = Sources { file: Some(path.clone()), ..Sources::default() };
        let layers = Layers::gather(&sources).unwrap();
        let listed = format!("{:?}{:?}", layers.list(), layers.settings().unwrap());
        assert!(!listed.contains("hunter2"));
        std::fs::write(&path, "[database]\nuri = 'x'\n").unwrap();
        assert!(Layers::gather(&sources).err().unwrap().to_string().contains("database.uri"));
        std::fs::write(&path, "issuer = 5\n").unwrap();
        assert!(Layers::gather(&sources).err().unwrap().to_string().contains("must be a text, not a whole number"));
    }

    #[test]
    fn a_file_adds_providers_to_the_defaults_and_replaces_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        let own = "[attributes.shoe]\n[providers.corp]\nissuer = 'https://op.example.com'\nclient_id = 'c'\nscopes = ['openid']\n";
        std::fs::write(&path, own).unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "hunter2\n").unwrap();
        let variable = |name: &str, value: &str| (format!("BONAFIDE_PROVIDERS__{name}"), value.to_owned());
        let environment = vec![
            variable("CORP__CLIENT_SECRET", "hunter2"),
            variable("Corp__Domains", "example.com, example.org"),
            variable("GOOGLE__CLIENT_ID", "g"),
            variable("GOOGLE__CLIENT_SECRET_FILE", secret.to_str().unwrap()),
        ];
        let layers = Layers::gather(&Sources { file: Some(path), environment, flags: Vec::new() }).unwrap();
        let settings = layers.settings().unwrap();
        assert_eq!(settings.attributes.iter().count(), 0);
        let (corp, google) = (settings.providers.get("corp").unwrap(), settings.providers.get("google").unwrap());
        assert_eq!((corp.domains.len(), corp.client_secret.expose(), corp.sign_out), (2, "hunter2", true));
        assert_eq!(
            (google.identity("google").as_str(), google.client_secret.expose()),
            ("https://accounts.google.com", "hunter2")
        );
        assert!(!format!("{:?}{settings:?}", layers.list()).contains("hunter2"));
    }

    #[test]
    fn a_provider_that_does_not_do_is_named() {
        let said = |environment: &[(&str, &str)]| load(environment, &[]).unwrap_err().to_string();
        assert_eq!(
            said(&[("BONAFIDE_PROVIDERS__CORP__COLOUR", "red")]),
            "setting providers.corp.colour (environment BONAFIDE_PROVIDERS__CORP__COLOUR): no such setting; \
             `bonafide config` lists them all"
        );
        let said =
            said(&[("BONAFIDE_PROVIDERS__MY_CORP__CLIENT_ID", "c"), ("BONAFIDE_PROVIDERS__GOOGLE__SIGN_UP", "false")]);
        assert!(
            said.starts_with("setting providers.my_corp (environment BONAFIDE_PROVIDERS__MY_CORP__CLIENT_ID)"),
            "{said}"
        );
        // Half of Google's is nobody's fault.
        assert_eq!(
            load(&[("BONAFIDE_PROVIDERS__GOOGLE__CLIENT_SECRET", "x")], &[]).unwrap().providers.iter().count(),
            0
        );
    }
}
