//! Every sentence a person reads comes from a catalogue, so that a page is in one language from title to error and a
//! translator never opens a Rust file. A language is one file in `templates/messages`, named by its tag.

use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// The languages there are; the first is the one for everybody whose own is missing. A test compares this with the folder.
const SOURCES: &[(&str, &str)] =
    &[("en", include_str!("../../templates/messages/en.ftl")), ("de", include_str!("../../templates/messages/de.ftl"))];

/// Browsers send some sixty bytes; what lies beyond these bounds cannot change the choice of an honest caller.
const LONGEST_LIST: usize = 512;
const MOST_TAGS: usize = 24;

/// A catalogue that cannot be used. All of them are embedded, so this is a fault of the build and stops the start.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    #[error("no message catalogue is embedded")]
    NoLanguage,
    #[error("message catalogue {lang}: the name is no language tag")]
    Tag { lang: String },
    #[error("message catalogue {lang}: {reason}")]
    Source { lang: String, reason: String },
    #[error("message catalogue {lang}: `direction` must be ltr or rtl")]
    Direction { lang: String },
}

/// All languages, read once at the start.
#[derive(Clone)]
pub struct Catalogues {
    fallback: Words,
    all: Arc<[Words]>,
}

impl Catalogues {
    /// Reads the embedded catalogues. Errors: one of them does not parse.
    pub fn load() -> Result<Self, WordsError> {
        let all =
            SOURCES.iter().map(|(lang, source)| Words::read(lang, source)).collect::<Result<Arc<[Words]>, _>>()?;
        let fallback = all.first().cloned().ok_or(WordsError::NoLanguage)?;
        Ok(Self { fallback, all })
    }

    /// The language for one page: what the app asked for (`ui_locales`, OIDC Core 3.1.2.1, in order of preference), then
    /// what the browser asks for (`Accept-Language`, RFC 9110 §12.5.4, by weight). `de-AT` is served by `de`.
    pub fn choose(&self, ui_locales: Option<&str>, accept_language: Option<&str>) -> Words {
        self.choose_for(ui_locales, None, accept_language)
    }

    /// The same for somebody whom we know: the language that they have chosen comes before the browser's.
    pub fn choose_for(&self, ui_locales: Option<&str>, chosen: Option<&str>, accept_language: Option<&str>) -> Words {
        let by_app = ui_locales.and_then(|list| capped(list).split(' ').take(MOST_TAGS).find_map(|tag| self.find(tag)));
        by_app
            .or_else(|| chosen.and_then(|tag| self.find(tag)))
            .or_else(|| accept_language.and_then(|list| self.by_weight(capped(list))))
            .unwrap_or(&self.fallback)
            .clone()
    }

    /// The tags of all languages there are.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(Words::lang)
    }

    /// All languages there are.
    pub fn all(&self) -> impl Iterator<Item = &Words> {
        self.all.iter()
    }

    fn by_weight(&self, list: &str) -> Option<&Words> {
        let mut best: Option<(f32, &Words)> = None;
        for range in list.split(',').take(MOST_TAGS) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight_of(parameters);
            // Equal weights keep the order of the list, hence the strict comparison.
            if weight > best.map_or(0.0, |(weight, _)| weight)
                && let Some(words) = self.find(tag.trim())
            {
                best = Some((weight, words));
            }
        }
        best.map(|(_, words)| words)
    }

    fn find(&self, tag: &str) -> Option<&Words> {
        let exact = self.all.iter().find(|words| words.lang().eq_ignore_ascii_case(tag));
        exact.or_else(|| self.all.iter().find(|words| primary(words.lang()).eq_ignore_ascii_case(primary(tag))))
    }
}

/// Cut at a character, never inside one.
fn capped(list: &str) -> &str {
    list.get(..list.floor_char_boundary(LONGEST_LIST)).unwrap_or(list)
}

fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// The `q` of a language range; a range whose weight cannot be read is not wanted enough to matter.
fn weight_of(parameters: &str) -> f32 {
    match parameters.trim().strip_prefix("q=").or_else(|| parameters.trim().strip_prefix("Q=")) {
        None if parameters.trim().is_empty() => 1.0,
        None => 0.0,
        Some(number) => number.trim().parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0),
    }
}

/// One language's sentences; a clone shares them.
#[derive(Clone)]
pub struct Words {
    catalogue: Arc<Catalogue>,
}

