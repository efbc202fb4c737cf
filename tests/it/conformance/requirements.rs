//! Every numbered requirement for the plans that are built has a test that names it.

use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::Path};

/// The requirements without a tag, and those of the plans Basic, Config, Form Post and the three logout plans.
///
/// Left out, since they belong to what is yet to come: 12, 17, 26, 31, 61 (Dynamic OP: more response types, signed user information,
/// `request_uri`), 55 (pages of registered clients), 63 to 66 and 83 (`private_key_jwt`), 91 (signed user information), 94 to 102 (dynamic
/// registration), from 117 on (PAR, FAPI 2, DPoP, mTLS, message signing, their test runs). Left out as FAPI's: 2, 4, 5, 8, 25, 36,
/// 56, 57, 67, 68, 82. 116 is a note about session management, which is not built.
const APPLICABLE: &[RangeInclusive<u32>] = &[
    1..=1,
    3..=3,
    6..=7,
    9..=11,
    13..=16,
    18..=24,
    27..=30,
    32..=35,
    37..=54,
    58..=60,
    62..=62,
    69..=81,
    84..=90,
    92..=93,
    103..=115,
];

/// The numbers that a test names: `c_46_…` or `c_109_110_…` in its name, "requirement 46", "requirements 46, 47", "requirements 46
/// to 52" in words.
fn named(source: &str) -> BTreeSet<u32> {
    let source = source.to_ascii_lowercase();
    let mut numbers = BTreeSet::new();
    for (at, _) in source.match_indices("c_") {
        if source[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
            continue;
        }
        let digits = source[at + 2..].split('_').map_while(|part| part.parse::<u32>().ok());
        numbers.extend(digits);
    }
    for (at, word) in source.match_indices("requirement") {
        let mut rest = source[at + word.len()..].trim_start_matches('s');
        let mut last = None;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            match (word, last) {
                ("and", Some(_)) => {}
                ("to", Some(from)) => {
                    let to =
                        behind.trim_start().split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok());
                    numbers.extend(to.map_or(from..=from, |to: u32| from..=to));
                }
                (number, _) => match number.parse() {
                    Ok(number) => {
                        numbers.insert(number);
                        last = Some(number);
                    }
                    Err(_) => break,
                },
            }
            rest = behind;
        }
    }
    numbers
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("requirements.rs") {
            found.push(fs::read_to_string(path).expect("a source"));
        }
    }
}

#[test]
fn requirements_have_tests() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"), &mut found);
    let named: BTreeSet<u32> = found.iter().flat_map(|source| named(source)).collect();
    let missing: Vec<u32> = APPLICABLE.iter().cloned().flatten().filter(|number| !named.contains(number)).collect();
    assert!(missing.is_empty(), "no test names these requirements: {missing:?}");
}

#[test]
fn names_are_read() {
    for (source, numbers) in [
        ("fn c_46_prompt()", &[46][..]),
        ("fn ss_08_c_109_110_told()", &[109, 110]),
        ("fn ac_01_code() {} fn rfc_2_x()", &[]),
        ("/// Requirement 1, BR-09: x", &[1]),
        ("/// Requirements 29, 30: every", &[29, 30]),
        ("3.1.2.1; requirements 46 to 48).", &[46, 47, 48]),
        ("(requirements 3 and 5) 9", &[3, 5]),
        ("requirements are 7", &[]),
    ] {
        assert_eq!(named(source), numbers.iter().copied().collect(), "{source}");
    }
}
