//! `bonafide policy`: Cedar policies, from a folder or out of the versions that were published.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Failure, note, output, with_app};
use crate::access::policies::{
    Bundle, DryRun, Engine, Origin, PolicyFault, Publication, Published, Version, read_folder,
};
use crate::app::App;
use crate::audit::Source;
use crate::platform::settings::Settings;

/// Versions that are listed.
const LISTED: u64 = 100;

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// What is in force, or another version
    Show {
        /// As `policy versions` shows it
        version: Option<i64>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Whether a folder validates; changes nothing
    Check {
        /// With *.cedar, one *.cedarschema, and entities.json where there is one
        folder: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Which of the recent decisions a folder would decide otherwise; changes nothing
    DryRun {
        /// With *.cedar, one *.cedarschema, and entities.json where there is one
        folder: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Publish a folder: in force on every node within a second
    #[command(after_help = "Examples:
  bonafide policy check policies
  bonafide policy dry-run policies
  bonafide policy publish policies --note 'editors may delete drafts'")]
    Publish {
        /// With *.cedar, one *.cedarschema, and entities.json where there is one
        folder: PathBuf,
        /// What changes, for those who look at the versions
        #[arg(long, default_value = "")]
        note: String,
        /// Only if this version is still in force
        #[arg(long, value_name = "VERSION")]
        expect: Option<i64>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Every version, the newest first
    Versions {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Publish an older version once more
    Restore {
        /// As `policy versions` shows it
        version: i64,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl PolicyCommand {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        // Needs no database: for a pipeline that checks a change.
        if let Self::Check { folder, json } = self {
            return check(&read_folder(&folder).map_err(PolicyFault::from)?, json);
        }
        with_app(settings, async |app| self.on(app).await).await
    }

    async fn on(self, app: &App) -> Result<(), Failure> {
        let policies = &app.policies;
        match self {
            Self::Show { version, json } => {
                let found = match version {
                    Some(version) => Some(policies.version(version).await?.ok_or(PolicyFault::Unknown(version))?),
                    None => policies.newest().await?,
                };
                show(found, json)
            }
            Self::Check { folder, json } => check(&read_folder(&folder).map_err(PolicyFault::from)?, json),
            Self::DryRun { folder, json } => {
                let run = policies.dry_run(read_folder(&folder).map_err(PolicyFault::from)?).await?;
                report(&run, json)
            }
            Self::Publish { folder, note, expect, json } => {
                let bundle = read_folder(&folder).map_err(PolicyFault::from)?;
                let publication = Publication { bundle, origin: Origin::Command, note, by: None, expected: expect };
                said(policies.publish(publication, &Source::default()).await?, json)
            }
            Self::Versions { json } => versions(&policies.versions(None, LISTED).await?, json),
            Self::Restore { version, json } => {
                said(policies.restore(version, Origin::Command, None, &Source::default()).await?, json)
            }
        }
    }
}

fn check(bundle: &Bundle, json: bool) -> Result<(), Failure> {
    let engine = Engine::compile(bundle).map_err(PolicyFault::Invalid)?;
    for warning in engine.warnings() {
        note(&format!("warning: {warning}"));
    }
    if json {
        return output::json(&json!({"policies": engine.len(), "warnings": engine.warnings()}));
    }
    output::line(&format!("{} policies validate", engine.len()))
}

fn said(published: Published, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&json!({"version": published.version, "new": published.new}));
    }
    let what = if published.new { "published" } else { "in force already:" };
    output::line(&format!("{what} version {}", published.version))
}

fn described(version: &Version) -> Value {
    json!({
        "version": version.number,
        "source": version.origin.name(),
        "note": version.note,
        "publishedBy": version.published_by,
        "publishedAt": version.published_at.to_rfc3339(),
    })
}

fn show(found: Option<(Version, Bundle)>, json: bool) -> Result<(), Failure> {
    let Some((version, bundle)) = found else {
        if json {
            return output::json(&json!({"version": 0}));
        }
        return output::line("nothing was ever published: nothing is allowed");
    };
    if json {
        let mut described = described(&version);
        if let (Some(members), Ok(Value::Object(more))) = (described.as_object_mut(), serde_json::to_value(&bundle)) {
            members.extend(more);
        }
        return output::json(&described);
    }
    output::fields(&[
        ("version", version.number.to_string()),
        ("source", version.origin.name().to_owned()),
        ("note", version.note.clone()),
        ("published", version.published_at.to_rfc3339()),
        ("entities", bundle.entities.len().to_string()),
    ])?;
    for (name, text) in bundle.documents.iter().map(|(name, text)| (format!("{name}.cedar"), text)) {
        output::line(&format!("\n// {name}\n{}", text.trim_end()))?;
    }
    if bundle.schema.is_empty() { Ok(()) } else { output::line(&format!("\n// schema\n{}", bundle.schema.trim_end())) }
}

fn versions(versions: &[Version], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&versions.iter().map(described).collect::<Vec<_>>());
    }
    let rows: Vec<[String; 4]> = versions
        .iter()
        .map(|version| {
            let origin = version.origin.name().to_owned();
            [version.number.to_string(), version.published_at.to_rfc3339(), origin, version.note.clone()]
        })
        .collect();
    output::table(["version", "published", "source", "note"], &rows)
}

fn report(run: &DryRun, json: bool) -> Result<(), Failure> {
    let word = |allowed: bool| if allowed { "allowed" } else { "denied" };
    if json {
        let differences: Vec<Value> = run
            .differences
            .iter()
            .map(|one| {
                json!({
                    "question": one.question,
                    "was": {"decision": one.was.allowed, "policies": one.was.policies},
                    "would": {"decision": one.would.allowed, "policies": one.would.policies, "error": one.would.error.as_ref().map(ToString::to_string)},
                    "times": one.times,
                    "lastAt": one.last_at.to_rfc3339(),
                })
            })
            .collect();
        let (considered, differing) = (run.considered, run.differing);
        return output::json(&json!({"considered": considered, "differing": differing, "differences": differences}));
    }
    output::line(&format!("{} of {} recent questions would be decided otherwise", run.differing, run.considered))?;
    let rows: Vec<[String; 5]> = run
        .differences
        .iter()
        .map(|one| {
            let question = &one.question;
            let of = |kind: &str, id: &str| format!("{kind} {id}");
            [
                of(&question.subject.kind, &question.subject.id),
                question.action.name.clone(),
                of(&question.resource.kind, &question.resource.id),
                format!("{} -> {}", word(one.was.allowed), word(one.would.allowed)),
                one.would.error.as_ref().map_or_else(|| one.would.policies.join(" "), ToString::to_string),
            ]
        })
        .collect();
    if rows.is_empty() {
        Ok(())
    } else {
        output::table(["subject", "action", "resource", "decision", "because"], &rows)
    }
}
