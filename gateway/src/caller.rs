//! A command's side of a running gateway's interface: a person's session at the terminal.

use crate::pin;
use anyhow::{Context as _, Result, bail};
use davy_config::Language;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Longest that a call may take: a report is printed within it.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// Largest file of a report that is fetched, bytes.
const FILE_MAX: u64 = 64 << 20;

/// One gateway, and whoever is logged in there.
pub(crate) struct Caller {
    agent: ureq::Agent,
    base: String,
}

impl Caller {
    /// `base`: `http://127.0.0.1:8080`.
    pub(crate) fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(CALL_LIMIT))
            .build();
        Self {
            agent: config.into(),
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    pub(crate) fn log_in(
        &mut self,
        person: &str,
        pin: Option<&Path>,
        language: Language,
    ) -> Result<()> {
        let pin = pin::ask(pin, language)?;
        self.post("/api/session", &json!({ "person": person, "pin": pin }))?;
        Ok(())
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let address = format!("{}{path}", self.base);
        answer(self.agent.get(&address).call(), &address)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let address = format!("{}{path}", self.base);
        answer(self.agent.post(&address).send_json(body), &address)
    }

    /// What it answers with, also where it refuses.
    pub(crate) fn post_any(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        let address = format!("{}{path}", self.base);
        told(self.agent.post(&address).send_json(body), &address)
    }

    /// As [`Self::post_any`].
    pub(crate) fn get_any(&self, path: &str) -> Result<(u16, Value)> {
        let address = format!("{}{path}", self.base);
        told(self.agent.get(&address).call(), &address)
    }

    pub(crate) fn fetch(&self, path: &str) -> Result<Vec<u8>> {
        let address = format!("{}{path}", self.base);
        let mut answer = self.agent.get(&address).call()?;
        if answer.status() != 200 {
            bail!("{address}: {}", answer.status());
        }
        let body = answer.body_mut().with_config().limit(FILE_MAX);
        Ok(body.read_to_vec()?)
    }
}

type Called = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn told(called: Called, address: &str) -> Result<(u16, Value)> {
    let mut answer = called.with_context(|| address.to_owned())?;
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    let body = serde_json::from_str(&body).unwrap_or(Value::Null);
    Ok((answer.status().as_u16(), body))
}

/// The body, or the gateway's own words and code.
fn answer(called: Called, address: &str) -> Result<Value> {
    let (status, body) = told(called, address)?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let said = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    bail!(
        "{address}: {status} {} ({})",
        said("error"),
        said("message")
    )
}
