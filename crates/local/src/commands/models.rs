//! `millrace models`: the trained models, and which of them scores.

use std::time::Duration;

use anyhow::anyhow;
use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use millrace_churn_model::{Artefact, Model as Scorer};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::champion::{self, ChangeError};
use millrace_store_mysql::models::{self, Model};
use millrace_store_objects::{ObjectSettings, ObjectStore};
use serde_json::{Value, json};

use super::database::Database;
use super::output::{print, print_json, table};
use crate::CommandError;
use crate::stack::Stack;

/// How long the object store may take to give an object.
const WITHIN: Duration = Duration::from_secs(30);
/// Models that a list shows.
const LISTED: u32 = 100;
/// Who changes the champion, in its history.
const BY: &str = "millrace models";

/// The options of `models`.
#[derive(Debug, Args)]
pub struct Models {
    #[command(flatten)]
    database: Database,
    /// With --mysql-url: the bucket on AWS that has the models' artefacts and cards, which all but `list` need
    #[arg(long, global = true, value_name = "NAME")]
    bucket: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The newest models, and which of them is the champion
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// A model's card: its data, figures, candidates, and why it was promoted or not
    Show {
        /// The model's version
        version: u32,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Make a model the champion
    Promote {
        /// The model's version
        version: u32,
        #[command(flatten)]
        change: Change,
    },
    /// Give the champion before the current one its place back
    Rollback {
        #[command(flatten)]
        change: Change,
    },
}

/// The options of a change.
#[derive(Debug, Args)]
struct Change {
    /// Why, as the history says it
    #[arg(long, value_name = "T", default_value = "by hand", value_parser = reason)]
    reason: String,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

fn reason(text: &str) -> Result<String, String> {
    const LONGEST: usize = 400;
    if text.chars().count() > LONGEST {
        return Err(format!("expected at most {LONGEST} characters"));
    }
    Ok(text.trim().to_owned())
}

/// Where models are.
struct Stores {
    pool: MySqlPool,
    objects: ObjectStore,
}

impl Models {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such model or an option is missing (bad input), its artefact is not the one that was trained, or the stack is
    /// not there.
    pub async fn run(self) -> Result<(), CommandError> {
        let Self { database, bucket, action } = self;
        let objects = objects(database.stack()?.as_ref(), bucket.as_deref())?;
        match action {
            Action::List { json } => list(&database.pool().await?, json).await,
            Action::Show { version, json } => Stores::open(&database, objects).await?.show(version, json).await,
            Action::Promote { version, change } => {
                Stores::open(&database, objects).await?.promote(version, &change).await
            }
            Action::Rollback { change } => Stores::open(&database, objects).await?.roll_back(&change).await,
        }
    }
}

/// Where artefacts and cards are: the stack's bucket, or the one that is named on AWS, if any.
fn objects(stack: Option<&Stack>, bucket: Option<&str>) -> Result<Option<ObjectSettings>, CommandError> {
    match (stack, bucket) {
        (Some(stack), None) => Ok(Some(stack.object_settings())),
        (None, bucket) => Ok(bucket.map(ObjectSettings::on_aws)),
        (Some(_), Some(_)) => Err(CommandError::input("--bucket goes with --mysql-url")),
    }
}

async fn list(pool: &MySqlPool, as_json: bool) -> Result<(), CommandError> {
    let champion = champion::current(pool).await?;
    let champion = champion.map(|champion| champion.model.version);
    let models = models::newest(pool, LISTED).await?;
    if as_json {
        let models: Vec<Value> = models.iter().map(|model| described(model, champion)).collect();
        return print_json(&json!({"champion": champion, "models": models}));
    }
    let mut rows = vec![["version", "created", "candidate", "state"].map(str::to_owned)];
    rows.extend(models.iter().map(|model| {
        let state = match (champion == Some(model.version), model.stored_at) {
            (true, _) => "champion",
            (false, Some(_)) => "",
            (false, None) => "its training did not end",
        };
        let created = model.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        [model.version.to_string(), created, model.candidate.clone(), state.to_owned()]
    }));
    print(&table(&rows))
}

impl Stores {
    async fn open(database: &Database, objects: Option<ObjectSettings>) -> Result<Self, CommandError> {
        let objects = objects.ok_or_else(|| {
            CommandError::input("--mysql-url: --bucket is missing, which has the models' artefacts and cards")
        })?;
        Ok(Self { pool: database.pool().await?, objects: ObjectStore::new(&objects) })
    }