struct Catalogue {
    lang: String,
    dir: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    /// Reads one catalogue. Errors: the tag, the syntax, a key given twice, or its `direction`.
    pub(crate) fn read(lang: &str, source: &str) -> Result<Self, WordsError> {
        let wrong = |reason: String| WordsError::Source { lang: lang.to_owned(), reason };
        let tag: LanguageIdentifier = lang.parse().map_err(|_| WordsError::Tag { lang: lang.to_owned() })?;
        let resource = FluentResource::try_new(source.to_owned())
            .map_err(|(_, errors)| wrong(listed(errors.iter().map(ToString::to_string))))?;
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // The invisible isolation marks would end up in titles, attributes and mails; names are set apart by `<bdi>`.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| wrong(listed(errors.iter().map(ToString::to_string))))?;
        let mut words = Catalogue { lang: lang.to_owned(), dir: "ltr", bundle };
        words.dir = match words.format("direction", None).as_deref() {
            Some("ltr") => "ltr",
            Some("rtl") => "rtl",
            _ => return Err(WordsError::Direction { lang: lang.to_owned() }),
        };
        Ok(Self { catalogue: Arc::new(words) })
    }

    /// The sentence of a key. A missing one is logged and answered by its key: a page with one odd word beats no page.
    pub fn say(&self, key: &str) -> String {
        self.speak(key, None)
    }

    /// The sentence of a key with its arguments filled in. The result is text; the template escapes it.
    pub fn say_with(&self, key: &str, args: &[(&str, &str)]) -> String {
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, number_or_text(value))).collect();
        self.speak(key, Some(&args))
    }

    /// The language tag, for `<html lang>`.
    pub fn lang(&self) -> &str {
        &self.catalogue.lang
    }

    /// `ltr` or `rtl`, for `<html dir>`.
    pub fn dir(&self) -> &str {
        self.catalogue.dir
    }

    fn speak(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        self.catalogue.format(key, args).unwrap_or_else(|| {
            tracing::error!(key, lang = self.lang(), "a message is missing in the catalogue");
            key.to_owned()
        })
    }
}

impl Catalogue {
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut errors: Vec<FluentError> = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            let faults = listed(errors.iter().map(ToString::to_string));
            tracing::error!(key, lang = self.lang, faults, "a message could not be filled in");
        }
        Some(text)
    }
}

fn listed(errors: impl Iterator<Item = String>) -> String {
    errors.collect::<Vec<_>>().join("; ")
}

