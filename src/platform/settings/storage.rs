//! Where people's pictures go.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::Secret;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    pub url: String,
    pub key_id: String,
    pub key: Secret,
    pub region: String,
    pub endpoint: String,
}

/// What `storage.url` names; the second part is what stands before every name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Folder(PathBuf),
    S3(String, String),
    Azure(String, String),
    Google(String, String),
}

impl Storage {
    pub fn place(&self) -> Result<Place, String> {
        let Some((scheme, rest)) = self.url.split_once("://") else {
            let folder = Some(&self.url).filter(|url| !url.is_empty());
            return Ok(Place::Folder(folder.ok_or("must name a folder, or be like s3://BUCKET/PREFIX")?.into()));
        };
        if scheme == "file" {
            let folder = Url::parse(&self.url).ok().and_then(|url| url.to_file_path().ok());
            return Ok(Place::Folder(folder.ok_or("must be like file:///var/lib/bonafide/pictures")?));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
        if bucket.is_empty() || !plain(rest) {
            return Err("must be like s3://BUCKET/PREFIX".to_owned());
        }
        let (bucket, prefix) = (bucket.to_owned(), prefix.trim_matches('/').to_owned());
        match scheme {
            "s3" => Ok(Place::S3(bucket, prefix)),
            "az" => Ok(Place::Azure(bucket, prefix)),
            "gs" => Ok(Place::Google(bucket, prefix)),
            other => Err(format!("must be a folder, or begin with s3://, az:// or gs://, not {other}://")),
        }
    }

    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let place = self.place().map_err(|why| ("storage.url", why))?;
        let needs = |setting: &'static str, text: &str, what: &str| {
            if text.is_empty() { Err((setting, format!("must be set: {what}"))) } else { Ok(()) }
        };
        match place {
            Place::Folder(_) => {}
            Place::S3(..) => needs("storage.key_id", &self.key_id, "the id of the access key")?,
            Place::Azure(..) => needs("storage.key_id", &self.key_id, "the name of the account")?,
            Place::Google(..) => needs("storage.key", self.key.expose(), "the JSON of the service account")?,
        }
        if matches!(place, Place::S3(..) | Place::Azure(..)) {
            needs("storage.key", self.key.expose(), "without it nothing can be written there")?;
        }
        let is_origin = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !(self.endpoint.is_empty() || Url::parse(&self.endpoint).is_ok_and(is_origin)) {
            return Err(("storage.endpoint", "must be an http or https URL".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(url: &str) -> Storage {
        let (key_id, region, endpoint) = (String::new(), String::new(), String::new());
        Storage { url: url.to_owned(), key_id, key: Secret::default(), region, endpoint }
    }

    #[test]
    fn places() {
        let place = |url: &str| storage(url).place();
        assert_eq!(place("data/pictures"), Ok(Place::Folder("data/pictures".into())));
        assert_eq!(place("file:///srv/pictures"), Ok(Place::Folder("/srv/pictures".into())));
        assert_eq!(place("s3://people"), Ok(Place::S3("people".into(), String::new())));
        assert_eq!(place("az://people/faces/"), Ok(Place::Azure("people".into(), "faces".into())));
        assert_eq!(place("gs://people/a/b"), Ok(Place::Google("people".into(), "a/b".into())));
        for bad in ["", "ftp://x", "s3://", "s3://u:p@bucket", "file://host/x", "https://bucket.s3.amazonaws.com"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_store_elsewhere_needs_its_key() {
        assert!(storage("data").check().is_ok());
        for (url, setting) in [("s3://b", "storage.key_id"), ("az://c", "storage.key_id"), ("gs://b", "storage.key")] {
            assert_eq!(storage(url).check().map_err(|(setting, _)| setting), Err(setting));
        }
    }
}