    async fn show(&self, version: u32, as_json: bool) -> Result<(), CommandError> {
        let model = self.known(version).await?;
        let champion = champion::current(&self.pool).await?.map(|champion| champion.model.version);
        let card = self.objects.card(version, WITHIN).await?;
        let card: Value = serde_json::from_slice(&card)
            .map_err(|error| anyhow!("the card of model version {version} can't be read: {error}"))?;
        if as_json {
            let mut described = described(&model, champion);
            described["card"] = card;
            return print_json(&described);
        }
        let state = if champion == Some(version) { ", the champion" } else { "" };
        print(&format!("version {version}{state}\n{}", lines(&card, 0)))
    }

    async fn promote(&self, version: u32, change: &Change) -> Result<(), CommandError> {
        let model = self.known(version).await?;
        let before = champion::current(&self.pool).await?;
        let before = before.map(|champion| champion.model.version);
        self.check_artefact(&model).await?;
        champion::promote(&self.pool, version, before, BY, &change.reason).await?;
        said(change.json, "promoted", version, before)
    }

    async fn roll_back(&self, change: &Change) -> Result<(), CommandError> {
        let before = champion::current(&self.pool).await?;
        let before = before.map(|champion| champion.model.version);
        let earlier = champion::previous(&self.pool).await?.ok_or(ChangeError::NoneBefore)?;
        self.check_artefact(&self.known(earlier).await?).await?;
        let version = champion::rollback(&self.pool, before, BY, &change.reason).await?;
        said(change.json, "rolled_back", version, before)
    }

    /// A model by its version; one that is unknown is bad input.
    async fn known(&self, version: u32) -> Result<Model, CommandError> {
        let model = models::get(&self.pool, version).await?;
        model.ok_or_else(|| CommandError::input(ChangeError::Unknown(version).to_string()))
    }

    /// Sees that a model's artefact is the one that was trained, and that it can score.
    async fn check_artefact(&self, model: &Model) -> Result<(), CommandError> {
        if model.stored_at.is_none() {
            return Err(ChangeError::Incomplete(model.version).into());
        }
        let artefact = self.objects.artefact(model.version, &model.sha256, WITHIN).await?;
        Scorer::load(Artefact::from_bytes(&artefact)?)?;
        Ok(())
    }
}

fn described(model: &Model, champion: Option<u32>) -> Value {
    json!({
        "version": model.version,
        "created_at": model.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "stored_at": model.stored_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        "candidate": model.candidate,
        "schema_version": model.schema_version,
        "sha256": model.sha256,
        "champion": champion == Some(model.version),
    })
}

fn said(as_json: bool, kind: &str, version: u32, before: Option<u32>) -> Result<(), CommandError> {
    if as_json {
        return print_json(&json!({"change": kind, "champion": version, "before": before}));
    }
    let before = before.map_or_else(|| "there was none before".to_owned(), |before| format!("it was version {before}"));
    print(&format!("the champion is version {version}; {before}\n"))
}

/// A card for people: a line for each value, indented below its name.
fn lines(card: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let line = |name: &str, value: &Value| match value {
        Value::Object(_) | Value::Array(_) => format!("{indent}{name}\n{}", lines(value, depth + 1)),
        Value::String(text) => format!("{indent}{name}: {text}\n"),
        other => format!("{indent}{name}: {other}\n"),
    };
    match card {
        Value::Object(fields) => fields.iter().map(|(name, value)| line(name, value)).collect(),
        Value::Array(items) => items.iter().map(|item| line("-", item)).collect(),
        other => format!("{indent}{other}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_a_line_for_each_value() {
        let card = json!({"rows": 3, "window": {"from": "a"}, "candidates": [{"name": "forest"}]});
        let text = lines(&card, 0);
        assert!(text.contains("rows: 3\n") && text.contains("window\n  from: a\n"), "{text}");
        assert!(text.contains("candidates\n  -\n    name: forest\n"), "{text}");
    }
}