/// Plurals need numbers, but a number must be written back as it came: an app may well be called "007" or "1e3".
fn number_or_text(value: &str) -> FluentValue<'_> {
    match value.parse::<u32>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use super::*;

    fn two_languages() -> Catalogues {
        let en = Words::read("en", "direction = ltr\nhello = Hello\n").unwrap();
        let he = Words::read("he", "direction = rtl\nhello = שלום\n").unwrap();
        Catalogues { fallback: en.clone(), all: Arc::new([en, he]) }
    }

    #[test]
    fn the_app_s_wish_comes_before_the_browser_s() {
        let chosen = |ui: Option<&str>, header: Option<&str>| two_languages().choose(ui, header).lang().to_owned();
        assert_eq!(chosen(None, None), "en");
        assert_eq!(chosen(Some("fr he"), Some("en")), "he");
        assert_eq!(chosen(Some("fr"), Some("he")), "he");
        assert_eq!(chosen(None, Some("en;q=0.5, he-IL;q=0.9")), "he");
        assert_eq!(chosen(None, Some("HE , en")), "he");
        assert_eq!(chosen(None, Some("he;q=0, en")), "en");
        assert_eq!(chosen(None, Some("he;q=nonsense")), "en");
        assert_eq!(chosen(None, Some("*")), "en");
        assert_eq!(two_languages().choose(Some("he"), None).dir(), "rtl");
        let known =
            |ui: Option<&str>, own: &str| two_languages().choose_for(ui, Some(own), Some("en")).lang().to_owned();
        assert_eq!(known(None, "he-IL"), "he");
        assert_eq!(known(Some("en"), "he"), "en");
        assert_eq!(known(None, "fr"), "en");
    }

    #[test]
    fn a_long_or_odd_list_is_cut_not_refused() {
        let long = "é".repeat(100_000);
        assert_eq!(two_languages().choose(Some(&long), Some(&long)).lang(), "en");
        let late = format!("{}he", "fr,".repeat(5_000));
        assert_eq!(two_languages().choose(None, Some(&late)).lang(), "en");
    }

    #[test]
    fn numbers_choose_plurals_and_names_stay_as_they_are() {
        let source = "direction = ltr\nn = { $n ->\n    [one] one\n   *[other] { $n } many\n}\nname = { $app }\n";
        let words = Words::read("en", source).unwrap();
        assert_eq!(words.say_with("n", &[("n", "1")]), "one");
        assert_eq!(words.say_with("n", &[("n", "12")]), "12 many");
        for name in ["007", "1e3", "+5", "2048", "4294967296", "<b>"] {
            assert_eq!(words.say_with("name", &[("app", name)]), name);
        }
    }

    #[test]
    fn a_missing_key_is_answered_by_itself() {
        assert_eq!(two_languages().choose(None, None).say("nowhere"), "nowhere");
    }

    #[test]
    fn a_catalogue_that_cannot_be_used_is_named() {
        assert!(matches!(Words::read("en", "direction = up\n"), Err(WordsError::Direction { .. })));
        assert!(matches!(Words::read("en", "= nothing"), Err(WordsError::Source { .. })));
        assert!(matches!(Words::read("!", "direction = ltr\n"), Err(WordsError::Tag { .. })));
    }

    #[test]
    fn the_list_of_languages_is_the_folder() {
        let folder: BTreeSet<String> = files_below(&root().join("templates/messages"), "ftl")
            .into_keys()
            .map(|path| Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(folder, SOURCES.iter().map(|(lang, _)| (*lang).to_owned()).collect());
    }

    #[test]
    fn every_language_has_every_key() {
        let (_, first) = SOURCES.first().unwrap();
        for (lang, source) in SOURCES {
            assert_eq!(keys_of(source), keys_of(first), "catalogue {lang}");
        }
    }

    /// What is filled in, message by message, is the same in every language.
    #[test]
    fn every_language_fills_in_the_same() {
        let (_, first) = SOURCES.first().unwrap();
        for (lang, source) in SOURCES {
            assert_eq!(placeholders_of(source), placeholders_of(first), "catalogue {lang}");
        }
    }

    /// A key is used where it is a whole string literal: `say("key"`, `message: "key"`, or in the lists of `http::views`.
    #[test]
    fn no_key_is_missing_and_none_is_left_over() {
        let keys = keys_of(SOURCES.first().unwrap().1);
        let mut texts = files_below(&root().join("templates"), "html");
        texts.extend(files_below(&root().join("src/http"), "rs"));
        texts.extend(files_below(&root().join("src/mail"), "rs"));
        let mut missing = Vec::new();
        let mut used = BTreeSet::from(["direction".to_owned()]);
        for (path, text) in &texts {
            used.extend(text.split('"').map(ToOwned::to_owned));
            for start in ["say(\"", "say_with(\"", "message: \"", "title: \""] {
                let named = text.split(start).skip(1).filter_map(|rest| rest.split('"').next());
                missing.extend(named.filter(|key| !keys.contains(*key)).map(|key| format!("{path}: {key}")));
            }
        }
        missing.extend(crate::http::views::said_by_handlers().filter(|key| !keys.contains(*key)).map(String::from));
        used.extend(keys.iter().filter(|key| key.starts_with("scope-")).cloned());
        let left_over: Vec<_> = keys.difference(&used).collect();
        assert!(missing.is_empty(), "not in the catalogue: {missing:#?}");
        assert!(left_over.is_empty(), "in the catalogue, but nobody says it: {left_over:#?}");
    }

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn keys_of(source: &str) -> BTreeSet<String> {
        let starts_a_message = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase());
        source.lines().filter(starts_a_message).filter_map(|line| Some(line.split_once(" =")?.0.to_owned())).collect()
    }

    fn placeholders_of(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut key = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                key = name.to_owned();
            }
            let names = line.split('$').skip(1).map(|rest| rest.split([' ', '}']).next().unwrap().to_owned());
            found.entry(key.clone()).or_default().extend(names);
        }
        found
    }

    fn files_below(folder: &Path, extension: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files_below(&path, extension));
            } else if path.extension().is_some_and(|own| own == extension) {
                found.insert(path.to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
            }
        }
        found
    }
}
