//! A person's session with one of the two faces, as a browser would hold it.

use serde_json::Value;
use std::time::Duration;

/// An HTTP client with a cookie jar.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    /// A client of the face at `base`, for example `http://127.0.0.1:42300`, not logged in.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            // A server may close a connection whose body it refused to read: each call takes its own.
            .max_idle_connections(0)
            .build();
        Self {
            agent: config.into(),
            base: base.to_owned(),
        }
    }

    /// Status and JSON body; a body that is no JSON comes as a string.
    pub fn get(&self, path: &str) -> (u16, Value) {
        answer(self.agent.get(format!("{}{path}", self.base)).call(), path)
    }

    /// As [`Client::get`], sending `body`.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(
            self.agent
                .post(format!("{}{path}", self.base))
                .header("origin", &self.base)
                .send_json(body),
            path,
        )
    }

    /// As [`Client::post`], in place of what is there.
    pub fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(
            self.agent
                .put(format!("{}{path}", self.base))
                .header("origin", &self.base)
                .send_json(body),
            path,
        )
    }

    /// As [`Client::get`], taking away what is there.
    pub fn delete(&self, path: &str) -> (u16, Value) {
        let call = self.agent.delete(format!("{}{path}", self.base));
        answer(call.header("origin", &self.base).call(), path)
    }

    /// The body of a call that must succeed.
    pub fn read(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// The body, or nothing while the server is away or not ready.
    pub fn try_read(&self, path: &str) -> Option<Value> {
        let mut response = self.agent.get(format!("{}{path}", self.base)).call().ok()?;
        (response.status() == 200)
            .then(|| response.body_mut().read_json().ok())
            .flatten()
    }
}

fn answer(
    result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    path: &str,
) -> (u16, Value) {
    let mut response = result.unwrap_or_else(|error| panic!("{path}: {error}"));
    let text = response
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string()
        .unwrap_or_default();
    (
        response.status().as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}
